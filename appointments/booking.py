"""Books, moves, cancels and changes the state of visits: the only writer of Appointment. Never writes messages.

Order of locks: for a visit that is new or stands again its client, shared, so that a merge or an erasure waits for it and
then sees it; the StaffDay rows of every day touched, by (staff, day); then the visit.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from appointments import claims, slips, states
from appointments.availability import Span
from appointments.models import TAKES_TIME, Appointment, Service, Staff, State
from clients import survivors
from clients.models import Client
from salon.core import audit, bell
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.tries import once_more

# Messages wait so long after an act; what is undone sooner was told to nobody.
HOLD = dt.timedelta(seconds=30)


class Conflict(Refused):
    """Somebody else changed the visit since the page was made."""

    def __init__(self) -> None:
        super().__init__(_("Somebody changed this visit meanwhile. Here is how it stands now."))


Clock = Callable[[], dt.datetime]


@once_more
def book(
    *,
    client: Client | None,
    staff: Staff,
    service: Service,
    start_at: dt.datetime,
    by: User | None,
    now: dt.datetime,
    note: str = "",
    is_notice_wanted: bool = False,
    may_overbook: bool = False,
    idempotency_key: str | None = None,
    price: Decimal | None = None,
) -> Appointment:
    """Book a visit that takes the service's time from `start_at` (aware), and return it.

    The same `idempotency_key` with the same client, person, service and time returns the visit it made the first
    time. `may_overbook` lets somebody of the team (`by`) book over another visit; the new one is marked so.
    A visit in the past is a note of what happened: nobody is told of it. Raises Overlap if the time is taken,
    Refused for a client, person or service that is not active, or for a key used for something else.
    """
    if client is not None and client.merged_into_id is not None:
        client = Client.objects.get(pk=survivors.of(client.pk))
    _check_active(client, service)
    start_at = start_at.astimezone(dt.UTC)  # wall-clock arithmetic would stretch a visit over a clock change
    end_at = start_at + dt.timedelta(minutes=service.duration_minutes)
    made = Appointment(
        client=client, staff=staff, service=service, start_at=start_at, end_at=end_at, note=note.strip(), created_at=now,
        price=service.price if price is None else price, is_notice_wanted=is_notice_wanted and start_at > now,
        time_set_at=now, idempotency_key=idempotency_key or None, created_by=by,
    )  # fmt: skip
    may_overbook = may_overbook and by is not None
    try:
        # Asked once without the lock: a crowd that wants a time already gone does not queue for the lock to hear it.
        claims.refuse_overlap(made, may_overbook=may_overbook)
        with transaction.atomic():
            claims.hold_client(made)
            claims.hold(staff, Span(start_at, end_at))
            made.is_overbooked = claims.refuse_overlap(made, may_overbook=may_overbook)
            made.save(force_insert=True)
            audit.record("appointment.book", made, by=by, staff=staff.pk, service=service.pk, overbooked=made.is_overbooked)
            bell.ring()
    except claims.TakenIn as taken:
        return book(
            client=Client.objects.get(pk=taken.home), staff=staff, service=service, start_at=start_at, by=by, now=now, note=note,
            is_notice_wanted=is_notice_wanted, may_overbook=may_overbook, idempotency_key=idempotency_key, price=price,
        )  # fmt: skip
    except (claims.Overlap, IntegrityError) as error:
        first = _made_before(made)
        if first is None:
            raise _in_words(error, made) from None
        return first
    return made


@once_more
def move(
    appointment: Appointment,
    *,
    start_at: dt.datetime,
    staff: Staff | None = None,
    service: Service | None = None,
    by: User | None,
    now: dt.datetime,
    is_notice_wanted: bool,
    may_overbook: bool = False,
    version: int | None = None,
) -> Appointment:
    """Give the visit another time, person or service, and return it. Another service brings its length and price.

    Every move raises `time_version`, a move back as well: each is another thing to say. Raises Overlap if the time
    is taken, Conflict if the visit is not in `version` (default: as in hand) any more, Refused for one that is over.
    """
    staff = staff or appointment.staff
    service = service or appointment.service
    start_at = start_at.astimezone(dt.UTC)
    if service.pk != appointment.service_id:
        length, price = dt.timedelta(minutes=service.duration_minutes), service.price
        _check_active(None, service)
    else:
        length, price = appointment.end_at - appointment.start_at, appointment.price
    try:
        with transaction.atomic():
            claims.hold(staff, Span(start_at, start_at + length))
            row = _fresh(appointment, version)
            if row.state not in TAKES_TIME or row.state == State.DONE:
                raise Refused(_("This visit is over and cannot be moved."))
            if (staff.pk, service.pk, start_at) == (row.staff_id, row.service_id, row.start_at):
                return row
            row.staff, row.service, row.price = staff, service, price
            row.start_at, row.end_at = start_at, start_at + length
            row.is_overbooked = claims.refuse_overlap(row, may_overbook=may_overbook and by is not None)
            row.time_version, row.time_set_at = row.time_version + 1, now
            row.is_notice_wanted = is_notice_wanted and start_at > now
            _save(row)
            audit.record("appointment.move", row, by=by, staff=staff.pk, service=service.pk, overbooked=row.is_overbooked)
            bell.ring()
    except IntegrityError as error:
        raise _in_words(error, appointment) from None
    return _bring_up_to_date(appointment, row)


@once_more
def cancel(
    appointment: Appointment, *, by: User | None, now: dt.datetime, is_notice_wanted: bool, version: int | None = None
) -> Appointment:
    """Cancel the visit, and return it. Its time is free at once. A visit that has begun is cancelled without a word.

    Raises Conflict if the visit is not in `version` any more, Refused if it is over already.
    """
    with transaction.atomic():
        row = _fresh(appointment, version)
        if not states.TABLE.may(row.state, State.CANCELLED):
            raise Refused(_("This visit is over and cannot be cancelled."))
        row.state, row.cancelled_at = State.CANCELLED, now
        row.is_notice_wanted = is_notice_wanted and row.start_at > now
        _save(row)
        audit.record("appointment.cancel", row, by=by)
        bell.ring()
    return _bring_up_to_date(appointment, row)


@once_more
def set_state(appointment: Appointment, *, to: str, by: User | None, now: dt.datetime, version: int | None = None) -> Appointment:
    """Set the state of the visit, and return it. Cancelling has an operation of its own.

    Raises Conflict if the visit is not in `version` any more, Overlap if it takes time again that somebody else has
    now, Refused for a step that makes no sense, and where it would take time again for a client who is gone, restricted
    or being deleted.
    """
    zone = Salon.objects.current().zone
    try:
        with transaction.atomic():
            if appointment.state not in TAKES_TIME and to in TAKES_TIME:
                claims.hold_returning(appointment, client=appointment.client_id or 0)
                claims.hold(appointment.staff, Span(appointment.start_at, appointment.end_at))
            row = _fresh(appointment, version)
            if to == State.CANCELLED or not states.TABLE.may(row.state, to):
                raise Refused(_("This step is not possible for a visit in this state."))
            if to in states.NOT_AHEAD and row.start_at.astimezone(zone).date() > now.astimezone(zone).date():
                raise Refused(_("This visit is still to come."))
            if row.state not in TAKES_TIME and to in TAKES_TIME:
                row.is_overbooked = claims.refuse_overlap(row, may_overbook=row.is_overbooked)
            before, row.state = row.state, to
            _save(row)
            audit.record("appointment.state", row, by=by, before=before, after=to)
            bell.ring()
    except IntegrityError as error:
        raise _in_words(error, appointment) from None
    return _bring_up_to_date(appointment, row)


def write_note(appointment: Appointment, *, note: str, by: User | None, version: int | None = None) -> Appointment:
    """Write the note of this visit, and return it.

    Raises Conflict if the visit is not in `version` any more, Refused for one of a card that is restricted or being deleted.
    """
    with transaction.atomic():
        row = _fresh(appointment, version)
        if row.client is not None and row.client.is_hidden:
            raise Refused(_("This card is only kept: nothing is written on it."))
        if row.note != note.strip():
            row.note = note.strip()
            _save(row)
            audit.record("appointment.note", row, by=by, fields=["note"])
    return _bring_up_to_date(appointment, row)


@once_more
def undo(
    appointment: Appointment, *, slip: slips.Slip, by: User | None, now: dt.datetime, clock: Clock = timezone.now
) -> Appointment:
    """Take the last act on the visit back to how `slip` says it stood, and return it. A new visit is cancelled.

    What may have been told meanwhile is told again: after HOLD the version rises, so that the client hears of it.
    `clock` is read once the visit is held: what left while Undo waited for it has been told.
    Raises Conflict if anybody changed the visit since, Overlap if its old time has been taken, Refused where it would take
    time again for a client who is gone, restricted or being deleted.
    """
    try:
        with transaction.atomic():
            if slip.state in TAKES_TIME:
                claims.hold_returning(appointment, client=slip.client)
                claims.hold(Staff.objects.get(pk=slip.staff), slip.span, may_be_inactive=True)
            row = _fresh(appointment, slip.version)
            now = max(now, clock())
            acted_at = row.cancelled_at or row.time_set_at
            was_told = row.is_notice_wanted and now - acted_at >= HOLD
            if not slip.state:
                row.state, row.cancelled_at, row.is_notice_wanted = State.CANCELLED, now, was_told and row.start_at > now
            else:
                _restore(row, slip, acted_at=acted_at, was_told=was_told, now=now)
            _save(row)
            audit.record("appointment.undo", row, by=by, after=row.state)
            bell.ring()
    except claims.TakenIn:
        return undo(appointment, slip=slip, by=by, now=now, clock=clock)
    except IntegrityError as error:
        raise _in_words(error, appointment) from None
    return _bring_up_to_date(appointment, row)


def _restore(row: Appointment, slip: slips.Slip, *, acted_at: dt.datetime, was_told: bool, now: dt.datetime) -> None:
    """Put the values of `slip` back into `row`."""
    if row.state not in (slip.state, *states.BACK.before(slip.state)):
        raise Refused(_("This cannot be undone."))
    is_moved = (row.staff_id, row.service_id, Span(row.start_at, row.end_at)) != (slip.staff, slip.service, slip.span)
    is_back, was_cancelled = row.state not in TAKES_TIME and slip.state in TAKES_TIME, row.state == State.CANCELLED
    row.state, row.cancelled_at = slip.state, None
    row.staff_id, row.service_id, row.price = slip.staff, slip.service, Decimal(slip.price)
    row.start_at, row.end_at = slip.span.start_at, slip.span.end_at
    if is_moved or is_back:
        # One that was booked over this visit while it stood is no reason against its return: both stood before.
        if claims.others(row).exclude(is_overbooked=True, time_set_at__lte=acted_at).exists():
            row.is_overbooked = claims.refuse_overlap(row, may_overbook=slip.is_overbooked)
        row.is_overbooked = slip.is_overbooked
    if is_moved or (was_cancelled and was_told):
        # A new version after every move: messages about the one in between must never be taken for this one's.
        row.time_version, row.time_set_at = row.time_version + 1, now
    row.is_notice_wanted = slip.is_notice_wanted or was_told


def _check_active(client: Client | None, service: Service) -> None:
    if client is not None:
        claims.refuse_client(client)
    if not service.is_active:
        raise Refused(_("%(name)s is not offered any more.") % {"name": service.name}, "service")


def _fresh(appointment: Appointment, version: int | None) -> Appointment:
    """Return the visit as it stands, held until the transaction ends. Raises Conflict if it is in another version."""
    row = Appointment.objects.select_for_update(of=("self",)).select_related("staff", "service").get(pk=appointment.pk)
    if row.version != (appointment.version if version is None else version):
        raise Conflict
    return row


def _save(row: Appointment) -> None:
    row.version += 1
    row.save()


def _bring_up_to_date(in_hand: Appointment, row: Appointment) -> Appointment:
    """Give the row in the caller's hand the values just written."""
    for field in row._meta.concrete_fields:
        setattr(in_hand, field.attname, getattr(row, field.attname))
    return in_hand


def _made_before(made: Appointment) -> Appointment | None:
    """Return the visit that the same press of the button made. Raises Refused if the key belongs to another one."""
    key = made.idempotency_key
    first = Appointment.objects.filter(idempotency_key=key).first() if key else None
    if first is None:
        return None
    if made.client_id is not None and survivors.of(made.client_id) == first.client_id:
        made.client_id = first.client_id
    if any(getattr(first, name) != getattr(made, name) for name in ("client_id", "staff_id", "service_id", "start_at")):
        raise Refused(_("This form was already sent with other details. Open a new one."))
    return first


def _in_words(error: Exception, made: Appointment) -> Exception:
    """Return the refusal that a constraint of the database stands for, else the error itself."""
    return claims.Overlap(made) if "appointments_no_overlap" in str(error) else error
