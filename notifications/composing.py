"""The page on which somebody writes to clients: who is meant, what it looks like, who gets it. Called by its view.

Reads only. Names and contacts come from the rows that the reader may see.
"""

import contextlib
import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clients import existing, filters, selection
from clients.fold import NEGATIVE
from clients.models import Client
from notifications import (
    audience,
    campaigns,
    costs,
    filling,
    links,
    rendering,
    segments,
    sending,
    shortlinks,
    smsaccount,
    smswords,
)
from notifications.audience import Seat
from notifications.campaigns import Words
from notifications.facts import is_on_hold
from notifications.models import Message
from notifications.words import PLACEHOLDERS
from salon.core import public
from salon.core.models import Salon, User
from salon.core.templatetags.house import as_time, as_weekday

_NO_WORDS = gettext_lazy("Without subject and text there is nothing to show.")
_NO_TEXT = gettext_lazy("Without a text there is nothing to show.")
# So many stand on the page by name, a few of those left out among them.
SHOWN, SHOWN_OUT = 15, 5
# Of so many the text is written to say what about all of them cost.
_SAMPLE = 20
# How many of those left out, and why, in a few words; the rest are "other".
_LEFT_OUT = {
    "no": gettext_lazy("%(count)s said No"),
    "ask": gettext_lazy("%(count)s not asked"),
    "wait": gettext_lazy("%(count)s not confirmed yet"),
    "no_address": gettext_lazy("%(count)s without e-mail"),
    "no_number": gettext_lazy("%(count)s without a mobile number"),
    "frequency_cap": gettext_lazy("%(count)s had one lately"),
    "other": gettext_lazy("%(count)s for another reason"),
}


@dataclass(frozen=True)
class Preview:
    """The mail as one of them gets it; or, in `fault`, why it cannot be shown."""

    name: str
    language: str = ""
    title: str = ""
    body: str = ""
    fault: str = ""
    size: segments.Size | None = None


@dataclass(frozen=True)
class Bill:
    """What SMS cost: how many there are with how many parts, the price of all, and what made some of them dear."""

    count: int
    parts: int
    cost: Decimal
    dear_count: int
    culprits: str
    has_price: bool
    is_about: bool = False


