"""The consent ledger: `record` and `void` are the only writers of ConsentEvent and of its projection Standing.

Called by the pages, the import and the rooms above. What the events add up to is decided in `clients.fold`.
"""

import contextlib
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import addresses, fold, readings, survivors
from clients.addresses import hash_of, normalise
from clients.models import Address, Client, ConsentEvent, ConsentEvidence, ConsentText, HealthNote, SignedForm, Subject
from clients.newcomers import Card, Newcomer
from clients.readings import address_hash, address_of, entries_of, events_of, lines_of, needed, project, reading, standing
from salon.core import audit, bulk
from salon.core.errors import Refused
from salon.core.models import User

__all__ = [
    "MARKETING", "SERVICE", "Said", "address_hash", "entries_of", "events_of", "hash_of", "lines_of", "needed", "normalise",
    "project", "reading", "record", "record_many", "standing", "void", "void_holds", "void_many",
]  # fmt: skip

MARKETING = fold.MARKETING
SERVICE = fold.SERVICE
HEALTH = "health_notes"
UNDO_WITHIN = dt.timedelta(minutes=10)
YES = frozenset({"grant", "confirm", "pending", "soft_opt_in", "import_claim"})

_Source, _Actor = ConsentEvent.Source, ConsentEvent.Actor
_EVENTS, _SOURCES = frozenset(ConsentEvent.Event.values) - {"void"}, frozenset(_Source.values)
_CLIENTS_OWN = [_Source(way) for way in ("own_form", "preference_page", "one_click_post", "widget", "portal", "sms_reply")]
_ACTOR_OF = {
    **dict.fromkeys(_CLIENTS_OWN, _Actor.CLIENT),
    **dict.fromkeys((_Source.IMPORT, _Source.MERGE, _Source.RETENTION_JOB, _Source.API), _Actor.SYSTEM),
    _Source.PROVIDER_WEBHOOK: _Actor.PROVIDER,
}
# What each way of saying it proves: 0 a claim, 1 told to staff, 2 signed or signed in, 3 through the address itself.
EVIDENCE = {
    _Source.IN_PERSON: 1, _Source.PHONE: 1, _Source.OTHER: 1, _Source.PAPER_FORM: 2, _Source.OWN_FORM: 2, _Source.PORTAL: 2,
    _Source.WIDGET: 2, _Source.PREFERENCE_PAGE: 3, _Source.ONE_CLICK_POST: 3, _Source.SMS_REPLY: 3, _Source.PROVIDER_WEBHOOK: 3,
}  # fmt: skip
_STOPS = {
    "object": (Address.Scope.MARKETING, Address.Reason.OBJECT),
    "complaint": (Address.Scope.MARKETING, Address.Reason.COMPLAINT),
    "provider_stop": (Address.Scope.ALL, Address.Reason.STOP),
}


class Said(NamedTuple):
    """One thing to write down about a client (or the id of one). What is left None follows from source, card and clock."""

    client: Client | int
    purpose: str
    channel: str
    event: str
    source: str
    actor_type: str | None = None
    effective_at: dt.datetime | None = None
    evidence_level: int | None = None
    address: str | None = None
    address_hmac: str | None = None
    text: ConsentText | None = None
    note: str = ""

    @property
    def client_id(self) -> int:
        """Return the id of the client it is about."""
        return self.client if isinstance(self.client, int) else self.client.pk


def record(client: Client, *, by: User | None = None, now: dt.datetime | None = None, **said: Any) -> ConsentEvent:
    """Append one event to the ledger of `client`, bring Standing up to date and return the event.

    Keyword arguments are the fields of `Said`: purpose, channel ("email", "sms", "*" in a No, "" for purposes without
    messages), event, source; and where they matter actor_type, effective_at (when it was said), evidence_level (0-3),
    address or its hash (default: the card's), text (the wording shown), note (kept beside the event, erased with the person).
    Locks the client first. Raises Refused for an event in the future, ValueError for one that names nothing we know.
    """
    return record_many([Said(client=client, **said)], by=by, now=now)[0]


