"""Settings → Notifications: the mail server, and which kinds of message go by themselves."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from notifications import facts, kinds, sending, triggers, words
from notifications.forms import SendingForm, TriggerForm
from notifications.models import MailServer
from notifications.providers.base import Outcome
from salon.core import asking
from salon.core.errors import Refused
from salon.core.models import Salon
from salon.core.roles import May
from salon.core.web import MissingAct, SignedIn, allowed, go, is_fragment, page, refuse, toast


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def server(request: SignedIn) -> HttpResponse:
    """Show how mail leaves; the owner changes it."""
    salon, row = Salon.objects.current(), sending.mail_server()
    form = SendingForm(
        request.POST or None,
        initial=SendingForm.of(row, sending.sender(salon).address),
        has_password=MailServer.objects.exclude(password="").exists(),
    )
    if request.method == "POST":
        if not request.user.may(May.EDIT_SENDING):
            raise MissingAct(May.EDIT_SENDING)
        if form.is_valid():
            try:
                sending.save(**form.cleaned_data, by=request.user)
            except Refused as refused:
                refuse(form, refused)
            else:
                toast(request, _("Sending saved. Send a test to see that it works."))
                return go(request, "notifications:sending")
    return page(request, "notifications/sending.html", _sending(request, salon, form), status=422 if form.is_bound else 200)


def _sending(request: SignedIn, salon: Salon, form: SendingForm) -> dict[str, Any]:
    used = sending.describe(salon)
    may_edit = request.user.may(May.EDIT_SENDING)
    return {
        "form": form,
        "used": used,
        "problem": words.of_result(Outcome.DOWN, "connect", used.problem),
        "security": dict(MailServer.Security.choices).get(used.security, ""),
        "is_environment": bool(settings.EMAIL_URL),
        "may_edit": may_edit,
        "ask": "" if may_edit else asking.sentence(May.EDIT_SENDING),
    }


@allowed(May.EDIT_SENDING)
@require_POST
def test(request: SignedIn) -> HttpResponse:
    """Send a test to the reader's own address; answer in the server's words."""
    result = sending.test(to=request.user.email, salon=Salon.objects.current(), by=request.user)
    is_good = result.outcome is Outcome.ACCEPTED
    if is_fragment(request):
        context = {"result": result, "is_good": is_good, "at": timezone.now()}
        return page(request, "notifications/_test_result.html", context, fragment="notifications/_test_result.html")
    toast(request, result.words, level=messages.SUCCESS if is_good else messages.ERROR)
    return go(request, "notifications:sending")


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def switches(request: SignedIn) -> HttpResponse:
    """Show which kinds go by themselves; those who may edit settings change it."""
    forms = {kind: TriggerForm(request.POST or None, row=row) for kind, row in facts.switches().items()}
    is_bound = request.method == "POST"
    if is_bound:
        if not request.user.may(May.EDIT_SETTINGS):
            raise MissingAct(May.EDIT_SETTINGS)
        if not [form for form in forms.values() if not form.is_valid()]:  # every form says what is wrong with it
            triggers.save({kind: form.setting() for kind, form in forms.items()}, by=request.user)
            toast(request, _("Triggers saved."))
            return go(request, "notifications:triggers")
    return page(request, "notifications/triggers.html", _switches(request, forms), status=422 if is_bound else 200)


def _switches(request: SignedIn, forms: dict[str, TriggerForm]) -> dict[str, Any]:
    salon, now, sent = Salon.objects.current(), timezone.now(), triggers.last_sent()
    rows = [
        {
            "kind": kind,
            "name": words.KINDS[kind],
            "when": words.WHEN[kind],
            "is_marketing": kinds.TABLE[kind].is_marketing,
            "trigger": row,
            "form": forms[kind],
            "is_scheduled": kind in triggers.SCHEDULED,
            "soon_count": triggers.due_soon(kind, row, salon, now) if kind in triggers.SCHEDULED and row.is_on else None,
            "last_at": sent.get(kind),
        }
        for kind, row in facts.switches().items()
    ]
    may_edit = request.user.may(May.EDIT_SETTINGS)
    return {
        "rows": rows,
        "forms": forms.values(),
        "may_edit": may_edit,
        "ask": "" if may_edit else asking.sentence(May.EDIT_SETTINGS),
        "used": sending.describe(salon),
    }
