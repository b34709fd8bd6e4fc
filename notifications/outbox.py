"""The outbox: the only writer of Message and Attempt. A row is the thing to say, its place in the queue and its history.

Called by planner, dispatch and the message pages. Decides no policy: what may be said is the gate's, what is wanted the
planner's. A row that a provider may have is never put back by itself.
"""

import datetime as dt
import os
import random
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from notifications import gate, models, writing
from notifications.models import Attempt, Message, State
from notifications.providers.base import Outcome, Phase, Result
from salon.core import audit, prepared, states
from salon.core.errors import Refused
from salon.core.models import User

TABLE = states.Table(
    {
        State.PENDING: frozenset({
            State.CLAIMED, State.CANCELLED, State.SUPPRESSED, State.EXPIRED, State.QUARANTINED, State.HELD,
        }),
        State.CLAIMED: frozenset({
            State.PENDING, State.HANDOFF, State.CANCELLED, State.SUPPRESSED, State.EXPIRED, State.FAILED,
            State.QUARANTINED, State.HELD,
        }),
        # Back to PENDING only on proof that the provider did not take it.
        State.HANDOFF: frozenset({
            State.PENDING, State.ACCEPTED, State.FAILED, State.SUPPRESSED, State.EXPIRED, State.UNKNOWN,
        }),
        State.UNKNOWN: frozenset({
            State.PENDING, State.ACCEPTED, State.FAILED, State.SUPPRESSED, State.EXPIRED, State.CLOSED_UNKNOWN,
        }),
        State.ACCEPTED: frozenset({State.DELIVERED, State.BOUNCED}),
        State.HELD: frozenset({State.PENDING, State.CANCELLED, State.EXPIRED}),
        # Revived while no provider can have it, when what stood against it was undone.
        State.CANCELLED: frozenset({State.PENDING}),
        State.SUPPRESSED: frozenset({State.PENDING}),
        State.DELIVERED: frozenset(),
        State.BOUNCED: frozenset(),
        State.FAILED: frozenset(),
        State.EXPIRED: frozenset(),
        State.QUARANTINED: frozenset(),
        State.CLOSED_UNKNOWN: frozenset(),
    }
)  # fmt: skip

TOLD = models.TOLD

CLAIM_MAX = 20
CLAIM_LEASE = dt.timedelta(seconds=150)
HANDOFF_LEASE = dt.timedelta(minutes=15)
ATTEMPTS_MAX = 6
CLAIMS_MAX = 5
STUMBLES_MAX = 3
_STUMBLED = "stumbled"
RETRY_FIRST = dt.timedelta(seconds=60)
RETRY_LONGEST = dt.timedelta(hours=6)
DOWN_WAIT = dt.timedelta(minutes=15)
_BEFORE_RECIPIENT = frozenset({Phase.CONNECT, Phase.AUTH, Phase.MAIL})

_AGAIN = re.compile(r"(:again\d+)+$")
_MAY_ARRIVE = (State.PENDING, State.CLAIMED, State.HANDOFF, State.UNKNOWN, State.ACCEPTED, State.DELIVERED, State.BOUNCED)
RESENDABLE = (State.UNKNOWN, State.FAILED, State.QUARANTINED)

# --- writing down what is to be said ------------------------------------------------------------------------------

_NEW: Mapping[str, Any] = {
    "reason": "", "claim_count": 0, "attempt_count": 0, "address_hmac": "", "recipient": "", "language": "", "title": "",
    "body": "", "provider": "", "provider_id": "", "state": State.PENDING.value,
}  # fmt: skip
_SAID = (
    "client_id", "appointment_id", "campaign_id", "occasion", "time_version", "told_start_at", "not_before", "expires_at",
)  # fmt: skip


def put(rows: "QuerySet[Any]", *, kind: str, channel: str, now: dt.datetime, said: Mapping[str, Any]) -> int:
    """Write one waiting message for each of `rows` that has not got it yet, in one statement, and return how many.

    `said` gives an expression over `rows` for client_id, appointment_id, campaign_id, occasion, time_version,
    told_start_at, not_before and expires_at. What was already said (kind, client, occasion) is left alone.
    """
    if missing := set(_SAID) ^ set(said):
        raise TypeError(f"put: {sorted(missing)}")
    values: dict[str, Any] = {name: _expression(name, value) for name, value in {**_NEW, **said}.items()}
    values |= {name: _expression(name, value) for name, value in (("kind", kind), ("channel", channel), ("created_at", now))}
    chosen = rows.order_by().annotate(**{f"put_{name}": value for name, value in values.items()})
    query, params = chosen.values_list(*(f"put_{name}" for name in values)).query.sql_with_params()
    columns = ", ".join(connection.ops.quote_name(name) for name in values)
    table = connection.ops.quote_name(Message._meta.db_table)
    with connection.cursor() as cursor:
        # Names come from the model, values are parameters.
        cursor.execute(f"INSERT INTO {table} ({columns}) {query} ON CONFLICT DO NOTHING", params)
        return max(int(cursor.rowcount), 0)


