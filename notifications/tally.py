"""What became of a campaign, added up: how many by state and reason, and how many stopped the offers after it. Reads only."""

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext as _

from clients import fold
from clients.models import ConsentEvent
from notifications import campaigns, kinds, refusals, words
from notifications.models import MARKETING, TOLD, Campaign, Message, State

# So long after it a stop is put down to a campaign, unless the client had other advertising in between.
_AFTER = dt.timedelta(days=30)
# How somebody says No by a link in a mail, or by the answer to an SMS.
_THROUGH_IT = ("preference_page", "one_click_post", "sms_reply", "provider_webhook")


@dataclass(frozen=True)
class Part:
    """So many with whom it went the same way: a mark, the state in words, and why."""

    badge: str
    icon: str
    state: str
    why: str
    count: int


def parts(campaign: Campaign) -> list[Part]:
    """Return the chosen of a campaign by what became of them, most first; those who were sent it before those left out."""
    found: Counter[tuple[str, str, str, str]] = Counter()
    said = campaign.messages.filter(resend_of=None).order_by()
    for state, reason, provider, channel, count in said.values_list("state", "reason", "provider", "channel").annotate(
        count=Count("pk")
    ):
        message = Message(state=state, reason=reason, provider=provider, channel=channel, kind=campaign.kind)
        group = words.OF_STATE[state]
        is_logged = words.is_logged_only(message)
        label = str(_("Written to the log")) if is_logged else str(State(state).label)
        mark = ("wait", "note") if is_logged else (group.badge, group.icon)
        found[*mark, label, "" if group.name == "waiting" else words.why(message)] += count
    unsaid = campaign.recipients.filter(~Exists(campaign.messages.filter(client_id=OuterRef("client_id")))).order_by()
    for reason, event, count in unsaid.values_list("reason", "event__event").annotate(count=Count("pk")):
        found[_left_out(campaign, reason, event or "")] += count
    order = {"ok": 0, "wait": 1, "warn": 2, "trouble": 3, "no": 4}
    lines = [Part(*key, count) for key, count in found.items()]
    return sorted(lines, key=lambda part: (order.get(part.badge, 2), -part.count, part.why))


def _left_out(campaign: Campaign, reason: str, event: str) -> tuple[str, str, str, str]:
    if not reason and campaign.state != Campaign.State.STOPPED:
        group = words.GROUPS["waiting"]
        return (group.badge, group.icon, str(group.label), "")
    return ("no", "ban", str(_("Left out")), _why(reason or campaigns.HALTED, event, campaign.channel))


def _why(reason: str, event: str, channel: str) -> str:
    if reason in {"consent_missing", "marketing_objection"} and event:
        return str(_("Said No.")) if event in fold.NEGATIVE else str(_("Not confirmed yet."))
    return refusals.sentence(reason, channel=channel)


def stopped_after(campaign: Campaign) -> int:
    """Return how many of those who had it said No through a link or an answer, and had no other advertising in between.

    A link tells whose it is and not in which mail it stood, so the newest one counts.
    """
    purposes = [campaign_purpose(campaign), fold.ALL_MARKETING, fold.EVERYTHING]
    said_no = ConsentEvent.objects.filter(
        subject__client=OuterRef("client_id"), event__in=fold.NEGATIVE, source__in=_THROUGH_IT, purpose__in=purposes,
        channel__in=[campaign.channel, fold.ANY_CHANNEL], effective_at__gte=OuterRef("handoff_at"),
        effective_at__lt=OuterRef("handoff_at") + _AFTER,
    )  # fmt: skip
    newer = Message.objects.filter(
        client=OuterRef("subject__client"), channel=campaign.channel, kind__in=MARKETING, state__in=TOLD,
        handoff_at__gt=OuterRef(OuterRef("handoff_at")), handoff_at__lte=OuterRef("effective_at"),
    )  # fmt: skip
    told = campaign.messages.filter(state__in=TOLD, client__isnull=False, handoff_at__isnull=False)
    return told.filter(Q(Exists(said_no.filter(~Exists(newer))))).values("client").distinct().count()


def campaign_purpose(campaign: Campaign) -> str:
    """Return the purpose that a campaign's Yes is for."""
    return kinds.TABLE[campaign.kind].purpose
