"""Which sure pairs can be merged in one go: nothing of one card contradicts the other. Chooses and shows; merges nothing."""

from dataclasses import dataclass

from clients import records
from clients.duplicates import facts, pairs
from clients.models import Client, DuplicatePair
from salon.core.models import User

MOST = 200
# Both are kept, or the card that stays decides: no contradiction.
_NO_CONFLICT = frozenset({"note", "preferred_channel", "came_through", "language"})


@dataclass(frozen=True)
class Ready:
    """A pair that can be merged without a question: `main` stays, and takes from `other` the fields (names) it lacks."""

    pair: DuplicatePair
    main: Client
    other: Client
    gains: tuple[str, ...]


def ready(user: User) -> list[Ready]:
    """Return up to MOST sure pairs of active cards without any conflict. A card stands in one of them at most.

    Left out: another value in any field, one card on the blacklist and the other not, a third card in the same knot.
    """
    rows = list(pairs.shown(user).filter(state=pairs.State.OPEN, band=pairs.Band.SURE)[: 5 * MOST])
    knots: dict[int, int] = {}
    for row in rows:
        for pk in (row.low_id, row.high_id):
            knots[pk] = knots.get(pk, 0) + 1
    found = []
    for row in rows:
        if knots[row.low_id] == knots[row.high_id] == 1 and not conflicts(row.low, row.high):
            main, other = _by_fullness(row.low, row.high)
            found.append(Ready(row, main, other, tuple(name for name in records.FIELDS if _lacks(main, other, name))))
    return found[:MOST]


def conflicts(one: Client, other: Client) -> list[str]:
    """Return the fields (names) in which two cards have something else, accents, capitals and signs aside."""
    found = [name for name in records.FIELDS if name not in _NO_CONFLICT and _differ(one, other, name)]
    return [*found, "blacklisted_at"] if bool(one.blacklisted_at) != bool(other.blacklisted_at) else found


def _differ(one: Client, other: Client, name: str) -> bool:
    if name in {"email", "phone"}:
        return bool(getattr(one, name) and getattr(other, name)) and str(getattr(one, name)) != str(getattr(other, name))
    mine, theirs = (set(facts.spellings(str(getattr(card, name) or ""))) for card in (one, other))
    return bool(mine and theirs) and mine.isdisjoint(theirs)


def _lacks(main: Client, other: Client, name: str) -> bool:
    return not getattr(main, name) and bool(getattr(other, name))


def _by_fullness(low: Client, high: Client) -> tuple[Client, Client]:
    """Return the card that says more first; of two alike the older one."""

    def filled(card: Client) -> int:
        return sum(bool(getattr(card, name)) for name in records.FIELDS)

    return (high, low) if filled(high) > filled(low) else (low, high)