def _expression(name: str, value: Any) -> Any:
    if hasattr(value, "resolve_expression"):
        return value
    field = Message._meta.get_field(name)
    return Value(value, output_field=CharField() if isinstance(value, str) else cast(Any, field))


# --- the sender's steps -------------------------------------------------------------------------------------------


def claim(now: dt.datetime, limit: int = CLAIM_MAX) -> list[Message]:
    """Take up to `limit` (at most 20) messages that are due at `now` for this sender alone, the oldest first.

    Each carries `lease_token`; after the lease, told by the clock of the database, anybody may take it again.
    """
    token = uuid.uuid4()
    with transaction.atomic():
        due = Message.objects.filter(state=State.PENDING, not_before__lte=now, expires_at__gt=now).order_by("not_before", "id")
        ids = list(due.select_for_update(skip_locked=True).values_list("id", flat=True)[: min(limit, CLAIM_MAX)])
        if not ids:
            return []
        Message.objects.filter(id__in=ids, state=State.PENDING).update(
            state=State.CLAIMED, lease_token=token, lease_until=Now() + CLAIM_LEASE, claim_count=F("claim_count") + 1
        )
    taken = Message.objects.filter(id__in=ids, state=State.CLAIMED, lease_token=token)
    return list(taken.select_related("client", "appointment__staff", "appointment__service").order_by("not_before", "id"))


def handoff(
    message: Message,
    decision: gate.Send,
    *,
    facts: Mapping[str, Any],
    accepted: tuple[Message, Result] | None = None,
    **snapshot: str,
) -> bool:
    """Cross the point of no return for `message`: True if it is ours to send, once. Call inside the hand-over transaction.

    `facts` is stored with the attempt, so that the decision can be taken again later; `snapshot` are the columns
    recipient, address_hmac, language, title, body, provider. `accepted` is the message before this one with its result,
    written down by the way. False: somebody else has it, or the lease is over.
    """
    token = _token(message)
    crossing = writing.update(
        Message,
        {
            "state": State.HANDOFF, "handoff_at": writing.NOW, "lease_until": HANDOFF_LEASE, "reason": "",
            "attempt_count": message.attempt_count + 1, **snapshot,
        },
        where={"id": message.pk, "state": State.CLAIMED, "lease_token": token},
        is_lease_running=True,
    )  # fmt: skip
    attempt = writing.insert_if(
        Attempt,
        {
            "message": message.pk, "lease_token": token, "at": decision.decided_at, "decision": dict(facts), "phase": "",
            "outcome": "", "code": "", "duration_ms": None,
        },
        Message,
        where={"id": message.pk, "state": State.HANDOFF, "lease_token": token},
    )  # fmt: skip
    before = [] if accepted is None else _accepted(*accepted, now=decision.decided_at)
    *_counts, is_ours, _attempts = prepared.execute([*before, crossing, attempt])
    if is_ours:
        message.state = State.HANDOFF
        message.attempt_count += 1
    return bool(is_ours)


def _accepted(message: Message, result: Result, *, now: dt.datetime) -> list[writing.Statement]:
    """Return the statements of `settle` for a message that was taken."""
    owned = {"message": message.pk, "lease_token": _token(message)}
    changes = {"state": State.ACCEPTED, "settled_at": now, "provider_id": result.provider_id[:200], "reason": ""}
    row = {"id": message.pk, "lease_token": _token(message), "state": (State.HANDOFF, State.UNKNOWN)}
    return [writing.update(Message, changes, where=row), writing.update(Attempt, _outcome(result), where=owned)]


