"""What the rooms above show on a card: each registers once, when it starts, since nobody here may look up.

A room has a part of the timeline, perhaps a count at its tab and a few facts among the main data. Read by the card.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise

from clients.models import Client
from salon.core.models import User


@dataclass(frozen=True)
class Entry:
    """One line of a client's timeline. `url` opens what it is about; `act` is the word on that link."""

    at: dt.datetime
    icon: str
    title: str | Promise
    details: Sequence[str | Promise] = ()
    badge: str = ""
    badge_text: str | Promise = ""
    badge_icon: str = ""
    url: str = ""
    act: str | Promise = ""


@dataclass(frozen=True)
class Fact:
    """One line of the main data: a label and what is known."""

    label: str | Promise
    text: str | Promise


Entries = Callable[[User, Client, dt.datetime, int], Sequence[Entry]]
Count = Callable[[User, Client], int]
Facts = Callable[[User, Client, dt.datetime], Sequence[Fact]]


@dataclass(frozen=True)
class Room:
    """One kind of entry. `entries_of` returns the newest so many, newest first; `count_of` how many there are.

    `tab` names the tab of the card that shows the count; empty for none.
    """

    name: str
    label: str | Promise
    entries_of: Entries
    count_of: Count
    tab: str = ""
    facts_of: Facts | None = field(default=None)
    # Most clients have none of it: its chip is there for those who have.
    is_rare: bool = False


_rooms: dict[str, Room] = {}


def register(room: Room) -> None:
    """Let a room above show itself on the card. Called once, when the app starts."""
    _rooms[room.name] = room


def above() -> list[Room]:
    """Return the rooms that registered."""
    return list(_rooms.values())


def facts_of(user: User, client: Client, now: dt.datetime) -> list[Fact]:
    """Return what the rooms know about a client, for the main data."""
    return [fact for room in above() if room.facts_of for fact in room.facts_of(user, client, now)]


def tab_counts(user: User, client: Client) -> dict[str, int]:
    """Return how many things stand behind each tab that counts them, by the tab's name."""
    return {room.tab: room.count_of(user, client) for room in above() if room.tab}
