"""Settings → Notifications → Pause: stop all sending at once, and see what waits before letting it go again."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from notifications import facts, pausing, reasons, words
from notifications.models import OtherSystem
from salon.core import asking, profile
from salon.core.errors import Refused
from salon.core.models import Salon
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, safe_next, toast


@allowed(May.READ_SETTINGS)
@require_safe
def show(request: SignedIn) -> HttpResponse:
    """Show whether sending is paused, and what becomes of what waits."""
    return page(request, "notifications/pause.html", _context(request))


def _context(request: SignedIn) -> dict[str, Any]:
    salon, now = Salon.objects.current(), timezone.now()
    held = profile.pause(salon)
    found = pausing.preview(now, since=held.since) if held else None
    may_pause = request.user.may(May.PAUSE_SENDING)
    return {
        "held": held,
        "is_copy": held is None and facts.is_on_hold(salon),
        "found": found,
        "leaving": [(words.kind(name), count) for name, count in found.leaving.most_common()] if found else [],
        "refused": [(reasons.sentence(code), count) for code, count in found.refused.most_common()] if found else [],
        "expired": [(words.kind(name), count) for name, count in found.expired.most_common()] if found else [],
        "has_systems": OtherSystem.objects.exists(),
        "may_pause": may_pause,
        "ask": "" if may_pause else asking.sentence(May.PAUSE_SENDING),
    }


@allowed(May.PAUSE_SENDING)
@require_POST
def switch(request: SignedIn) -> HttpResponse:
    """Pause all sending, or let messages leave again."""
    salon = Salon.objects.current()
    try:
        if request.POST.get("on") == "1":
            profile.resume_sending(salon, by=request.user)
            toast(request, _("Messages leave again."))
        else:
            profile.pause_sending(salon, by=request.user)
            toast(request, _("All sending is paused. Nothing leaves."))
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    return go(request, safe_next(request, "notifications:pause"))
