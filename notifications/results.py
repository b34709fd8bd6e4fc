"""What became of campaigns: counts for the list, and each of the chosen with how far it came. Reads only."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from clients.models import Client
from notifications import campaigns, history, refusals, words
from notifications.models import Campaign, CampaignRecipient, Message
from salon.core.models import User
from salon.core.roles import May

_BADGES = {
    Campaign.State.WAITING: ("wait", "hourglass"),
    Campaign.State.RUNNING: ("info", "send"),
    Campaign.State.DONE: ("ok", "check"),
    Campaign.State.STOPPED: ("no", "ban"),
}


@dataclass(frozen=True)
class Summary:
    """One campaign in numbers, by group of the message list; `left_out` counts those for whom no message was written too."""

    campaign: Campaign
    chosen: int
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def state(self) -> Campaign.State:
        """Return how it stands. Done as soon as nothing waits: the planner writes that down a little later."""
        state = Campaign.State(self.campaign.state)
        return Campaign.State.DONE if state in campaigns.OPEN and not self.waiting else state

    @property
    def badge(self) -> tuple[str, str]:
        """Return look and icon of its state."""
        return _BADGES[self.state]

    @property
    def is_open(self) -> bool:
        """Return whether something may still leave."""
        return self.state in campaigns.OPEN

    @property
    def sent(self) -> int:
        """Return how many the mail server took."""
        return self.counts.get("sent", 0)

    @property
    def logged(self) -> int:
        """Return how many were only written to the log, because no mail server was set."""
        return self.counts.get("logged", 0)

    @property
    def trouble(self) -> int:
        """Return how many failed, or whose fate nobody knows."""
        return self.counts.get("failed", 0) + self.counts.get("unknown", 0)

    @property
    def left_out(self) -> int:
        """Return how many of the chosen get nothing."""
        return self.chosen - self.sent - self.logged - self.trouble - self.waiting

    @property
    def progress(self) -> tuple[int, int]:
        """Return how many of those meant have left or ended, and how many are meant."""
        meant = sum(self.counts.values())
        return meant - self.waiting, meant

    @property
    def is_stopped(self) -> bool:
        """Return whether somebody stopped it: it may go on."""
        return self.campaign.state == Campaign.State.STOPPED

    @property
    def waiting(self) -> int:
        """Return how many are still to leave: written or, in an open campaign, about to be."""
        return self.counts.get("waiting", 0) + (self.counts.get("unwritten", 0) if self.campaign.state in campaigns.OPEN else 0)


@dataclass(frozen=True)
class Row:
    """One of the chosen: how it stands with them, and why."""

    client: Client | None
    badge: str
    icon: str
    state: str
    why: str
    at: dt.datetime | None = None


def campaigns_for(user: User) -> "QuerySet[Campaign]":
    """Return the campaigns that `user` may see, the newest first."""
    rows = Campaign.objects.select_related("created_by").order_by("-created_at", "-pk")
    return rows if user.may(May.SEE_MESSAGES) else rows.none()


def campaign_for(user: User, pk: int) -> Campaign:
    """Return the campaign, if `user` may see it. Raises Http404 otherwise."""
    return get_object_or_404(campaigns_for(user), pk=pk)


def summaries(rows: Iterable[Campaign]) -> list[Summary]:
    """Return these campaigns in numbers, with three queries however many they are."""
    found = list(rows)
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    written = Message.objects.filter(campaign__in=found, resend_of=None).order_by()
    rows_by = written.values_list("campaign_id", "state", "provider").annotate(count=Count("pk"))
    for campaign_id, state, provider, count in rows_by:
        group = "logged" if words.is_logged_only(Message(state=state, provider=provider)) else words.OF_STATE[state].name
        counts[campaign_id or 0][group] += count
    chosen = _count(CampaignRecipient.objects.filter(campaign__in=found))
    meant = _count(CampaignRecipient.objects.filter(campaign__in=found, reason=""))
    for row in found:
        of, here = counts[row.pk], meant.get(row.pk, 0)
        of["unwritten"] = (max(row.meant_count, here) if row.todo else here) - sum(of.values())
    return [Summary(row, chosen.get(row.pk, 0) + len(row.todo), dict(counts[row.pk])) for row in found]


def _count(rows: "QuerySet[CampaignRecipient]") -> dict[int, int]:
    return dict(rows.order_by().values_list("campaign_id").annotate(count=Count("pk")))


def recipients_of(campaign: Campaign) -> "QuerySet[CampaignRecipient]":
    """Return everybody chosen for a campaign, those who were to get it first."""
    return campaign.recipients.select_related("client", "event__actor").order_by("reason", "client__sort_name", "pk")


def rows_of(campaign: Campaign, now: dt.datetime, chosen: Iterable[CampaignRecipient] | None = None) -> list[Row]:
    """Return these of the chosen as lines, all of them if none are named; those who get it first."""
    people = list(recipients_of(campaign) if chosen is None else chosen)
    said = campaign.messages.filter(client__in=[one.client_id for one in people if one.client_id]).order_by("pk")
    # The newest message of each: one that was sent again stands for the first.
    lines = {line.message.client_id: line for line in history.lines(said, now)}
    return sorted((_row(campaign, one, lines.get(one.client_id)) for one in people), key=lambda row: row.badge == "no")


def _row(campaign: Campaign, recipient: CampaignRecipient, line: history.Line | None) -> Row:
    if line is not None and recipient.client_id is not None:
        return Row(recipient.client, line.group.badge, line.group.icon, line.state, line.why, line.at)
    if recipient.reason:
        why = refusals.sentence(recipient.reason, recipient.event, channel=campaign.channel)
    elif campaign.state == Campaign.State.STOPPED:
        why = refusals.sentence(campaigns.HALTED)
    else:
        return Row(recipient.client, "wait", "hourglass", str(words.GROUPS["waiting"].label), "", campaign.not_before)
    return Row(recipient.client, "no", "ban", str(_("Left out")), why)
