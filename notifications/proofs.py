"""What a provider proves of a message later: that it took it, that it has it not, that it arrived or did not. Never back.

Called by receipts (what it reports by itself) and reconciling (what it says when asked). With `outbox` and `outcomes` the only
writer of Message and Attempt.
"""

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from notifications import reasons
from notifications.models import Attempt, Message, State
from notifications.outbox import LATE, TABLE, token_of
from notifications.providers.base import Outcome, Phase
from salon.core import audit, states

# The outcome of a try of which the provider has nothing.
ABSENT = "absent"
# One that waited is as if its answer had come at once. What a person or a rule ended keeps its reason, whatever is proved.
_WAITING = (State.PENDING, State.CLAIMED)


@transaction.atomic
def taken(message: Message, *, provider_id: str, code: str, now: dt.datetime) -> bool:
    """Note that the provider has a message whose answer is out or was lost. `code` says how we know.

    One that waits again, because the provider's own list had not shown it, must not be said twice; and whatever ended it
    meanwhile, it was said.
    """
    changes = {"settled_at": now, "provider_id": provider_id[:200], "reason": ""}
    owned = Q(lease_token=message.lease_token)
    if message.state in LATE and (asked := message.attempts.filter(outcome=ABSENT).order_by("-pk").first()):
        return _taken_after_all(message, asked, changes, code)
    if message.state not in {State.HANDOFF, State.UNKNOWN}:
        return False
    is_ours = states.move(message, TABLE, to=State.ACCEPTED, guard=owned, **changes)
    if is_ours:
        tried = message.attempts.filter(lease_token=token_of(message), outcome__in=["", "unknown"])
        tried.update(outcome=Outcome.ACCEPTED.value, phase=Phase.REPLY.value, code=code)
    return is_ours


def _taken_after_all(message: Message, tried: Attempt, changes: dict[str, Any], code: str) -> bool:
    """Note that a message was handed over of which the provider had nothing when it was asked.

    If its address had the same of somebody else meanwhile, it only waits no more: a campaign counts one for an address.
    """
    if message.state not in _WAITING:
        changes = {**changes, "reason": message.reason}
    handed = {**changes, "state": State.ACCEPTED, "handoff_at": tried.at, "lease_token": tried.lease_token}
    rows = Message.objects.filter(pk=message.pk, state=message.state, lease_token=message.lease_token, handoff_at=None)
    try:
        with transaction.atomic():
            is_ours = rows.update(**handed) == 1
    except IntegrityError:
        return states.move(message, TABLE, to=State.CANCELLED, **{**changes, "reason": "duplicate"})
    if is_ours:
        Attempt.objects.filter(pk=tried.pk).update(outcome=Outcome.ACCEPTED.value, phase=Phase.REPLY.value, code=code)
        for name, value in handed.items():
            setattr(message, name, value)
    return is_ours


@transaction.atomic
def absent(message: Message, *, now: dt.datetime) -> bool:
    """Let a message of unknown fate wait again of which the provider has nothing. A second time it stays for somebody to see."""
    if message.attempts.filter(outcome=ABSENT).exists():
        return False
    owned = Q(lease_token=token_of(message))
    is_ours = states.move(
        message, TABLE, to=State.PENDING, guard=owned, handoff_at=None, settled_at=None, not_before=now, reason="not_taken",
        claim_count=0,
    )  # fmt: skip
    if is_ours:
        message.attempts.filter(lease_token=token_of(message)).update(outcome=ABSENT, code=ABSENT)
    return is_ours


def arrived(message: Message) -> bool:
    """Note that a message reached the phone, or the mailbox."""
    return states.move(message, TABLE, to=State.DELIVERED)


@transaction.atomic
def instead(message: Message, channel: str, *, now: dt.datetime) -> bool:
    """Say by another channel what surely did not arrive, once, while it makes sense; return whether there is such a message now.

    It is a row of its own, as the lost one has ended. The gate is asked as always.
    """
    if message.expires_at <= now:
        return False
    _row, is_new = Message.objects.get_or_create(
        kind=message.kind, client_id=message.client_id, occasion=f"{message.occasion}:by_{channel}"[:80],
        defaults={
            "channel": channel, "turned_from": message.channel, "appointment_id": message.appointment_id,
            "time_version": message.time_version, "told_start_at": message.told_start_at, "not_before": now,
            "expires_at": message.expires_at, "created_at": now, "resend_of": message,
        },
    )  # fmt: skip
    return is_new


@transaction.atomic
def arrived_before(message: Message, channel: str, *, provider_id: str, code: str, now: dt.datetime) -> bool:
    """Note that a message that turned to another channel had arrived by `channel` all the same: it waits no more."""
    asked = message.attempts.filter(outcome=ABSENT).order_by("-pk").first()
    if message.state not in LATE or asked is None:
        return False
    changes = {"settled_at": now, "provider_id": provider_id[:200], "reason": "", "channel": channel, "turned_from": ""}
    return _taken_after_all(message, asked, changes, code) and arrived(message)


def lost(message: Message, *, code: str) -> bool:
    """Note that a message that was taken did not reach the phone. Return whether it was still to reach it."""
    return _lost(message, code, reason=f"reply_{code or 'lost'}"[:40])


def returned(message: Message, *, code: str, now: dt.datetime) -> bool:
    """Note that a mail that was taken came back, for the reason `code` (RFC 3463). Return whether it was still wanted."""
    return _lost(message, code, reason=f"{reasons.RETURNED}{code}"[:40], settled_at=now)


def _lost(message: Message, code: str, **changes: Any) -> bool:
    ended = message.reason if message.state == State.ACCEPTED else ""
    if ended:  # somebody stopped it before the proof came: their reason stays, and it is said by no other way
        changes["reason"] = ended
    is_new = states.move(message, TABLE, to=State.BOUNCED, **changes)
    if is_new:
        audit.record("message.not_delivered", message, kind=message.kind, code=code)
    return is_new and not ended
