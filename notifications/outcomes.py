"""What became of a message that was tried: taken, refused, put back, given up, of unknown fate. Written down by its owner.

Called by dispatch; the other half of `outbox`, whose table of steps it keeps. A row that a provider may have is never put
back by itself.
"""

import datetime as dt
import os
import random
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from notifications import writing
from notifications.models import MARKETING, Attempt, Message, State
from notifications.outbox import CLAIMS_MAX, OURS, TABLE, token_of
from notifications.providers import codes
from notifications.providers.base import Outcome, Phase, Result
from salon.core import audit, states

ATTEMPTS_MAX = 6
STUMBLES_MAX = 3
_STUMBLED = "stumbled"
RETRY_FIRST = dt.timedelta(seconds=60)
RETRY_LONGEST = dt.timedelta(hours=6)
DOWN_WAIT = dt.timedelta(minutes=15)
# Long after a living sender has given up writing down what it knows.
CLOSE_AFTER = dt.timedelta(days=1)
_BEFORE_RECIPIENT = frozenset({Phase.CONNECT, Phase.AUTH, Phase.MAIL})

# What `settle` does for a message that was taken.
_ACCEPTED = (
    writing.Update(
        Message,
        {"state": State.ACCEPTED, "reason": "", **writing.given("settled_at", "provider_id")},
        where={**OURS, "state": (State.HANDOFF, State.UNKNOWN)},
    ),
    writing.Update(
        Attempt,
        writing.given("phase", "outcome", "code", "duration_ms"),
        where={"message": writing.Given("id"), "lease_token": writing.Given("token")},
    ),
)


def accepted(message: Message, result: Result, *, now: dt.datetime) -> list[writing.Statement]:
    """Return the statements of `settle` for a message that was taken."""
    values = {"id": message.pk, "token": token_of(message), "settled_at": now, "provider_id": result.provider_id[:200]}
    values |= _outcome(result)
    return [one.fill(values) for one in _ACCEPTED]


def settle(message: Message, result: Result, *, now: dt.datetime, turn_to: str = "") -> bool:
    """Write down what came of the hand-over. Right also when it comes late, from UNKNOWN, with the same token.

    After a definite no the message goes by the channel `turn_to` instead, if one is given. Return False if the row is not
    ours any more: then nothing is changed.
    """
    # settled_at is when we knew; the state says what. A definite no to this try leaves nothing handed over.
    changes: dict[str, Any] = {"settled_at": now, "provider_id": result.provider_id[:200], "reason": ""}
    match result.outcome:
        case Outcome.ACCEPTED:
            to = State.ACCEPTED
        case Outcome.FAILED if turn_to:
            to, changes = State.PENDING, _turned(message, result, turn_to, now=now)
        case Outcome.FAILED if result.code in codes.STOPPED:
            to, changes = State.SUPPRESSED, {"settled_at": now, "reason": "channel_stop", "handoff_at": None}
        case Outcome.FAILED:
            to, changes["reason"] = State.FAILED, _code(result)
        case Outcome.UNKNOWN:
            to, changes["reason"] = State.UNKNOWN, _code(result)
        case _:
            to, changes = _again(message, result, now=now)
            changes |= {"handoff_at": None}
    rows = Message.objects.filter(pk=message.pk, lease_token=token_of(message), state__in=[State.HANDOFF, State.UNKNOWN])
    is_ours = rows.update(state=to, **changes) == 1
    if is_ours:
        message.state = to
        Attempt.objects.filter(message_id=message.pk, lease_token=token_of(message)).update(**_outcome(result))
    return is_ours


def _turned(message: Message, result: Result, channel: str, *, now: dt.datetime) -> dict[str, Any]:
    """Return the columns of a message that was refused on its channel and goes by another, as if it were new there."""
    return {
        "channel": channel, "turned_from": message.channel, "not_before": now, "reason": f"turned_{_code(result)}"[:40],
        "claim_count": 0, "attempt_count": 0, "handoff_at": None, "settled_at": None, "segments": 0, "cost": 0,
    }  # fmt: skip


