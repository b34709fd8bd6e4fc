"""Writing to clients by hand: the page to write, to see who gets it and to send, and what became of it."""

import datetime as dt
import secrets
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from clients import selection
from notifications import campaigns, composing, facts, results, sending, smsaccount, smstests, tally
from notifications.composing import Composing
from notifications.forms import ComposeForm
from notifications.models import Campaign
from notifications.providers.base import Outcome
from notifications.smsforms import SmsComposeForm
from notifications.views.messages import tabs_of
from salon.core import asking, notices, web
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.templatetags.house import as_time, as_weekday
from salon.core.web import SignedIn, allowed, go, page, refuse, safe_next, sent, toast

PER_PAGE = 30
PER_PAGE_OF_ONE = 100


@allowed(May.SEND_MARKETING)
@require_http_methods(["GET", "POST"])
def new(request: SignedIn) -> HttpResponse:
    """Write to the selected clients: preview, a test to oneself, and the button that says how many get it."""
    now = timezone.now()
    given = request.POST if "sel" in request.POST or "all" in request.POST else request.GET
    clients, ticked = composing.chosen(request.user, request.salon, given, now=now), selection.read(given, request.user)
    if not 0 < len(clients) <= campaigns.LIMIT:
        nobody = {"limit": campaigns.LIMIT, "is_too_many": bool(clients), "is_over": ticked.is_over}
        return page(request, "notifications/nobody.html", nobody)
    act, (form, words) = request.POST.get("act", ""), _form(request, timezone.localtime(now).date())
    by_habit = composing.is_by_habit(ticked)
    if act == "send" and form.is_valid():
        try:
            campaign = campaigns.send(clients=clients, **_sent(request, form), is_by_habit=by_habit, by=request.user, now=now)
        except Refused as refused:
            refuse(form, refused)
        else:
            return _gone(request, campaign)
    at = form.at() if form.is_bound else None
    composed = composing.compose(clients, request.salon, words, now, at=at, by_habit=by_habit)
    if act == "test" and form.is_valid():
        _test(request, composed)
    key = request.POST.get("key", "")[:40] or secrets.token_urlsafe(16)
    status = 422 if form.errors and act != "preview" else 200
    context = {**composed.context(), "form": form, "key": key, "ticked": ticked}
    return page(request, "notifications/compose.html", context, fragment="notifications/_compose_side.html", status=status)


def _form(request: SignedIn, today: dt.date) -> tuple[ComposeForm, campaigns.Words]:
    """Return the form of the channel and what is typed so far. On the way to the other channel nothing is held against it."""
    to = request.POST.get("to", "")
    is_sms = (to or request.POST.get("channel") or request.GET.get("channel")) == smsaccount.CHANNEL
    kind = SmsComposeForm if is_sms else ComposeForm
    form = kind(sent(request), today=today)
    words = form.as_typed()
    return (kind(None, initial=request.POST.dict(), today=today) if to else form), words


def _sent(request: SignedIn, form: ComposeForm) -> dict[str, Any]:
    key = request.POST.get("key", "")[:40] or secrets.token_urlsafe(16)
    return {"words": form.words(), "key": key, "expected": form.cleaned_data["expected"], "at": form.at()}


