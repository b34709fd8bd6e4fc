"""How the acts of `clients.inactivity` and `clients.blacklist` are told on the activity page, and in the bell."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext_lazy

from clients import blacklist, inactivity
from clients.models import Client, DuplicatePair
from salon.core import notices
from salon.core.activity import Facts, Kind, Telling, Text

CLIENT = Client._meta.label_lower


def _reason(facts: Facts) -> Mapping[str, Text]:
    code = facts.get("reason", "")
    return {"reason": inactivity.REASONS.get(code) or (lazy("to be deleted") if code == inactivity.DELETING else lazy("undone"))}


def _listed(facts: Facts) -> Mapping[str, Text]:
    return {"reason": blacklist.REASONS.get(facts.get("reason", "")) or lazy("undone")}


def _answered(facts: Facts) -> Text:
    if facts.get("answer") == DuplicatePair.State.HOUSEHOLD:
        return _("%(who)s said that %(low)s and %(high)s are one household")
    return _("%(who)s said that %(low)s and %(high)s are not the same person")


def _look_again(facts: Mapping[str, int]) -> str:
    return _("Somebody’s place on the blacklist should be looked at again.")


STATES: Mapping[str, Telling] = {
    "client.made_inactive": Telling(Kind.CARDS, "user-off", lazy("%(who)s made the card inactive: %(reason)s"), _reason),
    "client.made_active": Telling(Kind.CARDS, "user-check", lazy("%(who)s made the card active again")),
    "clients.made_inactive": Telling(
        Kind.CARDS, "user-off",
        ngettext_lazy(
            "%(who)s made %(clients_count)s client inactive", "%(who)s made %(clients_count)s clients inactive", "clients_count"
        ),
    ),
    "clients.made_active": Telling(
        Kind.CARDS, "user-check",
        ngettext_lazy(
            "%(who)s made %(clients_count)s client active again",
            "%(who)s made %(clients_count)s clients active again",
            "clients_count",
        ),
    ),
    "client.blacklisted": Telling(
        Kind.CARDS, "calendar-off", lazy("%(who)s put the client on the blacklist: %(reason)s"), _listed
    ),
    "client.unblacklisted": Telling(Kind.CARDS, "user-check", lazy("%(who)s took the client off the blacklist")),
    "clients.blacklisted": Telling(
        Kind.CARDS, "calendar-off",
        ngettext_lazy(
            "%(who)s put %(clients_count)s client on the blacklist",
            "%(who)s put %(clients_count)s clients on the blacklist",
            "clients_count",
        ),
    ),
    "clients.unblacklisted": Telling(
        Kind.CARDS, "user-check",
        ngettext_lazy(
            "%(who)s took %(clients_count)s client off the blacklist",
            "%(who)s took %(clients_count)s clients off the blacklist",
            "clients_count",
        ),
    ),
    "duplicates.answered": Telling(Kind.CARDS, "copy", _answered, refs={"low": CLIENT, "high": CLIENT}),
    "duplicates.reopened": Telling(
        Kind.CARDS, "arrow-back-up", lazy("%(who)s took back what was said of %(low)s and %(high)s"),
        refs={"low": CLIENT, "high": CLIENT},
    ),
    "cards.undone": Telling(
        Kind.CARDS, "arrow-back-up",
        ngettext_lazy(
            "%(who)s undid an act on %(clients_count)s card", "%(who)s undid an act on %(clients_count)s cards", "clients_count"
        ),
    ),
}  # fmt: skip


def register() -> None:
    """Say how the reminder to look again is told in the bell."""
    notices.register(blacklist.REVIEW, icon="calendar-off", words=_look_again)
