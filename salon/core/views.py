"""Pages that belong to no app: health, errors, settings of the salon, own menu."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from salon.core.web import public


@public
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer "ok" and nothing else."""
    return HttpResponse("ok", content_type="text/plain")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form whose token is missing or old."""
    return render(request, "403_csrf.html", {"back": request.path}, status=403)
