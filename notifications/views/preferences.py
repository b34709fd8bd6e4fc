"""What a client opens from a message, without signing in: one click to stop, and all their choices.

GET, HEAD and OPTIONS change nothing. A wrong link, an old one and one of a person who was forgotten get the same answer.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clients import stops
from notifications import links
from salon.core.web import public


@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
def choices(request: HttpRequest, token: str) -> HttpResponse:
    """Stop offers at once on a POST of a mail program (RFC 8058); show the page to a person."""
    holder = links.read(token)
    if request.method == "POST" and holder:
        stops.by_click(holder.subject_id, holder.channel, holder.address_start, now=timezone.now())
    if request.method == "POST" and "stop" not in request.POST:
        return HttpResponse(b"OK\n", content_type="text/plain")
    return render(request, "notifications/preferences.html", {"is_done": request.method == "POST"})
