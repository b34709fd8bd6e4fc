"""The page Other systems to tell: what somebody passes on by hand, ticked off with Undo, and the file of the refusals."""

import datetime as dt

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from notifications.systems import informing, refusals, sending, words
from notifications.systems.forms import SpanForm
from notifications.systems.models import OtherSystem
from notifications.views.messages import tabs_of
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, refuse, toast

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@allowed(May.SEE_MESSAGES)
@require_GET
def index(request: SignedIn) -> HttpResponse:
    """Show what each system is to be told."""
    return _page(request, None)


@allowed(May.SEE_MESSAGES)
@require_POST
def done(request: SignedIn, pk: int) -> HttpResponse:
    """Tick off one line of a system, or all."""
    system = get_object_or_404(OtherSystem.objects.defer(*sending.SEALED), pk=pk)
    upto = _number(request.POST.get("upto", ""))
    which = {"upto": upto} if upto else {"only": _number(request.POST.get("line", ""))}
    is_gone = request.POST.get("what") == "gone"
    ticked = informing.tick(system, **which, is_gone=is_gone, by=request.user, now=timezone.now())
    if ticked:
        count = len(ticked)
        text = ngettext("%(count)s line ticked off.", "%(count)s lines ticked off.", count) % {"count": count}
        toast(request, text, undo_url=reverse("notifications:inform_undo"), undo=informing.slip(system, ticked))
    return go(request, "notifications:inform")


@allowed(May.SEE_MESSAGES)
@require_POST
def undo(request: SignedIn) -> HttpResponse:
    """Let lines wait again that were ticked off."""
    try:
        informing.untick(request.POST.get("token", ""), by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    return go(request, "notifications:inform")


@allowed(May.EXPORT)
@require_POST
def file(request: SignedIn) -> HttpResponseBase:
    """Hand over the Excel file of the refusals of some days."""
    form = SpanForm(request.POST)
    if form.is_valid():
        first, last = form.cleaned_data["first"], form.cleaned_data["last"]
        try:
            content, _count = refusals.write(first=first, last=last, by=request.user, salon=request.salon, now=timezone.now())
        except Refused as refused:
            refuse(form, refused)
        else:
            name = refusals.name_of(first, last)
            return FileResponse(content, as_attachment=True, filename=name, content_type=XLSX)
    return _page(request, form)


def _page(request: SignedIn, form: SpanForm | None) -> HttpResponse:
    today = timezone.localdate()
    lists = [
        (one, [(task, words.refused(task.refused)) for task in one.tasks], _heading(one)) for one in informing.lists(request.user)
    ]
    context = {
        "lists": lists,
        "tabs": tabs_of(request.user, "systems", {}),
        "form": form or SpanForm(initial={"first": today - dt.timedelta(days=30), "last": today}),
        "may_export": request.user.may(May.EXPORT), "may_edit": request.user.may(May.EDIT_SENDING), "shown": informing.SHOWN,
    }  # fmt: skip
    return page(request, "notifications/inform.html", context, status=422 if form else 200)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0


def _heading(one: informing.List) -> str:
    text = ngettext("Tell %(system)s: %(count)s client said No", "Tell %(system)s: %(count)s clients said No", one.count)
    return text % {"system": one.system.name, "count": one.count}
