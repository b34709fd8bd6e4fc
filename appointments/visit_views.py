"""What staff do with one visit: look, move, cancel, change the state, write the note, undo."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from appointments import access, agenda, booking, claims, objections, picking, slips
from appointments.forms import MoveForm, NoteForm
from appointments.models import Appointment, State
from appointments.states import TABLE
from appointments.views import day_context, facts_of, name_of
from salon.core import dates
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, refuse, safe_next, toast, whole


@allowed(May.SEE_CALENDAR)
def detail(request: SignedIn, pk: int) -> HttpResponse:
    """Show a visit."""
    visit = access.appointment_for(request.user, pk)
    return page(request, "appointments/detail.html", _context(request, visit), fragment="appointments/_visit.html")


@allowed(May.BOOK)
@require_POST
def status(request: SignedIn, pk: int) -> HttpResponse:
    """Set the state of a visit, and answer with the page or the part it was asked from."""
    visit = access.changeable_for(request.user, pk)
    was = slips.before(visit)
    code = 200
    try:
        booking.set_state(visit, to=request.POST.get("to", ""), by=request.user, now=timezone.now(), version=_version(request))
        words = _("%(name)s: %(state)s.") % {"name": name_of(request, visit), "state": visit.get_state_display()}
        toast(request, words, undo_url=_undo_url(visit), undo=slips.token(visit, was))
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
        code = 409
    return _back(request, visit, code)


@allowed(May.BOOK)
def cancel(request: SignedIn, pk: int) -> HttpResponse:
    """Ask whether to tell the client, then cancel."""
    visit = access.changeable_for(request.user, pk)
    if not TABLE.may(visit.state, State.CANCELLED):
        return _is_over(request, visit, _("This visit is over and cannot be cancelled."))
    if request.method != "POST":
        return page(request, "appointments/cancel.html", _context(request, visit))
    was = slips.before(visit)
    is_notice_wanted = "is_notice_wanted" in request.POST
    try:
        booking.cancel(visit, by=request.user, now=timezone.now(), is_notice_wanted=is_notice_wanted, version=_version(request))
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
        return page(request, "appointments/detail.html", _context(request, _fresh(request, pk)), status=409)
    words = _("The visit of %(name)s is cancelled.") % {"name": name_of(request, visit)}
    toast(request, words, undo_url=_undo_url(visit), undo=slips.token(visit, was))
    return go(request, "appointments:day", timezone.localtime(visit.start_at).date())


@allowed(May.BOOK)
def move(request: SignedIn, pk: int) -> HttpResponse:
    """Give a visit another time, person or service."""
    visit = access.changeable_for(request.user, pk)
    if visit.state in (State.DONE, State.NO_SHOW, State.CANCELLED):
        return _is_over(request, visit, _("This visit is over and cannot be moved."))
    options: dict[str, Any] = {
        "staff": access.bookable_staff(request.user), "salon": request.salon, "service": visit.service,
    }  # fmt: skip
    if request.method != "POST":
        return _ask(request, visit, MoveForm(initial=_as_it_stands(visit), **options))
    act = request.POST.get("act", "move")
    if act != "move":
        return _ask(request, visit, MoveForm(initial=picking.typed(request.POST, act), **options))
    return _move_or_say_why(request, visit, MoveForm(request.POST, **options))


def _move_or_say_why(request: SignedIn, visit: Appointment, form: MoveForm) -> HttpResponse:
    if not form.is_valid():
        return _ask(request, visit, form, status=422)
    found = _against(request, visit, form)
    if not objections.are_overruled(found, request.POST.get("overruled", "")):
        return _ask(request, visit, form, against=found, status=409)
    was = slips.before(visit)
    try:
        _move(request, visit, form, may_overbook=any(objection.visit for objection in found))
    except claims.Overlap as overlap:
        return _ask(request, visit, form, against=objections.overlaps(overlap.visits), status=409)
    except Refused as refused:
        refuse(form, refused)
        return _ask(request, _fresh(request, visit.pk), form, status=409 if isinstance(refused, booking.Conflict) else 422)
    if visit.version == was.version:
        toast(request, _("Nothing changed: this is the time the visit already had."))
    else:
        words = _("%(name)s is moved to %(day)s %(time)s with %(staff)s.") % facts_of(request, visit)
        toast(request, words, undo_url=_undo_url(visit), undo=slips.token(visit, was))
    return go(request, "appointments:day", timezone.localtime(visit.start_at).date())


def _as_it_stands(visit: Appointment) -> dict[str, Any]:
    start_at = timezone.localtime(visit.start_at)
    return {
        "service": visit.service_id, "staff": visit.staff_id, "on": start_at.date(), "time": start_at.time(),
        "is_notice_wanted": _can_be_told(visit), "version": visit.version,
    }  # fmt: skip


def _against(request: SignedIn, visit: Appointment, form: MoveForm) -> list[objections.Objection]:
    data = form.cleaned_data
    return objections.against(
        staff=data["staff"], start_at=data["start_at"], minutes=picking.minutes_after(visit, data["service"]),
        salon=request.salon, now=timezone.now(), except_for=visit,
    )  # fmt: skip


def _move(request: SignedIn, visit: Appointment, form: MoveForm, *, may_overbook: bool) -> None:
    data = form.cleaned_data
    booking.move(
        visit, start_at=data["start_at"], staff=data["staff"], service=data["service"], by=request.user, now=timezone.now(),
        is_notice_wanted=data["is_notice_wanted"], may_overbook=may_overbook, version=data["version"],
    )  # fmt: skip


def _ask(
    request: SignedIn, visit: Appointment, form: MoveForm, *, against: list[objections.Objection] | None = None, status: int = 200
) -> HttpResponse:
    context = _context(request, visit) | picking.slots(form, except_for=visit) | {
        "form": form,
        "against": picking.named(request, against or []),
        "overruled": ",".join(found.code for found in against or []),
    }  # fmt: skip
    return page(request, "appointments/move.html", context, fragment="appointments/_move_form.html", status=status)


@allowed(May.BOOK)
@require_POST
def note(request: SignedIn, pk: int) -> HttpResponse:
    """Write the note of this visit."""
    visit = access.changeable_for(request.user, pk)
    form = NoteForm(request.POST)
    status = 200
    if not form.is_valid():
        status = 422
    else:
        try:
            booking.write_note(visit, note=form.cleaned_data["note"], by=request.user, version=form.cleaned_data["version"])
        except Refused as refused:
            refuse(form, refused)
            status, visit = 409, _fresh(request, pk)
            if visit.client is not None and visit.client.is_hidden:
                toast(request, refused.message, level=messages.ERROR)  # there is no form that could say it
    if status == 200:
        toast(request, _("Note saved."))
        if not is_fragment(request):
            return go(request, "appointments:detail", pk)
        form = _note_form(visit)
    context = _context(request, visit) | {"note_form": form}
    return page(request, "appointments/detail.html", context, fragment="appointments/_visit.html", status=status)


@allowed(May.BOOK)
@require_POST
def undo(request: SignedIn, pk: int) -> HttpResponse:
    """Take the last act on a visit back."""
    visit = access.changeable_for(request.user, pk)
    try:
        slip = slips.read(request.POST.get("token", ""), visit)
        booking.undo(visit, slip=slip, by=request.user, now=timezone.now())
        toast(request, _("Undone: %(name)s is as before.") % {"name": name_of(request, visit)})
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    return go(request, safe_next(request, reverse("appointments:detail", args=[pk])))


def _context(request: SignedIn, visit: Appointment) -> dict[str, Any]:
    """Return what `_visit.html` needs."""
    now, user, salon = timezone.now(), request.user, request.salon
    can_change = access.may_change(user, visit.staff)
    contacts = access.contacts_of(user, [visit], salon, now=now).get(visit.pk)
    is_hidden = contacts is not None and contacts.is_hidden
    line = agenda.line_of(visit, contacts=contacts, can_change=can_change, now=now, zone=salon.zone)
    steps = [state for state in State if TABLE.may(visit.state, state) and state not in (State.CANCELLED, line.following)]
    return {
        "visit": visit, "line": line, "contacts": contacts, "can_change": can_change, "steps": steps if can_change else [],
        "can_tell": _can_be_told(visit) and visit.start_at > now,
        "can_book": access.bookable_staff(user).exists(), "can_repeat": visit.state == State.CANCELLED and visit.start_at > now,
        "note_form": _note_form(visit), "last_visits": [] if is_hidden else _last_visits(request, visit),
    }  # fmt: skip


def _can_be_told(visit: Appointment) -> bool:
    """Return whether a message about the visit could leave at all."""
    return visit.client is not None and bool(visit.client.email) and not visit.client.is_hidden


def _note_form(visit: Appointment) -> NoteForm:
    return NoteForm(initial={"note": visit.note, "version": visit.version})


def _last_visits(request: SignedIn, visit: Appointment) -> list[Appointment]:
    """Return the client's three visits before this one."""
    rows = access.appointments_for(request.user).filter(client=visit.client, start_at__lt=visit.start_at)
    return list(rows.order_by("-start_at")[:3]) if visit.client else []


def _back(request: SignedIn, visit: Appointment, code: int) -> HttpResponse:
    """Answer with the day or the visit, whichever the button stands on; without htmx go back there."""
    if not is_fragment(request):
        return go(request, safe_next(request, reverse("appointments:detail", args=[visit.pk])))
    on = dates.read(request.POST.get("on", ""))
    if on:
        context = day_context(request, on, focus=visit.pk)
        return page(request, "appointments/day.html", context, fragment="appointments/_agenda.html", status=code)
    context = _context(request, _fresh(request, visit.pk))
    return page(request, "appointments/detail.html", context, fragment="appointments/_visit.html", status=code)


def _is_over(request: SignedIn, visit: Appointment, words: str) -> HttpResponse:
    """Show the visit instead of a form that could change nothing, and say why."""
    toast(request, _("This visit is cancelled.") if visit.state == State.CANCELLED else words, level=messages.ERROR)
    return go(request, "appointments:detail", visit.pk)


def _fresh(request: SignedIn, pk: int) -> Appointment:
    return access.appointment_for(request.user, pk)


def _version(request: SignedIn) -> int | None:
    return whole(request.POST.get("version", ""))


def _undo_url(visit: Appointment) -> str:
    return reverse("appointments:undo", args=[visit.pk])
