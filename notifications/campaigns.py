"""Campaigns: advertising that somebody sends by hand, to one client or a handful. The only writer of Campaign.

`send` and `stop` are called by the pages, `plan` by the planner. The gate decides on each message again when it leaves.
"""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client, Standing
from notifications import audience, filling, kinds, outbox, smsaccount
from notifications.audience import Seat
from notifications.models import Campaign, CampaignRecipient, Message, State
from salon.core import audit, bell, public, states
from salon.core.errors import Refused
from salon.core.models import Salon, User

_WAITING, _RUNNING, _DONE, _STOPPED = Campaign.State.WAITING, Campaign.State.RUNNING, Campaign.State.DONE, Campaign.State.STOPPED
TABLE = states.Table(
    {
        _WAITING: frozenset({_RUNNING, _STOPPED}),
        _RUNNING: frozenset({_DONE, _STOPPED}),
        _DONE: frozenset(),
        _STOPPED: frozenset(),
    }
)
OPEN = (_WAITING, _RUNNING)
# A handful, until whole lists can be written to.
LIMIT = 50
# What has not left by then is no news any more.
LASTS = dt.timedelta(days=3)
_UNDER_WAY = (State.PENDING, State.CLAIMED, State.HANDOFF, State.HELD)
# Why the planner takes such a message back, and lets it wait again once that was undone.
REVIVABLE = ("inactive", "restricted", "no_address", "consent_missing", "blacklisted")


@dataclass(frozen=True)
class Words:
    """What somebody wrote. In all but the day {first_name} and {salon} stand for themselves."""

    title: str
    text: str
    valid_until: dt.date | None = None
    conditions: str = ""
    channel: str = "email"

    def draft(self, kind: str = "promotion") -> Campaign:
        """Return a campaign with these words that is not saved: to ask about, and to show."""
        values = {"title": self.title, "text": self.text, "valid_until": self.valid_until, "conditions": self.conditions}
        return Campaign(kind=kind, channel=self.channel, **values)


def send(
    *, clients: Sequence[Client], words: Words, key: str, by: User, now: dt.datetime, expected: int | None = None
) -> Campaign:
    """Write a campaign down for those of `clients` who may get it, with why the others do not, and return it.

    The first message leaves after the wait for Undo. The same `key` of the same user gives the campaign it made the
    first time. Raises Refused without a public address or, for SMS, an open account, for words with a brace of their own,
    for nobody or too many chosen, for nobody who may get it, and where it would be another number of people than the
    `expected` one shown.
    """
    if (known := _made_by(key, by)) is not None:
        return known
    salon, draft = Salon.objects.current(), words.draft()
    _check(words, len(clients), salon)
    seats = audience.look(clients, draft, salon, now)
    count = sum(seat.is_in for seat in seats)
    if not count:
        raise Refused(_("None of them may get it."))
    if expected is not None and count != expected:
        raise Refused(
            ngettext(
                "Meanwhile something changed: %(count)s client would get it now. Look again, then send.",
                "Meanwhile something changed: %(count)s clients would get it now. Look again, then send.",
                count,
            )
            % {"count": count}
        )
    return _write(draft, seats, key=key, salon=salon, by=by, now=now)


def _made_by(key: str, by: User) -> Campaign | None:
    known = Campaign.objects.filter(key=key).first()
    if known is not None and known.created_by_id != by.pk:
        raise Refused(_("This form was used already. Open it anew."))
    return known


def _check(words: Words, count: int, salon: Salon) -> None:
    if not public.has_address(salon):
        raise Refused(_("The salon needs a public address first: the link to stop must work on the client's phone."))
    if words.channel == smsaccount.CHANNEL and not smsaccount.is_open():
        raise Refused(_("SMS are switched off in the salon.") if smsaccount.account() else _("No SMS account is entered yet."))
    if any(filling.fault(text) for text in (words.title, words.text, words.conditions)):
        raise Refused(_("Only {first_name} and {salon} can stand in braces."), "text")
    if not 0 < count <= LIMIT:
        raise Refused(_("Choose 1 to %(limit)s clients.") % {"limit": LIMIT})


@transaction.atomic
def _write(draft: Campaign, seats: Sequence[Seat], *, key: str, salon: Salon, by: User, now: dt.datetime) -> Campaign:
    values = {name: getattr(draft, name) for name in ("kind", "channel", "title", "text", "valid_until", "conditions")}
    values |= {
        "created_by": by, "created_at": now, "not_before": now + kinds.TABLE[draft.kind].waits,
        "expires_at": _ends(draft.valid_until, salon, now),
    }  # fmt: skip
    campaign, is_new = Campaign.objects.get_or_create(key=key, defaults=values)
    if not is_new:  # the same form at the same moment
        return campaign
    CampaignRecipient.objects.bulk_create(
        CampaignRecipient(
            campaign=campaign, client=seat.client, address_hmac=seat.address_hmac, reason=seat.reason, event=seat.event
        )
        for seat in seats
    )
    chosen = sum(seat.is_in for seat in seats)
    audit.record("campaign.sent", campaign, by=by, kind=campaign.kind, clients_count=len(seats), chosen_count=chosen)
    bell.ring()
    return campaign


