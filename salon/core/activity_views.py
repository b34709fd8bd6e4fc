"""The page that tells who did what when."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from salon.core import activity
from salon.core.forms import ActivityForm
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, is_fragment, page, whole

CLIENT = "clients.client"


@allowed(May.SEE_ACTIVITY)
def index(request: SignedIn) -> HttpResponse:
    """Show the acts that the form asks for, 50 a page, the newest first."""
    now, user = timezone.now(), request.user
    form = ActivityForm(request.GET)
    form.is_valid()
    said, client = form.cleaned_data, whole(request.GET.get("client", ""))
    clients = [client] if client else activity.clients_like(user, said["q"], now) if said.get("q") else None
    of = whole(request.GET.get("of", "")) or 0
    wanted = activity.Wanted(said.get("person", ""), said.get("kind", ""), said.get("first_on"), said.get("last_on"), clients, of)
    found = activity.page(user, wanted, before=whole(request.GET.get("before", "")), now=now)
    context: dict[str, Any] = {
        "form": form,
        "found": found,
        "client": client,
        "of": of,
        "client_name": activity.name_of(user, CLIENT, client, now) if client and not is_fragment(request) else "",
        "is_fragment": is_fragment(request),
        "is_turned": request.headers.get("HX-Trigger", "").startswith("activity-"),
        "is_filtered": bool(client or of or any(said.values())),
        **_addresses(request, found.older),
    }
    return page(request, "core/activity.html", context, fragment="core/_activity.html")


def _addresses(request: SignedIn, older: int | None) -> dict[str, str]:
    """Return the addresses of the next page (empty at the end), of the first page (empty on it), and without the client."""
    here, kept = reverse("core:activity"), request.GET.copy()
    is_later = bool(kept.pop("before", None))
    newest = f"{here}?{kept.urlencode()}"
    wider = kept.copy()
    for name in ("client", "of"):
        wider.pop(name, None)
    kept["before"] = str(older)
    return {
        "older_url": f"{here}?{kept.urlencode()}" if older else "",
        "newest_url": newest if is_later else "",
        "wider_url": f"{here}?{wider.urlencode()}",
    }