def settle(message: Message, result: Result, *, now: dt.datetime) -> bool:
    """Write down what came of the hand-over. Right also when it comes late, from UNKNOWN, with the same token.

    Return False if the row is not ours any more: then nothing is changed.
    """
    # settled_at is when we knew; the state says what. A definite no to this try leaves nothing handed over.
    changes: dict[str, Any] = {"settled_at": now, "provider_id": result.provider_id[:200], "reason": ""}
    match result.outcome:
        case Outcome.ACCEPTED:
            to = State.ACCEPTED
        case Outcome.FAILED:
            to, changes["reason"] = State.FAILED, _code(result)
        case Outcome.UNKNOWN:
            to, changes["reason"] = State.UNKNOWN, _code(result)
        case _:
            to, changes = _again(message, result, now=now)
            changes |= {"handoff_at": None}
    rows = Message.objects.filter(pk=message.pk, lease_token=_token(message), state__in=[State.HANDOFF, State.UNKNOWN])
    is_ours = rows.update(state=to, **changes) == 1
    if is_ours:
        message.state = to
        Attempt.objects.filter(message_id=message.pk, lease_token=_token(message)).update(**_outcome(result))
    return is_ours


def retry(message: Message, result: Result, *, now: dt.datetime, recipient: str = "", address_hmac: str = "") -> bool:
    """Put back a message that was refused before its hand-over, or give it up, as `result` says.

    A refused `recipient` is kept, and its hash if the address was stopped for it: another one may be written to.
    """
    owned = Q(lease_token=message.lease_token)
    if result.outcome == Outcome.FAILED:
        refused = {"reason": _code(result), "settled_at": now, "recipient": recipient, "address_hmac": address_hmac}
        is_ours = states.move(message, TABLE, to=State.FAILED, guard=owned, **refused)
    else:
        attempts = message.attempt_count + (result.outcome != Outcome.DOWN)
        message.attempt_count = attempts
        to, changes = _again(message, result, now=now)
        is_ours = states.move(message, TABLE, to=to, guard=owned, **{"attempt_count": attempts, **changes})
    if is_ours and result.outcome != Outcome.DOWN:
        Attempt.objects.create(message_id=message.pk, lease_token=_token(message), at=now, **_outcome(result))
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
    due = now + backoff(message.attempt_count - 1)
    if message.attempt_count >= ATTEMPTS_MAX:
        return State.FAILED, {"reason": _code(result), "settled_at": now}
    if due >= message.expires_at:
        return State.EXPIRED, {"reason": "expired", "settled_at": now}
    return State.PENDING, {"reason": "retry", "not_before": due, "claim_count": 0}


def backoff(count: int) -> dt.timedelta:
    """Return how long to wait after `count` earlier tries: up to 60 s × 4^count, never above six hours, with spread."""
    longest: dt.timedelta = min(RETRY_LONGEST, RETRY_FIRST * 4 ** max(count, 0))
    return longest * random.uniform(0.5, 1)  # noqa: S311 (spread, no secret)


def postpone(message: Message, *, until: dt.datetime, reason: str) -> bool:
    """Put a claimed message back until `until`: nothing was tried, nothing counts against it."""
    owned = Q(lease_token=message.lease_token)
    return states.move(message, TABLE, to=State.PENDING, guard=owned, not_before=until, reason=reason, claim_count=0)


def refuse(message: Message, reasons: tuple[str, ...], *, now: dt.datetime, recipient: str = "", address_hmac: str = "") -> bool:
    """End a claimed message that the gate refused: too late, not so any more, or not allowed.

    An address that stood in the way is kept, so that the message comes back with another one.
    """
    first = reasons[0]
    kept = {"recipient": recipient, "address_hmac": address_hmac} if first in gate.OF_ADDRESS else {}
    if first in {"expired", "past", "too_late"}:
        to = State.EXPIRED
    else:
        to = State.CANCELLED if first in gate.OBSOLETE else State.SUPPRESSED
    return states.move(message, TABLE, to=to, guard=Q(lease_token=message.lease_token), reason=first, settled_at=now, **kept)


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
        Attempt.objects.get_or_create(message_id=message.pk, lease_token=_token(message), defaults=said)
    return is_ours


def fail(message: Message, reason: str, *, now: dt.datetime) -> bool:
    """End a claimed message that can never be sent as it is."""
    return states.move(message, TABLE, to=State.FAILED, guard=Q(lease_token=message.lease_token), reason=reason, settled_at=now)


def take_back(message: Message, *, now: dt.datetime) -> bool:
    """Undo a hand-over of which not one byte was sent (frozen too long since the decision). Own token only."""
    owned = Q(lease_token=message.lease_token)
    is_ours = states.move(
        message, TABLE, to=State.PENDING, guard=owned, handoff_at=None, reason="stale_decision", claim_count=0,
        attempt_count=message.attempt_count - 1,
    )  # fmt: skip
    if is_ours:
        attempts = Attempt.objects.filter(message_id=message.pk, lease_token=_token(message))
        attempts.update(outcome="taken_back", phase="", code="stale_decision")
    return is_ours


