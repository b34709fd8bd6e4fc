"""The owner's health page."""

from django.http import HttpResponse
from django.utils import timezone

from notifications import health
from salon.core.models import Salon
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, page


@allowed(May.SEE_HEALTH)
def report(request: SignedIn) -> HttpResponse:
    """Show how the installation fares."""
    now = timezone.now()
    lines = health.report(Salon.objects.current(), now)
    context = {"lines": lines, "is_ok": all(line.is_ok for line in lines), "at": now}
    return page(request, "notifications/health.html", context, fragment="notifications/_health.html")
