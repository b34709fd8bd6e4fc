"""Settings → Sending, the part about returned mail: the mailbox in which reports about it arrive."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from notifications import health, sending, words
from notifications.bounces import mailbox
from notifications.bounces.forms import MailboxForm
from notifications.models import Mailbox
from notifications.providers.base import Outcome
from notifications.views import trying
from salon.core import asking
from salon.core.errors import Refused
from salon.core.models import Salon
from salon.core.roles import May
from salon.core.web import MissingAct, SignedIn, allowed, go, page, refuse, sent, toast


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def returned(request: SignedIn) -> HttpResponse:
    """Show which mailbox is read for returned mail; the owner changes it."""
    row = mailbox.row()
    form = MailboxForm(sent(request), initial=MailboxForm.of(row), has_password=row is not None)
    if request.method == "POST":
        if not request.user.may(May.EDIT_SENDING):
            raise MissingAct(May.EDIT_SENDING)
        if form.is_valid():
            try:
                mailbox.save(**form.cleaned_data, by=request.user)
            except Refused as refused:
                refuse(form, refused)
            else:
                toast(request, _("Mailbox saved. Try it to see that it works."))
                return go(request, "notifications:mailbox")
    return page(request, "notifications/mailbox.html", _returned(request, form), status=422 if form.errors else 200)


def _returned(request: SignedIn, form: MailboxForm) -> dict[str, Any]:
    used, may_edit = mailbox.describe(), request.user.may(May.EDIT_SENDING)
    return {
        "form": form,
        "used": used,
        "security": dict(Mailbox.Security.choices).get(used.security, ""),
        "state": health.mailbox_line(timezone.now()),
        "problem": words.of_result(Outcome.DOWN, "connect", used.problem),
        "sender": sending.sender(Salon.objects.current()).address,
        "may_edit": may_edit,
        "ask": "" if may_edit else asking.sentence(May.EDIT_SENDING),
    }


@allowed(May.EDIT_SENDING)
@require_POST
def test(request: SignedIn) -> HttpResponse:
    """Sign in to the saved mailbox and open its inbox; say in one sentence what is wrong, if anything is."""
    result = mailbox.test(by=request.user)
    return trying.answer(request, result.words, is_good=result.outcome is Outcome.ACCEPTED, back="notifications:mailbox")


@allowed(May.EDIT_SENDING)
@require_POST
def forget(request: SignedIn) -> HttpResponse:
    """Read no mailbox any more; its password is deleted."""
    try:
        mailbox.forget(by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        toast(request, _("The mailbox is not read any more. Its password is deleted."))
    return go(request, "notifications:mailbox")
