"""Those chosen for a campaign: written down some at a time, and who of them is to be written to now. Called by `campaigns`
and `carrying`. Reads and writes CampaignRecipient; what is said stands in the outbox.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from clients import existing
from clients.models import Client, Standing
from notifications import audience, kinds, outbox
from notifications.audience import Seat
from notifications.models import Campaign, CampaignRecipient, Message, State
from salon.core.models import Salon

# So many at a time, so that no lock is held for long.
CHUNK = 500
# Why a message ended that belongs to a campaign which somebody stopped.
HALTED = "halted"
# Why the planner takes such a message back, and lets it wait again once that was undone.
REVIVABLE = ("inactive", "restricted", "no_address", "consent_missing", "blacklisted", HALTED)


def write(campaign: Campaign, seats: Sequence[Seat]) -> None:
    """Write down these of the chosen, in the order of their ids as everybody locks clients."""
    CampaignRecipient.objects.bulk_create(
        CampaignRecipient(
            campaign=campaign, client=seat.client, address_hmac=seat.address_hmac, reason=seat.reason, event=seat.event
        )
        for seat in sorted(seats, key=lambda seat: seat.client.pk)
    )


@transaction.atomic
def write_some(pk: int, now: dt.datetime) -> int:
    """Write down the next CHUNK of those who are still to be, and return how many were taken off the list.

    The list and the rows change together, so a crash leaves nobody out and nobody twice. A card that is gone by now, or was
    taken in by another one, is passed by.
    """
    campaign = Campaign.objects.select_for_update().get(pk=pk)
    if campaign.state not in {Campaign.State.WAITING, Campaign.State.RUNNING} or not campaign.todo:
        return 0
    ids, rest = campaign.todo[:CHUNK], campaign.todo[CHUNK:]
    known = set(campaign.recipients.filter(client__in=ids).values_list("client_id", flat=True))
    there = Client.objects.in_bulk([one for one in ids if one not in known])
    taken = campaign.recipients.exclude(address_hmac="").values_list("address_hmac", flat=True)
    at = max(now, campaign.not_before)
    clients = [there[one] for one in ids if one in there]
    write(campaign, audience.look(clients, campaign, Salon.objects.current(), at, taken=set(taken)))
    Campaign.objects.filter(pk=pk).update(todo=rest)
    return len(ids)


def wanted(campaign: Campaign) -> "QuerySet[CampaignRecipient]":
    """Return the chosen whose standing allows it, and who are there to be written to."""
    here = Q(
        client__isnull=False, client__inactive_at=None, client__restricted_at=None, client__erased_at=None,
        client__blacklisted_at=None,
    )  # fmt: skip
    has_none = Q(client__email="") if campaign.channel == "email" else Q(client__phone="")
    return CampaignRecipient.objects.filter(here, Exists(granted(campaign)), campaign=campaign, reason="").exclude(has_none)


def unwritten(campaign: Campaign) -> "QuerySet[CampaignRecipient]":
    """Return those of them for whom there is no message yet."""
    said = Message.objects.filter(kind=campaign.kind, client_id=OuterRef("client_id"), occasion=str(campaign.pk))
    return wanted(campaign).filter(~Exists(said))


def granted(campaign: Campaign) -> "QuerySet[Standing]":
    """Return, beside a row with a client, the Yes that the campaign needs, or what stands for it of existing clients."""
    kind, states = kinds.TABLE[campaign.kind], [Standing.State.GRANTED]
    if kind.may_go_to_existing and existing.is_on(Salon.objects.current().country, campaign.channel):
        states.append(Standing.State.SOFT_OPT_IN)
    return Standing.objects.filter(
        client_id=OuterRef("client_id"), purpose=kind.purpose, channel=campaign.channel, state__in=states
    )


def revive(campaign: Campaign) -> int:
    """Let wait again what was taken back and is wanted again, and return how many."""
    again = Exists(wanted(campaign).filter(client_id=OuterRef("client_id")))
    ended = campaign.messages.filter(again, state=State.CANCELLED, reason__in=REVIVABLE, resend_of=None)
    return outbox.revive(ended)