def _ends(valid_until: dt.date | None, salon: Salon, now: dt.datetime) -> dt.datetime:
    """Return until when a message may leave: for some days, and not when the offer is over."""
    if valid_until is None:
        return now + LASTS
    over = dt.datetime.combine(valid_until + dt.timedelta(days=1), dt.time(), salon.zone).astimezone(dt.UTC)
    return min(now + LASTS, over)


@transaction.atomic
def stop(campaign: Campaign, *, by: User, now: dt.datetime) -> int:
    """Stop a campaign and return how many messages will not leave now. One that was handed over cannot be called back.

    Raises Refused when it is over. Locks the campaign, as the planner does, so that no message is written afterwards.
    """
    row = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if not states.move(row, TABLE, to=_STOPPED, ended_at=now):
        raise Refused(_("This is over already. Nothing is left to stop."))
    unwritten = _wanted(row).filter(~Exists(row.messages.filter(client_id=OuterRef("client_id")))).count()
    count = outbox.cancel(row.messages.all(), reason="stopped", now=now)
    audit.record("campaign.stopped", row, by=by, kind=row.kind, stopped_count=count + unwritten)
    campaign.state = row.state
    return count + unwritten


# --- the planner's part -------------------------------------------------------------------------------------------


def plan(now: dt.datetime) -> Counter[str]:
    """Write the messages of open campaigns that are missing, and close those of which nothing is under way any more.

    Returns counts by kind of change. Safe to run twice, or two at once.
    """
    counts: Counter[str] = Counter()
    for pk in Campaign.objects.filter(state__in=OPEN).order_by("pk").values_list("pk", flat=True):
        counts += _bring_on(pk, now)
    return counts


@transaction.atomic
def _bring_on(pk: int, now: dt.datetime) -> Counter[str]:
    campaign = Campaign.objects.select_for_update().get(pk=pk)
    counts: Counter[str] = Counter()
    if campaign.state not in OPEN:
        return counts
    if campaign.expires_at > now:
        wanted = _wanted(campaign)
        ended = campaign.messages.filter(
            Exists(wanted.filter(client_id=OuterRef("client_id"))), state=State.CANCELLED, reason__in=REVIVABLE, resend_of=None
        )
        counts["revived"] += outbox.revive(ended)
        counts[campaign.kind] += _put(wanted, campaign, now)
    if campaign.state == _WAITING and campaign.not_before <= now:
        states.move(campaign, TABLE, to=_RUNNING)
    if campaign.state == _RUNNING and not campaign.messages.filter(state__in=_UNDER_WAY).exists():
        states.move(campaign, TABLE, to=_DONE, ended_at=now)
        _explain(campaign, now)
    return counts


def _put(wanted: "QuerySet[CampaignRecipient]", campaign: Campaign, now: dt.datetime) -> int:
    said = Message.objects.filter(kind=campaign.kind, client_id=OuterRef("client_id"), occasion=str(campaign.pk))
    values: dict[str, Any] = {
        "client_id": F("client_id"), "appointment_id": None, "campaign_id": campaign.pk, "occasion": str(campaign.pk),
        "time_version": None, "told_start_at": None, "not_before": campaign.not_before, "expires_at": campaign.expires_at,
    }  # fmt: skip
    return outbox.put(wanted.filter(~Exists(said)), kind=campaign.kind, channel=campaign.channel, now=now, said=values)


def _wanted(campaign: Campaign) -> "QuerySet[CampaignRecipient]":
    """Return the chosen whose standing allows it, and who are there to be written to."""
    granted = _granted(campaign.kind, campaign.channel)
    here = Q(
        client__isnull=False, client__inactive_at=None, client__restricted_at=None, client__erased_at=None,
        client__blacklisted_at=None,
    )  # fmt: skip
    has_none = Q(client__email="") if campaign.channel == "email" else Q(client__phone="")
    return CampaignRecipient.objects.filter(here, Exists(granted), campaign=campaign, reason="").exclude(has_none)


def _granted(kind: str, channel: str) -> "QuerySet[Standing]":
    """Return, beside a row with a client, the Yes that a kind needs on a channel."""
    purpose = kinds.TABLE[kind].purpose
    return Standing.objects.filter(
        client_id=OuterRef("client_id"), purpose=purpose, channel=channel, state=Standing.State.GRANTED
    )


def _explain(campaign: Campaign, now: dt.datetime) -> None:
    """Say of the chosen for whom no message was ever written why not: nobody is left without a word."""
    unsaid = campaign.recipients.filter(~Exists(campaign.messages.filter(client_id=OuterRef("client_id"))), reason="")
    if campaign.expires_at <= now:
        unsaid.update(reason="expired")
    unsaid.filter(~Exists(_granted(campaign.kind, campaign.channel))).update(reason="consent_missing")
    unsaid.update(reason="changed")


def clear_alone(ids: Collection[int]) -> int:
    """Empty the words of campaigns that went to one of these clients alone, as they speak to that person; return how many."""
    theirs = Campaign.objects.filter(recipients__client__in=ids).values("pk")
    alone = Campaign.objects.filter(pk__in=theirs).annotate(count=Count("recipients")).filter(count=1)
    rows = Campaign.objects.filter(pk__in=list(alone.values_list("pk", flat=True))).exclude(title="", text="", conditions="")
    return rows.update(title="", text="", conditions="")
