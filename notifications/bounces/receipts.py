"""What follows from a report about a mail of ours: for the message, for the address, for the ledger. Each report counts once.

Called with what was read in the mailbox, and with what a connected system tells. It can only restrict, and only for the
address to which that very message went.
"""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from clients import addresses, consent, fold, stops
from clients.models import Address, Client, ConsentEvent
from notifications import alarms, messageids, proofs, ways
from notifications.bounces.reports import Action, Report
from notifications.models import Message, ProviderEvent, State
from notifications.providers.replies import Verdict, verdict
from salon.core.models import Salon

CHANNEL = "email"
PROVIDER = "mailbox"
# A mailbox that was full on so many different days in this time: nobody reads it any more.
FULL_MAX, FULL_WITHIN = 3, dt.timedelta(days=30)


@transaction.atomic
def take(report: Report, *, now: dt.datetime) -> bool:
    """Do what a report calls for, unless it was done before. Return whether it is about a mail of ours.

    It is, if its Message-ID has our proof and it names the address to which we gave that message: nothing else changes
    anything. Safe to call again at any time, in any order.
    """
    message = _meant(report)
    if message is None:
        return False
    cards = _lock(message, report) if report.action is Action.COMPLAINT else _lock(message, None)
    _event, is_new = ProviderEvent.objects.get_or_create(
        provider=PROVIDER,
        provider_id=report.message_id.strip("<>").partition("@")[0],
        status=report.action.value,
        defaults={"code": report.status[:20], "message": message, "at": now},
    )
    if not is_new:
        return True
    match report.action:
        case Action.COMPLAINT:
            _complain(message, cards, now)
        case Action.FAILED:
            _come_back(message, report.status, now)
        case Action.DELIVERED:
            _arrive(message, now)
        case Action.DELAYED:
            pass  # it is still on its way
    return True


def _meant(report: Report) -> Message | None:
    """Return the message that a report is about, None unless it names us, the message and whom it went to."""
    pk = messageids.read(report.message_id, Salon.objects.current().instance)
    if pk is None:
        return None
    message = Message.objects.filter(pk=pk, channel=CHANNEL, handoff_at__isnull=False).exclude(address_hmac="").first()
    named = {addresses.hash_of(CHANNEL, address) for address in report.addresses}
    return message if message is not None and message.address_hmac in named else None


def _lock(message: Message, complaint: Report | None) -> list[Client]:
    """Lock the card of the message, of a complaint every card with that address: in the order of the house, clients first."""
    ids = {message.client_id} if message.client_id else set()
    if complaint is not None:
        ids |= {pk for one in complaint.addresses for pk in addresses.cards_at(CHANNEL, one).values_list("pk", flat=True)}
    return list(Client.objects.select_for_update().filter(pk__in=ids, erased_at=None).order_by("pk"))


def _come_back(message: Message, status: str, now: dt.datetime) -> None:
    """Mark the address if the report says it is dead, and end the message; what was about a visit is said another way."""
    fault = verdict(status)
    if fault is Verdict.GONE or (fault is Verdict.FULL and _full_days(message, now) >= FULL_MAX):
        scope, reason = Address.Scope.DELIVERY, Address.Reason.HARD_BOUNCE
        addresses.stop_hash(CHANNEL, message.address_hmac, scope=scope, reason=reason, now=now)
    elif fault is Verdict.OURS:
        alarms.ring_returned(now=now)
    row = _taken(message, now)
    if row.state == State.ACCEPTED and proofs.returned(row, code=status, now=now) and (other := ways.other(row)):
        proofs.instead(row, other, now=now)


def _full_days(message: Message, now: dt.datetime) -> int:
    """Return on how many days, today among them, the mailbox of the address took nothing."""
    events = ProviderEvent.objects.filter(
        provider=PROVIDER, status=Action.FAILED.value, message__address_hmac=message.address_hmac, at__gt=now - FULL_WITHIN
    )
    return len({timezone.localdate(at) for code, at in events.values_list("code", "at") if verdict(code) is Verdict.FULL})


def _arrive(message: Message, now: dt.datetime) -> None:
    row = _taken(message, now)
    if row.state == State.ACCEPTED:
        proofs.arrived(row)


def _taken(message: Message, now: dt.datetime) -> Message:
    """Return the row, locked. That somebody reports on it proves that the server took it, also where its answer was lost."""
    row = Message.objects.select_for_update().get(pk=message.pk)
    proofs.taken(row, provider_id=row.provider_id, code="report", now=now)
    return row


def _complain(message: Message, cards: list[Client], now: dt.datetime) -> None:
    """Write the complaint into the ledger of every card with the address, and stop advertising to it, whoever has it."""
    hmac = message.address_hmac
    source = ConsentEvent.Source.PROVIDER_WEBHOOK
    said = [
        consent.Said(card, fold.ALL_MARKETING, CHANNEL, "complaint", source, address_hmac=hmac)
        for card in cards
        if consent.address_hash(card, CHANNEL) == hmac and not stops.has_objected(card, CHANNEL, hmac)
    ]
    consent.record_many(said, now=now)
    addresses.stop_hash(CHANNEL, hmac, scope=Address.Scope.MARKETING, reason=Address.Reason.COMPLAINT, now=now)
