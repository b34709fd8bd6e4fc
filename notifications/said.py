"""What holds from now on, in the words of the preference page. Decides nothing."""

import datetime as dt
from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import PROFILING, REMINDER, Choice, last_day
from salon.core.templatetags.house import as_day

Words = str | Promise

KINDS: Mapping[str, Words] = {
    "mkt.promotion": gettext_lazy("Offers and news"),
    "mkt.rebook": gettext_lazy("Time to come back"),
    "mkt.review": gettext_lazy("Requests for a review"),
    "mkt.birthday": gettext_lazy("Birthday greetings"),
    "mkt.welcome": gettext_lazy("Welcome message"),
}
CHANNELS: Mapping[str, Words] = {"email": gettext_lazy("By e-mail"), "sms": gettext_lazy("By SMS")}
BARS: Mapping[str, Words] = {
    "old_link": gettext_lazy("This can be switched on only through a link in a newer message."),
    "inactive": gettext_lazy("This can be switched on in the salon."),
    "no_address": gettext_lazy("We have no number or address of yours for this."),
    "own_link": gettext_lazy(
        "You stopped this. It can be switched on only through a link in a message to that address or number."
    ),
}
RESUMED = gettext_lazy("The pause is over.")


def no_offers(channel: str) -> str:
    """Return that no offers come any more on a channel, "*" for all."""
    return {
        "email": _("From now on you get no offers by e-mail."),
        "sms": _("From now on you get no offers by SMS."),
        "*": _("From now on you get no offers at all."),
    }[channel]


def rests_until(until: dt.datetime) -> str:
    """Return until when offers rest."""
    words = _("Until %(day)s you get no offers. After that your choices hold again as they stand below.")
    return words % {"day": as_day(last_day(until))}


def of_changes(wanted: Mapping[tuple[str, str], bool], after: Iterable[Choice]) -> list[str]:
    """Return a sentence for each tick that was changed, as it stands now; what could not be changed says so."""
    now = {(one.purpose, one.channel): one for one in after}
    return [_of_change(now[pair], is_yes) for pair, is_yes in wanted.items() if pair in now]


def _of_change(one: Choice, is_yes: bool) -> str:
    if one.is_waiting:
        return _("%(what)s: noted. It counts once you open the link that we send you.") % {"what": _what(one)}
    if one.is_on != is_yes:
        return _("%(what)s: this could not be changed here.") % {"what": _what(one)}
    if one.is_on:
        return _("%(what)s: on from now.") % {"what": _what(one)}
    return _("%(what)s: off from now.") % {"what": _what(one)}


def _what(one: Choice) -> str:
    if one.purpose == PROFILING:
        return _("Profiling")
    name = _("Reminders of your appointments") if one.purpose == REMINDER else KINDS[one.purpose]
    words = _("%(name)s, by e-mail") if one.channel == "email" else _("%(name)s, by SMS")
    return words % {"name": name}
