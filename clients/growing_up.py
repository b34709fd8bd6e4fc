"""On the day a client reaches the age at which the law lets them agree themselves, what a parent agreed to ends (I-49).

Called by the daily job. Their own Yes, given from that day on, is not touched.
"""

import datetime as dt
from collections.abc import Iterator

from clients import consent, countries, fold
from clients.models import Client, ConsentEvent, Standing
from salon.core.models import Salon

# How many years back somebody is looked for whose day passed while nothing ran.
_BACK = 3
_PURPOSES = (*fold.MARKETING, "profiling")


def expire(now: dt.datetime) -> int:
    """End the Yes of parents for clients who have come of age, and return how many clients that were."""
    salon = Salon.objects.filter(pk=1).first()
    if salon is None:
        return 0
    age, today = countries.profile(salon.country).child_age, now.astimezone(salon.zone).date()
    years = range(today.year - age - _BACK, today.year - age + 1)
    said = []
    for client in Client.objects.filter(birth_year__in=years, erased_at=None).order_by("pk"):
        said += list(_ended(client, age, today, salon))
    consent.record_many(said, now=now)
    return len({one.client_id for one in said})


def _ended(client: Client, age: int, today: dt.date, salon: Salon) -> Iterator[consent.Said]:
    # As `countries.is_minor` has it: where the year alone is known, its last day.
    on = _birthday((client.birth_year or 0) + age, client.birth_month or 12, client.birth_day or 31)
    if on > today:
        return
    began = dt.datetime.combine(on, dt.time(), salon.zone)
    rows = Standing.objects.filter(client=client, purpose__in=_PURPOSES, state=Standing.State.GRANTED)
    for row in rows.filter(event__effective_at__lt=began).order_by("purpose", "channel"):
        yield consent.Said(client, row.purpose, row.channel, "expire", ConsentEvent.Source.RETENTION_JOB)


def _birthday(year: int, month: int, day: int) -> dt.date:
    """Return the day; somebody born on 29 February is of age on 1 March of another year, never early."""
    try:
        return dt.date(year, month, day)
    except ValueError:
        return dt.date(year, 3, 1)
