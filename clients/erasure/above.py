"""What the rooms above do when somebody is forgotten: each registers once, when it starts, since nobody here may look up.

Their tables are emptied without them (`schema`); this is for what a table cannot say: what waits is cancelled first, a text
written for one person alone is cleared, and what a provider holds is named.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise


@dataclass(frozen=True)
class Copy:
    """Something that a provider holds, by the name it gave it."""

    provider: str
    reference: str


Prepare = Callable[[Collection[int], dt.datetime], Mapping[str, int]]
Copies = Callable[[Collection[int]], Sequence[Copy]]
IsTelling = Callable[[Collection[int], dt.datetime], bool]
Lines = Callable[[Collection[int]], Sequence[str | Promise]]


@dataclass(frozen=True)
class Room:
    """A room above. All of them take the ids of the person's cards.

    `prepare` is called in the transaction of the erasure, with the cards locked, before a table is touched, and returns
    counts by table. `copies` says what providers hold; `glean` forgets what came in late, for somebody who was gone, and
    returns it. `is_telling` is whether a message that the client is to get before they are hidden is still on its way.
    `erased` and `kept` are lines for the page that asks.
    """

    name: str
    prepare: Prepare | None = None
    copies: Copies | None = None
    glean: Callable[[], Sequence[Copy]] | None = None
    is_telling: IsTelling | None = None
    erased: Lines | None = None
    kept: Lines | None = None


_rooms: dict[str, Room] = {}


def register(room: Room) -> None:
    """Let a room above take part. Called once, when the app starts."""
    _rooms[room.name] = room


def rooms() -> list[Room]:
    """Return the rooms that registered."""
    return list(_rooms.values())


def prepare(ids: Collection[int], now: dt.datetime) -> Counter[str]:
    """Have every room make ready, and return counts by table."""
    counts: Counter[str] = Counter()
    for room in rooms():
        if room.prepare:
            counts.update(room.prepare(ids, now))
    return counts


def copies(ids: Collection[int]) -> list[Copy]:
    """Return what providers hold."""
    return [copy for room in rooms() if room.copies for copy in room.copies(ids)]


def glean() -> list[Copy]:
    """Have every room forget what was written down for somebody who was gone by then, and return what providers hold of it."""
    return [copy for room in rooms() if room.glean for copy in room.glean()]


def is_telling(ids: Collection[int], now: dt.datetime) -> bool:
    """Return whether a message that the client is to get first is still on its way."""
    return any(room.is_telling(ids, now) for room in rooms() if room.is_telling)


def erased(ids: Collection[int]) -> list[str | Promise]:
    """Return the lines of what goes."""
    return [line for room in rooms() if room.erased for line in room.erased(ids)]


def kept(ids: Collection[int]) -> list[str | Promise]:
    """Return the lines of what stays without the name."""
    return [line for room in rooms() if room.kept for line in room.kept(ids)]
