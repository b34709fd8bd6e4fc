"""The bell in the top bar: what was done meanwhile, for whoever asked for it. Counts and codes; words when it is read.

Apps above register the words of their codes when they start, as the ground floor cannot import them.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from salon.core.models import Notice, User

SHOWN = 8
# How long a notice is kept once it was read, and at most.
READ_FOR, KEPT_FOR = dt.timedelta(days=30), dt.timedelta(days=90)
Words = Callable[[Mapping[str, int]], str]


@dataclass(frozen=True)
class Telling:
    """How a code is told: its icon, and the sentence for its facts in the reader's language."""

    icon: str
    words: Words


@dataclass(frozen=True)
class Line:
    """A notice as the bell shows it."""

    pk: int
    words: str
    icon: str
    url: str
    at: dt.datetime
    is_unread: bool


@dataclass(frozen=True)
class Bell:
    """The newest notices of a user. `mark` changes with anything that is shown."""

    lines: list[Line]
    unread_count: int
    mark: str


_tellings: dict[str, Telling] = {}


def register(code: str, *, icon: str, words: Words) -> None:
    """Say how notices of `code` are told. Called once, when the app starts."""
    _tellings[code] = Telling(icon, words)


@transaction.atomic
def tell(user: User, code: str, *, url: str, now: dt.datetime, **facts: int) -> Notice:
    """Put a notice into the bell of `user` and return it. An unread one about the same page gives way to it.

    `facts` are counts and ids. Raises KeyError for a code that nobody registered.
    """
    if code not in _tellings:
        raise KeyError(code)
    Notice.objects.filter(user=user, url=url, read_at=None).delete()
    return Notice.objects.create(user=user, code=code, facts=facts, url=url, at=now)


def read(user: User, *, now: dt.datetime, url: str | None = None) -> int:
    """Note that `user` has read what waits, all of it or what leads to `url`, and return how many notices that were."""
    waiting = Notice.objects.filter(user=user, read_at=None)
    return (waiting if url is None else waiting.filter(url=url)).update(read_at=now)


def tidy(now: dt.datetime) -> int:
    """Delete notices that were read long ago, and those too old to be news to anybody; return how many."""
    old = Q(read_at__lt=now - READ_FOR) | Q(at__lt=now - KEPT_FOR)
    return Notice.objects.filter(old).delete()[0]


def bell(user: User, *, limit: int = SHOWN) -> Bell:
    """Return the newest notices of `user` in the language that is active."""
    rows = list(Notice.objects.filter(user=user).order_by("-pk")[:limit])
    # A second question only for who has any notice: most pages are opened by those who have none.
    unread = Notice.objects.filter(user=user, read_at=None).count() if rows else 0
    newest = rows[0].pk if rows else 0
    return Bell([_line(row) for row in rows], unread, f"{newest}-{unread}")


def _line(row: Notice) -> Line:
    telling = _tellings.get(row.code)
    words = telling.words(row.facts) if telling else row.code
    return Line(row.pk, words, telling.icon if telling else "bell", row.url, row.at, row.read_at is None)