@dataclass(frozen=True)
class Composing:
    """The chosen clients, and what became of looking at them with `words`."""

    clients: Sequence[Client]
    salon: Salon
    words: Words
    now: dt.datetime
    seats: list[Seat] = field(default_factory=list)
    at: dt.datetime | None = None

    @property
    def count(self) -> int:
        """Return how many get it."""
        return sum(seat.is_in for seat in self.seats)

    @property
    def leaves_at(self) -> dt.datetime | None:
        """Return when it leaves if sent now: the chosen time, or the end of the night; None for at once."""
        begins = self.at or campaigns.begins(self.words.draft(), self.salon, self.now)
        return begins if begins - self.now > campaigns.UNDO_WAIT else None

    def preview(self) -> Preview:
        """Return the mail of the first who gets it, or of the first at all. No link in it is anybody's."""
        client = next((seat.client for seat in self.seats if seat.is_in), self.clients[0])
        campaign = self.words.draft()
        message = Message(kind=campaign.kind, channel=campaign.channel, client=client, campaign=campaign)
        try:
            if campaign.channel == smsaccount.CHANNEL:
                return self._text(message, client)
            shown = rendering.render(message, self.salon, link=links.example_url(self.salon))
        except filling.TemplateError:
            if found := next((one for one in (campaign.title, campaign.text, campaign.conditions) if filling.fault(one)), ""):
                return Preview(client.name, fault=_("%(found)s stands for nothing.") % {"found": filling.fault(found)})
            is_sms = campaign.channel == smsaccount.CHANNEL
            nothing = _NO_TEXT if is_sms else _NO_WORDS
            return Preview(client.name, fault=str(nothing))
        return Preview(client.name, str(dict(settings.LANGUAGES)[shown.language]), shown.title, shown.body)

    def _text(self, message: Message, client: Client) -> Preview:
        account = smsaccount.account()
        if account is None:
            return Preview(client.name, fault=_("No SMS account is entered yet."))
        if not self.words.text.strip():
            raise filling.TemplateError("no text")
        shown = smswords.render(message, self.salon, account, link=shortlinks.example_url(self.salon))
        return Preview(client.name, str(dict(settings.LANGUAGES)[shown.language]), "", shown.body, size=shown.size)

    def bill(self) -> Bill | None:
        """Return what the SMS of those who get it cost; None for e-mails."""
        if self.words.channel != smsaccount.CHANNEL:
            return None
        if len(self.seats) > audience.WORDS_MOST:
            return self._about()
        written = [seat.words for seat in self.seats if seat.is_in and seat.words is not None]
        dear = [words for words in written if words.size.culprit]
        culprits = " ".join(dict.fromkeys(words.size.culprit for words in dear))
        parts, cost = sum(words.size.segments for words in written), sum((words.cost for words in written), Decimal(0))
        return Bill(len(written), parts, cost, len(dear), culprits, bool(cost or not written))

    def _about(self) -> Bill:
        """Return what so many cost if each were as long as the longest of some of them: those with the longest names too."""
        account, campaign = smsaccount.account(), self.words.draft()
        inside = [seat.client for seat in self.seats if seat.is_in]
        if account is None or not inside:
            return Bill(0, 0, Decimal(0), 0, "", has_price=True, is_about=True)
        some = sorted(inside, key=lambda client: len(client.first_name))[-_SAMPLE:] + inside[:: len(inside) // _SAMPLE + 1]
        written = []
        for client in some:
            message = Message(kind=campaign.kind, channel=campaign.channel, client=client, campaign=campaign)
            with contextlib.suppress(filling.TemplateError):
                written.append(smswords.render(message, self.salon, account, link=shortlinks.example_url(self.salon)))
        parts = max((words.size.segments for words in written), default=1)
        cost = sum((parts * costs.price(str(client.phone or ""), account.prices) for client in inside), Decimal(0))
        culprits = " ".join(dict.fromkeys(words.size.culprit for words in written if words.size.culprit))
        return Bill(len(inside), parts * len(inside), cost, 0, culprits, bool(cost), is_about=True)

    def context(self) -> dict[str, Any]:
        """Return what the page and its side show."""
        is_sms = self.words.channel == smsaccount.CHANNEL
        return {
            "is_sms": is_sms,
            "bill": self.bill(),
            "clients": self.clients,
            "seats": _some(self.seats),
            "more_count": max(len(self.seats) - SHOWN, 0),
            "later": self.at,
            "count": self.count,
            "verdict": _verdict(self.count, len(self.clients)),
            "left_out": _left_out(self.seats, is_sms=is_sms),
            "send_label": _send_label(self.count, is_sms=is_sms, at=self.leaves_at),
            "preview": self.preview(),
            "length": len(self.words.text),
            "buttons": [(PLACEHOLDERS[name], filling.inserted(name)) for name in filling.OWN],
            "used": smsaccount.describe(self.salon) if is_sms else sending.describe(self.salon),
            "is_on_hold": is_on_hold(self.salon),
            "has_public_address": public.has_address(self.salon),
            "night_until": None if self.at else self.leaves_at,
        }


def chosen(user: User, salon: Salon, given: QueryDict, *, now: dt.datetime) -> list[Client]:
    """Return the clients that a selection names and `user` may see, as the list has them; at most one more than the limit."""
    ticked = selection.read(given, user)
    return list(selection.rows(ticked, user, salon, now=now).order_by("sort_name", "pk")[: campaigns.LIMIT + 1])


def is_by_habit(ticked: selection.Selection) -> bool:
    """Return whether a selection finds clients by what they did."""
    return bool(ticked.every) and filters.by_habit(ticked.wanted["filters"])


def compose(
    clients: Sequence[Client],
    salon: Salon,
    words: Words,
    now: dt.datetime,
    *,
    at: dt.datetime | None = None,
    by_habit: bool = False,
) -> Composing:
    """Return the page for `clients` and `words`, with the gate asked about each of them, as it will be at `at`."""
    draft = words.draft()
    draft.is_by_habit = by_habit
    at = at if at is not None and at > now else None
    return Composing(clients, salon, words, now, audience.look(clients, draft, salon, at or now), at)


def _some(seats: Sequence[Seat]) -> list[Seat]:
    """Return those to show by name, in their order: all of a few."""
    inside, out = [seat for seat in seats if seat.is_in], [seat for seat in seats if not seat.is_in]
    room = max(SHOWN - min(len(out), SHOWN_OUT), 0)
    shown = {seat.client.pk for seat in [*inside[:room], *out[: SHOWN - min(len(inside), room)]]}
    return [seat for seat in seats if seat.client.pk in shown]


def _verdict(count: int, of: int) -> str:
    if of == 1:
        return _("Will get it.") if count else _("Will not get it.")
    return ngettext("%(count)s of %(all)s will get it.", "%(count)s of %(all)s will get it.", count) % {"count": count, "all": of}


def _send_label(count: int, *, is_sms: bool, at: dt.datetime | None) -> str:
    if at is not None:
        if is_sms:
            text = ngettext("Send %(count)s SMS on %(day)s, %(time)s", "Send %(count)s SMS on %(day)s, %(time)s", count)
        else:
            text = ngettext("Send %(count)s e-mail on %(day)s, %(time)s", "Send %(count)s e-mails on %(day)s, %(time)s", count)
        return text % {"count": count, "day": as_weekday(at), "time": as_time(at)}
    if is_sms:
        return ngettext("Send %(count)s SMS", "Send %(count)s SMS", count) % {"count": count}
    return ngettext("Send %(count)s e-mail", "Send %(count)s e-mails", count) % {"count": count}


def _left_out(seats: Sequence[Seat], *, is_sms: bool) -> str:
    """Return how many are left out for which kind of reason: "1 said No, 2 not asked"."""
    of_sms = {"no_address": "no_number", "not_a_mobile": "no_number"} if is_sms else {}
    kinds_of = (_kind_of(seat) if seat.reason not in of_sms else of_sms[seat.reason] for seat in seats if not seat.is_in)
    counts = Counter(kinds_of)
    return ", ".join(str(words) % {"count": counts[name]} for name, words in _LEFT_OUT.items() if counts[name])


def _kind_of(seat: Seat) -> str:
    if seat.reason in {"consent_missing", "marketing_objection"}:
        if seat.event is None:
            return "no" if seat.reason == "marketing_objection" else "ask"
        is_told = seat.event.event == existing.EVENT
        return "no" if seat.event.event in NEGATIVE else "ask" if is_told else "wait"
    return seat.reason if seat.reason in _LEFT_OUT else "other"