def retry(
    message: Message, result: Result, *, now: dt.datetime, recipient: str = "", address_hmac: str = "", turn_to: str = ""
) -> bool:
    """Put back a message that was refused before its hand-over, give it up, or turn it to another channel, as `result` says.

    A refused `recipient` is kept, and its hash if the address was stopped for it: another one may be written to.
    """
    owned = Q(lease_token=message.lease_token)
    if result.outcome == Outcome.FAILED and turn_to:
        is_ours = states.move(message, TABLE, to=State.PENDING, guard=owned, **_turned(message, result, turn_to, now=now))
    elif result.outcome == Outcome.FAILED:
        refused = {"reason": _code(result), "settled_at": now, "recipient": recipient, "address_hmac": address_hmac}
        is_ours = states.move(message, TABLE, to=State.FAILED, guard=owned, **refused)
    else:
        attempts = message.attempt_count + (result.outcome != Outcome.DOWN)
        message.attempt_count = attempts
        to, changes = _again(message, result, now=now)
        is_ours = states.move(message, TABLE, to=to, guard=owned, **{"attempt_count": attempts, **changes})
    if is_ours and result.outcome != Outcome.DOWN:
        Attempt.objects.create(message_id=message.pk, lease_token=token_of(message), at=now, **_outcome(result))
    return is_ours


def _again(message: Message, result: Result, *, now: dt.datetime) -> tuple[State, dict[str, Any]]:
    """Return the state and the columns of a message that was definitely not taken."""
    if result.outcome == Outcome.DOWN:
        # `attempt_count` was raised by the hand-over only if there was one; a dead provider burns nothing.
        attempts = message.attempt_count - (message.state == State.HANDOFF)
        changes: dict[str, Any] = {"reason": "provider_down", "claim_count": 0, "attempt_count": attempts}
        if result.phase not in _BEFORE_RECIPIENT:
            changes["not_before"] = now + DOWN_WAIT  # others first: it may be this one that the server does not like
        return State.PENDING, changes
    due = now + max(backoff(message.attempt_count - 1), dt.timedelta(seconds=result.retry_after))
    if message.attempt_count >= ATTEMPTS_MAX:
        return State.FAILED, {"reason": _code(result), "settled_at": now}
    if due >= message.expires_at:
        return State.EXPIRED, {"reason": "expired", "settled_at": now}
    return State.PENDING, {"reason": "retry", "not_before": due, "claim_count": 0}


def backoff(count: int) -> dt.timedelta:
    """Return how long to wait after `count` earlier tries: up to 60 s × 4^count, never above six hours, with spread."""
    longest: dt.timedelta = min(RETRY_LONGEST, RETRY_FIRST * 4 ** max(count, 0))
    return longest * random.uniform(0.5, 1)  # noqa: S311 (spread, no secret)


def stumble(message: Message, *, now: dt.datetime) -> bool:
    """Put back a claimed message over which we fell ourselves; at the third time set it aside, and others go on."""
    owned = Q(lease_token=message.lease_token)
    stumbles = Attempt.objects.filter(message_id=message.pk, outcome=_STUMBLED)
    if stumbles.count() + 1 >= STUMBLES_MAX:
        is_ours = states.move(message, TABLE, to=State.QUARANTINED, guard=owned, reason="error", settled_at=now)
    else:  # the sender lives: a claim is counted against what kills it, not here
        wait = {"not_before": now + RETRY_FIRST, "claim_count": max(message.claim_count - 1, 0)}
        is_ours = states.move(message, TABLE, to=State.PENDING, guard=owned, reason="error", **wait)
    if is_ours:
        said = {"at": now, "outcome": _STUMBLED, "code": "error"}
        Attempt.objects.get_or_create(message_id=message.pk, lease_token=token_of(message), defaults=said)
    return is_ours


def fail(message: Message, reason: str, *, now: dt.datetime) -> bool:
    """End a claimed message that can never be sent as it is."""
    return states.move(message, TABLE, to=State.FAILED, guard=Q(lease_token=message.lease_token), reason=reason, settled_at=now)


def turn(message: Message, channel: str, *, reason: str, now: dt.datetime) -> bool:
    """Let a claimed message, which may not go by its channel, wait for the other one. `reason` says why; once only."""
    owned = Q(lease_token=message.lease_token, turned_from="")
    changes = {"channel": channel, "turned_from": message.channel, "not_before": now, "reason": f"turned_{reason}"[:40]}
    return states.move(message, TABLE, to=State.PENDING, guard=owned, claim_count=0, **changes)


def take_back(message: Message, *, now: dt.datetime) -> bool:
    """Undo a hand-over of which not one byte was sent (frozen too long since the decision). Own token only."""
    owned = Q(lease_token=message.lease_token)
    is_ours = states.move(
        message, TABLE, to=State.PENDING, guard=owned, handoff_at=None, reason="stale_decision", claim_count=0,
        attempt_count=message.attempt_count - 1,
    )  # fmt: skip
    if is_ours:
        attempts = Attempt.objects.filter(message_id=message.pk, lease_token=token_of(message))
        attempts.update(outcome="taken_back", phase="", code="stale_decision")
    return is_ours