@transaction.atomic
def record_many(
    said: Sequence[Said], *, by: User | None = None, now: dt.datetime | None = None, new: Iterable[Newcomer] = ()
) -> list[ConsentEvent]:
    """Append several events, for one client or for many, and return them in the order given. Rules as in `record`.

    `new`: clients that this very transaction made. Nobody else sees them: they are neither locked nor looked up.
    """
    if not said:
        return []
    now = now or timezone.now()
    ids = {one.client_id for one in said}
    made = {one.pk: one for one in new if one.pk in ids}
    known = _lock(ids - made.keys())
    clients: dict[int, Card] = {**known, **made}
    homes = {client.pk: client for client in clients.values()}
    subjects = Subject.objects.own_of(homes.keys() - made.keys()) | {pk: one.subject_id for pk, one in made.items()}
    if any(pk not in subjects for pk in homes):  # forgotten between the look and the lock
        raise Client.DoesNotExist
    home_of = {pk: client.pk for pk, client in clients.items()}
    pks = [home_of[one.client_id] for one in said]
    events = [_event(one, homes[pk], subjects[pk], by=by, now=now) for one, pk in zip(said, pks, strict=True)]
    ledgers = entries_of(homes.keys() - made.keys()) | {pk: [] for pk in made}
    _append(events)
    pairs: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for one, event, pk in zip(said, events, pks, strict=True):
        ledgers[pk].append(_entry(event))
        pairs[pk].update(fold.affected(one.purpose, one.channel))
    notes = [ConsentEvidence(event=event, note=one.note) for one, event in zip(said, events, strict=True) if one.note]
    ConsentEvidence.objects.bulk_create(notes, batch_size=500)
    project(homes.values(), pairs, ledgers=ledgers)
    readings.tell_moved({pk for one, pk in zip(said, pks, strict=True) if one.event == "address_changed"})
    HealthNote.objects.forget(
        pk for one, pk in zip(said, pks, strict=True) if one.purpose == HEALTH and one.event in fold.NEGATIVE
    )
    for one, event, pk in zip(said, events, pks, strict=True):
        _mark_addresses(one, homes[pk], event)
    if len(clients) == 1:
        (client,) = clients.values()
        audit.record(
            "consent.recorded", Client(pk=client.pk), by=by, events=[event.pk for event in events],
            purposes=sorted({one.purpose for one in said}), channels=sorted({one.channel for one in said}),
            kinds=sorted({one.event for one in said}),
        )  # fmt: skip
    else:
        audit.record("consent.recorded_many", by=by, clients_count=len(clients), events_count=len(events))
    return events


@transaction.atomic
def void(event: ConsentEvent, *, by: User, now: dt.datetime | None = None) -> ConsentEvent:
    """Take back a slip: append an event that leaves out `event` and itself. Rules as in `void_many`."""
    return void_many([event.pk], by=by, now=now)[0]


@transaction.atomic
def void_many(event_ids: Sequence[int], *, by: User, now: dt.datetime | None = None) -> list[ConsentEvent]:
    """Take back events of one client, all or none, and return the void events.

    Raises Refused unless `by` recorded every one of them, less than 10 minutes ago, and none came from the client,
    stopped an address or was taken back already.
    """
    now = now or timezone.now()
    pk = Client.objects.filter(subjects__events__in=event_ids).distinct().values_list("pk", flat=True).get()
    client = _lock({pk})[pk]
    slips = list(ConsentEvent.objects.filter(pk__in=event_ids).order_by("pk"))
    for slip in slips:
        _check_slip(slip, by=by, now=now)
    voids = [_void_of(slip, by=by, now=now) for slip in slips]
    _append(voids)
    project([client], {client.pk: {pair for slip in slips for pair in fold.affected(slip.purpose, slip.channel)}})
    HealthNote.objects.forget(client.pk for slip in slips if slip.purpose == HEALTH)
    SignedForm.objects.forget([slip.pk for slip in slips])
    audit.record("consent.voided", client, by=by, events=[slip.pk for slip in slips])
    return voids


