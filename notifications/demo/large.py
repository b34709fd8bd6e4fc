"""A demo of any size, for measuring: up to hundreds of thousands of clients, with some ten visits each.

Written in chunks and in bulk; the ledger is projected by the same fold as everywhere. Called by `manage.py demo`.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from django.db import connection, transaction

from appointments.models import Appointment, Service, Staff, State, WorkingHours
from clients import consent, fold, records
from clients.addresses import hash_of
from clients.models import Client, ConsentEvent, Subject
from notifications.demo import house, messages, people, words
from notifications.demo.salon import Opened, refuse_unless_empty
from salon.core import audit, instance
from salon.core.models import Salon, User
from salon.core.roles import Role

# More than these make another demo: the small one is a salon that one can believe down to the last visit.
FROM = 5_000
CHUNK, PIECE = 2_000, 20_000
VISITS_EACH = 10
DAYS_BACK, DAYS_AHEAD = 1_400, 21
# Messages are kept with their words for so long; older ones would be gone in a salon too.
DAYS_OF_MESSAGES = 20
# Nobody books longer ahead, in days; so many of all clients were there before the first visit.
NOTICE, FOUNDERS = 30, 0.7
OPENS, HOURS = dt.time(9), 10
COLUMNS = (
    "client_id", "staff_id", "service_id", "start_at", "end_at", "state", "price", "note", "is_overbooked", "time_version",
    "time_set_at", "cancelled_at", "is_notice_wanted", "created_at", "created_by_id", "version",
)  # fmt: skip
Say = Callable[[str], object]


@dataclass
class _Work:
    """What every step needs."""

    salon: Salon
    desk: User
    rng: Random
    now: dt.datetime
    say: Say
    ids: list[int] = field(default_factory=list)


@transaction.atomic
def fill(*, client_count: int, language: str, seed: int, now: dt.datetime, say: Say, country: str = "FR") -> Opened:
    """Fill an empty installation and return its sign-ins, telling `say` how far it is. Raises Refused as the small demo."""
    refuse_unless_empty()
    salon = house.profile(country)
    users, logins = house.team(language)
    language = salon.language
    work = _Work(salon, users[Role.RECEPTION], Random(seed), now, say)  # noqa: S311 (believable, not secret)
    services = [one for one in house.services(language) if one.duration_minutes <= 60]
    staff = _staff(-(-client_count * VISITS_EACH // (DAYS_BACK * 6 // 7 * HOURS * 9 // 10)), users[Role.STYLIST])
    _clients(work, client_count, language)
    visit_count = _write(_visits(work, staff, services), say)
    _answers(work)
    _messages(work)
    audit.record("demo.filled", salon, clients_count=len(work.ids), visits_count=visit_count)
    transaction.on_commit(lambda: instance.claim(salon))
    return Opened(len(work.ids), visit_count, logins)


def _staff(count: int, stylist: User) -> list[Staff]:
    """Return so many people, at least the six of the small demo, who work from Monday to Saturday."""
    names = [name for name, *_rest in words.STAFF]
    names += sorted({name for names in words.FIRST_NAMES.values() for name in names.split()} - set(names))
    people_ = [
        Staff(
            name=f"{names[index % len(names)]}{f' {index // len(names) + 1}' if index >= len(names) else ''}",
            color=index % 8 + 1,
            position=index,
            user=stylist if names[index % len(names)] == "Léa" else None,
        )
        for index in range(max(count, len(words.STAFF)))
    ]
    for other in [one for one in people_ if one.user_id][1:]:
        other.user = None
    Staff.objects.bulk_create(people_)
    WorkingHours.objects.bulk_create(
        WorkingHours(staff=one, weekday=weekday, starts_at=OPENS, ends_at=dt.time(OPENS.hour + HOURS))
        for one in people_
        for weekday in range(6)
    )
    return people_


def _clients(work: _Work, count: int, language: str) -> None:
    """Write the cards."""
    fields = people.fields(count, language, work.rng)
    for start in range(0, count, CHUNK):
        some = [next(fields) for _ in range(min(CHUNK, count - start))]
        came_at = work.now - dt.timedelta(days=_days_ago(start / count))
        work.ids += records.add_many(some, by=work.desk, now=came_at)
        if not start % (5 * CHUNK):
            work.say(f"clients: {len(work.ids):,}")


def _days_ago(place: float) -> float:
    """Return how many days ago the client at `place` (0 to 1) of all came first: most were there before the first visit."""
    if place < FOUNDERS:
        return DAYS_BACK + NOTICE + 400 * (1 - place / FOUNDERS)
    return (DAYS_BACK + NOTICE) * (1 - place) / (1 - FOUNDERS)


def _known(days_ago: int) -> float:
    """Return the share of all clients whose card was there when a visit so many days ago was booked."""
    return 1 - (1 - FOUNDERS) * max(0, days_ago + NOTICE) / (DAYS_BACK + NOTICE)


def _visits(work: _Work, staff: list[Staff], services: list[Service]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the visits, in the order of COLUMNS: one an hour and person at most, nobody in two places."""
    today = work.now.astimezone(work.salon.zone).date()
    days = [today + dt.timedelta(days=offset) for offset in range(-DAYS_BACK, DAYS_AHEAD + 1)]
    open_days = [day for day in days if day.weekday() < 6]
    share = min(1.0, len(work.ids) * VISITS_EACH / (len(open_days) * len(staff) * HOURS))
    kinds = [(one.pk, dt.timedelta(minutes=one.duration_minutes), one.price) for one in services]
    for day in open_days:
        known = work.ids[: max(1, int(len(work.ids) * _known((today - day).days)))]
        for hour in range(HOURS):
            start_at = dt.datetime.combine(day, dt.time(OPENS.hour + hour), work.salon.zone).astimezone(dt.UTC)
            busy = [one.pk for one in staff if work.rng.random() < share]
            clients = work.rng.sample(known, min(len(busy), len(known)))
            for staff_id, client_id in zip(busy, clients, strict=False):
                yield _visit(work, client_id, staff_id, work.rng.choice(kinds), start_at)


