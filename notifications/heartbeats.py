"""When planner and sender last ran through. Written by them, read by the health page."""

import datetime as dt

from notifications.models import Heartbeat


def beat(name: str, now: dt.datetime) -> None:
    """Write down that `name` ran through at `now`."""
    if not Heartbeat.objects.filter(pk=name).update(at=now):
        Heartbeat.objects.bulk_create([Heartbeat(name=name, at=now)], ignore_conflicts=True)


def last(name: str) -> dt.datetime | None:
    """Return when `name` last ran through, None for never."""
    return Heartbeat.objects.filter(pk=name).values_list("at", flat=True).first()
