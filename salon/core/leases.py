"""Who does a job that waits in a table: held by a lease that its steps renew; when a worker dies, the next one has it.

For models with `lease_token`, `lease_until` and `try_count`. The clock is that of the database.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

LEASE = dt.timedelta(seconds=120)
# How long a job rests that went wrong, before it is tried again.
REST = dt.timedelta(seconds=5)
FREE: Mapping[str, None] = {"lease_token": None, "lease_until": None}


class Lost(Exception):
    """The lease ran out and somebody else has the job."""


Row = TypeVar("Row", bound=models.Model)


def free() -> Q:
    """Return the condition that nobody holds a row."""
    return Q(lease_until=None) | Q(lease_until__lt=Now())


def held() -> Q:
    """Return the condition that somebody holds a row."""
    return Q(lease_until__gte=Now(), lease_token__isnull=False)


def take(waiting: "models.QuerySet[Row]") -> Row | None:
    """Return the first of `waiting` that nobody holds, held by us from now on; None if there is none."""
    while (row := waiting.filter(free()).first()) is not None:
        held: Any = row
        held.lease_token = uuid.uuid4()
        held.try_count += 1
        ours = type(row)._default_manager.filter(free(), pk=row.pk)
        if ours.update(lease_token=held.lease_token, lease_until=Now() + LEASE, try_count=held.try_count) == 1:
            return row
    return None


def work(claim: Callable[[], Row | None], do: Callable[[Row], None]) -> int:
    """Do what `claim` gives, one job after the other until it gives none, and return how many were done."""
    count = 0
    while (row := claim()) is not None:
        count += 1
        do(row)
    return count


def hold(row: models.Model, **changes: Any) -> None:
    """Renew the lease, and write `changes` with it. Raises Lost when it is not ours any more."""
    ours: Any = row
    rows = type(row)._default_manager.filter(pk=row.pk, lease_token=ours.lease_token)
    if rows.update(lease_until=Now() + LEASE, **changes) != 1:
        raise Lost


def rest(row: models.Model) -> None:
    """Leave the job to whoever comes next, after a rest, with as many tries as `row` counts."""
    ours: Any = row
    rows = type(row)._default_manager.filter(pk=row.pk, lease_token=ours.lease_token)
    rows.update(lease_until=Now() + REST, try_count=ours.try_count)
