"""STOP and START of a phone number, written into the ledger of every card that has it. Called when an answer, or the
provider's refusal, says so.

STOP ends all SMS, as the provider lets nothing more through; START opens messages about visits again and no advertising.
"""

import datetime as dt

from django.db import transaction
from django.db.models import Q

from clients import addresses, consent, fold
from clients.models import Address, Client, ConsentEvent

CHANNEL = "sms"
_OPENING = fold.POSITIVE | {"provider_start", "pending"}


def cards(number: str) -> list[Client]:
    """Return the cards with this number (E.164) in the order in which they are locked."""
    return list(Client.objects.filter(phone=number, erased_at=None).order_by("pk"))


def lock(number: str, client_id: int | None = None) -> None:
    """Lock the cards with this number, and one more, in the order of the house. Call it first in a transaction."""
    found = Client.objects.select_for_update().filter(Q(phone=number, erased_at=None) & ~Q(phone="") | Q(pk=client_id))
    list(found.order_by("pk").values_list("pk"))


@transaction.atomic
def stop(number: str, *, source: str, now: dt.datetime) -> list[ConsentEvent]:
    """Stop all SMS to a number, whoever has it, and return the new events: none where that was said already.

    The number itself is stopped too, also where no card has it.
    """
    hmac = addresses.hash_of(CHANNEL, number)
    said = [_said(client, "provider_stop", source, hmac) for client in cards(number) if not _is_stopped(client)]
    events = consent.record_many(said, now=now)
    if not events and not Address.objects.filter(channel=CHANNEL, hmac=hmac, scope=Address.Scope.ALL).exists():
        addresses.stop_hash(CHANNEL, hmac, scope=Address.Scope.ALL, reason=Address.Reason.STOP, now=now)
    return events


@transaction.atomic
def start(number: str, *, now: dt.datetime) -> list[ConsentEvent]:
    """Let messages about visits through to a number again, and return the new events. Advertising stays stopped."""
    hmac = addresses.hash_of(CHANNEL, number)
    source = ConsentEvent.Source.SMS_REPLY
    said = [_said(client, "provider_start", source, hmac) for client in cards(number) if _is_stopped(client)]
    events = consent.record_many(said, now=now)
    if not events:
        addresses.reopen_service(CHANNEL, hmac)
    return events


def _said(client: Client, event: str, source: str, hmac: str) -> consent.Said:
    return consent.Said(client, fold.EVERYTHING, CHANNEL, event, source, address_hmac=hmac)


def _is_stopped(client: Client) -> bool:
    """Return whether STOP is the last that the ledger has heard of the number."""
    lines = [line for line in fold.visible(consent.events_of(client), None) if line.channel in {CHANNEL, fold.ANY_CHANNEL}]
    last = max((line.id for line in lines if line.event == "provider_stop"), default=0)
    return bool(last) and not any(line.id > last and line.event in _OPENING for line in lines)
