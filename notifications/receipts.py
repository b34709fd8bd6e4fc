"""What the word of an SMS provider means beyond its message: for the number, for the ledger, for whoever pays.

`take` is called by dispatch with what came of a hand-over, `report` by the address at which the provider reports later. A
report may come twice, late and in any order; a message never goes back by it.
"""

import datetime as dt

from django.db import transaction

from clients import addresses
from clients.models import Address, ConsentEvent
from notifications import alarms, numbers, proofs, ways
from notifications.models import Message, ProviderEvent, State
from notifications.providers import codes
from notifications.providers.base import Outcome, Result

CHANNEL = "sms"
PROVIDER = "twilio"
# What Twilio says of a message, by what it proves: that it was taken, that it arrived, that it did not.
_TAKEN = frozenset({"accepted", "scheduled", "queued", "sending", "sent"})
_ARRIVED = frozenset({"delivered", "read"})
_LOST = frozenset({"undelivered", "failed", "canceled"})
STATUSES = _TAKEN | _ARRIVED | _LOST
# An SMS that could not be delivered on so many different days in this time: nobody is there.
SOFT_MAX, SOFT_WITHIN = 3, dt.timedelta(days=30)
_SOFT = frozenset({"30003", "30008"})


def take(message: Message, result: Result, *, now: dt.datetime) -> None:
    """Write down what follows from an answer of the provider. Call it in a transaction, before the message is settled."""
    if message.channel != CHANNEL or result.outcome not in {Outcome.FAILED, Outcome.DOWN}:
        return
    _follow(result.code, numbers_of(message), is_first=True, now=now)


def numbers_of(message: Message) -> str:
    """Return the number that a message went to, or is to go to."""
    return message.recipient or (str(message.client.phone or "") if message.client else "")


def _follow(code: str, number: str, *, is_first: bool, now: dt.datetime) -> None:
    """Do what an error code calls for. Those that are about us never touch a number or a consent."""
    if code in codes.STOPPED and number:
        numbers.stop(number, source=ConsentEvent.Source.PROVIDER_WEBHOOK, now=now)
    elif (code in codes.NO_SUCH_NUMBER or (code in codes.UNKNOWN_HANDSET and not is_first)) and number:
        addresses.stop(CHANNEL, number, scope=Address.Scope.DELIVERY, reason=Address.Reason.INVALID, now=now)
    elif code in codes.BLOCKED and number:
        addresses.stop(CHANNEL, number, scope=Address.Scope.MARKETING, reason=Address.Reason.COMPLAINT, now=now)
    elif code in codes.OURS | codes.SHUT:
        alarms.ring(code, now=now)


@transaction.atomic
def report(message_id: int | None, *, provider_id: str, status: str, code: str, now: dt.datetime) -> bool:
    """Note one report about a message, once, and bring the message on. Return whether it was new.

    `message_id` is what the address of the report names; without it the provider's own id finds the message. A status
    nobody knows is kept and changes nothing.
    """
    of: dict[str, int | str] = {"pk": message_id} if message_id else {"provider": PROVIDER, "provider_id": provider_id}
    message = Message.objects.filter(**of).select_related("client").first()
    if message is not None:
        numbers.lock(numbers_of(message), message.client_id)  # the order of the house: clients, then everything else
    _event, is_new = ProviderEvent.objects.get_or_create(
        provider=PROVIDER,
        provider_id=provider_id[:200],
        status=status[:20],
        defaults={"code": code[:20], "message": message, "at": now},
    )
    if not is_new:
        return False
    if message is None or status not in STATUSES:
        return True
    if status in _LOST:
        _follow_late(message, code, now)
    row = Message.objects.select_for_update().get(pk=message.pk)
    _bring_on(row, provider_id, status, code, now)
    return True


def _bring_on(row: Message, provider_id: str, status: str, code: str, now: dt.datetime) -> None:
    """Move a message as far as a report proves, never back.

    One that goes by another channel meanwhile is not lost by what became of its SMS: only that it arrived ends it.
    """
    if row.channel != CHANNEL:
        if status in _ARRIVED:
            proofs.arrived_before(row, CHANNEL, provider_id=provider_id, code="callback", now=now)
        return
    proofs.taken(row, provider_id=provider_id, code="callback", now=now)
    if row.state == State.ACCEPTED and status in _ARRIVED:
        proofs.arrived(row)
    elif row.state == State.ACCEPTED and status in _LOST:
        is_sure = proofs.lost(row, code=code) and code in codes.LOST
        if is_sure and (other := ways.other(row)):
            proofs.instead(row, other, now=now)


def _follow_late(message: Message, code: str, now: dt.datetime) -> None:
    number = numbers_of(message)
    earlier = ProviderEvent.objects.filter(
        provider=PROVIDER, status__in=_LOST, message__recipient=number, at__gt=now - SOFT_WITHIN
    ).exclude(message=message)
    _follow(code, number, is_first=not earlier.filter(code=code).exists(), now=now)
    days = {at.date() for at in earlier.filter(code__in=_SOFT).values_list("at", flat=True)} | {now.date()}
    if code in _SOFT and len(days) >= SOFT_MAX and number:
        addresses.stop(CHANNEL, number, scope=Address.Scope.DELIVERY, reason=Address.Reason.HARD_BOUNCE, now=now)
