"""The house's own middleware: pages of nobody, no zero bytes, language and zone, set-up first, sessions, whose page it is,
second factor.
"""

import time
import zoneinfo
from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.multipartparser import MultiPartParserError
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from salon.core import sessions
from salon.core.models import Salon, User
from salon.core.roles import Role

Answer = Callable[[HttpRequest], HttpResponse]

# Open in every state of the installation, the account and the session.
ALWAYS_OPEN = ("/healthz", settings.STATIC_URL)
WRITE_SEEN_EVERY = 60
# Parts of pages that ask by themselves, by the id that htmx names: a page left open is nobody who uses it.
ASKS_BY_ITSELF = {"bell-list", "job", "health"}
NULL = "\0"
# The pages behind the links of messages, and where providers and other systems reach us. They take a small form, no more.
LETTERS = ("/u/", "/c/", "/f/", "/s/", "/hooks/")
LETTER_MAX_BYTES = 16 * 1024
TRY_AGAIN_SECONDS = 120


def of_nobody(get_response: Answer) -> Answer:
    """Serve the pages behind the links of messages as nobody's: no cookie is read or set, whoever is signed in there.

    So another site gains nothing by sending their forms, and they need no CSRF token. Their address is a secret: it is
    told to nobody. A failure of ours is a 503, upon which a mail program tries again.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(LETTERS):
            return get_response(request)
        request.COOKIES.clear()
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > LETTER_MAX_BYTES:
            return HttpResponse(status=413)
        if int(length) == 0 or not _can_be_read(request):
            request.content_type = ""  # some programs announce a form and send none, or something else
        response = get_response(request)
        response.cookies.clear()
        response._has_been_logged = response.status_code < 500  # type: ignore[attr-defined]  # no line with a secret address
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        if response.status_code >= 500:
            response.status_code = 503
            response.headers["Retry-After"] = str(TRY_AGAIN_SECONDS)
        return response

    return middleware


def _can_be_read(request: HttpRequest) -> bool:
    """Return whether the form of a request is one. What cannot be read counts as none: the address alone says enough."""
    try:
        return request.POST is not None
    except (MultiPartParserError, BadRequest, SuspiciousOperation):
        return False


def no_null(get_response: Answer) -> Answer:
    """Refuse what no keyboard writes and no database takes: a zero byte in an address or a form. Forget such a cookie.

    But not in a form behind the link of a message, of which nothing is kept as text: a stop must not be lost over it.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        for name in [name for name, value in request.COOKIES.items() if NULL in value]:
            del request.COOKIES[name]
        has_form = request.method == "POST" and not request.path.startswith(LETTERS)
        fields = [*request.GET.lists(), *(request.POST.lists() if has_form else [])]
        if NULL in request.path or any(NULL in text for name, values in fields for text in (name, *values)):
            raise BadRequest("zero byte")
        return get_response(request)

    return middleware


def house(get_response: Answer) -> Answer:
    """Speak the user's language in the salon's zone, and keep personal pages out of every cache."""

    def middleware(request: HttpRequest) -> HttpResponse:
        salon = Salon.objects.filter(pk=1).first()
        request.salon = salon  # type: ignore[attr-defined]
        user = request.user
        if isinstance(user, User):
            translation.activate(user.language)
            request.LANGUAGE_CODE = translation.get_language()
        timezone.activate(salon.zone if salon else zoneinfo.ZoneInfo("UTC"))
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Language", translation.get_language() or "en")
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware


def not_set_up(get_response: Answer) -> Answer:
    """Before the set-up page was filled in, lead every page to the words that say how to get there."""

    def middleware(request: HttpRequest) -> HttpResponse:
        is_open = request.path.startswith(("/setup/", *ALWAYS_OPEN))
        if request.salon is None and not is_open:  # type: ignore[attr-defined]
            return HttpResponseRedirect(reverse("core:setup_closed"))
        return get_response(request)

    return middleware


def _has_ended(request: HttpRequest, now: float) -> bool:
    """Return whether the session of this request is over, and note in it that somebody used it."""
    session = request.session
    began_at, seen_at = session.get("began_at"), session.get("seen_at")
    if began_at is None or seen_at is None:
        session["began_at"] = session["seen_at"] = now
        return False
    if sessions.is_over(began_at, seen_at, now):
        return True
    if now - seen_at > WRITE_SEEN_EVERY and request.headers.get("HX-Trigger") not in ASKS_BY_ITSELF:
        session["seen_at"] = now
    return False


def session_limits(get_response: Answer) -> Answer:
    """End a session that nobody used for half an hour, or that is twelve hours old: the desk is a shared computer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and not request.path.startswith(ALWAYS_OPEN) and _has_ended(request, time.time()):
            logout(request)
            if request.headers.get("HX-Request"):
                return HttpResponse(status=401)
            return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
        return get_response(request)

    return middleware


def page_of_another(get_response: Answer) -> Answer:
    """Do nothing that is asked from a page made for somebody else than who is signed in now: say so and load it anew.

    The page names its user in each request of htmx. A plain form of such a page is refused by its CSRF token, which every
    sign-in renews.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        made_for = request.headers.get("X-Page-User")
        is_asked = made_for and request.headers.get("HX-Trigger") not in ASKS_BY_ITSELF
        if is_asked and request.user.is_authenticated and made_for != str(request.user.pk):
            text = _("Somebody else is signed in here now. What was pressed or typed on the page before was not saved.")
            messages.warning(request, text)
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        return get_response(request)

    return middleware


def _lacks_second_factor(request: HttpRequest) -> bool:
    salon: Salon | None = request.salon  # type: ignore[attr-defined]
    user = request.user
    if salon is None or not salon.is_mfa_required or not isinstance(user, User) or user.role not in {Role.OWNER, Role.MANAGER}:
        return False
    return not is_mfa_enabled(user)


def second_factor(get_response: Answer) -> Answer:
    """Lead owner and managers to the second factor until they have one, where the salon asks for it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path.startswith(ALWAYS_OPEN):
            return get_response(request)
        request.is_factor_due = _lacks_second_factor(request)  # type: ignore[attr-defined]
        if request.path.startswith("/accounts/"):
            return get_response(request)
        if not request.is_factor_due:  # type: ignore[attr-defined]
            request.session.pop("wanted", None)
            return get_response(request)
        url = reverse("mfa_activate_totp")
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": url})
        if request.method == "GET":
            # Where the page with the recovery codes leads on to.
            request.session["wanted"] = request.get_full_path()
        return HttpResponseRedirect(url)

    return middleware
