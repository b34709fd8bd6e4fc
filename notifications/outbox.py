"""The outbox: a row is what to say, its place in the queue, its history. Written here and in `outcomes`; merges: `joining`.

Called by planner, dispatch and the message pages. Decides no policy: what may be said is the gate's, what is wanted the
planner's. A row that a provider may have is never put back by itself.
"""

import datetime as dt
import functools
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from django.db import connection, transaction
from django.db.models import CharField, Q, QuerySet, Value
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from notifications import gate, models, precedence, writing
from notifications.models import Attempt, Heartbeat, Message, State
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

# Where a message may stand of which the provider proved that it had it not: if it has it after all, it was said.
LATE = (State.PENDING, State.CLAIMED, State.HELD, State.CANCELLED, State.SUPPRESSED, State.EXPIRED)

TOLD = models.TOLD

# What a sender takes at once shares three statements and two commits; what it does not come to goes back in time.
CLAIM_MAX = 20
CLAIM_LEASE = dt.timedelta(seconds=150)
HANDOFF_LEASE = dt.timedelta(minutes=15)
CLAIMS_MAX = 5
# What so many senders died over is taken alone, one at a time: what kills them takes no innocent along to the quarantine.
SUSPECT_FROM = 2

_OF_CLIENT = ("first_name", "last_name", "email", "phone", "language")

# --- writing down what is to be said ------------------------------------------------------------------------------

_SNAPSHOT = ("recipient", "address_hmac", "language", "title", "body", "provider")
_NO_SNAPSHOT: Mapping[str, Any] = {**dict.fromkeys(_SNAPSHOT, ""), "segments": 0, "cost": 0}
_FRESH = {**dict.fromkeys(("reason", "provider_id", "turned_from"), ""), "claim_count": 0, "attempt_count": 0}
_NEW: Mapping[str, Any] = {**_NO_SNAPSHOT, **_FRESH, "state": State.PENDING.value}
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


def claim(now: dt.datetime, limit: int = CLAIM_MAX, *, channel: str = "email") -> list[Message]:
    """Take up to `limit` (at most 20) messages of a channel that are due at `now` for this sender alone, the oldest first.

    One over which senders died comes alone, and not while another such one is in hand. Each carries `lease_token`; after
    the lease, told by the clock of the database, anybody may take it again.
    """
    token = uuid.uuid4()
    with transaction.atomic():
        ids = _first_of(now, min(limit, CLAIM_MAX), channel)
        if not ids:
            return []
        places = {name: ids[place] if place < len(ids) else 0 for place, name in enumerate(_IDS)}
        prepared.finish([_CLAIM.fill({**places, "token": token})])
    query = _claimed()
    [rows] = prepared.run([query], places)
    taken: list[Message] = query.objects(rows)
    return [message for message in taken if message.state == State.CLAIMED and message.lease_token == token]


# What stands in the queries for values of a claim.
_CHANNEL, _AT = "?channel", prepared.MOMENT
# As many as are taken at once; 0 is nobody's.
_IDS = {f"id{place}": 2_000_000_100 + place for place in range(CLAIM_MAX)}
_CLAIM = writing.Update(
    Message,
    {
        "state": State.CLAIMED, "lease_token": writing.Given("token"), "lease_until": CLAIM_LEASE,
        "claim_count": writing.ONE_MORE,
    },
    where={"id": tuple(writing.Given(name) for name in _IDS), "state": State.PENDING},
)  # fmt: skip


def _due(now: dt.datetime, channel: str) -> "QuerySet[Message]":
    due = Message.objects.filter(state=State.PENDING, channel=channel, not_before__lte=now, expires_at__gt=now)
    return due.order_by("not_before", "id").select_for_update(skip_locked=True)


@prepared.kept
def _first(limit: int) -> prepared.Query:
    return prepared.Query(_due(_AT, _CHANNEL).values_list("id", "claim_count")[:limit], now=_AT, channel=_CHANNEL)


@prepared.kept
def _claimed() -> prepared.Query:
    rows = Message.objects.filter(id__in=_IDS.values()).only(*_columns()).order_by("not_before", "id")
    return prepared.Query(rows.select_related("client", "appointment__staff", "appointment__service"), **_IDS)


def _first_of(now: dt.datetime, limit: int, channel: str) -> list[int]:
    [rows] = prepared.run([_first(limit)], {"now": now, "channel": channel})
    if rows and rows[0][1] >= SUSPECT_FROM:
        list(Heartbeat.objects.select_for_update().filter(pk="sender"))  # two that look at once, one after the other
        suspects = Message.objects.filter(state=State.CLAIMED, claim_count__gt=SUSPECT_FROM, lease_until__gte=Now())
        if not suspects.exists():
            return [rows[0][0]]
        innocent = _due(now, channel).filter(claim_count__lt=SUSPECT_FROM)
        rows = list(innocent.values_list("id", "claim_count")[:limit])
    return [pk for pk, count in rows if count < SUSPECT_FROM]


@functools.cache
def _columns() -> tuple[str, ...]:
    """Return what a sender needs of a message and around it; the rest of a card is not carried along for each."""
    visit = ("staff__name", "service__name", "start_at", "end_at")
    around = (*(f"appointment__{name}" for name in visit), *(f"client__{name}" for name in _OF_CLIENT))
    return (*(field.name for field in Message._meta.concrete_fields), *around)


