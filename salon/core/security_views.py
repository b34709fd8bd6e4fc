"""The reader's own sign-in: password, second factor, and the browsers in which they are signed in."""

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from salon.core import sessions
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, toast


@allowed(May.SEE_CALENDAR)
def security(request: SignedIn) -> HttpResponse:
    """Show how the reader signs in and where they are signed in."""
    now, key = timezone.now(), str(request.session.session_key or "")
    found = sessions.of(request.user, key, now)
    if not any(one.is_current for one in found):
        # Begun before such a list was kept.
        sessions.note(request)
        found = sessions.of(request.user, key, now)
    factors = {row.type: row.wrap() for row in Authenticator.objects.filter(user=request.user)}
    context = {
        "authenticators": factors,
        "is_mfa_enabled": bool(factors),
        "sessions": found,
        "has_others": len(found) > 1,
        "idle_minutes": settings.SESSION_IDLE_SECONDS // 60,
        "most_hours": settings.SESSION_COOKIE_AGE // 3600,
    }
    return page(request, "core/security.html", context)


@allowed(May.SEE_CALENDAR)
@require_POST
def end_session(request: SignedIn, pk: int) -> HttpResponse:
    """Sign the reader out in another browser. One that is not theirs, or is this one, does not exist."""
    if not sessions.end(request.user, pk, current_key=str(request.session.session_key or "")):
        raise Http404
    toast(request, _("Signed out there."))
    return go(request, "core:security")


@allowed(May.SEE_CALENDAR)
@require_POST
def end_sessions(request: SignedIn) -> HttpResponse:
    """Sign the reader out everywhere but here."""
    count = sessions.end_others(request.user, current_key=str(request.session.session_key or ""))
    words = ngettext("Signed out in %(count)d other browser.", "Signed out in %(count)d other browsers.", count)
    toast(request, words % {"count": count} if count else _("You are signed in nowhere else."))
    return go(request, "core:security")