def _test(request: SignedIn, composed: Composing) -> None:
    shown = composed.preview()
    if shown.fault:
        toast(request, shown.fault, level=messages.ERROR)
        return
    try:
        if composed.words.channel == smsaccount.CHANNEL:
            result = smstests.show(body=shown.body, salon=request.salon, by=request.user)
        else:
            result = sending.show(title=shown.title, body=shown.body, to=request.user.email, salon=request.salon, by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        toast(request, result.words, level=messages.SUCCESS if result.outcome is Outcome.ACCEPTED else messages.ERROR)


def _gone(request: SignedIn, campaign: Campaign) -> HttpResponse:
    if campaign.state == Campaign.State.WAITING:
        (summary,) = results.summaries([campaign])
        if campaign.channel == smsaccount.CHANNEL:
            text = ngettext("%(count)s SMS leaves in 30 seconds.", "%(count)s SMS leave in 30 seconds.", summary.waiting)
        else:
            text = ngettext("%(count)s e-mail leaves in 30 seconds.", "%(count)s e-mails leave in 30 seconds.", summary.waiting)
        undo_url = reverse("notifications:campaign_stop", args=[campaign.pk])
        if campaign.not_before - campaign.created_at > dt.timedelta(minutes=1):
            text = ngettext(
                "%(count)s message leaves on %(day)s, %(time)s.",
                "%(count)s messages leave on %(day)s, %(time)s.",
                summary.waiting,
            )
        if facts.is_on_hold(request.salon):
            text = ngettext(
                "%(count)s message waits until sending is resumed.",
                "%(count)s messages wait until sending is resumed.",
                summary.waiting,
            )
        values = {"count": summary.waiting, "day": as_weekday(campaign.not_before), "time": as_time(campaign.not_before)}
        toast(request, text % values, undo_url=undo_url, undo=str(campaign.pk))
    return go(request, "notifications:campaign", campaign.pk)


@allowed(May.SEE_MESSAGES)
def index(request: SignedIn) -> HttpResponse:
    """List the campaigns, the newest first."""
    numbered = Paginator(results.campaigns_for(request.user), PER_PAGE).get_page(request.GET.get("page"))
    tabs = tabs_of(request.user, "campaigns", {})
    context = {"numbered": numbered, "rows": results.summaries(numbered), "tabs": tabs, "filtered": None}
    return page(request, "notifications/campaigns.html", context, fragment="notifications/_campaigns.html")


@allowed(May.SEE_MESSAGES)
def detail(request: SignedIn, pk: int) -> HttpResponse:
    """Show what became of a campaign: each of the chosen, and why; with Stop while something waits."""
    campaign = results.campaign_for(request.user, pk)
    now, may_stop = timezone.now(), request.user.may(May.SEND_MARKETING)
    notices.read(request.user, now=now, url=request.path)
    numbered = Paginator(results.recipients_of(campaign), PER_PAGE_OF_ONE).get_page(request.GET.get("page"))
    (summary,) = results.summaries([campaign])
    context = {
        "summary": summary,
        "progress": web.progress(request, *summary.progress),
        "parts": tally.parts(campaign),
        "stopped_count": tally.stopped_after(campaign),
        "numbered": numbered,
        "rows": results.rows_of(campaign, now, numbered),
        "is_held": (is_held := campaign.state == Campaign.State.WAITING and campaign.not_before > now),
        "is_later": is_held and campaign.not_before - now > dt.timedelta(minutes=1),
        "may_resume": summary.is_stopped and campaign.expires_at > now,
        "may_stop": may_stop,
        "ask": "" if may_stop else asking.sentence(May.SEND_MARKETING),
    }
    return page(request, "notifications/campaign.html", context, fragment="notifications/_campaign.html")


@allowed(May.SEND_MARKETING)
@require_POST
def stop(request: SignedIn, pk: int) -> HttpResponse:
    """Stop a campaign: what has not left stays here."""
    campaign = results.campaign_for(request.user, pk)
    try:
        count = campaigns.stop(campaign, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        if campaign.channel == smsaccount.CHANNEL:
            text = ngettext("Stopped: %(count)s SMS does not leave.", "Stopped: %(count)s SMS do not leave.", count)
        else:
            text = ngettext("Stopped: %(count)s e-mail does not leave.", "Stopped: %(count)s e-mails do not leave.", count)
        toast(request, text % {"count": count})
    return go(request, safe_next(request, reverse("notifications:campaign", args=[pk])))


@allowed(May.SEND_MARKETING)
@require_POST
def resume(request: SignedIn, pk: int) -> HttpResponse:
    """Let a stopped campaign go on."""
    campaign = results.campaign_for(request.user, pk)
    try:
        count = campaigns.resume(campaign, by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    else:
        text = ngettext(
            "It goes on: %(count)s message is still to leave.", "It goes on: %(count)s messages are still to leave.", count
        )
        toast(request, text % {"count": count})
    return go(request, reverse("notifications:campaign", args=[pk]))