@transaction.atomic
def void_holds(event_ids: Sequence[int], *, by: User | None, now: dt.datetime) -> list[ConsentEvent]:
    """Leave out holds of a merge that is undone, and return the void events. Who calls folds the ledgers anew.

    Raises ValueError for an event that is no hold: nothing else is taken back without its own rules.
    """
    held = list(ConsentEvent.objects.filter(pk__in=event_ids).order_by("pk"))
    if any(event.event != "merge_hold" for event in held):
        raise ValueError("only the holds of a merge are lifted like this")
    voids = [_void_of(event, by=by, now=now) for event in held]
    _append(voids)
    return voids


def hold(client: Client) -> Client:
    """Return the card, locked: the one that took it in, if it was merged meanwhile. A No must not get lost on the way."""
    return _lock({client.pk})[client.pk]


def may_be_void(entry: fold.Entry | ConsentEvent, now: dt.datetime) -> bool:
    """Return whether an event may still be taken back as a slip by whoever of the salon recorded it."""
    return entry.actor_type == _Actor.STAFF and entry.event not in _STOPS and now - entry.recorded_at <= UNDO_WITHIN


def _append(events: Sequence[ConsentEvent]) -> None:
    """Write new events and give them their ids."""
    names = [field.attname for field in ConsentEvent._meta.concrete_fields if not field.primary_key]
    ids = bulk.insert(ConsentEvent, names, ([getattr(event, name) for name in names] for event in events))
    for event, pk in zip(events, ids, strict=True):
        event.pk, event._state.adding = pk, False


def _entry(event: ConsentEvent) -> fold.Entry:
    """Return an event that was just written as the fold reads it: the ledger of its client is locked and was read before."""
    return fold.Entry(
        event.pk, event.purpose, event.channel, event.event, event.address_hmac, event.effective_at, event.recorded_at,
        event.source, event.actor_type, event.evidence_level, event.subject_id, event.voids_id,
    )  # fmt: skip


class _TakenIn(Exception):
    """A card was merged into another one while we waited for it."""


def _lock(ids: Collection[int]) -> dict[int, Client]:
    """Lock the clients, and nothing with them, before anything of the ledger is read: lower ids first.

    FOR UPDATE and in a statement of its own: a hand-over that holds the client must not miss the row written next.
    What is said of a card that was taken in by another one counts on that one: its lock is let go, and the other waited for.
    """
    homes = {pk: pk for pk in ids}
    while homes:
        with contextlib.suppress(_TakenIn), transaction.atomic():
            rows = _locked(set(homes.values()))
            # A merge may have been done or undone while we waited; from here on neither can be.
            is_still_so = all(pk == home for pk, home in homes.items()) or homes == survivors.of_many(ids)
            if is_still_so and not any(row.merged_into_id for row in rows.values()):
                return {pk: rows[home] for pk, home in homes.items() if home in rows}
            raise _TakenIn
        homes = survivors.of_many(ids)
    return {}


def _locked(ids: Collection[int]) -> dict[int, Client]:
    if len(ids) == 1:
        (pk,) = ids
        return {pk: Client.objects.select_for_update().get(pk=pk)}
    rows = Client.objects.select_for_update().filter(pk__in=ids).only("email", "phone", "merged_into").order_by("pk")
    return {client.pk: client for client in rows}


