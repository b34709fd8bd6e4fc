"""Settings → Sending, the part about SMS; and the short link by which somebody stops offers by SMS."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from notifications import costs, shortlinks, smsaccount, smstests
from notifications.providers.base import Outcome
from notifications.smsforms import SmsForm, TestForm
from notifications.views import trying
from salon.core import asking
from salon.core.errors import Refused
from salon.core.models import Salon
from salon.core.roles import May
from salon.core.web import MissingAct, SignedIn, allowed, go, page, public, refuse, sent, toast


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def account(request: SignedIn) -> HttpResponse:
    """Show how SMS leave; the owner changes it."""
    salon, row = Salon.objects.current(), smsaccount.account()
    form = SmsForm(sent(request), salon=salon, row=row)
    if request.method == "POST":
        if not request.user.may(May.EDIT_SENDING):
            raise MissingAct(May.EDIT_SENDING)
        if form.is_valid():
            try:
                smsaccount.save(**form.values(), by=request.user, now=timezone.now())
            except Refused as refused:
                refuse(form, refused)
            else:
                toast(request, _("SMS saved. Send a test to see that it works."))
                return go(request, "notifications:sms")
    return page(request, "notifications/sms.html", _account(request, salon, form), status=422 if form.errors else 200)


def _account(request: SignedIn, salon: Salon, form: SmsForm) -> dict[str, Any]:
    may_edit = request.user.may(May.EDIT_SENDING)
    begins = costs.month_begins(timezone.now(), salon.zone)
    return {
        "form": form,
        "used": smsaccount.describe(salon),
        "row": smsaccount.account(),
        "spent": costs.spent_since(begins),
        "test_form": TestForm(),
        "may_edit": may_edit,
        "ask": "" if may_edit else asking.sentence(May.EDIT_SENDING),
    }


@allowed(May.EDIT_SENDING)
@require_POST
def test(request: SignedIn) -> HttpResponse:
    """Send one SMS to a number that the reader typed; answer in the provider's words."""
    salon, was_open = Salon.objects.current(), smsaccount.is_open()
    try:
        result = smstests.check(to=request.POST.get("phone", "")[:40], salon=salon, by=request.user)
        words, is_good = result.words, result.outcome is Outcome.ACCEPTED
        if smsaccount.is_open() and not was_open:
            words += " " + _("SMS are sent from now on.")
    except Refused as refused:
        words, is_good = refused.message, False
    return trying.answer(request, words, is_good=is_good, back="notifications:sms")


@allowed(May.EDIT_SENDING)
@require_POST
def switch(request: SignedIn) -> HttpResponse:
    """Turn the whole channel off or on."""
    is_on = request.POST.get("on") == "1"
    try:
        smsaccount.switch(is_on=is_on, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        toast(
            request,
            _("SMS are sent again.") if is_on else _("No SMS leaves any more. What waits is kept until its time is over."),
        )
    return go(request, "notifications:sms")


@public
@require_safe
def short(request: HttpRequest, token: str) -> HttpResponse:
    """Lead from the short link of an SMS to the page of choices. A wrong link leads to the same page as an old one."""
    link = shortlinks.read(token)
    long = shortlinks.long_of(link) if link else shortlinks.EXAMPLE
    return HttpResponseRedirect(reverse("notifications:preferences", args=[long]))
