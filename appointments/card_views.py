"""Panels of the card's page Other: with whom a client usually books and after how many weeks, chosen in place."""

from django.contrib import messages
from django.core import signing
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from appointments import regulars
from appointments.models import OwnRhythm, Staff, UsualStaff
from clients import access as clients_access
from clients.models import Client
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, safe_next, toast, whole

_UNDO, _UNDO_RHYTHM = "appointments.usual", "appointments.rhythm"


@allowed(May.SEE_CLIENTS)
def usual(request: SignedIn, pk: int) -> HttpResponse:
    """Show with whom a client usually books: the panel, or what is left of it as a page."""
    return _panel(request, clients_access.client_for(request.user, pk))


@require_POST
@allowed(May.EDIT_CLIENTS)
def set_usual(request: SignedIn, pk: int) -> HttpResponse:
    """Choose somebody, nobody, or with a token whoever it was before."""
    client = clients_access.client_for(request.user, pk)
    token = request.POST.get("token", "")
    try:
        chosen = signing.loads(token, salt=_UNDO, max_age=600)[str(client.pk)] if token else request.POST.get("staff", "")
    except (signing.BadSignature, KeyError):
        return go(request, "clients:other", pk)
    staff = Staff.objects.filter(pk=whole(str(chosen)) or 0).first()
    before = regulars.set_usual(client, staff, by=request.user)
    if token:
        toast(request, _("Undone."))
        return go(request, safe_next(request, reverse("clients:other", args=[pk])))
    if before != staff:
        words = _("Usual stylist: %(name)s.") % {"name": staff.name} if staff else _("No usual stylist.")
        undo = signing.dumps({str(client.pk): before.pk if before else 0}, salt=_UNDO)
        toast(request, words, undo_url=reverse("appointments:set_usual", args=[pk]), undo=undo)
    return _panel(request, client) if is_fragment(request) else go(request, "clients:other", pk)


@allowed(May.SEE_CLIENTS)
def rhythm(request: SignedIn, pk: int) -> HttpResponse:
    """Show after how many weeks a client likes to come again: the panel, or what is left of it as a page."""
    return _rhythm(request, clients_access.client_for(request.user, pk))


@require_POST
@allowed(May.EDIT_CLIENTS)
def set_rhythm(request: SignedIn, pk: int) -> HttpResponse:
    """Enter the weeks, nothing for what the service says, or with a token what it was before."""
    client = clients_access.client_for(request.user, pk)
    token, typed = request.POST.get("token", ""), request.POST.get("weeks", "").strip()
    try:
        entered = (whole(typed) or 0) if typed else None
        weeks = signing.loads(token, salt=_UNDO_RHYTHM, max_age=600)[str(client.pk)] if token else entered
        before = regulars.set_rhythm(client, weeks, by=request.user)
    except (signing.BadSignature, KeyError):
        return go(request, "clients:other", pk)
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
        return _rhythm(request, client) if is_fragment(request) else go(request, "clients:other", pk)
    if token:
        toast(request, _("Undone."))
        return go(request, safe_next(request, reverse("clients:other", args=[pk])))
    if before != weeks:
        words = ngettext("Comes again after %(count)s week.", "Comes again after %(count)s weeks.", weeks or 0) % {"count": weeks}
        undo = signing.dumps({str(client.pk): before}, salt=_UNDO_RHYTHM)
        url = reverse("appointments:set_rhythm", args=[pk])
        toast(request, words if weeks else _("Comes again as the service says."), undo_url=url, undo=undo)
    return _rhythm(request, client) if is_fragment(request) else go(request, "clients:other", pk)


def _rhythm(request: SignedIn, client: Client) -> HttpResponse:
    weeks = OwnRhythm.objects.filter(client=client).values_list("weeks", flat=True).first()
    context = {"client": client, "weeks": weeks, "most": regulars.WEEKS_MAX}
    return page(request, "appointments/rhythm.html", context, fragment="appointments/_rhythm.html")


def _panel(request: SignedIn, client: Client) -> HttpResponse:
    row = UsualStaff.objects.select_related("staff").filter(client=client).first()
    chosen = row.staff if row else None
    staff = list(Staff.objects.filter(is_active=True))
    context = {"client": client, "chosen": chosen, "staff": staff if chosen is None or chosen in staff else [chosen, *staff]}
    return page(request, "appointments/usual.html", context, fragment="appointments/_usual.html")
