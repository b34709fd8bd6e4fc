"""The consent lines of the card: an answer saved at once, its Undo, and the history."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from clients import access, answers, cards, existing, fold, ledger
from clients.models import Client, ConsentEvent
from salon.core.errors import Refused
from salon.core.models import User
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
    known = {"yes", "no", "told"} if what == "marketing" else {"yes", "no"}
    if what not in _WHAT or channel not in fold.CHANNELS or said not in known:
        return _line(request, client, what, channel)
    how, is_news = how if how in (existing.HOW if said == "told" else answers.HOW) else "", False
    if what == "marketing" and said != "no" and not how:
        return _line(request, client, what, channel, asked=f"told-{channel}" if said == "told" else channel)
    try:
        events = _record(client, what, channel, said, how, by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        is_news = bool(events)
        if is_news:
            undo_url = reverse("clients:consent_undo", args=[client.pk])
            name = access.contacts(request.user, client, request.salon, now=timezone.now()).name
            words = _words(name, client, what, channel, said)
            toast(request, words, undo_url=undo_url, undo=answers.undo_token(events), about=f"{what}-{channel}")
    response = _line(request, client, what, channel)
    return trigger_client_event(response, cards.CHANGED) if is_news and is_fragment(request) else response


def _record(client: Client, what: str, channel: str, said: str, how: str, *, by: User) -> list[ConsentEvent]:
    """Write down what was pressed, and return the events."""
    now = timezone.now()
    if said == "told":
        return existing.note(client, channel, how=how, by=by, now=now)
    if what == "reminders":
        return answers.set_reminders(client, said == "yes", channel=channel, by=by, now=now)
    return answers.set_channel(client, channel, said, how=how or "other", by=by, now=now)


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
    found = cards.head(request, client, tab="main")
    to_card = {"back_url": found["tabs"][0].url, "back_to": found["contacts"].name, "in_list": None}
    return page(request, "clients/consent_history.html", {**found, **to_card, "entries": ledger.entries(client)})


def _line(request: SignedIn, client: Client, what: str, channel: str, *, asked: str = "") -> HttpResponse:
    """Return the line that was answered, or the card where nothing runs but plain forms."""
    if not is_fragment(request) or channel not in fold.CHANNELS:
        return go(request, reverse("clients:card", args=[client.pk]) + (f"?{urlencode({'ask': asked})}" if asked else ""))
    if what == "reminders":
        context = {"client": client, "line": answers.reminders(client, channel)}
        return page(request, "clients/card.html", context, fragment="clients/_reminders.html")
    context = {
        "client": client, "line": answers.front(client, channel), "asked": asked, "how": answers.HOW,
        "how_told": existing.HOW, "is_answered": True,
    }  # fmt: skip
    return page(request, "clients/card.html", context, fragment="clients/_consent.html")


def _words(name: str, client: Client, what: str, channel: str, said: str) -> str:
    """Return what became of it: a Yes that does not count yet is not called on."""
    if what == "marketing" and said == "yes" and answers.front(client, channel).answer is answers.Answer.WAITING:
        waits = {
            "email": _("%(name)s: Yes to marketing e-mail noted. It does not count yet."),
            "sms": _("%(name)s: Yes to marketing SMS noted. It does not count yet."),
        }
        return waits[channel] % {"name": name}
    words = {
        ("reminders", "email", "yes"): _("%(name)s: reminders by e-mail on."),
        ("reminders", "email", "no"): _("%(name)s: reminders by e-mail off."),
        ("reminders", "sms", "yes"): _("%(name)s: reminders by SMS on."),
        ("reminders", "sms", "no"): _("%(name)s: reminders by SMS off."),
        ("marketing", "email", "yes"): _("%(name)s: marketing e-mail on."),
        ("marketing", "email", "no"): _("%(name)s: marketing e-mail off."),
        ("marketing", "sms", "yes"): _("%(name)s: marketing SMS on."),
        ("marketing", "sms", "no"): _("%(name)s: marketing SMS off."),
        ("marketing", "email", "told"): _("%(name)s: noted as told of offers by e-mail."),
        ("marketing", "sms", "told"): _("%(name)s: noted as told of offers by SMS."),
    }
    return words[what, channel, said] % {"name": name}
