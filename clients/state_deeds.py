"""How the acts of `clients.inactivity` are told on the activity page."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext_lazy

from clients import inactivity
from salon.core.activity import Facts, Kind, Telling, Text


def _reason(facts: Facts) -> Mapping[str, Text]:
    code = facts.get("reason", "")
    return {"reason": inactivity.REASONS.get(code) or (lazy("to be deleted") if code == inactivity.DELETING else lazy("undone"))}


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
    "cards.undone": Telling(
        Kind.CARDS, "arrow-back-up",
        ngettext_lazy(
            "%(who)s undid an act on %(clients_count)s card", "%(who)s undid an act on %(clients_count)s cards", "clients_count"
        ),
    ),
}  # fmt: skip
