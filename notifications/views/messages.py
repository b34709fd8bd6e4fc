"""The list of messages by how they stand, those of unknown fate, and stop, undo and send again."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from clients import access as clients_access
from clients.models import Client
from notifications import access, ahead, alarms, circuit, facts, history, reasons, resending, sending, stopping, words
from notifications.forms import ResendForm
from notifications.models import State
from notifications.systems import informing
from salon.core import asking
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, refuse, safe_next, toast

PER_PAGE = 50


@allowed(May.SEE_MESSAGES)
def index(request: SignedIn) -> HttpResponse:
    """List the messages of one tab, of one client if asked."""
    name = request.GET.get("tab", "waiting")
    group = words.GROUPS[name if name in words.GROUPS and name != "unknown" else "waiting"]
    salon = Salon.objects.current()
    context = _listing(request, group) | {
        "used": sending.describe(salon),
        "ahead": "",
        "mail_trouble": reasons.of_provider(circuit.failure(alarms.MAIL)),
    }
    if group.name == "waiting" and not context["lines"] and not context["filtered"]:
        context["ahead"] = _ahead(salon)
    return page(request, "notifications/list.html", context, fragment="notifications/_list.html")


@allowed(May.SEE_MESSAGES)
def unknown(request: SignedIn) -> HttpResponse:
    """List the messages that may have arrived or not, with what we know of each."""
    may_resend = request.user.may(May.RESEND_UNKNOWN)
    ask = "" if may_resend else asking.sentence(May.RESEND_UNKNOWN)
    context = _listing(request, words.GROUPS["unknown"]) | {"may_resend": may_resend, "ask": ask}
    return page(request, "notifications/unknown.html", context, fragment="notifications/_unknown.html")


def _ahead(salon: Salon) -> str:
    """Return how many clients get a reminder within seven days, in words; nothing where the salon sends none."""
    row = facts.switches()["reminder"]
    if not row.is_on:
        return ""
    count = ahead.count(row, salon, timezone.now())
    return ngettext(
        "Reminders appear here when they are due. In the next 7 days: %(count)s client.",
        "Reminders appear here when they are due. In the next 7 days: %(count)s clients.",
        count,
    ) % {"count": count}


def _listing(request: SignedIn, group: words.Group) -> dict[str, Any]:
    client = _client(request)
    rows = access.messages_for(request.user).filter(state__in=group.states)
    if client is not None:
        rows = rows.filter(client=client)
    order = "not_before" if group.name == "waiting" else "-created_at"
    numbered = Paginator(rows.order_by(order, "pk"), PER_PAGE).get_page(request.GET.get("page"))
    kept = {"client": str(client.pk)} if client else {}
    return {
        "group": group,
        "numbered": numbered,
        "lines": history.lines(numbered, timezone.now()),
        "filtered": client,
        "filtered_name": client.name if client else "",
        "base": _query(group.name, kept) + "&",
        "tabs": tabs_of(request.user, group.name, kept),
    }


def tabs_of(user: User, current: str, kept: dict[str, str]) -> list[dict[str, Any]]:
    """Return the tabs of the message pages, the campaigns last; `kept` is what their addresses carry on."""
    counts = history.counts(access.messages_for(user))
    groups = [
        {"url": _tab_url(name, kept), "label": tab.label, "count": counts.get(name, 0), "current": name == current}
        for name, tab in words.GROUPS.items()
    ]
    campaigns = {"url": reverse("notifications:campaigns"), "label": _("Campaigns"), "current": current == "campaigns"}
    waiting = access.replies_for(user).filter(handled_at=None).count()
    replies = {"url": reverse("notifications:replies"), "label": _("Answers"), "count": waiting, "current": current == "replies"}
    return [*groups, campaigns, replies, *_systems_tab(user, current)]


def _systems_tab(user: User, current: str) -> list[dict[str, Any]]:
    """Return the tab of what is passed on by hand, where the salon has such a system."""
    if (count := informing.open_count(user)) is None:
        return []
    label = _("Other systems")
    return [{"url": reverse("notifications:inform"), "label": label, "count": count, "current": current == "systems"}]


def _query(name: str, kept: dict[str, str]) -> str:
    return urlencode(kept if name == "unknown" else {"tab": name, **kept})


def _tab_url(name: str, kept: dict[str, str]) -> str:
    query = _query(name, kept)
    return reverse("notifications:unknown" if name == "unknown" else "notifications:list") + (f"?{query}" if query else "")


def _client(request: SignedIn) -> Client | None:
    asked = request.GET.get("client", "")
    return (
        clients_access.client_for(request.user, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 18 else None
    )


@allowed(May.SEE_MESSAGES)
@require_POST
def stop(request: SignedIn, pk: int) -> HttpResponse:
    """Stop a waiting message; the toast takes it back."""
    message = access.message_for(request.user, pk)
    try:
        stopping.stop(message, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        name = message.client.name if message.client else ""
        text = _("%(kind)s to %(name)s stopped.") % {"kind": words.kind(message.kind), "name": name}
        # To undo is to let it leave: not for one that was held for somebody to decide on.
        undo_url = "" if message.state == State.HELD else reverse("notifications:resume", args=[pk])
        toast(request, text, undo_url=undo_url, undo=str(pk))
    return go(request, safe_next(request, "notifications:list"))


@allowed(May.SEE_MESSAGES)
@require_POST
def resume(request: SignedIn, pk: int) -> HttpResponse:
    """Let a stopped message wait again."""
    message = access.message_for(request.user, pk)
    try:
        stopping.resume(message, by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        toast(request, _("The message waits again."))
    return go(request, safe_next(request, "notifications:list"))


@allowed(May.RESEND_UNKNOWN)
@require_POST
def let_go(request: SignedIn, pk: int) -> HttpResponse:
    """Send a message that was held for review."""
    message = access.message_for(request.user, pk)
    try:
        stopping.let_go(message, by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        toast(request, _("It is sent, if nothing stands against it now."))
    return go(request, safe_next(request, "notifications:list"))


@allowed(May.RESEND_UNKNOWN)
@require_http_methods(["GET", "POST"])
def resend(request: SignedIn, pk: int) -> HttpResponse:
    """Send a message of unknown fate once more, for a reason."""
    message = access.message_for(request.user, pk)
    form = ResendForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            resending.resend(message, by=request.user, reason=form.cleaned_data["reason"], now=timezone.now())
        except Refused as refused:
            refuse(form, refused)
        else:
            toast(request, _("It is sent again, if nothing stands against it now."))
            return go(request, "notifications:unknown")
    line = history.lines([message], timezone.now())[0]
    status = 422 if form.is_bound else 200
    return page(request, "notifications/resend.html", {"line": line, "form": form}, status=status)