def _event(said: Said, client: Card, subject_id: int, *, by: User | None, now: dt.datetime) -> ConsentEvent:
    _check(said)
    effective_at = said.effective_at or now
    if effective_at > now:
        raise Refused(_("What a client will say tomorrow cannot be written down today."), field="effective_at")
    actor = said.actor_type or _ACTOR_OF.get(_Source(said.source)) or (_Actor.STAFF if by else _Actor.SYSTEM)
    claim = said.event == "import_claim" or (said.source == _Source.IMPORT and said.evidence_level is None)
    level = said.evidence_level if said.evidence_level is not None else EVIDENCE.get(_Source(said.source), 0)
    return ConsentEvent(
        subject_id=subject_id, purpose=said.purpose, channel=said.channel, event=said.event,
        address_hmac=_said_address_hash(said, client), effective_at=effective_at, recorded_at=now, source=said.source,
        actor_type=actor, actor_id=by.pk if by else None, evidence_level=0 if claim else level,
        text_id=said.text.pk if said.text else None,
    )  # fmt: skip


def _void_of(slip: ConsentEvent, *, by: User | None, now: dt.datetime) -> ConsentEvent:
    return ConsentEvent(
        subject_id=slip.subject_id, purpose=slip.purpose, channel=slip.channel, event="void", voids=slip,
        effective_at=now, recorded_at=now, source=slip.source, actor_type=_Actor.STAFF, actor=by,
    )  # fmt: skip


def _check(said: Said) -> None:
    """Raise ValueError for an event that names no purpose, channel, kind or source of ours."""
    is_yes = said.event in YES
    ways = fold.CHANNELS if is_yes else (*fold.CHANNELS, fold.ANY_CHANNEL)
    channels: tuple[str, ...] = ("",) if said.purpose in fold.PERSONAL else ways
    purposes = fold.PURPOSES if is_yes else (*fold.PURPOSES, fold.ALL_MARKETING, fold.EVERYTHING)
    if said.purpose not in purposes or said.channel not in channels:
        raise ValueError(f"{said.event} cannot be about {said.purpose!r} on {said.channel!r}")
    if said.event not in _EVENTS or said.source not in _SOURCES:
        raise ValueError(f"no such event or source: {said.event!r}, {said.source!r}")


def _check_slip(slip: ConsentEvent, *, by: User, now: dt.datetime) -> None:
    """Raise Refused if this event may not be taken back by this user any more."""
    if slip.actor_id != by.pk or slip.actor_type != _Actor.STAFF or slip.event == "void":
        raise Refused(_("Only the person who recorded this can undo it."))
    if slip.event in _STOPS:
        raise Refused(_("A stop cannot be undone here. Only the client can turn it on again."))
    if now - slip.recorded_at > UNDO_WITHIN:
        raise Refused(_("Undo ends after 10 minutes. Record the new answer instead."))
    if slip.voided_by.exists():
        raise Refused(_("This is undone already."))


def _mark_addresses(said: Said, client: Card, event: ConsentEvent) -> None:
    """Stop the address itself, or lift its stop, where the event is about the address and not only about the person."""
    is_proof = event.evidence_level == 3 or (event.evidence_level == 2 and event.source == _Source.PAPER_FORM)
    is_lifting = said.event in fold.POSITIVE and said.purpose in MARKETING and is_proof
    if said.event not in _STOPS and said.event != "provider_start" and not is_lifting:
        return
    for channel in fold.CHANNELS if said.channel == fold.ANY_CHANNEL else (said.channel,):
        if not (hmac := event.address_hmac if said.channel == channel else address_hash(client, channel)):
            continue
        if said.event in _STOPS:
            scope, reason = _STOPS[said.event]
            addresses.stop_hash(channel, hmac, scope=scope, reason=reason, now=event.recorded_at)
        elif said.event == "provider_start":
            addresses.reopen_service(channel, hmac)
        else:
            addresses.lift_marketing(channel, hmac)


def _said_address_hash(said: Said, client: Card) -> str:
    if said.channel not in fold.CHANNELS or said.address_hmac is not None:
        return said.address_hmac or ""
    return hash_of(said.channel, address_of(client, said.channel) if said.address is None else said.address)
