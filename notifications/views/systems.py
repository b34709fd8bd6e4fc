"""Settings → Other systems: which there are, how each is told and how it goes, its secret, a test, off and on."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from notifications.systems import informing, managing, sending, words
from notifications.systems.forms import SystemForm
from notifications.systems.models import Delivery, OtherSystem
from notifications.systems.preferences import KINDS
from salon.core import accounts, public, secrets
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, refuse, sent, toast

SHOWN = 20
_SECRET = "new_system_secret"  # noqa: S105 (the name of a place in the session)


@allowed(May.EDIT_SENDING)
@require_GET
def index(request: SignedIn) -> HttpResponse:
    """List the other systems, each with how it goes."""
    rows = [(row, words.off(row), _waiting(row)) for row in OtherSystem.objects.defer(*sending.SEALED)]
    return page(request, "notifications/systems.html", {"systems": rows, "open_count": informing.open_count(request.user)})


@allowed(May.EDIT_SENDING)
@require_http_methods(["GET", "POST"])
@accounts.confirmed
def add(request: SignedIn) -> HttpResponse:
    """Add a system; a connected one's secret is shown on the page that follows, once."""
    form = SystemForm(sent(request))
    if form.is_valid():
        try:
            row = managing.add(**form.cleaned_data, by=request.user, now=timezone.now())
        except Refused as refused:
            refuse(form, refused)
        else:
            if row.secret:
                _keep(request, row.pk, row.secret)
            toast(request, _("%(name)s is on the list.") % {"name": row.name})
            return go(request, "notifications:system", row.pk)
    return page(request, "notifications/system_edit.html", {"form": form}, status=422 if form.is_bound else 200)


@allowed(May.EDIT_SENDING)
@require_GET
def system(request: SignedIn, pk: int) -> HttpResponse:
    """Show one system: what goes out, where it reaches us, what it was told last; a new secret this once."""
    row = _system(pk)
    told = Delivery.objects.filter(system=row).select_related("told_by").order_by("-pk")[:SHOWN]
    context = {
        "system": row, "off": words.off(row), "waiting_count": _waiting(row), "kinds": words.kinds(KINDS),
        "deliveries": [(one, words.of_delivery(one)) for one in told], "secret": _take(request, pk),
        "inbound": f"{public.base(request.salon)}{reverse('notifications:hook', args=[row.public_id])}",
        "is_changing": row.old_until is not None and row.old_until > timezone.now(),
    }  # fmt: skip
    return page(request, "notifications/system.html", context)


@allowed(May.EDIT_SENDING)
@require_http_methods(["GET", "POST"])
@accounts.confirmed
def edit(request: SignedIn, pk: int) -> HttpResponse:
    """Change name, address and what goes along."""
    row = _system(pk)
    values = {name: getattr(row, name) for name in ("name", "url", "has_email", "has_phone")}
    form = SystemForm(sent(request), initial=values, is_new=False, way=row.way)
    if form.is_valid():
        try:
            managing.change(row, by=request.user, **{**values, **form.cleaned_data})
        except Refused as refused:
            refuse(form, refused)
        else:
            toast(request, _("Saved."))
            return go(request, "notifications:system", pk)
    return page(request, "notifications/system_edit.html", {"form": form, "system": row}, status=422 if form.is_bound else 200)


@allowed(May.EDIT_SENDING)
@require_POST
@accounts.confirmed
def rotate(request: SignedIn, pk: int) -> HttpResponse:
    """Make a new secret and show it once; the old one counts for a day beside it."""
    try:
        _keep(request, pk, managing.rotate(_system(pk), by=request.user, now=timezone.now()))
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    return go(request, "notifications:system", pk)


@allowed(May.EDIT_SENDING)
@require_POST
def test(request: SignedIn, pk: int) -> HttpResponse:
    """Send an event of no client, and show the answer in words."""
    try:
        answer = managing.test(_system(pk), by=request.user, now=timezone.now())
    except (Refused, secrets.Unreadable) as error:
        text = error.message if isinstance(error, Refused) else _("Its secret cannot be read. Make a new one.")
        is_taken = False
    else:
        text, is_taken = words.of_answer(answer), answer.is_taken
    if request.htmx:
        return page(request, "notifications/_system_test.html", {"text": text, "is_taken": is_taken})
    toast(request, text, level=messages.SUCCESS if is_taken else messages.ERROR)
    return go(request, "notifications:system", pk)


@allowed(May.EDIT_SENDING)
@require_POST
def switch(request: SignedIn, pk: int) -> HttpResponse:
    """Switch a system off, with Undo, or on."""
    is_on = "token" in request.POST or request.POST.get("to") == "on"
    try:
        row = managing.switch(_system(pk), is_on=is_on, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        if row.is_on:
            toast(request, _("%(name)s is on.") % {"name": row.name})
        else:
            url = reverse("notifications:system_switch", args=[pk])
            toast(request, _("%(name)s is off.") % {"name": row.name}, undo_url=url, undo="on")
    return go(request, "notifications:system", pk)


@allowed(May.EDIT_SENDING)
@require_POST
@accounts.confirmed
def remove(request: SignedIn, pk: int) -> HttpResponse:
    """Take a system off the list."""
    row = _system(pk)
    managing.remove(row, by=request.user)
    toast(request, _("%(name)s is off the list.") % {"name": row.name})
    return go(request, "notifications:systems")


@allowed(May.EDIT_SENDING)
@require_POST
def again(request: SignedIn, pk: int) -> HttpResponse:
    """Have one thing told again, or tried now."""
    row = get_object_or_404(Delivery.objects.select_related("system").defer("system__secret", "system__old_secret"), pk=pk)
    try:
        managing.send_again(row, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        toast(request, _("It is being told again."))
    return go(request, "notifications:system", row.system_id)


def _system(pk: int) -> OtherSystem:
    return get_object_or_404(OtherSystem.objects.defer(*sending.SEALED), pk=pk)


def _waiting(row: OtherSystem) -> int:
    return Delivery.objects.filter(system=row, state=Delivery.State.WAITING).count()


def _keep(request: SignedIn, pk: int, secret: str) -> None:
    """Keep a new secret, sealed, until the next page has shown it."""
    request.session[_SECRET] = [pk, secrets.seal(secret)]


def _take(request: SignedIn, pk: int) -> str:
    kept = request.session.get(_SECRET)
    if not kept or kept[0] != pk:
        return ""
    del request.session[_SECRET]
    return secrets.unseal(kept[1])
