"""Which visits a user may see and change. A stylist sees everybody's day and changes the own column only."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import replace

from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.shortcuts import get_object_or_404

from appointments import availability
from appointments.models import STANDS, TAKES_TIME, TO_DO, Appointment, Staff, State
from clients import access as clients_access
from clients.access import Contacts, Visits
from clients.models import Client
from salon.core import prepared
from salon.core.models import Salon, User
from salon.core.roles import May


def appointments_for(user: User) -> QuerySet[Appointment]:
    """Return the visits that `user` may see, with client, person and service."""
    rows = Appointment.objects.select_related("client", "staff", "service")
    return rows if user.may(May.SEE_CALENDAR) else rows.none()


def appointment_for(user: User, pk: int) -> Appointment:
    """Return the visit, if `user` may see it. Raises Http404 otherwise."""
    return get_object_or_404(appointments_for(user), pk=pk)


def changeable_for(user: User, pk: int) -> Appointment:
    """Return the visit, if `user` may change it. Raises Http404 if they may not see it, PermissionDenied if only that."""
    appointment = appointment_for(user, pk)
    if not may_change(user, appointment.staff):
        raise PermissionDenied
    return appointment


def may_change(user: User, staff: Staff) -> bool:
    """Return whether `user` may book, move and cancel in the column of `staff`."""
    return user.may(May.BOOK_FOR_ALL_STAFF) or (user.may(May.BOOK) and staff.user_id == user.pk)


def bookable_staff(user: User) -> QuerySet[Staff]:
    """Return the people who work here and in whose column `user` may book."""
    rows = Staff.objects.filter(is_active=True)
    if user.may(May.BOOK_FOR_ALL_STAFF):
        return rows
    return rows.filter(user=user) if user.may(May.BOOK) else rows.none()


def own_client_ids(user: User, on: dt.date) -> set[int]:
    """Return the clients who have a visit with `user` on the local day `on`.

    Cancelled ones do not count, nor those that `user` booked on the day itself: nobody opens a card by booking it.
    """
    span = availability.day(on, Salon.objects.current().zone)
    rows = Appointment.objects.filter(staff__user=user, state__in=(*TAKES_TIME, State.NO_SHOW), client__isnull=False)
    rows = rows.exclude(created_by=user, created_at__gte=span.start_at, created_at__lt=span.end_at)
    return set(rows.overlapping(span.start_at, span.end_at).values_list("client_id", flat=True))


def contacts_of(user: User, visits: Iterable[Appointment], salon: Salon, *, now: dt.datetime) -> dict[int, Contacts]:
    """Return the contacts of the clients of these visits as `user` may see them, by the id of the visit.

    Who has a restricted card is greeted by the first name where the visit is still to be done, and not named elsewhere.
    """
    theirs = {visit.pk: visit.client for visit in visits if visit.client}
    known = clients_access.contacts_of(user, theirs.values(), salon, now=now)
    today = now.astimezone(salon.zone).date()
    found = {}
    for visit in visits:
        if visit.client is None:
            continue
        shown, client = known[visit.client.pk], visit.client
        is_expected = visit.state in TO_DO and visit.start_at.astimezone(salon.zone).date() >= today
        if client.restricted_at and client.first_name and is_expected:
            shown = replace(shown, name=client.first_name)
        found[visit.pk] = shown
    return found


def columns(client_ids: Collection[int], user: User, salon: Salon, now: dt.datetime) -> dict[int, Visits]:
    """Return last and next visit for each of these clients that has one. One query, however many clients."""
    if not user.may(May.SEE_CALENDAR):
        return {}
    rows = prepared.run([_columns()], {"ids": prepared.as_list(client_ids), "now": now})[0]
    return {
        pk: Visits(last_at.astimezone(salon.zone).date() if last_at else None, next_at, next_staff or "")
        for pk, last_at, next_at, next_staff in rows
        if last_at or next_at
    }


@prepared.kept
def _columns() -> prepared.Query:
    """Return the query of the columns: for each client a step into the index of their visits, whatever else they had."""
    theirs = Appointment.objects.filter(client=OuterRef("pk"))
    past = theirs.filter(state=State.DONE, start_at__lt=prepared.MOMENT).order_by("-start_at")
    ahead = theirs.filter(state__in=STANDS, start_at__gte=prepared.MOMENT).order_by("start_at")
    rows = Client.objects.filter(pk__in=prepared.listed("?ids")).order_by()
    first = (
        Subquery(visits.values(name)[:1]) for visits, name in ((past, "start_at"), (ahead, "start_at"), (ahead, "staff__name"))
    )
    return prepared.Query(rows.values_list("pk", *first), ids="?ids", now=prepared.MOMENT)


def register() -> None:
    """Tell the clients app, which cannot look up here, whose clients are a stylist's own and what its list may show."""
    clients_access.register_own_clients(own_client_ids)
    clients_access.register_columns(columns)
