"""Setting when reminders leave: the salon's times, and those of a service or a client. The only writer of both.

Called by the settings page and the client's card. What the times mean is `reminders`.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.models import Service
from clients.models import Client
from notifications import reminders
from notifications.plans import TIMES_MAX, ReminderException, ReminderTime
from salon.core import audit, bell
from salon.core.errors import Refused
from salon.core.models import Salon, User


@dataclass(frozen=True)
class Time:
    """One time as it is chosen: hours before, or days before at a wall time."""

    is_on: bool
    days_before: int | None = None
    at: dt.time | None = None
    hours_before: int | None = None


@transaction.atomic
def save(wanted: Mapping[int, Time], *, by: User) -> list[int]:
    """Set the times by slot and return the slots that changed. One that is off and was never set is left out.

    Raises Refused for two that would leave at the same time.
    """
    Salon.objects.select_for_update().get(pk=1)
    on = [time for time in wanted.values() if time.is_on]
    if len(set(on)) < len(on):
        raise Refused(_("Two reminders would leave at the same time."))
    known = {row.slot: row for row in reminders.times()}
    changed = []
    for slot, time in wanted.items():
        row = known.get(slot)
        if not 1 <= slot <= TIMES_MAX or (row is None and not time.is_on) or (row is not None and of(row) == time):
            continue
        ReminderTime.objects.update_or_create(slot=slot, defaults=vars(time))
        changed.append(slot)
    if changed:
        audit.record("reminder.times_set", by=by, slots=changed, count=len(on))
        bell.ring()
    return changed


def of(row: ReminderTime) -> Time:
    """Return a time as it is chosen."""
    return Time(row.is_on, row.days_before, reminders.wall(row) if row.at else None, row.hours_before)


@transaction.atomic
def set_services(wanted: Mapping[int, Mapping[int, bool]], *, by: User) -> int:
    """Say which reminders (by slot) hold for which services (by id), and return for how many something changed."""
    Salon.objects.select_for_update().get(pk=1)
    changed = 0
    for service in Service.objects.filter(pk__in=wanted).order_by("pk"):
        changed += bool(_set(wanted[service.pk], service=service))
    if changed:
        audit.record("reminder.services_set", by=by, count=changed)
    return changed


@transaction.atomic
def set_client(client: Client, wanted: Mapping[int, bool], *, by: User) -> list[tuple[int, bool | None]]:
    """Say which reminders (by slot) a client wants, and return what changed: slot, and what was said before (None: nothing)."""
    card = Client.objects.select_for_update().get(pk=client.pk)
    changed = _set(wanted, client=card)
    if changed:
        audit.record("reminder.client_set", card, by=by, slots=[slot for slot, _before in changed])
    return changed


@transaction.atomic
def take_back(client: Client, before: Sequence[tuple[int, bool | None]], *, by: User) -> None:
    """Put back what was said of a client's reminders before."""
    card = Client.objects.select_for_update().get(pk=client.pk)
    for slot, was in before:
        ReminderException.objects.filter(time=slot, client=card).delete()
        if was is not None and ReminderTime.objects.filter(pk=slot).exists():
            ReminderException.objects.create(time_id=slot, client=card, is_on=was)
    audit.record("reminder.client_set", card, by=by, slots=[slot for slot, _was in before])


def _set(wanted: Mapping[int, bool], **of_one: Service | Client) -> list[tuple[int, bool | None]]:
    """Keep only what differs from what holds without it: for a client that is the salon's answer, whatever the service."""
    changed = []
    known = {row.time_id: row.is_on for row in ReminderException.objects.filter(**of_one)}
    for time in reminders.times():
        is_on = wanted.get(time.slot)
        now = None if is_on is None or is_on == time.is_on else is_on
        if time.slot not in wanted or now == known.get(time.slot):
            continue
        ReminderException.objects.filter(time=time, **of_one).delete()
        if now is not None:
            ReminderException.objects.create(time=time, is_on=now, **of_one)
        changed.append((time.slot, known.get(time.slot)))
    return changed


def chosen_of(service: Service | None = None, client: Client | None = None) -> dict[int, bool]:
    """Return by slot whether each time that is on for the salon, or said otherwise here, holds for one of them."""
    rows = ReminderException.objects.filter(client=client) if client else ReminderException.objects.filter(service=service)
    own = {row.time_id: row.is_on for row in rows}
    return {time.slot: own.get(time.slot, time.is_on) for time in reminders.times()}
