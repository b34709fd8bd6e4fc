"""One promotion of the demo, sent some days ago: who got it, and who was left out and why."""

import datetime as dt
import uuid
from random import Random

from clients.addresses import hash_of
from clients.models import Client, Standing
from notifications import gate, grounds, kinds, rendering
from notifications.demo import words
from notifications.models import Attempt, Campaign, CampaignRecipient, Message, State
from salon.core.models import Salon, User

KIND, CHANNEL = kinds.TABLE["promotion"], "email"
DAYS_AGO = 5


def add(*, salon: Salon, language: str, by: User, rng: Random, now: dt.datetime) -> None:
    """Write a campaign that is done: up to nine got it, a few others had said No or were never asked."""
    day = (now - dt.timedelta(days=DAYS_AGO)).astimezone(salon.zone).date()
    at = dt.datetime.combine(day, dt.time(11), salon.zone).astimezone(dt.UTC)
    said = Standing.objects.filter(purpose=KIND.purpose, channel=CHANNEL, client__inactive_at=None, event__effective_at__lt=at)
    said = said.exclude(client__email="").select_related("client", "event").order_by("client__sort_name", "pk")
    title, text = words.PROMOTION[language]
    campaign = Campaign.objects.create(
        kind=KIND.name, channel=CHANNEL, title=title, text=text, state=Campaign.State.DONE, key="demo", created_by=by,
        created_at=at - KIND.waits, not_before=at, expires_at=at + dt.timedelta(days=3), ended_at=at + dt.timedelta(minutes=1),
    )  # fmt: skip
    taken: set[str] = set()
    for standing in said.filter(state=Standing.State.GRANTED, client__blacklisted_at=None)[:9]:
        hmac = hash_of(CHANNEL, standing.client.email)
        if hmac not in taken:
            taken.add(hmac)
            _sent(campaign, standing, hmac, salon, rng)
    for standing in said.filter(state=Standing.State.WITHDRAWN)[:3]:
        campaign.recipients.create(client=standing.client, reason="consent_missing", event=standing.event)
    unasked = Client.objects.active().exclude(standings__purpose=KIND.purpose).order_by("sort_name", "pk")[:2]
    CampaignRecipient.objects.bulk_create(
        CampaignRecipient(campaign=campaign, client=client, reason="consent_missing") for client in unasked
    )


def _sent(campaign: Campaign, standing: Standing, hmac: str, salon: Salon, rng: Random) -> None:
    """Write what one client got, with the decision it stood on."""
    at = campaign.not_before + dt.timedelta(milliseconds=rng.randint(500, 9000))
    campaign.recipients.create(client=standing.client, address_hmac=hmac)
    message = Message(
        kind=KIND.name, channel=CHANNEL, client=standing.client, campaign=campaign, occasion=str(campaign.pk),
        state=State.ACCEPTED, not_before=campaign.not_before, expires_at=campaign.expires_at, created_at=campaign.created_at,
        lease_token=uuid.UUID(int=rng.getrandbits(128), version=4), claim_count=1, attempt_count=1, handoff_at=at,
        settled_at=at + dt.timedelta(milliseconds=rng.randint(80, 900)), provider="smtp", address_hmac=hmac,
        provider_id=f"{rng.getrandbits(48):x}@mail.example",
    )  # fmt: skip
    shown = rendering.render(message, salon)
    message.recipient, message.language, message.title, message.body = shown.recipient, shown.language, shown.title, shown.body
    message.save()
    stood_on = gate.Facts(
        message_id=message.pk, kind=KIND, channel=CHANNEL, zone=salon.time_zone, client_id=standing.client_id,
        expires_at=message.expires_at, consent="granted", event_ids=(standing.event_id,) if standing.event_id else (),
        is_automatic=False, has_public_address=True,
    )  # fmt: skip
    Attempt.objects.create(
        message=message, lease_token=message.lease_token or uuid.uuid4(), at=at, decision=grounds.as_json(stood_on),
        phase="done", outcome="accepted", code="250", duration_ms=rng.randint(60, 700),
    )  # fmt: skip
