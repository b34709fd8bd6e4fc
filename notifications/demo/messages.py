"""A year of messages of the demo: rows in final states, as sender and planner would have left them. Nothing waits."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from appointments.models import Appointment
from clients.addresses import hash_of
from clients.models import Standing
from notifications import gate, grounds, kinds, outbox, rendering
from notifications.models import Attempt, Message, State
from salon.core.models import Salon

CHANNEL = "email"
# What the salon's switch for reminders says before anybody touches it.
REMINDER_AT = dt.time(10)
DAYS_BEFORE = 1


@dataclass(frozen=True)
class _Due:
    """One thing to say about a visit, and when it left."""

    kind: str
    visit: Appointment
    at: dt.datetime
    visit_state: str


def add(visits: Sequence[Appointment], *, salon: Salon, rng: Random, now: dt.datetime) -> None:
    """Write what was said about these visits: confirmations, cancellations and reminders that are over by `now`."""
    reminders_off = set(
        Standing.objects.filter(purpose="svc.reminder", channel=CHANNEL, state=Standing.State.WITHDRAWN).values_list(
            "client_id", flat=True
        )
    )
    dues = sorted((due for visit in visits for due in _dues(visit, salon, now)), key=lambda due: due.at)
    pairs = []
    for due in dues:
        if due.kind == "reminder" and due.visit.client_id in reminders_off:
            continue
        pairs.append((due, _message(due, salon, rng)))
    _trouble([message for _due, message in pairs], rng, now)
    Message.objects.bulk_create([message for _due, message in pairs], batch_size=300)
    attempts = [_attempt(due, message, salon, rng) for due, message in pairs if message.state in outbox.TOLD]
    Attempt.objects.bulk_create(attempts, batch_size=400)


def _dues(visit: Appointment, salon: Salon, now: dt.datetime) -> Iterator[_Due]:
    """Yield what has been said about a visit by now."""
    if visit.client is None or not visit.client.email:
        return
    wait = kinds.UNDO_WAIT + dt.timedelta(seconds=7)
    confirmed_at = _in_hours("confirmation", visit.time_set_at + wait, salon)
    if confirmed_at < min(visit.start_at, now) and not (visit.cancelled_at and visit.cancelled_at < confirmed_at):
        yield _Due("confirmation", visit, confirmed_at, "stands")
    if visit.cancelled_at:
        told_at = _in_hours("cancellation", visit.cancelled_at + wait, salon)
        if told_at < min(visit.start_at, now):
            yield _Due("cancellation", visit, told_at, "cancelled")
    eve = visit.start_at.astimezone(salon.zone).date() - dt.timedelta(days=DAYS_BEFORE)
    due_at = dt.datetime.combine(eve, REMINDER_AT, salon.zone).astimezone(dt.UTC)
    if visit.time_set_at > due_at:
        if visit.start_at - visit.time_set_at < kinds.REMINDER_LATE_BOOKING:
            return
        due_at = visit.time_set_at + wait
    due_at = _in_hours("reminder", due_at + dt.timedelta(seconds=5), salon)
    is_gone = visit.cancelled_at is not None and visit.cancelled_at < due_at
    if due_at < min(now, visit.start_at - kinds.REMINDER_MARGIN) and not is_gone:
        yield _Due("reminder", visit, due_at, "stands")


def _in_hours(kind: str, at: dt.datetime, salon: Salon) -> dt.datetime:
    return kinds.TABLE[kind].hours[CHANNEL].first(at, salon.zone)


def _message(due: _Due, salon: Salon, rng: Random) -> Message:
    visit = due.visit
    message = Message(
        kind=due.kind, channel=CHANNEL, client=visit.client, appointment=visit, occasion=_occasion(due),
        time_version=visit.time_version, told_start_at=visit.start_at, state=State.ACCEPTED, not_before=due.at,
        expires_at=visit.start_at - kinds.TABLE[due.kind].margin, created_at=due.at - dt.timedelta(seconds=rng.randint(1, 25)),
        lease_token=uuid.UUID(int=rng.getrandbits(128), version=4), claim_count=1, attempt_count=1,
        handoff_at=due.at, settled_at=due.at + dt.timedelta(milliseconds=rng.randint(80, 900)),
        provider="smtp", provider_id=f"{rng.getrandbits(48):x}@mail.example",
    )  # fmt: skip
    said = rendering.render(message, salon)
    message.recipient, message.language, message.title, message.body = said.recipient, said.language, said.title, said.body
    message.address_hmac = hash_of(CHANNEL, said.recipient)
    return message


def _occasion(due: _Due) -> str:
    """Return the occasion as the planner names it, so that it finds the thing said."""
    ending = {"confirmation": "", "cancellation": ":0", "reminder": ":1"}[due.kind]
    return f"{due.visit.pk}:{due.visit.time_version}{ending}"


def _trouble(messages: Sequence[Message], rng: Random, now: dt.datetime) -> None:
    """Let a few come back, fail, or end with a fate that nobody knows."""
    for message in messages:
        chance = rng.random()
        if chance < 0.004:
            _end(message, State.BOUNCED, "")
        elif chance < 0.010 and message.kind != "cancellation":
            # A cancellation names in its occasion what was told before it; the planner would say a failed one again.
            _end(message, State.FAILED, "rcpt_550", handoff_at=None, provider_id="", address_hmac="")
    recent = [message for message in messages if message.expires_at > now and message.state == State.ACCEPTED]
    for message in rng.sample(recent, min(2, len(recent))):
        _end(message, State.UNKNOWN, "sender_died", provider_id="")


def _end(message: Message, state: State, reason: str, **changes: Any) -> None:
    message.state, message.reason = state, reason
    for name, value in changes.items():
        setattr(message, name, value)


def _attempt(due: _Due, message: Message, salon: Salon, rng: Random) -> Attempt:
    """Return the hand-over of a message with the facts that it stood on."""
    visit = due.visit
    stood_on = gate.Facts(
        message_id=message.pk, kind=kinds.TABLE[due.kind], channel=CHANNEL, zone=salon.time_zone, client_id=visit.client_id,
        expires_at=message.expires_at, visit=gate.Visit(visit.pk, visit.time_version, visit.start_at, due.visit_state),
        said_version=visit.time_version, said_start_at=visit.start_at, is_switched_on=True,
    )  # fmt: skip
    is_known = message.state != State.UNKNOWN
    return Attempt(
        message=message, lease_token=message.lease_token or uuid.uuid4(), at=due.at, decision=grounds.as_json(stood_on),
        phase="done" if is_known else "", outcome="accepted" if is_known else "", code="250" if is_known else "",
        duration_ms=rng.randint(60, 700) if is_known else None,
    )  # fmt: skip
