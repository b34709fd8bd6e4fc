"""What the gate needs to know, read from the database. At the hand-over under locks, for an explanation without.

Called by dispatch and `why`. Decides nothing. The order of the statements is part of the promise: first the client,
alone and FOR UPDATE, then its address, then the visit, and only then, in statements of their own, everything else.
"""

import dataclasses
import uuid
import zoneinfo
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Subquery
from django.utils import timezone

from appointments.models import STANDS, Appointment
from appointments.models import State as VisitState
from clients import addresses, consent, countries, fold
from clients.models import Address, Client
from notifications import advertising, choicelink, daysoff, gate, holding, kinds, optin, outbox, texting, unasked
from notifications.advertising import Advertising
from notifications.models import Message, Trigger
from salon.core import instance, prepared, public
from salon.core.models import Salon
from salon.core.prepared import Row


@dataclasses.dataclass(frozen=True)
class Rows:
    """What was read about one message, each row as a tuple in the order of its query, None where there is none.

    `hmac` is the hash of the address by which the address row was looked for. `advertising` is read for kinds of
    marketing alone: nothing else pays for it.
    """

    hmac: str
    client: Row | None
    address: Row | None
    visit: Row | None
    salon: Row
    # Whether the salon's switch for the kind is on, None where it was never touched.
    is_on: bool | None
    told: list[Row]
    ledger: list[Row]
    advertising: Advertising | None = None
    asking: optin.Asking | None = None
    # Read for a moment in a client's life alone.
    moment: Mapping[str, Any] | None = None
    # Read for the link to a client's choices alone.
    has_public_address: bool | None = None
    # Read for an SMS alone.
    of_sms: texting.Texting | None = None
    # Read for what may go to existing clients without a Yes alone.
    leave: unasked.Leave = unasked.NONE

    def address_of(self, channel: str) -> str:
        """Return where a message on `channel` goes by the card as it was read, or an empty text."""
        return str((self.client[1] if channel == "email" else self.client[2]) or "") if self.client else ""


class Reader:
    """Reads the rows of one message after the other; made once by each sender.

    `is_locking`: for a hand-over, inside its transaction. Then a refusal, which locks the client too, either has
    committed, and the statements after the first see it, or it waits until the hand-over is done. One statement that
    joins, or a weaker lock, would read what was before the refusal.
    """

    def __init__(self, *, is_locking: bool) -> None:
        self._is_locking = is_locking
        self._queries = [*_rows(is_locking=is_locking), *_around()]
        self._more: list[prepared.Query] = []

    def read(self, message: Message) -> Rows:
        """Return the rows of `message`: client, address and visit first, in this order, then everything else."""
        is_marketing = kinds.TABLE[message.kind].is_marketing
        found = prepared.run(self._asked(message), _values(message))
        client, address, visit, [(*salon, is_on)], told, ledger = found[:6]
        rows = Rows(hash_of(message), _one(client), _one(address), _one(visit), tuple(salon), is_on, told, ledger)
        if message.channel == "sms":
            read = texting.read(message, rows.hmac, rows.address_of("sms"), is_locking=self._is_locking)
            rows = dataclasses.replace(rows, of_sms=read)
        if message.kind == optin.KIND:
            return dataclasses.replace(rows, asking=optin.read(message, rows.hmac))
        if message.kind == choicelink.KIND:
            return dataclasses.replace(rows, has_public_address=public.has_address(Salon.objects.current()))
        if not is_marketing:
            return rows
        moment = holding.read(message, zoneinfo.ZoneInfo(rows.salon[1])) if message.kind in holding.KINDS else None
        ids, kind = [message.client_id or 0], kinds.TABLE[message.kind]
        leave = unasked.read(kind, message.channel, ids, rows.salon[2], timezone.now())
        return dataclasses.replace(rows, advertising=advertising.of_rows(*found[6:]), moment=moment, leave=leave)

    def statements(self, message: Message) -> list[prepared.Statement]:
        """Return what `read` asks the database."""
        return prepared.statements(self._asked(message), _values(message))

    def _asked(self, message: Message) -> list[prepared.Query]:
        if not kinds.TABLE[message.kind].is_marketing:
            return self._queries
        if not self._more:
            self._more = advertising.queries(client=_CLIENT, hmac=_HMAC, message=_MESSAGE, campaign=_CAMPAIGN)
        return [*self._queries, *self._more]


