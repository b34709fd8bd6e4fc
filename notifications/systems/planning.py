"""Turns marks of change into what each system is to be told: some statements for thousands of clients. Safe to run twice.

One delivery waits at most for a system and a client, beside those whose try may have begun: what it says is read when it
leaves, so it tells all that happened before. Erased and merged cards are found by their rows. Called by the task and
`manage.py deliver --loop`.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.urls import reverse

from clients import addresses
from clients.models import Client
from notifications.systems.models import Change, Delivery, OtherSystem, Received
from salon.core import notices
from salon.core.models import User
from salon.core.roles import May, roles_with

# Not longer than others can wait for SQLite's one writer.
CHUNK = 500
# How long is kept what was told: by itself, and by somebody.
KEPT_FOR, KEPT_BY_HAND_FOR = dt.timedelta(days=30), dt.timedelta(days=365)
# Longer than a request of an old moment is taken (`signing.TOLERANCE`).
RECEIVED_FOR = dt.timedelta(days=7)

Way, Kind, State = OtherSystem.Way, Delivery.Kind, Delivery.State
_GONE = (Kind.ERASED, Kind.MERGED)


@transaction.atomic
def _turn(systems: Iterable[OtherSystem], now: dt.datetime) -> Counter[str] | None:
    """Turn the first marks into deliveries, and return counts; None if there is no mark left."""
    _lock()
    marks = list(Change.objects.select_for_update(skip_locked=True).order_by("pk")[:CHUNK])
    if not marks:
        return None
    numbers = _numbers(marks)
    counts: Counter[str] = Counter()
    for system in systems:
        wanted: dict[int, set[int | None]] = defaultdict(set)
        for mark in marks:
            if mark.origin_id != system.pk and (mark.is_refusal or system.way == Way.CONNECTED):
                for number in numbers[mark.pk]:
                    wanted[number].add(mark.origin_id)
        counts[system.way] += put(system, {number: _only(origins) for number, origins in wanted.items()}, now=now)
    Change.objects.filter(pk__in=[mark.pk for mark in marks]).delete()
    return counts


def plan(now: dt.datetime) -> Counter[str]:
    """Write down what every system is to be told, and return how much that is, by the way it is told."""
    counts: Counter[str] = Counter()
    systems = list(OtherSystem.objects.defer("secret", "old_secret"))
    while (some := _turn(systems, now)) is not None:
        counts += some
    with transaction.atomic():
        _lock()
        for system in systems:
            if system.way == Way.CONNECTED:
                counts[system.way] += _put_gone(system, now) + _put_returned(system, now)
            else:
                _follow(system, now)
                counts[system.way] += _put_gone(system, now, kinds=(Kind.ERASED,))
    if counts[Way.BY_HAND]:
        _ring(now)
    return +counts


def put(system: OtherSystem, numbers: Mapping[int, int | None], *, now: dt.datetime) -> int:
    """Write down that the answers of these clients changed, unless that waits already, and return how many are new.

    `numbers` gives to each the system that it came from, None for the salon itself.
    """
    waiting = Delivery.objects.filter(
        system=system, kind=Kind.CHANGED, state=State.WAITING, token=None, client_number__in=numbers
    )
    new = set(numbers) - set(waiting.values_list("client_number", flat=True))
    rows = [Delivery(kind=Kind.CHANGED, client_number=number, origin_id=numbers[number]) for number in sorted(new)]
    _write(system, rows, now)
    return len(new)


def tidy(now: dt.datetime) -> int:
    """Delete what was told long ago, and ids of what was received; return how many rows. That a card is gone stays said."""
    over = Q(system__way=Way.CONNECTED, created_at__lt=now - KEPT_FOR) | Q(created_at__lt=now - KEPT_BY_HAND_FOR)
    told = Delivery.objects.filter(over, state__in=[State.TOLD, State.PASSED]).exclude(kind__in=_GONE)
    return told.delete()[0] + Received.objects.filter(at__lt=now - RECEIVED_FOR).delete()[0]


def _lock() -> None:
    """Let two that plan at once do so one after the other: the second sees what the first wrote."""
    list(OtherSystem.objects.select_for_update().order_by("pk").values_list("pk", flat=True))


def _only(origins: Collection[int | None]) -> int | None:
    """Return the one system that something came from, None if the salon or several had a part in it."""
    return next(iter(origins)) if len(origins) == 1 else None


def _numbers(marks: Iterable[Change]) -> Mapping[int, Collection[int]]:
    """Return the cards that each mark is about, by the mark's id."""
    marks = list(marks)
    stopped = {(mark.channel, mark.hmac) for mark in marks if mark.client_number is None}
    holders = addresses.holders(stopped) if stopped else {}
    return {mark.pk: holders[mark.channel, mark.hmac] if mark.client_number is None else [mark.client_number] for mark in marks}


