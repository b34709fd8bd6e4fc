"""Settings → Privacy → Existing clients: offers without a Yes to who was told and did not refuse, off until an owner says so."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clients import countries, existing, fold, ledger, wording
from clients.models import ConsentText, ExistingRule
from salon.core import asking
from salon.core import countries as places
from salon.core.errors import Refused
from salon.core.models import Salon
from salon.core.roles import May
from salon.core.web import MissingAct, SignedIn, allowed, go, page, toast


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def rules(request: SignedIn) -> HttpResponse:
    """Explain what it is and whom it reaches; an owner switches it on or off for a channel."""
    may_edit = request.user.may(May.EDIT_SENDING)
    if request.method == "POST":
        if not may_edit:
            raise MissingAct(May.EDIT_SENDING)
        channel, is_on = request.POST.get("channel", ""), request.POST.get("on") == "1"
        if channel in fold.CHANNELS:
            try:
                is_new = existing.switch(channel, is_on=is_on, by=request.user, now=timezone.now())
            except Refused as refused:
                toast(request, refused.message)
            else:
                if is_new:
                    toast(request, _("Switched on.") if is_on else _("Switched off. What still waits does not leave."))
        return go(request, "clients:existing")
    salon = Salon.objects.current()
    context = {
        "rows": [_row(salon, channel) for channel in fold.CHANNELS],
        "country": places.name(salon.country),
        "months": countries.profile(salon.country).soft_months,
        "may_edit": may_edit,
        "ask": "" if may_edit else asking.sentence(May.EDIT_SENDING),
    }
    return page(request, "clients/existing.html", context)


def _row(salon: Salon, channel: str) -> dict[str, Any]:
    language = get_language() if get_language() in dict(settings.LANGUAGES) else salon.language
    text: ConsentText | None = wording.in_force(language or "en").get((wording.NOTICE, channel))
    rule = ExistingRule.objects.filter(country=salon.country, channel=channel).select_related("by").first()
    is_lawful = existing.is_lawful(salon.country, channel)
    return {
        "channel": channel,
        "label": ledger.CHANNELS[channel],
        "is_lawful": is_lawful,
        "rule": rule if is_lawful else None,
        "text": text,
        "words": wording.shown(text, salon) if text else "",
    }
