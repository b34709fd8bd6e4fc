"""The planner's part of campaigns: writes down the chosen, then their messages, some at a time, and closes what is done.

Idempotent, and safe for two planners at once: each step locks the campaign and is short.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils.translation import ngettext

from notifications import chosen, outbox
from notifications.campaigns import OPEN, TABLE
from notifications.models import TOLD, Campaign, State
from salon.core import notices, states

_UNDER_WAY = (State.PENDING, State.CLAIMED, State.HANDOFF, State.HELD)
# The code under which the bell tells that a campaign is done.
NOTICE = "campaign_done"


def register() -> None:
    """Say how the bell tells that a campaign is done. Called when the app starts."""
    notices.register(NOTICE, icon="send", words=_words)


def _words(facts: Mapping[str, int]) -> str:
    count = facts.get("count", 0)
    text = ngettext("The promotion is done: %(count)s sent.", "The promotion is done: %(count)s sent.", count)
    return text % {"count": count}


def plan(now: dt.datetime) -> Counter[str]:
    """Write the messages of open campaigns that are missing, and close those of which nothing is under way any more.

    Returns counts by kind of change. Safe to run twice, or two at once, and goes on where it was broken off.
    """
    counts: Counter[str] = Counter()
    for pk in Campaign.objects.filter(state__in=OPEN).order_by("pk").values_list("pk", flat=True):
        while chosen.write_some(pk, now):
            pass
        while _bring_on(pk, now, counts):
            pass
    return counts


@transaction.atomic
def _bring_on(pk: int, now: dt.datetime, counts: Counter[str]) -> bool:
    """Bring one campaign a step further, and return whether there is more to write."""
    campaign = Campaign.objects.select_for_update().get(pk=pk)
    if campaign.state not in OPEN or campaign.todo:
        return False
    if campaign.expires_at > now:
        counts["revived"] += chosen.revive(campaign)
        ids = list(chosen.unwritten(campaign).order_by("client_id").values_list("pk", flat=True)[: chosen.CHUNK])
        counts[campaign.kind] += _put(campaign, ids, now) if ids else 0
        if len(ids) == chosen.CHUNK:
            return True
    if campaign.state == Campaign.State.WAITING and campaign.not_before <= now:
        states.move(campaign, TABLE, to=Campaign.State.RUNNING)
    if campaign.state == Campaign.State.RUNNING and not campaign.messages.filter(state__in=_UNDER_WAY).exists():
        states.move(campaign, TABLE, to=Campaign.State.DONE, ended_at=now)
        _explain(campaign, now)
        _tell(campaign, now)
    return False


def _put(campaign: Campaign, ids: list[int], now: dt.datetime) -> int:
    values: dict[str, Any] = {
        "client_id": F("client_id"), "appointment_id": None, "campaign_id": campaign.pk, "occasion": str(campaign.pk),
        "time_version": None, "told_start_at": None, "not_before": campaign.not_before, "expires_at": campaign.expires_at,
    }  # fmt: skip
    rows = chosen.unwritten(campaign).filter(pk__in=ids)
    return outbox.put(rows, kind=campaign.kind, channel=campaign.channel, now=now, said=values)


def _explain(campaign: Campaign, now: dt.datetime) -> None:
    """Say of the chosen for whom no message was ever written why not: nobody is left without a word."""
    unsaid = campaign.recipients.filter(~Exists(campaign.messages.filter(client_id=OuterRef("client_id"))), reason="")
    if campaign.expires_at <= now:
        unsaid.update(reason="expired")
    unsaid.filter(~Exists(chosen.granted(campaign))).update(reason="consent_missing")
    unsaid.update(reason="changed")


def _tell(campaign: Campaign, now: dt.datetime) -> None:
    """Ring the bell of who sent it, if it went to several: of one they have seen it leave."""
    if campaign.created_by is None or campaign.meant_count < 2:
        return
    count = campaign.messages.filter(state__in=TOLD, resend_of=None).count()
    url = reverse("notifications:campaign", args=[campaign.pk])
    notices.tell(campaign.created_by, NOTICE, url=url, now=now, count=count)
