"""The consent lines of the card: an answer saved at once, its Undo, and the history."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients import access, answers, cards, fold, ledger
from clients.models import Client
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, safe_next, toast

_WHAT = ("marketing", "reminders")


@require_POST
@allowed(May.RECORD_CONSENT)
def answer(request: SignedIn, pk: int) -> HttpResponse:
    """Record a Yes or No: a No at once, a Yes once it is known how the client said so."""
    client = access.client_for(request.user, pk)
    what, said, how = (request.POST.get(name, "") for name in ("what", "answer", "how"))
    channel = request.POST.get("channel", "")
    if what not in _WHAT or channel not in fold.CHANNELS or said not in {"yes", "no"}:
        return _line(request, client, what, channel)
    how = how if how in answers.HOW else ""
    if what == "marketing" and said == "yes" and not how:
        return _line(request, client, what, channel, asked=channel)
    try:
        if what == "reminders":
            events = answers.set_reminders(client, said == "yes", channel=channel, by=request.user, now=timezone.now())
        else:
            events = answers.set_channel(client, channel, said, how=how or "other", by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        if events:
            undo_url = reverse("clients:consent_undo", args=[client.pk])
            name = access.contacts(request.user, client, request.salon, now=timezone.now()).name
            toast(request, _words(name, what, channel, said), undo_url=undo_url, undo=answers.undo_token(events))
    return _line(request, client, what, channel)


@require_POST
@allowed(May.RECORD_CONSENT)
def undo(request: SignedIn, pk: int) -> HttpResponse:
    """Take a slip back: the same person, within 10 minutes."""
    client = access.client_for(request.user, pk)
    try:
        answers.undo(request.POST.get("token", ""), client=client, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        toast(request, _("Undone."))
    return go(request, safe_next(request, reverse("clients:card", args=[client.pk])))


@allowed(May.SEE_CLIENTS)
def history(request: SignedIn, pk: int) -> HttpResponse:
    """Show everything the client said, and how and by whom it was written down."""
    client = access.client_for(request.user, pk)
    context = {**cards.head(request, client, tab="main"), "entries": ledger.entries(client)}
    return page(request, "clients/consent_history.html", context)


def _line(request: SignedIn, client: Client, what: str, channel: str, *, asked: str = "") -> HttpResponse:
    """Return the line that was answered, or the card where nothing runs but plain forms."""
    if not is_fragment(request) or channel not in fold.CHANNELS:
        return go(request, reverse("clients:card", args=[client.pk]) + (f"?{urlencode({'ask': asked})}" if asked else ""))
    if what == "reminders":
        context = {"client": client, "line": answers.reminders(client, channel)}
        return page(request, "clients/card.html", context, fragment="clients/_reminders.html")
    context = {"client": client, "line": answers.front(client, channel), "asked": asked, "how": answers.HOW, "is_answered": True}
    return page(request, "clients/card.html", context, fragment="clients/_consent.html")


def _words(name: str, what: str, channel: str, said: str) -> str:
    words = {
        ("reminders", "email", "yes"): _("%(name)s: reminders by e-mail on."),
        ("reminders", "email", "no"): _("%(name)s: reminders by e-mail off."),
        ("reminders", "sms", "yes"): _("%(name)s: reminders by SMS on."),
        ("reminders", "sms", "no"): _("%(name)s: reminders by SMS off."),
        ("marketing", "email", "yes"): _("%(name)s: marketing e-mail on."),
        ("marketing", "email", "no"): _("%(name)s: marketing e-mail off."),
        ("marketing", "sms", "yes"): _("%(name)s: marketing SMS on."),
        ("marketing", "sms", "no"): _("%(name)s: marketing SMS off."),
    }
    return words[what, channel, said] % {"name": name}
