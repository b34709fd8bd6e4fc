"""SMS that clients sent: a list of all, and the two answers that somebody gives to one that may be a stop."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from notifications import access, inbound
from notifications.views.messages import tabs_of
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, safe_next, toast

PER_PAGE = 50


@allowed(May.SEE_MESSAGES)
def index(request: SignedIn) -> HttpResponse:
    """List what clients sent, the newest first; what nobody has read stands on top."""
    numbered = Paginator(access.replies_for(request.user), PER_PAGE).get_page(request.GET.get("page"))
    context = {"numbered": numbered, "tabs": tabs_of(request.user, "replies", {}), "filtered": None}
    return page(request, "notifications/replies.html", context, fragment="notifications/_replies.html")


@allowed(May.SEE_MESSAGES)
@require_POST
def handle(request: SignedIn, pk: int) -> HttpResponse:
    """Note that an answer was read, and whether it was a stop."""
    reply, is_stop = access.reply_for(request.user, pk), request.POST.get("stop") == "1"
    try:
        inbound.handle(reply, is_stop=is_stop, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        toast(request, _("No more offers by SMS to this number.") if is_stop else _("Noted as read."))
    return go(request, safe_next(request, "notifications:replies"))
