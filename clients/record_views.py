"""Settings → Privacy: how long things are kept, the record of processing, and the log of breaches."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import breaches, holds, processing, retention_rules
from clients.models import Breach
from clients.record_forms import BreachForm, ProcessingForm, RetentionForm
from salon.core import asking
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import MissingAct, SignedIn, allowed, go, page, refuse, sent, toast

NAMED = 20


@allowed(May.READ_SETTINGS)
def retention(request: SignedIn) -> HttpResponse:
    """Show the rules; show whom they would touch; put them in force once that was seen."""
    now, may_edit = timezone.now(), request.user.may(May.ERASE_CLIENTS)
    if request.method == "POST" and not may_edit:
        raise MissingAct(May.ERASE_CLIENTS)
    form = RetentionForm(sent(request), standings=retention_rules.standings(now))
    preview: list[dict[str, Any]] = []
    if form.is_bound and form.is_valid():
        if request.POST.get("act") == "save" and request.POST.get("seen") == _mark(form):
            retention_rules.change(form.values, by=request.user, now=now)
            toast(request, _("In force."))
            return go(request, "clients:retention")
        months = {code: value[0] for code, value in form.values.items()}
        standings = retention_rules.standings(now, months)
        preview = [
            {
                "standing": one, "is_on": form.values[one.rule.code][1],
                "people": retention_rules.touched(one.rule, one.months, now, NAMED) if one.count else [],
            }
            for one in standings
        ]  # fmt: skip
    rows = [(one, form[f"{one.rule.code}-months"], form[f"{one.rule.code}-on"]) for one in form.standings]
    context = {
        "form": form, "rows": rows, "preview": preview, "seen": _mark(form) if preview else "", "may_edit": may_edit,
        "ask": "" if may_edit else asking.sentence(May.EDIT_SENDING), "named": NAMED, **_due(request),
    }  # fmt: skip
    return page(request, "clients/retention.html", context, status=422 if form.is_bound and form.errors else 200)


def _due(request: SignedIn) -> dict[str, Any]:
    """Return how many cards will go soon, for whoever may keep one."""
    may_keep = request.user.may(May.DELETE_CLIENTS)
    return {"may_keep": may_keep, "due_count": holds.due(request.user).count() if may_keep else 0}


def _mark(form: RetentionForm) -> str:
    """Return the values of a form as one text: what was shown is what is put in force."""
    return ",".join(f"{code}:{months}:{int(is_on)}" for code, (months, is_on) in form.values.items())


@allowed(May.READ_SETTINGS)
def record(request: SignedIn) -> HttpResponse:
    """Show the record of processing, to read and to print."""
    context = {
        "entries": _shown(processing.entries()),
        "may_edit": request.user.may(May.EDIT_SETTINGS),
        "today": timezone.localdate(),
    }
    return page(request, "clients/processings.html", context)


def _shown(entries: list[processing.Entry]) -> list[dict[str, Any]]:
    labels = ProcessingForm().fields
    return [
        {"entry": one, "lines": [(labels[name].label, one.values[name]) for name in processing.FIELDS if str(one.values[name])]}
        for one in entries
    ]


@allowed(May.EDIT_SETTINGS)
def record_edit(request: SignedIn, code: str) -> HttpResponse:
    """Show and take one entry in the salon's own words, or put those of the house back."""
    entry = processing.entry(code)
    if entry is None:
        raise Http404
    if request.POST.get("act") == "reset":
        processing.reset(code, by=request.user)
        toast(request, _("The words of the house are back."))
        return go(request, "clients:processings")
    form = ProcessingForm(sent(request), initial={name: str(value) for name, value in entry.values.items()})
    if form.is_bound and form.is_valid():
        processing.change(code, by=request.user, now=timezone.now(), **form.cleaned_data)
        toast(request, _("Saved."))
        return go(request, "clients:processings")
    context = {"entry": entry, "form": form}
    return page(request, "clients/processing.html", context, status=422 if form.is_bound else 200)


@allowed(May.SERVE_RIGHTS)
def breach_log(request: SignedIn) -> HttpResponse:
    """Show the breaches, the last first, each with what is left of its 72 hours."""
    now = timezone.now()
    rows = [(row, breaches.clock(row, now), breaches.is_settled(row)) for row in Breach.objects.order_by("-discovered_at", "-pk")]
    return page(request, "clients/breaches.html", {"rows": rows})


@allowed(May.SERVE_RIGHTS)
def breach_add(request: SignedIn) -> HttpResponse:
    """Write a breach down."""
    return _breach(request, None)


@allowed(May.SERVE_RIGHTS)
def breach(request: SignedIn, pk: int) -> HttpResponse:
    """Show a breach, and take what is known meanwhile."""
    return _breach(request, get_object_or_404(Breach, pk=pk))


def _breach(request: SignedIn, row: Breach | None) -> HttpResponse:
    now = timezone.now()
    first = {name: getattr(row, name) for name in BreachForm.field_order} if row else {"discovered_at": timezone.localtime(now)}
    form = BreachForm(sent(request), now=now, initial=first)
    if form.is_bound and form.is_valid():
        try:
            breaches.write(row, by=request.user, now=now, **form.cleaned_data)
        except Refused as refused:
            refuse(form, refused)
        else:
            toast(request, _("Saved."))
            return go(request, "clients:breaches")
    context = {"row": row, "form": form, "clock": breaches.clock(row, now) if row else ""}
    return page(request, "clients/breach.html", context, status=422 if form.is_bound else 200)
