"""Whether the moment that a message speaks of still holds: read at its hand-over, after the locks. Decides nothing.

For the kinds of `moments` alone: nothing else pays for it.
"""

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils import timezone

from appointments.models import Appointment
from clients.models import Client, Merge
from notifications import kinds, moments
from notifications.models import TOLD, Message, Trigger

Found = Mapping[str, Any]


def read(message: Message, zone: ZoneInfo) -> Found:
    """Return the facts that a moment alone depends on, by their names in `gate.Facts`. One not saved has none of its own."""
    kind = kinds.TABLE[message.kind]
    target = Trigger.objects.filter(pk=kind.name).values_list("target", flat=True).first() if kind.has_target else ""
    found: dict[str, Any] = {"has_target": bool(target) or not kind.has_target}
    if message.pk is None or message.client_id is None:
        return found
    told = Message.objects.filter(kind=kind.name, client=message.client_id, state__in=TOLD).exclude(pk=message.pk)
    return {**found, **_READERS[kind.name](message, told, zone)}


def _birthday(message: Message, told: "QuerySet[Message]", zone: ZoneInfo) -> Found:
    """The day of this year, as the card has it now; once a year, whatever was changed meanwhile."""
    year = int(message.occasion.partition(":")[0])
    born = Client.objects.filter(pk=message.client_id or 0).values_list("birth_year", "birth_month", "birth_day").first()
    due_on = (message.expires_at - kinds.BIRTHDAY_LATE).astimezone(zone).date()
    born_in, month, day = born or (None, None, None)
    is_theirs = bool(month and day) and (born_in or 0) < year and moments.observed(year, month or 1, day or 1) == due_on
    return {"is_off_day": not is_theirs, "is_told": _is_told(message, told.filter(occasion__startswith=str(year)))}


def _welcome(message: Message, told: "QuerySet[Message]", zone: ZoneInfo) -> Found:
    """Nobody is welcomed whose card took in an older one since: they are new to a card, not to the salon."""
    merges = Merge.objects.filter(winner=message.client_id or 0, undone_at=None).values_list("taken_in", flat=True)
    is_known = any(pk < (message.client_id or 0) for taken_in in merges for pk in taken_in)
    return {"is_off_day": is_known, "is_told": _is_told(message, told)}


def _rebook(message: Message, told: "QuerySet[Message]", zone: ZoneInfo) -> Found:
    """Nothing booked, no later visit, and not reminded too often since the last one."""
    now = timezone.now()
    visit = Appointment.objects.filter(pk=message.appointment_id or 0).first()
    if visit is None or message.client_id is None:
        return {}
    since = told.filter(handoff_at__gt=visit.start_at).count()
    of_visit = told.filter(appointment=message.appointment_id)
    if kinds.ONCE_MORE in kinds.parts_of(message.occasion):
        of_visit = of_visit.filter(occasion=message.occasion)  # the first is what it repeats
    return {
        "is_booked": moments.booked(message.client_id, now, after=visit.start_at),
        "is_told": _is_told(message, of_visit),
        "is_asked_lately": since >= kinds.REBOOK_AT_MOST,
    }


def _review(message: Message, told: "QuerySet[Message]", zone: ZoneInfo) -> Found:
    of_visit = told.filter(appointment=message.appointment_id)
    lately = told.exclude(appointment=message.appointment_id).filter(handoff_at__gt=timezone.now() - kinds.REVIEW_ONCE_IN)
    return {"is_told": _is_told(message, of_visit), "is_asked_lately": lately.exists()}


def _is_told(message: Message, same: "QuerySet[Message]") -> bool:
    """Return whether this was said already. One that is sent again on purpose is not asked."""
    return message.resend_of_id is None and same.exists()


_READERS: Mapping[str, Callable[[Message, "QuerySet[Message]", ZoneInfo], Found]] = {
    "birthday": _birthday,
    "welcome": _welcome,
    "rebook": _rebook,
    "review": _review,
}
KINDS = frozenset(_READERS)
