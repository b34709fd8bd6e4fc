"""What happened to a visit and the client should know: booked, moved, cancelled. Rules of the planner."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from appointments.models import Appointment
from appointments.models import State as VisitState
from notifications import kinds, outbox
from notifications.models import Message
from notifications.wanting import Asked, Wish, occasion

# How far back a booking, a move or a cancellation is still news.
NEWS_FOR = dt.timedelta(days=14)


def confirmations(asked: Asked) -> Iterator[Wish]:
    """Yield the visits of which the client was told nothing yet."""
    visits = _news(asked, "time_set_at").standing().filter(told_id=None)
    yield _wish(visits, occasion("pk", "time_version"), "time_set_at")


def changes(asked: Asked) -> Iterator[Wish]:
    """Yield the visits of which the client was told something else: another time, or that they were cancelled."""
    visits = _news(asked, "time_set_at").standing().filter(told_id__isnull=False)
    visits = visits.exclude(~Q(told_kind="cancellation"), told_start_at=F("start_at"))
    # After what was told last, so that a visit cancelled, told and reinstated can be told again.
    yield _wish(visits, occasion("pk", "time_version", "told_id"), "time_set_at")


def cancellations(asked: Asked) -> Iterator[Wish]:
    """Yield the visits that were cancelled and of which the client was not told so."""
    visits = _news(asked, "cancelled_at").filter(state=VisitState.CANCELLED)
    visits = visits.exclude(told_id__isnull=False, told_kind="cancellation")
    yield _wish(visits, occasion("pk", "time_version", Coalesce("told_id", 0)), "cancelled_at")


def _wish(visits: Any, named: Any, when: str) -> Wish:
    leaves_at = F(when) + kinds.UNDO_WAIT
    return Wish(visits, named, due=leaves_at, expires_at=F("start_at"), not_before=leaves_at)


def _news(asked: Asked, when: str) -> Any:
    """Return the visits ahead with news for the client, annotated with what the client was told last (told_…)."""
    now = asked.now
    since = max(now - NEWS_FOR, asked.trigger.switched_on_at or now - NEWS_FOR)
    told = Message.objects.filter(appointment=OuterRef("pk"), state__in=outbox.TOLD, told_start_at__isnull=False).order_by(
        "-handoff_at", "-pk"
    )
    news = Appointment.objects.filter(**{f"{when}__gte": since}, is_notice_wanted=True, start_at__gt=now)
    return news.annotate(
        told_id=Subquery(told.values("pk")[:1]),
        told_kind=Subquery(told.values("kind")[:1]),
        told_start_at=Subquery(told.values("told_start_at")[:1]),
    )
