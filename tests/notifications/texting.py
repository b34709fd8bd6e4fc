"""An account at the stand-in for Twilio, clients with mobiles, and reports signed as Twilio signs them, for tests about SMS."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.test import Client as Browser

from clients import consent
from clients.models import Client
from notifications import campaigns
from notifications.campaigns import Words
from notifications.models import Campaign, Message, SmsAccount
from salon.core.models import Salon, User
from tests import factories
from tests.fakes import twilio_server
from tests.fakes.twilio_server import ACCOUNT, KEY, SECRET, TOKEN, TwilioServer

SITE = "https://salon.example"
INBOUND = "/hooks/twilio/inbound/"
NUMBER = "+33612345678"
OURS = "+33757000000"


def account(**fields: Any) -> SmsAccount:
    """Return the salon's account: a number that clients can answer, 8 cents a part to France."""
    values: dict[str, Any] = {
        "account_sid": ACCOUNT, "key_sid": KEY, "key_secret": SECRET, "auth_token": TOKEN, "sender_kind": "number",
        "sender": OURS, "can_answer": True, "prices": {"FR": "0.0800", "*": "0.1000"},
    }  # fmt: skip
    return SmsAccount.objects.create(**{**values, **fields})


def client(**fields: Any) -> Client:
    """Return somebody who likes SMS and has no e-mail."""
    return factories.client(**{"phone": NUMBER, "email": "", "preferred_channel": "sms", **fields})


def willing(now: dt.datetime, **fields: Any) -> Client:
    """Return somebody who said Yes to promotions by SMS ten days ago."""
    found = client(**fields)
    consent.record(
        found, purpose="mkt.promotion", channel="sms", event="grant", source="in_person", now=now - dt.timedelta(days=10)
    )
    return found


def send(*clients: Client, by: User, now: dt.datetime, text: str = "Soins -20 %", key: str = "k", **more: Any) -> Campaign:
    """Send a promotion by SMS as the page does."""
    return campaigns.send(clients=clients, words=Words("Soins", text, channel="sms"), key=key, by=by, now=now, **more)


def answers(body: str, *, number: str = NUMBER, sid: str = "SMin1", token: str = TOKEN, **more: str) -> Any:
    """Let somebody send an SMS to the salon; return the answer of our page to Twilio."""
    form = {"MessageSid": sid, "From": number, "To": OURS, "Body": body, "AccountSid": ACCOUNT, "NumMedia": "0", **more}
    signature = twilio_server.sign(f"{SITE}{INBOUND}", form, token)
    return Browser(enforce_csrf_checks=True).post(INBOUND, form, headers={"X-Twilio-Signature": signature})


def reports(server: TwilioServer, message: Message, status: str, **more: str) -> Any:
    """Let Twilio report about a message that it took."""
    sms = next(
        one for one in server.taken if one.form["StatusCallback"].rstrip("/").rpartition("/")[2].startswith(f"{message.pk}-")
    )
    url, form, signature = server.callback(sms, status, **more)
    path = url.removeprefix(SITE)
    return Browser(enforce_csrf_checks=True).post(path, form, headers={"X-Twilio-Signature": signature})


def lets_all_pass(salon: Salon) -> None:
    """Give the salon its public address."""
    Salon.objects.filter(pk=salon.pk).update(public_url=SITE)


PRICE = Decimal("0.0800")
