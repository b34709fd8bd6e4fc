"""Reception: books for somebody who may not have a card yet, both in one transaction. Called by the booking page."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from appointments import booking
from appointments.models import Appointment, Service, Staff
from clients import inactivity, records
from clients.models import Client
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import May


def book(
    *, client: Client | None, newcomer: Mapping[str, Any], staff: Staff, service: Service, start_at: dt.datetime,
    by: User, now: dt.datetime, note: str, is_notice_wanted: bool, may_overbook: bool, key: str,
) -> Appointment:  # fmt: skip
    """Book for `client`, or for a new one made of `newcomer` (first_name, last_name, phone, email), and return the visit.

    No card stays behind if the booking is refused. The same `key` gives the visit of the first press of the button.
    Raises what `booking.book` and `records.add` raise.
    """
    try:
        with transaction.atomic():
            person = client or records.add(by=by, now=now, **newcomer)
            return booking.book(
                client=person, staff=staff, service=service, start_at=start_at, by=by, now=now, note=note,
                is_notice_wanted=is_notice_wanted, may_overbook=may_overbook, idempotency_key=key,
            )  # fmt: skip
    except Refused:
        first = Appointment.objects.filter(idempotency_key=key, created_by=by).first()
        if client is None and first and (first.staff_id, first.service_id, first.start_at) == (staff.pk, service.pk, start_at):
            return first
        raise


def wake(client: Client, *, by: User, now: dt.datetime) -> None:
    """Make an inactive client who comes again active, if `by` may; one who is active meanwhile stays so."""
    if by.may(May.EDIT_CLIENTS) and inactivity.asleep(Client.objects.filter(pk=client.pk)).exists():
        inactivity.make_many_active([client.pk], by=by, now=now)
