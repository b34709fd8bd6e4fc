"""SMS of unknown fate: asks the provider whether it has them. What it has was sent; what it surely has not waits again, once.

Called by dispatch when nothing is left to be sent, outside any transaction. What the provider does not say stays unknown.
"""

import datetime as dt
from collections import Counter

from django.db.models import Exists, OuterRef, QuerySet

from notifications import circuit, proofs, smsaccount
from notifications.models import Attempt, Message, SmsAccount, State
from notifications.outbox import token_of
from notifications.receipts import PROVIDER

# Until then a message may still turn up in the provider's list.
ABSENT_AFTER = dt.timedelta(minutes=15)
# Asked for at once the list may not have it yet.
FIRST_AFTER = dt.timedelta(minutes=1)
# How far the provider's clock may be from the database's.
_APART = dt.timedelta(minutes=15)
_AT_ONCE = 20


def reconcile(now: dt.datetime) -> Counter[str]:
    """Look for SMS of unknown fate at the provider and return counts by what was found. A provider that is down is left alone."""
    counts: Counter[str] = Counter()
    if circuit.is_open(PROVIDER, now):
        return counts
    rows = list(_waiting(now).order_by("handoff_at", "pk")[:_AT_ONCE])
    carrier = smsaccount.twilio() if rows else None
    for message in rows:
        tried = _attempt(message)
        if carrier is None or tried is None or now - tried.at < FIRST_AFTER:
            continue
        try:
            found = carrier.find(message.recipient, message.body, between=_between(message), known=_known(message))
        except LookupError:
            break  # it does not say: next time
        if found is not None:
            counts["found"] += proofs.taken(message, provider_id=found.provider_id, code="listed", now=now)
        elif now - tried.at >= ABSENT_AFTER:
            counts["absent"] += proofs.absent(message, now=now)
    return counts


def _waiting(now: dt.datetime) -> "QuerySet[Message]":
    """Return what can be asked about. What was absent before is not proved so again: it must not stand in the way for ever."""
    tries = Attempt.objects.filter(message=OuterRef("pk"))
    is_over = Exists(tries.filter(outcome=proofs.ABSENT)) & ~Exists(tries.filter(at__gte=now - ABSENT_AFTER))
    rows = Message.objects.filter(state=State.UNKNOWN, channel="sms", provider=PROVIDER, expires_at__gt=now)
    since = SmsAccount.objects.filter(pk=1).values_list("account_since", flat=True).first()
    if since is not None:  # the account before is not asked: its messages are not absent
        rows = rows.filter(handoff_at__gte=since)
    return rows.exclude(recipient="").exclude(is_over)  # without a number everybody's messages would be looked through


def _attempt(message: Message) -> Attempt | None:
    return Attempt.objects.filter(message=message, lease_token=token_of(message)).first() if message.lease_token else None


def _between(message: Message) -> tuple[dt.datetime, dt.datetime]:
    at = message.handoff_at or message.created_at
    return at - _APART, at + _APART


def _known(message: Message) -> set[str]:
    """Return the provider's ids of other messages to this number: two of one text are two."""
    rows = Message.objects.filter(channel="sms", recipient=message.recipient).exclude(pk=message.pk).exclude(provider_id="")
    return set(rows.values_list("provider_id", flat=True))