def recover(now: dt.datetime) -> dict[str, int]:
    """Clear up after senders that died, and end what is too late. Return the counts by what was done.

    A message whose sender died while preparing it waits again; one whose sender died after the hand-over may have been
    sent, so its fate is unknown and it is never put back.
    """
    over = Message.objects.filter(lease_until__lt=Now())
    poison = Message.objects.filter(state__in=[State.PENDING, State.CLAIMED], claim_count__gt=CLAIMS_MAX)
    quarantined = poison.filter(Q(state=State.PENDING) | Q(lease_until__lt=Now()))
    counts = {
        "quarantined": quarantined.update(state=State.QUARANTINED, reason="sender_died", settled_at=now),
        "freed": over.filter(state=State.CLAIMED).update(state=State.PENDING, lease_token=None, lease_until=None),
        "unknown": _lost(over.filter(state=State.HANDOFF), now),
        "expired": Message.objects.filter(state__in=[State.PENDING, State.HELD], expires_at__lte=now).update(
            state=State.EXPIRED, reason="expired", settled_at=now
        ),
        "closed": _close(now),
    }
    return {name: count for name, count in counts.items() if count}


def end_leases() -> int:
    """Take what senders hold from them: of a restored database they are all dead, however long their leases run."""
    return Message.objects.filter(state__in=[State.CLAIMED, State.HANDOFF]).update(lease_until=Now() - dt.timedelta(seconds=1))


def hold_back(now: dt.datetime, *, reason: str) -> dict[str, int]:
    """Set aside for a person's eyes what may have been said already; advertising ends. Return both counts.

    That is what is due, and what is written only now: what waits for the morning may have left at its own time before.
    """
    due = Message.objects.filter(Q(not_before__lte=now) | Q(created_at__gte=now), state=State.PENDING)
    expired = due.filter(kind__in=MARKETING).update(state=State.EXPIRED, reason=reason, settled_at=now)
    return {"held": due.update(state=State.HELD, reason=reason), "expired": expired}


@transaction.atomic
def _close(now: dt.datetime) -> int:
    """End what is of unknown fate and too late to be sent again, once a manager had a day to see it, each with an audit line.

    The reason stays: it says what is unknown. The client still counts as told.
    """
    count = 0
    for message in Message.objects.filter(state=State.UNKNOWN, expires_at__lte=now, settled_at__lte=now - CLOSE_AFTER)[:100]:
        if states.move(message, TABLE, to=State.CLOSED_UNKNOWN):
            audit.record("message.closed_unknown", message, kind=message.kind)
            count += 1
    return count


def _lost(rows: "QuerySet[Message]", now: dt.datetime) -> int:
    if settings.TESTING and os.environ.get("OUTBOX_POLICY") == "requeue":
        # The control of the fault tests: what most queues do. It sends twice.
        return rows.update(state=State.PENDING, handoff_at=None)
    return rows.update(state=State.UNKNOWN, reason="sender_died", settled_at=now)


def _code(result: Result) -> str:
    return f"{result.phase}_{result.code}".strip("_")[:40]


def _outcome(result: Result) -> dict[str, Any]:
    return {
        "phase": str(result.phase)[:12], "outcome": str(result.outcome)[:12], "code": result.code[:20],
        "duration_ms": max(result.duration_ms, 0),
    }  # fmt: skip


# --- when a client is forgotten, or a text is old enough ----------------------------------------------------------

_WAITING = (State.PENDING, State.CLAIMED, State.HELD)
_NO_WORDS = {"recipient": "", "title": "", "body": ""}


def drop(rows: "QuerySet[Message]", *, reason: str, now: dt.datetime) -> int:
    """Cancel what waits among `rows`, also what a sender has claimed: its hand-over finds the row to be nobody's."""
    waiting = rows.filter(state__in=_WAITING)
    return waiting.update(state=State.CANCELLED, reason=reason, settled_at=now, lease_token=None, lease_until=None)


def forget_words(rows: "QuerySet[Message]") -> int:
    """Empty texts and recipients of messages that are over, and return how many."""
    return rows.exclude(state__in=(*_WAITING, State.HANDOFF, State.UNKNOWN)).update(**_NO_WORDS)


def glean() -> list[tuple[str, str]]:
    """Forget what a server answered after its client was erased, and return provider and what it calls the message."""
    late = Message.objects.filter(client=None).exclude(provider_id="", **_NO_WORDS)
    if not late.exists():  # asked every minute: without a lock
        return []
    with transaction.atomic():
        rows = list(late.select_for_update().values_list("pk", "provider", "provider_id"))
        Message.objects.filter(pk__in=[pk for pk, _name, _id in rows]).update(provider_id="", **_NO_WORDS)
    return [(provider, reference) for _pk, provider, reference in rows if reference]
