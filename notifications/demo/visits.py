"""A year of visits of the demo, and the next three weeks: within hours, nobody in two places, the past over and done."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from zoneinfo import ZoneInfo

from appointments.models import Appointment, Service, Staff, State, WorkingHours
from clients.models import Client
from notifications.demo import words
from salon.core.models import User

DAYS_BACK = 365
DAYS_AHEAD = 21
GRID = 5


@dataclass
class Book:
    """What the visits are made from."""

    clients: Sequence[Client]
    staff: dict[Staff, str]
    services: dict[Service, tuple[str, int]]
    zone: ZoneInfo
    language: str
    by: User
    now: dt.datetime
    rng: Random


def add(book: Book) -> list[Appointment]:
    """Return every visit, saved, in the order in which they begin."""
    visits = sorted(_visits(book), key=lambda visit: visit.start_at)
    Appointment.objects.bulk_create(visits, batch_size=500)
    return visits


def _load(offset: int, client_count: int) -> float:
    """Return the share of the working hours that is taken on the day `offset` days from today."""
    size = min(1, client_count / 150)
    if offset >= 0:
        return size * max(0.12, 0.66 - offset * 0.027)
    return size * 0.62 if offset > -14 else min(0.55, max(0.01, client_count / 1600))


def _visits(book: Book) -> Iterator[Appointment]:
    hours: dict[tuple[int, int], list[tuple[dt.time, dt.time]]] = {}
    for row in WorkingHours.objects.order_by("staff", "weekday", "starts_at"):
        hours.setdefault((row.staff_id, row.weekday), []).append((row.starts_at, row.ends_at))
    # Some come every month, most now and then, some were here once or never.
    regulars = [client for client in book.clients if book.rng.random() < 0.9]
    weights = [min(book.rng.paretovariate(1.6), 5.0) for _ in regulars]
    pool: Iterator[Client] = iter(())
    today = book.now.astimezone(book.zone).date()
    for offset in range(-DAYS_BACK, DAYS_AHEAD + 1):
        on = today + dt.timedelta(days=offset)
        seen: set[int] = set()
        for person, speciality in book.staff.items():
            for shift in hours.get((person.pk, on.weekday()), ()):
                for service, start_at in _slots(book, on, shift, speciality, _load(offset, len(book.clients))):
                    client = next(pool, None)
                    if client is None:
                        pool = iter(book.rng.choices(regulars, weights, k=500))
                        client = next(pool)
                    if client.pk not in seen and start_at > client.created_at:
                        seen.add(client.pk)
                        yield _visit(book, client, person, _for(book, client, service), start_at)


def _for(book: Book, client: Client, service: Service) -> Service:
    """Return the service, or one as short that this client would rather ask for."""
    by_name = {str(words.SERVICES[one.position][2]): one for one in book.services}
    swaps = words.FOR_MEN if client.first_name in words.MEN.split() else words.FOR_WOMEN
    asked = str(words.SERVICES[service.position][2])
    return by_name[swaps.get(asked, asked)]


def _slots(
    book: Book, on: dt.date, hours: tuple[dt.time, dt.time], speciality: str, load: float
) -> Iterator[tuple[Service, dt.datetime]]:
    """Yield services and starts one after the other, with gaps so that about `load` of the time is taken."""
    some = [(service, weight) for service, (needs, weight) in book.services.items() if needs == speciality]
    start = dt.datetime.combine(on, hours[0])
    end = dt.datetime.combine(on, hours[1])
    mean_gap = 55 * (1 - load) / load
    while True:
        gap = int(book.rng.expovariate(1 / mean_gap)) if book.rng.random() > load * load else 0
        start += dt.timedelta(minutes=gap - gap % (3 * GRID))
        service = book.rng.choices([one for one, _ in some], [weight for _, weight in some])[0]
        if start + dt.timedelta(minutes=service.duration_minutes) > end:
            return
        yield service, start.replace(tzinfo=book.zone).astimezone(dt.UTC)
        minutes = -(-service.duration_minutes // (3 * GRID)) * 3 * GRID
        start += dt.timedelta(minutes=minutes)


def _visit(book: Book, client: Client, person: Staff, service: Service, start_at: dt.datetime) -> Appointment:
    rng = book.rng
    end_at = start_at + dt.timedelta(minutes=service.duration_minutes)
    latest = min(start_at, book.now) - dt.timedelta(minutes=rng.randint(20, 240))
    booked_at = max(latest - dt.timedelta(days=rng.expovariate(1 / 12)), client.created_at)
    visit = Appointment(
        client=client, staff=person, service=service, start_at=start_at, end_at=end_at, price=service.price,
        time_set_at=booked_at, created_at=booked_at, created_by=book.by, is_notice_wanted=bool(client.email),
        note=rng.choice(words.VISIT_NOTES)[words.LANGUAGES.index(book.language)] if rng.random() < 0.06 else "",
    )  # fmt: skip
    visit.state = _state(start_at, end_at, book.now, rng)
    if visit.state == State.CANCELLED:
        visit.cancelled_at = booked_at + (latest + dt.timedelta(minutes=15) - booked_at) * rng.random()
    return visit


def _state(start_at: dt.datetime, end_at: dt.datetime, now: dt.datetime, rng: Random) -> State:
    chance = rng.random()
    if chance < 0.05:
        return State.CANCELLED
    if end_at <= now:
        return State.NO_SHOW if chance < 0.09 else State.DONE
    if start_at <= now:
        return State.IN_CHAIR if chance < 0.85 else State.ARRIVED
    return State.CONFIRMED if chance < 0.3 else State.BOOKED
