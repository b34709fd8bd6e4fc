"""What the gate needs to know, read from the database. At the hand-over under locks, for an explanation without.

Called by dispatch and `why`. Decides nothing. The order of the statements is part of the promise: first the client,
alone and FOR UPDATE, then its address, then the visit, and only then, in statements of their own, everything else.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

from appointments.models import STANDS, Appointment
from appointments.models import State as VisitState
from clients import addresses, consent, countries, fold
from clients.models import Address, Client
from notifications import gate, kinds, outbox
from notifications.models import Message, Trigger
from salon.core import instance
from salon.core.models import Salon


@dataclasses.dataclass(frozen=True)
class Locked:
    """The rows of a hand-over, locked in this order. `email` is the address as the card has it now."""

    client: Client | None
    address: Address | None
    visit: Appointment | None


def lock(message: Message) -> Locked:
    """Lock what a message is about: client, address, visit. Call it first in the hand-over transaction.

    A refusal locks the client too. So either it has committed, and the statements after this one see it, or it waits
    until the hand-over is done. One statement that joins, or a weaker lock, would read what was before the refusal.
    """
    client = Client.objects.select_for_update().filter(pk=message.client_id).first() if message.client_id else None
    address = _lock_address(message.channel, to(client, message.channel)) if client else None
    visits = Appointment.objects.select_for_update()
    visit = visits.filter(pk=message.appointment_id).first() if message.appointment_id else None
    return Locked(client, address, visit)


def _lock_address(channel: str, address: str) -> Address | None:
    if not address:
        return None
    known = Address.objects.select_for_update().filter(channel=channel, hmac=addresses.hash_of(channel, address)).first()
    return known or addresses.lock(channel, address)


def look(message: Message) -> Locked:
    """Return the same rows unlocked: good for an explanation, never for sending."""
    client = Client.objects.filter(pk=message.client_id).first() if message.client_id else None
    hmac = addresses.hash_of(message.channel, to(client, message.channel)) if client else ""
    address = Address.objects.filter(channel=message.channel, hmac=hmac).first() if hmac else None
    visit = Appointment.objects.filter(pk=message.appointment_id).first() if message.appointment_id else None
    return Locked(client, address, visit)


def to(client: Client, channel: str) -> str:
    """Return where a message for this client on this channel goes, or an empty text."""
    return str((client.email if channel == "email" else client.phone) or "")


def switches() -> dict[str, Trigger]:
    """Return the salon's switch for every kind, with the default for one that was never touched."""
    known = {row.kind: row for row in Trigger.objects.all()}
    return {name: known.get(name) or Trigger(kind=name, is_on=kind.is_on_at_first) for name, kind in kinds.TABLE.items()}


def is_on_hold(salon: Salon) -> bool:
    """Return whether nothing may leave: put on hold, or a copy of somebody else's database."""
    return salon.delivery != Salon.Delivery.LIVE or not instance.is_ours(salon)


def gather(message: Message, rows: Locked, *, salon: Salon | None = None) -> gate.Facts:
    """Read everything else that the decision on `message` depends on, and return it as plain values.

    `salon`: leave it out at a hand-over, so that it is read now. Raises KeyError for an unknown kind.
    """
    salon = salon or Salon.objects.current()
    kind = kinds.TABLE[message.kind]
    client, address = rows.client, rows.address
    reading = _reading(client, kind, message.channel, salon.country) if client else fold.Reading(fold.State.UNKNOWN)
    trigger = Trigger.objects.filter(pk=message.kind).first()
    return gate.Facts(
        message_id=message.pk or 0,
        kind=kind,
        channel=message.channel,
        zone=salon.time_zone,
        client_id=client.pk if client else None,
        expires_at=message.expires_at,
        consent=reading.state.value,
        event_ids=(reading.entry.id,) if reading.entry else (),
        address_id=address.pk if address else None,
        has_address=bool(client and to(client, message.channel)),
        scope=address.scope if address else "",
        stop_reason=address.reason if address else "",
        is_erased=bool(client and client.erased_at),
        is_restricted=bool(client and client.restricted_at),
        is_inactive=bool(client and client.inactive_at),
        is_blacklisted=bool(client and client.blacklisted_at),
        visit=_visit(rows.visit),
        said_version=message.time_version,
        said_start_at=message.told_start_at,
        is_told=_is_told(message, kind),
        is_switched_on=trigger.is_on if trigger else kind.is_on_at_first,
        is_automatic=message.resend_of_id is None,
        is_on_hold=is_on_hold(salon),
    )


def _reading(client: Client, kind: kinds.Kind, channel: str, country: str) -> fold.Reading:
    """Fold the ledger itself: the projection is for lists."""
    return fold.reading(
        consent.events_of(client),
        purpose=kind.purpose,
        channel=channel,
        address_hmac=addresses.hash_of(channel, to(client, channel)),
        minimum_evidence=countries.minimum_evidence(country, kind.purpose, channel),
    )


def _visit(visit: Appointment | None) -> gate.Visit | None:
    if visit is None:
        return None
    state = "stands" if visit.state in STANDS else "cancelled" if visit.state == VisitState.CANCELLED else "over"
    return gate.Visit(visit.pk, visit.time_version, visit.start_at, state)


def _is_told(message: Message, kind: kinds.Kind) -> bool:
    """Return whether the client was told exactly this already. One that is sent again on purpose is not asked."""
    if message.appointment_id is None or message.resend_of_id is not None:
        return False
    told = Message.objects.filter(appointment_id=message.appointment_id, state__in=outbox.TOLD).exclude(pk=message.pk)
    if kind.told == kinds.Told.SAME_KIND:
        return told.filter(kind=kind.name, told_start_at=message.told_start_at).exists()
    newest = told.order_by("-handoff_at", "-pk").values_list("kind", "told_start_at").first()
    if newest is None:
        return False
    said = kinds.TABLE.get(newest[0])
    return said is not None and (said.wanted, newest[1]) == (kind.wanted, message.told_start_at)


# --- kept with the attempt, so that the decision can be taken again -----------------------------------------------


def as_json(facts: gate.Facts) -> dict[str, Any]:
    """Return the facts as they are stored with an attempt: ids, states and instants, nothing of a person."""
    values = {**vars(facts), "kind": facts.kind.name, "version": gate.VERSION}
    values["visit"] = {**vars(facts.visit), "start_at": facts.visit.start_at.isoformat()} if facts.visit else None
    for name in ("expires_at", "said_start_at"):
        values[name] = values[name].isoformat() if values[name] else None
    return values | {"event_ids": list(facts.event_ids), "holidays": sorted(day.isoformat() for day in facts.holidays)}


def from_json(stored: Mapping[str, Any]) -> gate.Facts:
    """Return the facts as they were at the hand-over."""
    values = {name: value for name, value in stored.items() if name != "version"}
    for name in ("expires_at", "said_start_at"):
        values[name] = dt.datetime.fromisoformat(values[name]) if values[name] else None
    if visit := values["visit"]:
        values["visit"] = gate.Visit(**{**visit, "start_at": dt.datetime.fromisoformat(visit["start_at"])})
    values["kind"] = kinds.TABLE[values["kind"]]
    values["event_ids"] = tuple(values["event_ids"])
    values["holidays"] = frozenset(dt.date.fromisoformat(day) for day in values["holidays"])
    return gate.Facts(**values)
