"""The link by which a client confirms a Yes: GET shows what, POST writes it. And the buttons that send a client a link.

Late, forged and taken-back links get the same calm page. No cookie is read or set (`salon.core.middleware.of_nobody`).
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from clients import access, requests, wording
from clients.requests import Request
from notifications import choicelink, links, optin
from notifications.views import preferences
from salon.core.errors import Refused
from salon.core.models import Salon
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, public, toast, whole


@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Show what is to be confirmed, and confirm what was shown on the press of the button."""
    event_id, now = links.read_confirm(token), timezone.now()
    found = requests.find(event_id, now=now) if event_id is not None else None
    if request.method == "POST" and event_id is not None and found and found.lines:
        shown = {number for text in request.POST.getlist("line") if (number := whole(text))}
        found = requests.confirm(event_id, shown=shown, now=now)
    language = preferences.language_of(request, found.client if found else None)
    with translation.override(language):
        context = {"language": language, "languages": preferences.LANGUAGES, **_page(found)}
        response = render(request, "notifications/confirm.html", context)
        response.headers["Content-Language"] = language
    return response


def _page(found: Request | None) -> dict[str, Any]:
    if found is None:
        return {"found": None}
    salon = Salon.objects.current()
    texts = [{"line": line, "words": wording.shown(line.text, salon) if line.text else ""} for line in found.lines]
    return {"found": found, "texts": texts, "is_done": found.is_confirmed}


@allowed(May.RECORD_CONSENT)
@require_POST
def again(request: SignedIn, pk: int) -> HttpResponse:
    """Send the link to confirm once more."""
    return _send(request, pk, optin.again, _("The link is sent again."))


@allowed(May.RECORD_CONSENT)
@require_POST
def choices(request: SignedIn, pk: int) -> HttpResponse:
    """Send the client the link to their own choices."""
    return _send(request, pk, choicelink.send, _("The link to their choices is sent."))


def _send(request: SignedIn, pk: int, operation: Callable[..., None], done: str) -> HttpResponse:
    client = access.client_for(request.user, pk)
    try:
        operation(client, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        toast(request, done)
    return go(request, reverse("clients:card", args=[pk]))
