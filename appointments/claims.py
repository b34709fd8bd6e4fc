"""Whose time is taken: the lock that a booking holds, and the look that it takes under it. Called by `booking`.

The pages ask here what is in the way; only `booking` writes.
"""

import datetime as dt
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from appointments import availability
from appointments.availability import Span
from appointments.models import TAKES_TIME, Appointment, AppointmentQuerySet, Staff, StaffDay
from clients import survivors
from clients.models import Client, Deletion
from salon.core import prepared
from salon.core.errors import Refused
from salon.core.models import Salon

_IS_DELETED = lazy("This client is being deleted. An owner can bring the card back first, under Deleted clients.")
# What stands in the query for the end of a visit.
_FAR_OFF = dt.datetime(2900, 1, 1, tzinfo=dt.UTC)


class Overlap(Refused):
    """Somebody's time is taken. `visits` are those in the way, so that the page can name them."""

    def __init__(self, made: Appointment) -> None:
        super().__init__(_("%(name)s already has a visit at this time.") % {"name": made.staff.name}, "time")
        self._made = made

    @cached_property
    def visits(self) -> list[Appointment]:
        """Return the first visits in the way. Looked up when asked for: most of a crowd never asks."""
        return list(others(self._made).select_related("client", "service", "staff").order_by("start_at")[:5])


class TakenIn(Exception):
    """The card of a new visit was merged into another one meanwhile. `home` is the id of that one."""

    def __init__(self, home: int) -> None:
        super().__init__()
        self.home = home


def hold_client(made: Appointment, *, may_be_inactive: bool = False) -> None:
    """Hold the card of a visit until the transaction ends, so far that a merge or an erasure waits and then sees it.

    For a visit that is new or stands again; call it before anything else is held. Raises TakenIn if the card was merged
    into another one meanwhile, Refused where it is gone, restricted, inactive or being deleted: the visit would bring the
    person back, or outlive them.
    """
    if made.client_id is None:
        return
    if (home := survivors.hold(made.client_id)) != made.client_id:
        raise TakenIn(home)
    client = Client.objects.get(pk=made.client_id)
    refuse_client(client, may_be_inactive=may_be_inactive)
    refuse_deleted(client)


def hold_returning(appointment: Appointment, *, client: int) -> None:
    """Hold the card of a visit that is to take time again, as `hold_client` does. `client` is whose it was, 0 for a walk-in.

    An inactive one may: it keeps its visits, and comes back with them. Raises Refused, too, where the client was erased.
    """
    row = Appointment.objects.get(pk=appointment.pk)
    if row.state in TAKES_TIME:
        return
    if client and row.client_id is None:
        raise Refused(_("The client of this visit was deleted: it stays as it is."))
    hold_client(row, may_be_inactive=True)


def refuse_deleted(client: Client) -> None:
    """Raise Refused for a client who is being deleted, though the card may still be there to tell them so."""
    if Deletion.objects.filter(client=client).exists():
        raise Refused(str(_IS_DELETED), "client")


def refuse_client(client: Client, *, may_be_inactive: bool = False) -> None:
    """Raise Refused, with what can be done about it, for a card for which nobody books."""
    if client.restricted_at is not None:
        raise Refused(_("This card is restricted: nothing is booked for it until that ends."), "client")
    if client.erased_at is not None or client.inactive_reason == Client.DELETING:
        raise Refused(str(_IS_DELETED), "client")
    if client.inactive_at is not None and not may_be_inactive:
        raise Refused(_("This client is inactive. Make the card active first."), "client")


def in_the_way(
    *, staff: Staff, start_at: dt.datetime, end_at: dt.datetime, except_for: Appointment | None = None
) -> list[Appointment]:
    """Return the visits of `staff` that take time between `start_at` and `end_at`, in order, with their clients."""
    mine = Appointment(pk=except_for.pk if except_for else None, staff=staff, start_at=start_at, end_at=end_at)
    return list(others(mine).select_related("client", "service", "staff").order_by("start_at"))


def others(made: Appointment) -> AppointmentQuerySet:
    """Return the visits of the same person that share time with `made`, which need not be saved, without itself."""
    rows = Appointment.objects.filter(staff_id=made.staff_id).taking_time().overlapping(made.start_at, made.end_at)
    return rows.exclude(pk=made.pk) if made.pk else rows


def refuse_overlap(made: Appointment, *, may_overbook: bool) -> bool:
    """Return whether other visits take the time of `made`. Raises Overlap if they do and that is not wanted."""
    is_taken = others(made).exists() if made.pk else _is_taken(made)
    if is_taken and not may_overbook:
        raise Overlap(made)
    return is_taken


def _is_taken(made: Appointment) -> bool:
    """Return what `others` says of a new visit: for most of a crowd that wants one slot, this look is all there is."""
    values = {"staff": made.staff_id, "start_at": made.start_at, "end_at": made.end_at}
    [rows] = prepared.run([_first_other()], values)
    return bool(rows)


@prepared.kept
def _first_other() -> prepared.Query:
    places: dict[str, Any] = {"staff": 2_000_000_011, "start_at": prepared.MOMENT, "end_at": _FAR_OFF}
    made = Appointment(staff_id=places["staff"], start_at=places["start_at"], end_at=places["end_at"])
    return prepared.Query(others(made).values_list("pk")[:1], **places)


def hold(staff: Staff, span: Span, *, may_be_inactive: bool = False) -> None:
    """Hold every day of `staff` that `span` touches until the transaction ends. Raises Refused if they left.

    Two visits that overlap share an instant, so they share a day and a row to wait for. On SQLite the transaction
    itself is the lock.
    """
    days = availability.days_of(span, Salon.objects.current().zone)
    rows = StaffDay.objects.select_for_update().filter(staff=staff, on__in=days).order_by("on")
    # Asked after the wait, in a statement of its own: a join would say what was true before.
    person = Staff.objects.filter(pk=staff.pk)
    if len(rows) < len(days):
        StaffDay.objects.bulk_create([StaffDay(staff=staff, on=on) for on in days], ignore_conflicts=True)
        list(rows.all())
        # Whoever lets them go at this moment cannot have waited for a day that was not there: meet at the person.
        person = person.select_for_update()
    is_active = person.get().is_active
    if not is_active and not may_be_inactive:
        raise Refused(_("%(name)s does not work here any more.") % {"name": staff.name}, "staff")


def of_staff(staff_ids: Sequence[int], span: Span) -> list[Appointment]:
    """Return the visits of these people that touch `span`, cancelled ones too, in order."""
    rows = Appointment.objects.filter(staff__in=staff_ids).overlapping(span.start_at, span.end_at)
    return list(rows.select_related("client", "service", "staff").order_by("start_at", "id"))
