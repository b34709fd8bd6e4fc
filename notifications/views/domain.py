"""Settings → Sending: the check of the sender's domain."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from notifications import sending
from notifications.domain import lookup, words
from notifications.domain.check import check as judge
from notifications.domain.forms import SelectorForm
from salon.core.models import Salon
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, page, sent


@allowed(May.EDIT_SENDING)
@require_http_methods(["GET", "POST"])
def check(request: SignedIn) -> HttpResponse:
    """Show the form; once it is sent, ask the DNS and show what came. Takes up to `lookup.TOTAL` seconds; keeps nothing."""
    used = sending.describe(Salon.objects.current())
    form = SelectorForm(sent(request))
    context = {"form": form, "address": used.sender}
    if form.is_bound and form.is_valid():
        lookups = lookup.Lookups(lookup.system())
        report = judge(sender=used.sender, host=used.host, selector=form.cleaned_data["selector"], lookups=lookups)
        context |= {
            "level": report.worst, "verdict": words.verdict(report), "lines": words.lines(report), "at": timezone.now()
        }  # fmt: skip
    status = 422 if form.errors else 200
    return page(request, "notifications/domain.html", context, fragment="notifications/_domain.html", status=status)
