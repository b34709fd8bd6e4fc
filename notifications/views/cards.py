"""Messages on a client's card: what was said or not and why, and what will be said of the next visit."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients import access as clients_access
from clients import addresses, cards
from clients.models import Client
from notifications import access, history, kinds, sending, why
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, toast

PER_PAGE = 30


@allowed(May.SEE_CLIENTS)
def of_client(request: SignedIn, pk: int) -> HttpResponse:
    """Show the messages to a client, never an address: as a tab of the card, or what goes out for the card's first page."""
    client = clients_access.client_for(request.user, pk)
    now = timezone.now()
    answers = why.answers(client, now)
    rows = access.messages_of(request.user, client).order_by("-created_at", "-pk")
    is_panel = request.GET.get("panel") or (is_fragment(request) and request.htmx.target != "messages")
    numbered = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "client": client,
        "is_live": sending.describe(request.salon).is_live,
        "may_try_again": request.user.may(May.SEE_MESSAGES) and bool(_undeliverable(client)),
        "numbered": numbered,
        "lines": [] if is_panel else history.lines(numbered, now),
        "answers": [answer for answer in answers if _is_news(answer)] if is_panel else answers,
    }
    if is_panel:
        return page(request, "notifications/_of_client.html", context, fragment="notifications/_of_client.html")
    context |= cards.head(request, client, tab="messages")
    return page(request, "notifications/of_client.html", context, fragment="notifications/_history.html")


def _undeliverable(client: Client) -> str:
    """Return the channel on which the client's address is known not to work, "" for none."""
    by = {"email": client.email, "sms": str(client.phone or "")}
    return next((channel for channel, address in by.items() if address and addresses.is_undeliverable(channel, address)), "")


@allowed(May.SEE_MESSAGES)
@require_POST
def try_address(request: SignedIn, pk: int) -> HttpResponse:
    """Let the client's address be written to again that a mail server did not know."""
    client = clients_access.client_for(request.user, pk)
    try:
        addresses.try_again(client, _undeliverable(client) or "email", by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        toast(request, _("The address is tried again with the next message."))
    return go(request, reverse("notifications:of_client", args=[pk]))


def _is_news(answer: why.Answer) -> bool:
    """Return whether the card's first page tells of it: what does not go out, and the reminder. The rest is on its own page."""
    return answer.kind == "reminder" or not (answer.is_yes or kinds.TABLE[answer.kind].is_moment)