def _visit(
    work: _Work, client_id: int, staff_id: int, kind: tuple[int, dt.timedelta, Decimal], start_at: dt.datetime
) -> tuple[Any, ...]:
    service_id, length, price = kind
    end_at, latest = start_at + length, min(start_at, work.now)
    booked_at = latest - dt.timedelta(minutes=int(1440 * (3 + work.rng.random() * 25)))
    chance, cancelled_at = work.rng.random(), None
    if chance < 0.05:
        state, cancelled_at = State.CANCELLED, booked_at + (latest - booked_at) * work.rng.random()
    elif end_at <= work.now:
        state = State.NO_SHOW if chance < 0.09 else State.DONE
    elif start_at <= work.now:
        state = State.IN_CHAIR
    else:
        state = State.CONFIRMED if chance < 0.3 else State.BOOKED
    return (
        client_id, staff_id, service_id, start_at, end_at, state.value, price, "", False, 1, booked_at, cancelled_at, False,
        booked_at, work.desk.pk, 1,
    )  # fmt: skip


def _write(rows: Iterator[tuple[Any, ...]], say: Say) -> int:
    """Write the visits as the database takes them fastest, and return how many there are.

    In pieces: no statement may take longer than a page's may.
    """
    names, count = ", ".join(COLUMNS), 0
    insert = f"INSERT INTO {Appointment._meta.db_table} ({names}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608
    with connection.cursor() as cursor:
        while piece := list(itertools.islice(rows, PIECE)):
            if connection.vendor == "postgresql":
                with cursor.cursor.copy(f"COPY {Appointment._meta.db_table} ({names}) FROM STDIN") as copy:
                    for row in piece:
                        copy.write_row(row)
            else:
                cursor.executemany(insert, [[_plain(value) for value in row] for row in piece])
            count += len(piece)
            if not count % (5 * PIECE):
                say(f"visits: {count:,}")
    return count


def _plain(value: Any) -> Any:
    """Return a value as SQLite stores it. Every instant here is in UTC."""
    if isinstance(value, dt.datetime):
        return str(value.replace(tzinfo=None))
    return str(value) if isinstance(value, Decimal) else value


def _answers(work: _Work) -> None:
    """Write what clients said: a Yes on paper, for some a No by the link of a message, some want no reminders."""
    for start in range(0, len(work.ids), CHUNK):
        some = list(Client.objects.filter(pk__in=work.ids[start : start + CHUNK]).order_by("pk"))
        subjects = dict(Subject.objects.filter(client__in=some).values_list("client_id", "pk"))
        events: list[ConsentEvent] = []
        pairs: dict[int, set[tuple[str, str]]] = {}
        for client in some:
            for event in _said(work, client, subjects[client.pk]):
                events.append(event)
                pairs.setdefault(client.pk, set()).update(fold.affected(event.purpose, event.channel))
        ConsentEvent.objects.bulk_create(events, batch_size=500)
        consent.project([client for client in some if client.pk in pairs], pairs)
        if not start % (10 * CHUNK):
            work.say(f"answers of clients: {start + len(some):,}")


def _said(work: _Work, client: Client, subject_id: int) -> Iterator[ConsentEvent]:
    """Yield the ledger of one client, oldest first."""
    if not client.email:
        return
    rng, now, source = work.rng, work.now, ConsentEvent.Source
    at = client.created_at + (now - client.created_at) * rng.random() * 0.8
    hashed = hash_of("email", client.email)
    chance = rng.random()

    def line(purpose: str, event: str, source: ConsentEvent.Source, at: dt.datetime) -> ConsentEvent:
        is_ours = source == ConsentEvent.Source.PAPER_FORM
        return ConsentEvent(
            subject_id=subject_id, purpose=purpose, channel="email", event=event, source=source, effective_at=at,
            recorded_at=at, address_hmac=hashed, actor_type="staff" if is_ours else "client",
            actor=work.desk if is_ours else None, evidence_level=consent.EVIDENCE.get(source, 0),
        )  # fmt: skip

    if chance < 0.3:
        for purpose in consent.MARKETING:
            yield line(purpose, "grant", source.PAPER_FORM, at)
    if chance < 0.08:
        yield line(fold.ALL_MARKETING, "withdraw", source.ONE_CLICK_POST, at + (now - at) * rng.random())
    if chance > 0.95:
        yield line("svc.reminder", "withdraw", source.PAPER_FORM, at)


def _messages(work: _Work) -> None:
    """Write what was said about the visits of the last weeks."""
    since = work.now - dt.timedelta(days=DAYS_OF_MESSAGES)
    recent = Appointment.objects.filter(start_at__gte=since, start_at__lt=work.now).order_by("start_at", "pk")
    ids = list(recent.values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        visits = recent.filter(pk__in=ids[start : start + CHUNK]).select_related("client", "staff", "service")
        messages.add(list(visits), salon=work.salon, rng=work.rng, now=work.now)
        work.say(f"messages about visits: {min(start + CHUNK, len(ids)):,} of {len(ids):,}")
