"""The page of a client's health note: its consent first, then the note. Opening it is written down."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients import access, answers, cards, health, wording
from clients.health_forms import HealthForm
from clients.models import Client, HealthNote
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.secrets import Unreadable
from salon.core.web import SignedIn, allowed, go, page, refuse, sent, toast


@allowed(May.WRITE_NOTES)
def note(request: SignedIn, pk: int) -> HttpResponse:
    """Show and take the health note. A stylist has it on the day the client comes to them."""
    client = access.client_for(request.user, pk)
    found = cards.head(request, client, tab="other")
    if found["contacts"].is_masked:
        if request.method == "POST":
            raise PermissionDenied
        return page(request, "clients/health.html", {**found, **_closed(), "form": None})
    try:
        held = None if request.method == "POST" else health.read(client, by=request.user)
    except Unreadable:
        return page(request, "clients/health.html", {**found, **_closed(), "form": None, "is_unreadable": True})
    form = HealthForm(sent(request), today=timezone.localdate(), initial=_values(held))
    if form.is_bound and form.is_valid():
        return _save(request, client, found, form)
    return _page(request, client, found, form, status=422 if form.is_bound else 200)


@require_POST
@allowed(May.RECORD_CONSENT)
def consent(request: SignedIn, pk: int) -> HttpResponse:
    """Record the client's Yes or No to a health note. A No deletes the note."""
    client, said, how = access.client_for(request.user, pk), request.POST.get("answer", ""), request.POST.get("how", "")
    if access.contacts(request.user, client, request.salon, now=timezone.now()).is_masked:
        return go(request, "clients:health", pk)
    try:
        if said == "yes" and how in answers.HOW:
            events = health.agree(client, how=how, by=request.user, now=timezone.now())
            is_open = health.is_open(client)
            toast(request, _("Yes to a health note.") if is_open else _("Yes noted. It does not count yet.")) if events else None
        elif said == "no":
            health.withdraw(client, by=request.user, now=timezone.now())
            toast(request, _("No health note. What it held is deleted."))
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    return go(request, "clients:health", pk)


def _save(request: SignedIn, client: Client, found: Mapping[str, Any], form: HealthForm) -> HttpResponse:
    """Write the note, or show it again with what somebody else wrote meanwhile."""
    try:
        health.write(client, by=request.user, now=timezone.now(), **form.cleaned_data)
    except health.Conflict as conflict:
        newest = conflict.theirs.version if conflict.theirs else 0
        form = HealthForm({**request.POST.dict(), "version": newest}, today=timezone.localdate())
        return _page(request, client, found, form, status=409, theirs=conflict.theirs)
    except Refused as refused:
        refuse(form, refused)
        return _page(request, client, found, form, status=422)
    toast(request, _("Health note saved."))
    return go(request, "clients:health", client.pk)


def _page(
    request: SignedIn,
    client: Client,
    found: Mapping[str, Any],
    form: HealthForm,
    *,
    status: int,
    theirs: HealthNote | None = None,
) -> HttpResponse:
    context = {**found, **_asked(request, client), "form": form, "theirs": theirs}
    return page(request, "clients/health.html", context, status=status)


def _closed() -> dict[str, Any]:
    return {"line": None, "words": "", "how": (), "theirs": None, "is_unreadable": False}


def _asked(request: SignedIn, client: Client) -> dict[str, Any]:
    text = health.words(client)
    return {
        **_closed(),
        "line": health.answer(client),
        "words": wording.shown(text, request.salon) if text else "",
        "how": answers.HOW,
    }


def _values(note: HealthNote | None) -> dict[str, Any]:
    if note is None:
        return {"version": 0}
    return {"text": note.text, "patch_tested_on": note.patch_tested_on, "version": note.version}
