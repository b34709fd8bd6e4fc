"""What the room above knows of a client's visits to come: read and cancelled through here, since nobody here may look up.

Registered once, when the app above starts. Without one a client has no visit to come.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clients.models import Client
from salon.core.models import User


@dataclass(frozen=True)
class Ahead:
    """A visit to come: its id, start and end (aware), what is done and with whom, and its page."""

    pk: int
    start_at: dt.datetime
    service: str
    staff: str
    url: str
    end_at: dt.datetime | None = None


NextStart = Callable[[dt.datetime], Any]


@dataclass(frozen=True)
class Returned:
    """A cancelled visit that was to stand again: `why_not` is a sentence where it does not, else empty."""

    visit: Ahead
    why_not: str


AheadOf = Callable[[Collection[int], dt.datetime], Mapping[int, Sequence[Ahead]]]
# What is needed to put a visit back, as JSON holds it: the room above knows what it means.
Slip = dict[str, Any]
CancelAll = Callable[..., Sequence[Slip]]
PutBack = Callable[..., Sequence[Returned]]


@dataclass(frozen=True)
class Diary:
    """The questions: which visits these clients (ids) have ahead, by id, to cancel all of one client's and back, and the next.

    `cancel_all(client, by=, now=, is_notice_wanted=)` returns a slip of each, `put_back(slips, by=, now=)` takes them.
    Both lock visits: whoever locks the client as well does so before (`appointments.booking`). `next_start` gives an
    expression over clients: the start of their next visit at that moment.
    """

    ahead_of: AheadOf
    cancel_all: CancelAll
    put_back: PutBack
    next_start: NextStart


_diaries: list[Diary] = []


def register(diary: Diary) -> None:
    """Let the room above answer. Called once, when it starts."""
    if diary not in _diaries:
        _diaries.append(diary)


def ahead_of(client_ids: Collection[int], *, now: dt.datetime) -> dict[int, list[Ahead]]:
    """Return the visits to come of each of these clients that has one, the next one first."""
    found: dict[int, list[Ahead]] = {}
    for diary in _diaries:
        for pk, visits in diary.ahead_of(client_ids, now).items():
            found.setdefault(pk, []).extend(visits)
    return found


def next_start(now: dt.datetime) -> Any:
    """Return an expression over clients: the start of the next visit. None where nobody knows of visits."""
    return next((diary.next_start(now) for diary in _diaries), None)


def cancel_all(client: Client, *, by: User | None, now: dt.datetime, is_notice_wanted: bool) -> list[Slip]:
    """Cancel all visits to come of the client, telling them or not, and return what `put_back` needs of each.

    Raises Refused as cancelling does.
    """
    cancelled = [diary.cancel_all(client, by=by, now=now, is_notice_wanted=is_notice_wanted) for diary in _diaries]
    return [slip for slips in cancelled for slip in slips]


def put_back(slips: Sequence[Slip], *, by: User | None, now: dt.datetime) -> list[Returned]:
    """Let the visits stand again that `cancel_all` cancelled, each where its time is free, and say of each how it went."""
    return [returned for diary in _diaries for returned in diary.put_back(slips, by=by, now=now)]