def release(messages: Iterable[Message]) -> int:
    """Give back claimed messages that were not begun, as if they had never been claimed."""
    count = 0
    for message in messages:
        owned = Q(lease_token=message.lease_token)
        count += states.move(message, TABLE, to=State.PENDING, guard=owned, claim_count=max(message.claim_count - 1, 0))
    return count


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
    }
    return {name: count for name, count in counts.items() if count}


def _lost(rows: "QuerySet[Message]", now: dt.datetime) -> int:
    if settings.TESTING and os.environ.get("OUTBOX_POLICY") == "requeue":
        # The control of the fault tests: what most queues do. It sends twice.
        return rows.update(state=State.PENDING, handoff_at=None)
    return rows.update(state=State.UNKNOWN, reason="sender_died", settled_at=now)


def _token(message: Message) -> uuid.UUID:
    if message.lease_token is None:
        raise ValueError("nobody has claimed this message")
    return message.lease_token


def _code(result: Result) -> str:
    return f"{result.phase}_{result.code}".strip("_")[:40]


def _outcome(result: Result) -> dict[str, Any]:
    return {
        "phase": str(result.phase)[:12], "outcome": str(result.outcome)[:12], "code": result.code[:20],
        "duration_ms": max(result.duration_ms, 0),
    }  # fmt: skip


# --- what planner and people do -----------------------------------------------------------------------------------


def cancel(rows: "QuerySet[Message]", *, reason: str, now: dt.datetime) -> int:
    """Cancel the waiting messages among `rows`, set-based, and return how many. One already handed over stays."""
    return rows.filter(state__in=[State.PENDING, State.HELD]).update(state=State.CANCELLED, reason=reason, settled_at=now)


def revive(rows: "QuerySet[Message]") -> int:
    """Let messages among `rows` wait again that were cancelled before any provider could have them."""
    untouched = rows.filter(state__in=[State.CANCELLED, State.SUPPRESSED], handoff_at=None)
    return untouched.update(state=State.PENDING, reason="", settled_at=None, claim_count=0)


def stop(message: Message, *, by: User, now: dt.datetime) -> Message:
    """Stop a waiting message for good. Raises Refused when it is on its way or already ended."""
    with transaction.atomic():
        row = Message.objects.select_for_update().get(pk=message.pk)
        if row.state not in {State.PENDING, State.HELD}:
            raise Refused(_("This message is on its way already, or has ended. It cannot be stopped."))
        states.move(row, TABLE, to=State.CANCELLED, reason="stopped", settled_at=now)
        audit.record("message.stop", row, by=by, kind=row.kind)
    return row


def resend(message: Message, *, by: User, reason: str, now: dt.datetime) -> Message:
    """Say once more what may never have arrived: a new row, asked of the gate like any other.

    `reason` is a code of `notifications.reasons.RESEND`. Raises Refused without one, for a message that is not of
    unknown fate or failed, or that is too late.
    """
    with transaction.atomic():
        row = Message.objects.select_for_update().get(pk=message.pk)
        if not reason:
            raise Refused(_("Say why it is sent again."), "reason")
        root = _AGAIN.sub("", row.occasion)
        family = Message.objects.filter(kind=row.kind, client=row.client, occasion__startswith=f"{root}:again")
        if row.state not in RESENDABLE or family.filter(state__in=_MAY_ARRIVE).exclude(pk=row.pk).exists():
            raise Refused(_("This message cannot be sent again."))
        if row.expires_at <= now:
            raise Refused(_("It is too late for this message."))
        if row.state == State.UNKNOWN:
            states.move(row, TABLE, to=State.CLOSED_UNKNOWN, reason="sent_again")
        again = Message.objects.create(
            kind=row.kind, channel=row.channel, client_id=row.client_id, appointment_id=row.appointment_id,
            campaign_id=row.campaign_id, occasion=f"{root}:again{family.count() + 1}",
            time_version=row.time_version, told_start_at=row.told_start_at, not_before=now,
            expires_at=row.expires_at, created_at=now, resend_of=row,
        )  # fmt: skip
        audit.record("message.resend", again, by=by, kind=row.kind, of=row.pk, reason=reason)
    return again
