"""The salon's own switches: which kind of message goes by itself, and when. The only writer of Trigger.

The client's answer is the other switch; both must be on. Called by the settings page.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from appointments.models import STANDS, Appointment
from notifications import facts, kinds, ways
from notifications.models import Message, Trigger
from salon.core import audit, bell
from salon.core.models import Salon, User

# Kinds that leave so many days before the visit; the others leave when somebody books, moves or cancels.
SCHEDULED = frozenset({"reminder"})
AHEAD = 7


@dataclass(frozen=True)
class Setting:
    """What the page sets for one kind. `days_before` and `at` mean something for scheduled kinds only."""

    is_on: bool
    days_before: int = 1
    at: dt.time = dt.time(10)


@transaction.atomic
def save(wanted: Mapping[str, Setting], *, by: User, now: dt.datetime | None = None) -> list[str]:
    """Set the switches and return the kinds that changed. Raises KeyError for a kind that does not exist."""
    now = now or timezone.now()
    known = facts.switches()
    changed = []
    for kind, chosen in wanted.items():
        row = known[kind]
        before = Setting(row.is_on, row.days_before, row.at)
        setting = chosen if kind in SCHEDULED else Setting(chosen.is_on, row.days_before, row.at)
        if setting == before:
            continue
        if setting.is_on and not row.is_on:
            row.switched_on_at = now
        row.is_on, row.days_before, row.at = setting.is_on, setting.days_before, setting.at
        row.save()
        changed.append(kind)
        audit.record("trigger.changed", by=by, kind=kind, is_on=row.is_on, days_before=row.days_before)
    if changed:
        bell.ring()
    return changed


def last_sent() -> dict[str, dt.datetime]:
    """Return by kind when one was last handed over."""
    rows = Message.objects.filter(handoff_at__isnull=False).order_by().values("kind").annotate(at=Max("handoff_at"))
    return {row["kind"]: row["at"] for row in rows}


def due_soon(kind: str, trigger: Trigger, salon: Salon, now: dt.datetime) -> int:
    """Return how many clients get a message of a scheduled kind within the next seven days, as things stand."""
    today = now.astimezone(salon.zone).date()
    first = dt.datetime.combine(today + dt.timedelta(days=trigger.days_before), dt.time(), salon.zone)
    last = dt.datetime.combine(today + dt.timedelta(days=trigger.days_before + AHEAD), dt.time(), salon.zone)
    visits = Appointment.objects.filter(state__in=STANDS, start_at__gte=max(first, now), start_at__lt=last)
    reached = (rows for _channel, rows in ways.split(visits, kinds.TABLE[kind]))
    return len({pk for rows in reached for pk in rows.values_list("client_id", flat=True)})