def _put_gone(system: OtherSystem, now: dt.datetime, *, kinds: Collection[str] = _GONE) -> int:
    """Write down the cards that were erased or merged since the system is known, each once; of `kinds` only."""
    said = Delivery.objects.filter(system=system, kind__in=_GONE, client_number=OuterRef("pk"), about_at=OuterRef("erased_at"))
    rows_of = Client.objects.filter(~Exists(said), erased_at__gte=system.created_at)
    if Kind.MERGED not in kinds:
        rows_of = rows_of.filter(merged_into=None)
    gone = rows_of.values_list("pk", "erased_at", "merged_into")
    rows = [Delivery(kind=Kind.MERGED if into else Kind.ERASED, client_number=pk, about_at=at) for pk, at, into in gone[:CHUNK]]
    _write(system, rows, now)
    return len(rows)


def _put_returned(system: OtherSystem, now: dt.datetime) -> int:
    """Write down the answers of cards that are there again, since their merge was undone."""
    later = Delivery.objects.filter(system=system, client_number=OuterRef("client_number"), pk__gt=OuterRef("pk"))
    told = Delivery.objects.filter(~Exists(later), system=system, kind__in=_GONE, state=State.TOLD)
    back = Client.objects.filter(pk__in=told.values("client_number"), erased_at=None)
    return put(system, dict.fromkeys(back.values_list("pk", flat=True)), now=now)


def _follow(system: OtherSystem, now: dt.datetime) -> None:
    """Let lines to be told by hand follow their card into the one that took it in; those of erased clients are over."""
    waiting = Delivery.objects.filter(system=system, state=State.WAITING, kind=Kind.CHANGED)
    gone = dict(
        Client.objects.filter(pk__in=waiting.values("client_number"), erased_at__isnull=False).values_list("pk", "merged_into")
    )
    if gone:
        put(system, dict.fromkeys(into for into in gone.values() if into), now=now)
        waiting.filter(client_number__in=gone).update(state=State.PASSED, told_at=now)


def _write(system: OtherSystem, rows: Collection[Delivery], now: dt.datetime) -> None:
    numbers = {row.client_number for row in rows}
    before = Delivery.objects.filter(system=system, client_number__in=numbers).values("client_number")
    last = dict(before.annotate(last=Max("sequence")).values_list("client_number", "last"))
    clock = int(now.timestamp() * 1000)
    for row in rows:
        row.system, row.created_at, row.next_at = system, now, now
        row.sequence = max(last.get(row.client_number, 0) + 1, clock)
    Delivery.objects.bulk_create(rows, batch_size=500)


def _ring(now: dt.datetime) -> None:
    """Tell those who lead that somebody has to be told by hand."""
    waiting = Delivery.objects.filter(system__way=Way.BY_HAND, state=State.WAITING)
    erased = waiting.filter(kind=Kind.ERASED).count()
    systems = waiting.values("system").distinct().count()
    facts: dict[str, int] = defaultdict(int, count=waiting.count() - erased, erased=erased, systems=systems)
    for user in User.objects.filter(is_active=True, role__in=roles_with(May.EDIT_SETTINGS)):
        notices.tell(user, "systems_inform", url=reverse("notifications:inform"), now=now, **facts)
