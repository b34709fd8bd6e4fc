"""Clients who said Yes or No to offers, and campaigns to them, for tests about advertising."""

import datetime as dt
from typing import Any

from clients import consent
from clients.models import Client
from notifications import campaigns
from notifications.campaigns import Words
from notifications.models import Campaign, Message
from salon.core.models import User
from tests import factories

WORDS = Words("Winter at {salon}", "All treatments are 20 % off, {first_name}.")
AFTER_UNDO = dt.timedelta(seconds=31)


def says(client: Client, event: str, now: dt.datetime, **said: Any) -> None:
    """Write down what the client said about promotions by e-mail."""
    values = {"purpose": "mkt.promotion", "channel": "email", "source": "in_person", **said}
    consent.record(client, event=event, now=now, **values)


def willing(now: dt.datetime, **fields: Any) -> Client:
    """Return a client who said Yes ten days ago."""
    client = factories.client(**fields)
    says(client, "grant", now - dt.timedelta(days=10))
    return client


def send(*clients: Client, by: User, now: dt.datetime, key: str = "k", words: Words = WORDS, **more: Any) -> Campaign:
    """Send a campaign as the page does."""
    return campaigns.send(clients=clients, words=words, key=key, by=by, now=now, **more)


def waiting(client: Client, campaign: Campaign, now: dt.datetime) -> Message:
    """Return a message that waits for this client whatever they said: what a planner gone mad would write."""
    return Message.objects.create(
        kind="promotion", channel="email", client=client, campaign=campaign, occasion=str(campaign.pk),
        not_before=now - AFTER_UNDO, expires_at=now + dt.timedelta(days=2), created_at=now - AFTER_UNDO,
    )  # fmt: skip


def campaign(now: dt.datetime, **fields: Any) -> Campaign:
    """Return a campaign under way with nobody in it yet."""
    values = {
        "kind": "promotion", "channel": "email", "title": WORDS.title, "text": "Come and see us.",
        "key": f"key{Campaign.objects.count()}",
        "state": "running", "not_before": now - AFTER_UNDO, "expires_at": now + dt.timedelta(days=2),
    }  # fmt: skip
    return Campaign.objects.create(**{**values, **fields})