def _values(message: Message) -> dict[str, Any]:
    return {
        "client": message.client_id, "channel": message.channel, "hmac": hash_of(message), "visit": message.appointment_id,
        "kind": message.kind, "message": message.pk or 0, "campaign": message.campaign_id or 0,
    }  # fmt: skip


# Values that stand in the queries for those of a message.
_CLIENT, _VISIT, _MESSAGE, _CAMPAIGN = 2_000_000_011, 2_000_000_033, 2_000_000_089, 2_000_000_099
_CHANNEL, _HMAC, _KIND = "?channel", "?hmac", "?kind"


def _rows(*, is_locking: bool) -> list[prepared.Query]:
    """Return the queries for the rows that a hand-over locks: each alone, by its key, FOR UPDATE."""
    clients, known, visits = Client.objects.all(), Address.objects.all(), Appointment.objects.all()
    if is_locking:
        clients, known, visits = clients.select_for_update(), known.select_for_update(), visits.select_for_update()
    stops = ("inactive_at", "restricted_at", "erased_at", "blacklisted_at", "marketing_paused_until")
    return [
        prepared.Query(clients.filter(pk=_CLIENT).values_list("pk", "email", "phone", *stops), client=_CLIENT),
        prepared.Query(
            known.filter(channel=_CHANNEL, hmac=_HMAC).values_list("pk", "scope", "reason", "stopped_at"),
            channel=_CHANNEL,
            hmac=_HMAC,
        ),
        prepared.Query(visits.filter(pk=_VISIT).values_list("pk", "time_version", "start_at", "state"), visit=_VISIT),
    ]


def _around() -> list[prepared.Query]:
    """Return the queries for everything else, to be run after the locks."""
    told = Message.objects.filter(appointment_id=_VISIT, state__in=outbox.TOLD, told_start_at__isnull=False).exclude(pk=_MESSAGE)
    told = told.order_by("-handoff_at", "-pk")
    switch = Subquery(Trigger.objects.filter(pk=_KIND).values("is_on"))
    salon = Salon.objects.filter(pk=1).values_list("delivery", "time_zone", "country", "instance", "region", switch)
    return [
        prepared.Query(salon, kind=_KIND),
        prepared.Query(told.values_list("kind", "told_start_at", "occasion"), visit=_VISIT, message=_MESSAGE),
        prepared.Query(consent.lines_of([_CLIENT]), client=_CLIENT),
    ]


def prepare(batch: Sequence[Message]) -> None:
    """Make the address rows of a batch before its hand-overs lock them."""
    for channel in {message.channel for message in batch}:
        addresses.ensure(channel, {hash_of(message) for message in batch if message.channel == channel})


def hash_of(message: Message) -> str:
    """Return the hash of the address on the client's card as it was loaded with the message, computed once."""
    known: str | None = message.__dict__.get("loaded_hmac")
    if known is None:
        known = addresses.hash_of(message.channel, to(message.client, message.channel)) if message.client else ""
        message.__dict__["loaded_hmac"] = known
    return known


def lock(message: Message, readers: list[Reader]) -> Rows:
    """Read the rows of `message` under locks. Call it first in the hand-over transaction.

    `readers` keeps the sender's own reader from one message to the next. Raises LookupError if there is no address row
    to lock: then a stop that is being written could not be waited for.
    """
    if not readers:
        readers.append(Reader(is_locking=True))
    rows = readers[0].read(message)
    if rows.hmac and rows.client and rows.address is None:
        raise LookupError("no address row")
    return rows


def look(message: Message) -> Rows:
    """Read the rows of one message without locks: good for an explanation, never for sending."""
    return Reader(is_locking=False).read(message)


