"""What the visits say of how long things are kept: when a client was last here, and when notes go. Registered at the start."""

import datetime as dt
from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as lazy

from appointments.models import Appointment, State
from clients.retention_rules import Rule


def since(moment: dt.datetime) -> Q:
    """Return who came, or booked, at or after a moment."""
    theirs = Appointment.objects.filter(client=OuterRef("pk"))
    return Q(Exists(theirs.filter(Q(start_at__gte=moment) | Q(created_at__gte=moment))))


def visited() -> Q:
    """Return who ever came."""
    return Q(Exists(Appointment.objects.filter(client=OuterRef("pk"), state=State.DONE)))


def _notes(before: dt.datetime) -> "QuerySet[Appointment]":
    return Appointment.objects.filter(start_at__lt=before).exclude(note="")


def _end(ids: Collection[int]) -> int:
    return Appointment.objects.filter(pk__in=ids).update(note="")


NOTES = Rule("visit_notes", lazy("Notes on appointments"), lazy("From the appointment: they were for that day."), _notes, _end)
