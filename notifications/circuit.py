"""The circuit breaker of a provider: after a failure of the provider itself nothing is tried for a while.

Called by dispatch. Burns nothing of a message; the pause doubles from one minute to fifteen.
"""

import datetime as dt

from django.db import transaction

from notifications.models import Provider
from salon.core import prepared

FIRST = dt.timedelta(seconds=60)
LONGEST = dt.timedelta(minutes=15)


def is_open(name: str, now: dt.datetime) -> bool:
    """Return whether the provider is not to be tried at `now`."""
    [rows] = prepared.run([_open()], {"name": name, "now": now})
    return bool(rows)


@prepared.kept
def _open() -> prepared.Query:
    """Return the query asked before every batch."""
    rows = Provider.objects.filter(pk="?name", open_until__gt=prepared.MOMENT)
    return prepared.Query(rows.values_list("pk"), name="?name", now=prepared.MOMENT)


def failure(name: str) -> str:
    """Return the reason of the failure that stands against the provider, an empty text for none."""
    return Provider.objects.filter(pk=name, failure_count__gt=0).values_list("reason", flat=True).first() or ""


@transaction.atomic
def fail(name: str, *, now: dt.datetime, reason: str) -> Provider:
    """Write down that the provider could not be used, and for how long it is left alone. Two at once count once."""
    Provider.objects.get_or_create(pk=name)
    row = Provider.objects.select_for_update().get(pk=name)
    if row.open_until is None or row.open_until <= now:
        row.open_until = now + min(LONGEST, FIRST * 2 ** min(row.failure_count, 10))
        row.failure_count += 1
    row.reason = reason[:40]
    row.save()
    return row


def close(name: str) -> None:
    """Forget the failures: it took a message, or somebody changed its settings."""
    Provider.objects.filter(pk=name).update(failure_count=0, open_until=None, reason="")