def _one(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None


def to(client: Client, channel: str) -> str:
    """Return where a message for this client on this channel goes, or an empty text."""
    return str((client.email if channel == "email" else client.phone) or "")


def switches() -> dict[str, Trigger]:
    """Return the salon's switch for every kind that goes by itself, with the default for one that was never touched.

    Advertising goes by e-mail at first: SMS cost money, and somebody has to choose them.
    """
    known = {row.kind: row for row in Trigger.objects.all()}
    found = {}
    for name, kind in kinds.TABLE.items():
        if not kind.is_by_hand:
            ways = Trigger.Ways.EMAIL if kind.is_marketing else Trigger.Ways.EMAIL_SMS
            found[name] = known.get(name) or Trigger(kind=name, is_on=kind.is_on_at_first, ways=ways)
    return found


def is_on_hold(salon: Salon) -> bool:
    """Return whether nothing may leave: put on hold, or a copy of somebody else's database."""
    return _is_held(salon.delivery, salon.instance)


def _is_held(delivery: str, instance_id: uuid.UUID) -> bool:
    return delivery != Salon.Delivery.LIVE.value or not instance.is_this(instance_id)


def gather(message: Message, rows: Rows) -> gate.Facts:
    """Return all that the decision on `message` depends on, from the rows that were read, as plain values.

    Raises KeyError for an unknown kind.
    """
    kind = kinds.TABLE[message.kind]
    delivery, zone, country, instance_id, region = rows.salon
    reading = _reading(rows, kind, message.channel, country)
    hours = kind.hours.get(message.channel)
    _pk, _email, _phone, inactive_at, restricted_at, erased_at, blacklisted_at, paused_until = rows.client or (None,) * 8
    found = gate.Facts(
        message_id=message.pk or 0,
        kind=kind,
        channel=message.channel,
        zone=zone,
        client_id=rows.client[0] if rows.client else None,
        expires_at=message.expires_at,
        consent=reading.state.value,
        event_ids=(reading.entry.id,) if reading.entry else (),
        address_id=rows.address[0] if rows.address else None,
        has_address=bool(rows.address_of(message.channel)),
        scope=rows.address[1] if rows.address else "",
        stop_reason=rows.address[2] if rows.address else "",
        stopped_at=rows.address[3] if rows.address else None,
        is_erased=erased_at is not None,
        is_restricted=restricted_at is not None,
        is_inactive=inactive_at is not None,
        is_blacklisted=blacklisted_at is not None,
        paused_until=paused_until,
        visit=_visit(rows.visit),
        said_version=message.time_version,
        said_start_at=message.told_start_at,
        is_switched_on=kind.is_on_at_first if rows.is_on is None else rows.is_on,
        is_automatic=(message.resend_of_id is None or message.turned_from != "") and not kind.is_by_hand,
        is_on_hold=_is_held(delivery, instance_id),
        holidays=daysoff.for_hours(hours, country, region, timezone.now()) if hours else frozenset(),
        **(
            advertising.facts(message, rows.advertising, zone, country, lambda: _entries(rows))
            if rows.advertising
            else {"is_told": _is_told(message, kind, rows.told)}
        ),
    )
    more: dict[str, Any] = dict(rows.moment or {})
    if rows.leave is not unasked.NONE:
        more["is_soft_opt_in_open"] = unasked.is_open(
            rows.leave, message.client_id, reading, _entries(rows), channel=message.channel, country=country,
            number=rows.address_of("sms") if message.channel == "sms" else "",
        )  # fmt: skip
    if rows.of_sms is not None:
        more |= texting.facts(message, rows.of_sms)
    if rows.asking is not None:
        more |= optin.facts(message, rows.asking, _entries(rows), hmac=rows.hmac, zone=zone, country=country)
    elif rows.has_public_address is not None:
        more |= choicelink.facts(message, has_public_address=rows.has_public_address)
    return dataclasses.replace(found, **more) if more else found


def _reading(rows: Rows, kind: kinds.Kind, channel: str, country: str) -> fold.Reading:
    """Fold the ledger itself: the projection is for lists."""
    return fold.reading(
        _entries(rows),
        purpose=kind.purpose,
        channel=channel,
        address_hmac=rows.hmac,
        minimum_evidence=countries.minimum_evidence(country, kind.purpose, channel),
    )


def _entries(rows: Rows) -> list[fold.Entry]:
    return [fold.Entry(*line[1:]) for line in rows.ledger]


def _visit(visit: Row | None) -> gate.Visit | None:
    if visit is None:
        return None
    pk, time_version, start_at, state = visit
    known = {VisitState.CANCELLED.value: "cancelled", VisitState.DONE.value: "done"}
    return gate.Visit(pk, time_version, start_at, "stands" if state in STANDS else known.get(state, "over"))


def _is_told(message: Message, kind: kinds.Kind, told: list[Row]) -> bool:
    """Return whether the client was told exactly this already. One that is sent again on purpose is not asked."""
    if not told or message.resend_of_id is not None:
        return False
    if kind.told == kinds.Told.SAME_KIND:
        slots = {"", kinds.slot_of(kind.name, message.occasion)}
        known = [kinds.slot_of(name, named) for name, start, named in told if (name, start) == (kind.name, message.told_start_at)]
        return bool(known) and (slots == {""} or not slots.isdisjoint(known))
    newest, start_at, _occasion = told[0]
    said = kinds.TABLE.get(newest)
    return said is not None and (said.wanted, start_at) == (kind.wanted, message.told_start_at)
