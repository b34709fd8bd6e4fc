"""One click stops marketing to an address, from anywhere and without a sign-in (RFC 8058; C4, I-32, I-33)."""

from django.test import Client as Browser
from django.utils import timezone

from clients import consent
from clients.models import Address, ConsentEvent
from notifications import links
from salon.core.models import Salon
from tests import factories


def url_of(token: str) -> str:
    return f"/u/{token}/"


def test_one_click_stops_marketing_to_the_address(salon: Salon) -> None:
    client = factories.client()
    consent.record(client, purpose="mkt.promotion", channel="email", event="grant", source="in_person", now=timezone.now())
    browser = Browser(enforce_csrf_checks=True)
    answers = [browser.post(url_of(links.token(client, "email")), {"List-Unsubscribe": "One-Click"}) for _ in range(2)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"OK\n")] * 2
    stop = ConsentEvent.objects.get(event="object")
    assert (stop.purpose, stop.channel, stop.source, stop.actor_type, stop.evidence_level) == (
        "*", "email", "one_click_post", "client", 3,
    )  # fmt: skip
    assert Address.objects.get(hmac=consent.address_hash(client, "email")).scope == "marketing"
    assert consent.standing(client, "mkt.promotion", "email") == "withdrawn"
