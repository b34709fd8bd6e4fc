"""The house's own middleware: language and zone of the reader, headers of personal pages, second factor."""

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from salon.core.models import Salon, User


def house(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
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
