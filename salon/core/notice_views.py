"""Pages of the bell: what was done meanwhile, and that it was read."""

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from salon.core import notices
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, safe_next

ON_PAGE = 50


@allowed(May.SEE_CALENDAR)
def index(request: SignedIn) -> HttpResponse:
    """Show the last notices; the bell asks with the mark of what it shows, and hears nothing when that is still so."""
    is_bell = is_fragment(request)
    bell = notices.bell(request.user, limit=notices.SHOWN if is_bell else ON_PAGE)
    if is_bell and request.GET.get("mark") == bell.mark:
        return HttpResponse(status=204)
    return page(request, "core/notices.html", {"bell": bell, "is_swap": True}, fragment="components/_bell_list.html")


@allowed(May.SEE_CALENDAR)
@require_POST
def read(request: SignedIn) -> HttpResponse:
    """Note that everything in the bell was read."""
    notices.read(request.user, now=timezone.now())
    return go(request, safe_next(request, "core:notices"))
