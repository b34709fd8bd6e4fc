"""What stands on the cards, field by field: same on all, only on one, or a choice. And what the card that is left gets.

Reads the cards in hand and nothing else. A field that is empty on one side never asks.
"""

import datetime as dt
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from clients.models import Client

Words = str | Promise


class Kind(StrEnum):
    """How the values of a field stand to each other."""

    CHOICE = "choice"
    SAME = "same"
    ONE = "one"
    NONE = "none"


@dataclass(frozen=True)
class Group:
    """Fields that are chosen together: a day goes with its month, a street with its town."""

    name: str
    label: Words
    fields: tuple[str, ...]
    # Without these there is nothing to choose: a country alone is no address.
    needs: tuple[str, ...] = ()

    def values(self, card: Client) -> tuple[Any, ...]:
        """Return what stands on a card; a number as text."""
        return tuple(_plain(getattr(card, name)) for name in self.fields)

    def is_filled(self, card: Client) -> bool:
        """Return whether the card has anything here."""
        return any(_plain(getattr(card, name)) for name in self.needs or self.fields)


GROUPS: tuple[Group, ...] = (
    Group("first_name", lazy("First name"), ("first_name",)),
    Group("last_name", lazy("Last name"), ("last_name",)),
    Group("phone", lazy("Phone"), ("phone",)),
    Group("email", lazy("E-mail"), ("email",)),
    Group("birth", lazy("Date of birth"), ("birth_day", "birth_month", "birth_year"), ("birth_day",)),
    Group("address", lazy("Address"), ("street", "postcode", "city", "country"), ("street", "postcode", "city")),
    Group("language", lazy("Language"), ("language",)),
    Group("preferred_channel", lazy("Likes to be reached by"), ("preferred_channel",)),
    Group("came_through", lazy("Found us through"), ("came_through",)),
)
NAMES = frozenset(group.name for group in GROUPS)


@dataclass(frozen=True)
class Compared:
    """One group over all the cards: `picked` is the card whose values are taken. `filled` are the cards that have any."""

    group: Group
    kind: Kind
    picked: Client
    filled: tuple[Client, ...] = field(default=())

    def offers(self, card: Client) -> bool:
        """Return whether a card has something to choose."""
        return card in self.filled


def compare(cards: Sequence[Client], chosen: Mapping[str, int], *, shut: frozenset[str] = frozenset()) -> list[Compared]:
    """Return every group over these cards, the main card first among them.

    `chosen` names the card by group where somebody chose; where nobody did the best one is picked. `shut` are e-mail
    addresses and numbers that nothing can be sent to.
    """
    return [_compare(group, cards, chosen.get(group.name), shut) for group in GROUPS]


def result(compared: Sequence[Compared]) -> dict[str, Any]:
    """Return the columns of the card that is left."""
    values: dict[str, Any] = {}
    for one in compared:
        values.update({name: getattr(one.picked, name) for name in one.group.fields})
    return values


def states(cards: Sequence[Client]) -> dict[str, Any]:
    """Return what is not chosen: paused, inactive. The stricter always wins, but for inactive.

    The blacklist follows its own rows. When a card was made never changes: by id and that moment the journal of erasures
    knows it after a restore.
    """
    paused = [card.marketing_paused_until for card in cards if card.marketing_paused_until]
    is_inactive = all(card.inactive_at for card in cards)
    return {
        "marketing_paused_until": max(paused, default=None),
        "inactive_at": min(card.inactive_at for card in cards if card.inactive_at) if is_inactive else None,
        "inactive_reason": next((card.inactive_reason for card in cards if card.inactive_reason), "") if is_inactive else "",
    }


def has_other_birthday(cards: Sequence[Client]) -> bool:
    """Return whether two of the cards have birth dates that cannot be one person's."""
    days = [_birth(card) for card in cards if card.birth_day]
    return any(not _fit(one, other) for one in days for other in days)


def further(cards: Sequence[Client], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the (channel, address) of the cards that are not taken: they stay on the card as further contacts."""
    own = {"email": str(values["email"] or ""), "sms": str(values["phone"] or "")}
    found: dict[tuple[str, str], None] = {}
    for card in cards:
        for channel, address in (("sms", str(card.phone or "")), ("email", card.email)):
            if address and address != own[channel]:
                found[channel, address] = None
    return list(found)


def _compare(group: Group, cards: Sequence[Client], chosen: int | None, shut: frozenset[str]) -> Compared:
    filled = tuple(card for card in cards if group.is_filled(card))
    if not filled:
        # A country without an address stays what it was.
        return Compared(group, Kind.NONE, next((card for card in cards if any(group.values(card))), cards[0]))
    distinct = list(dict.fromkeys(group.values(card) for card in filled))
    if group.name == "birth" and len(distinct) > 1 and not has_other_birthday(filled):
        # The same day, and one of them knows the year.
        return Compared(group, Kind.SAME, next(card for card in filled if card.birth_year), filled)
    if len(distinct) == 1:
        return Compared(group, Kind.SAME if len(filled) == len(cards) else Kind.ONE, filled[0], filled)
    best = max(filled, key=lambda card: (_worth(group, card, shut), -cards.index(card)))
    picked = next((card for card in filled if card.pk == chosen), best)
    return Compared(group, Kind.CHOICE, picked, filled)


def _worth(group: Group, card: Client, shut: frozenset[str]) -> int:
    """Return how good a value is beside another: whole before half, written with care before not, reachable before not."""
    values = group.values(card)
    match group.name:
        case "email" | "phone":
            return 0 if values[0] in shut else 1
        case "first_name" | "last_name":
            return _care(values[0])
        case _:
            return sum(1 for value in values if value)


def _care(name: str) -> int:
    """Return 2 for a name with accents, 1 for one in capitals and small letters, 0 for "AMELIE"."""
    if name in {name.upper(), name.lower()}:
        return 0
    return 2 if any(unicodedata.combining(char) for char in unicodedata.normalize("NFD", name)) else 1


def _birth(card: Client) -> tuple[int, int, int | None]:
    return card.birth_day or 0, card.birth_month or 0, card.birth_year


def _fit(one: tuple[int, int, int | None], other: tuple[int, int, int | None]) -> bool:
    return one[:2] == other[:2] and (one[2] == other[2] or one[2] is None or other[2] is None)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | dt.datetime) else str(value)