def handoff(
    message: Message,
    decision: gate.Send,
    *,
    facts: Mapping[str, Any],
    before: Sequence[writing.Statement] = (),
    meanwhile: Callable[[], None] | None = None,
    **snapshot: Any,
) -> bool:
    """Cross the point of no return for `message`: True if it is ours to send, once.

    Call it last in the hand-over transaction, which it may end. `facts` is stored with the attempt, so that the
    decision can be taken again later; `snapshot` are the columns recipient, address_hmac, language, title, body,
    provider, segments, cost. `before` is written down by the way. `meanwhile` may run while the database works (see
    `prepared.finish`). False: somebody else has it, the lease is over, or it is for another client now.
    """
    statements = [*before, *crossing(message, decision, facts=facts, **snapshot)]
    message.state = State.HANDOFF  # once it has been said to the database, only the lease tells what holds
    *_counts, is_ours, _attempts = prepared.finish(statements, meanwhile)
    if is_ours:
        message.attempt_count += 1
    else:
        message.state = State.CLAIMED
    return bool(is_ours)


OURS = {"id": writing.Given("id"), "lease_token": writing.Given("token")}
_CROSSING = writing.Update(
    Message,
    {
        "state": State.HANDOFF, "handoff_at": writing.NOW, "lease_until": HANDOFF_LEASE, "reason": "",
        **writing.given("attempt_count", *_NO_SNAPSHOT),
    },
    # Still for whom it was prepared: a merge, or its undo, may have made it another card's meanwhile.
    where={**OURS, "state": State.CLAIMED, "client": writing.Given("client")},
    is_lease_running=True,
)  # fmt: skip
_ATTEMPT = writing.InsertIf(
    Attempt,
    {
        "message": writing.Given("id"), "lease_token": writing.Given("token"), **writing.given("at", "decision"),
        "phase": "", "outcome": "", "code": "", "duration_ms": None,
    },
    Message,
    where={**OURS, "state": State.HANDOFF},
)  # fmt: skip


def crossing(message: Message, decision: gate.Send, *, facts: Mapping[str, Any], **snapshot: Any) -> list[writing.Statement]:
    """Return the two statements of a hand-over: the step itself, and the attempt if that step was made."""
    values = {
        "id": message.pk, "token": token_of(message), "client": message.client_id, "at": decision.decided_at,
        "attempt_count": message.attempt_count + 1, "decision": facts, **_NO_SNAPSHOT, **snapshot,
    }  # fmt: skip
    return [_CROSSING.fill(values), _ATTEMPT.fill(values)]


def postpone(message: Message, *, until: dt.datetime, reason: str) -> bool:
    """Put a claimed message back until `until`: nothing was tried, nothing counts against it."""
    owned = Q(lease_token=message.lease_token)
    return states.move(message, TABLE, to=State.PENDING, guard=owned, not_before=until, reason=reason, claim_count=0)


def refuse(message: Message, reasons: tuple[str, ...], *, now: dt.datetime, recipient: str = "", address_hmac: str = "") -> bool:
    """End a claimed message that the gate refused: too late, not so any more, or not allowed.

    An address that stood in the way is kept, so that the message comes back with another one.
    """
    first = reasons[0]
    kept = {"recipient": recipient, "address_hmac": address_hmac} if first in precedence.OF_ADDRESS else {}
    if first in {"expired", "past", "too_late"}:
        to = State.EXPIRED
    else:
        to = State.CANCELLED if first in precedence.OBSOLETE else State.SUPPRESSED
    return states.move(message, TABLE, to=to, guard=Q(lease_token=message.lease_token), reason=first, settled_at=now, **kept)


def release(messages: Iterable[Message]) -> int:
    """Give back claimed messages that were not begun, as if they had never been claimed."""
    count = 0
    for message in messages:
        owned = Q(lease_token=message.lease_token)
        count += states.move(message, TABLE, to=State.PENDING, guard=owned, claim_count=max(message.claim_count - 1, 0))
    return count


def token_of(message: Message) -> uuid.UUID:
    """Return the token by which a claimed message is ours. Raises ValueError if nobody has claimed it."""
    if message.lease_token is None:
        raise ValueError("nobody has claimed this message")
    return message.lease_token


# --- what planner and people do -----------------------------------------------------------------------------------


def cancel(rows: "QuerySet[Message]", *, reason: str, now: dt.datetime) -> int:
    """Cancel the waiting messages among `rows`, set-based, and return how many. One already handed over stays."""
    return rows.filter(state__in=[State.PENDING, State.HELD]).update(state=State.CANCELLED, reason=reason, settled_at=now)


def revive(rows: "QuerySet[Message]", *, channel: str = "") -> int:
    """Let messages among `rows` wait again, for `channel` if given, that no provider could have when they were ended or held."""
    untouched = rows.filter(state__in=[State.CANCELLED, State.SUPPRESSED, State.HELD], handoff_at=None)
    way = {"channel": channel, "turned_from": ""} if channel else {}
    return untouched.update(state=State.PENDING, reason="", settled_at=None, claim_count=0, segments=0, cost=0, **way)


def stop(message: Message, *, by: User, now: dt.datetime) -> Message:
    """Stop a waiting message for good. Raises Refused when it is on its way or already ended."""
    with transaction.atomic():
        row = Message.objects.select_for_update().get(pk=message.pk)
        if row.state not in {State.PENDING, State.HELD}:
            raise Refused(_("This message is on its way already, or has ended. It cannot be stopped."))
        reason = "stopped_held" if row.state == State.HELD else "stopped"  # to take that back would send it
        states.move(row, TABLE, to=State.CANCELLED, reason=reason, settled_at=now)
        audit.record("message.stop", row, by=by, kind=row.kind)
    return row
