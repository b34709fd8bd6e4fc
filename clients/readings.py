"""What the ledger says, read: its lines, the state of a purpose on a channel today, and the projection that writes it down.

`clients.consent` writes the ledger and gives these names on; what the lines add up to is decided in `clients.fold`.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from django.db.models import QuerySet

from clients import changes, countries, fold
from clients.addresses import hash_of
from clients.models import Client, ConsentEvent, Standing
from clients.newcomers import Card
from salon.core import bulk
from salon.core.models import Salon


def events_of(client: Client) -> list[fold.Entry]:
    """Return the ledger of a client as the fold reads it, oldest first."""
    return entries_of([client.pk])[client.pk]


def entries_of(client_ids: Collection[int]) -> dict[int, list[fold.Entry]]:
    """Return the ledgers of these clients, each over all the subjects that point to them."""
    ledgers: dict[int, list[fold.Entry]] = {pk: [] for pk in client_ids}
    for row in lines_of(client_ids):
        client_id, *values = cast("tuple[Any, ...]", row)
        ledgers[client_id].append(fold.Entry(*values))
    return ledgers


def lines_of(client_ids: Collection[int]) -> "QuerySet[ConsentEvent, Any]":
    """Return the lines of these ledgers, oldest first: the client, then what makes a `fold.Entry`."""
    rows = ConsentEvent.objects.filter(subject__client__in=client_ids).order_by("effective_at", "pk")
    return rows.values_list(
        "subject__client_id", "pk", "purpose", "channel", "event", "address_hmac", "effective_at", "recorded_at", "source",
        "actor_type", "evidence_level", "subject_id", "voids_id",
    )  # fmt: skip


def reading(client: Client, purpose: str, channel: str, *, entries: Sequence[fold.Entry] | None = None) -> fold.Reading:
    """Return what the ledger says today, folded afresh with the country's minimum evidence."""
    return fold.reading(
        events_of(client) if entries is None else entries,
        purpose=purpose,
        channel=channel,
        address_hmac=address_hash(client, channel),
        minimum_evidence=needed(purpose, channel),
    )


def needed(purpose: str, channel: str) -> int:
    """Return the evidence (0 to 3) from which a Yes counts in the salon's country."""
    return countries.minimum_evidence(_country(), purpose, channel)


def standing(client: Client, purpose: str, channel: str) -> str:
    """Return the state as the projection has it. For service purposes `withdrawn` is off and everything else on."""
    row = Standing.objects.filter(client=client, purpose=purpose, channel=channel).values_list("state", flat=True).first()
    return row or Standing.State.UNKNOWN


def stopped_by_sms(client: Client) -> dt.datetime | None:
    """Return since when nothing at all may be sent to the client by SMS, because their number answered STOP; else None."""
    rows = Standing.objects.filter(client=client, purpose="svc.reminder", channel="sms", state=Standing.State.WITHDRAWN)
    at: dt.datetime | None = rows.filter(event__event="provider_stop").values_list("event__effective_at", flat=True).first()
    return at


def address_hash(client: Card, channel: str) -> str:
    """Return the hash of the address the card has for `channel`, or an empty text."""
    return hash_of(channel, address_of(client, channel)) if channel in fold.CHANNELS else ""


def project(
    clients: Iterable[Card],
    pairs: dict[int, set[tuple[str, str]]] | None = None,
    *,
    ledgers: Mapping[int, Sequence[fold.Entry]] | None = None,
) -> None:
    """Bring Standing up to date for `pairs` of (purpose, channel) by client id (None: every pair of these clients).

    Call it with the clients locked and as they are now in the database. `ledgers`: theirs, where they are in hand. Of
    newcomers nothing was written down before.
    """
    clients = list(clients)
    ids = [client.pk for client in clients]
    entries = entries_of(ids) if ledgers is None else ledgers
    minimum, rows = partial(countries.minimum_evidence, _country()), []
    known = [client.pk for client in clients if isinstance(client, Client)]
    kept = Standing.objects.filter(client__in=known).values_list("client_id", "purpose", "channel", "state")
    existing = {(client_id, purpose, channel): state for client_id, purpose, channel, state in kept}
    for pk, client in zip(ids, clients, strict=True):
        wanted = sorted(fold.pairs() if pairs is None else pairs[pk])
        hashes = {channel: address_hash(client, channel) for channel in {pair[1] for pair in wanted}}
        readings = fold.readings(entries[pk], wanted, address_hmacs=hashes, minimum_evidence=minimum)
        for (purpose, channel), found in readings.items():
            if found.entry is None and (pk, purpose, channel) not in existing:
                continue
            event_id = found.entry.id if found.entry else None
            rows.append((pk, purpose, channel, found.state.value, event_id))
    names = ("client_id", "purpose", "channel", "state", "event_id")
    bulk.upsert(Standing, names, rows, unique=("client_id", "purpose", "channel"))
    _tell(existing, rows)


def _tell(before: Mapping[tuple[int, str, str], str], rows: Iterable[Sequence[Any]]) -> None:
    """Say whose answers about messages are other ones now. What is no message (photos, health) is nobody else's business."""
    changed = [
        (client_id, state)
        for client_id, purpose, channel, state, _event in rows
        if purpose not in fold.PERSONAL and before.get((client_id, purpose, channel), fold.State.UNKNOWN.value) != state
    ]
    _tell_of(changed)


def tell_moved(ids: Collection[int]) -> None:
    """Say whose answers hold for another address now, which nobody outside the house may know of yet."""
    if ids:
        answers = Standing.objects.filter(client__in=ids, purpose__in=(*fold.MARKETING, *fold.SERVICE))
        _tell_of(list(answers.values_list("client_id", "state")))


def _tell_of(states: Collection[tuple[int, str]]) -> None:
    refused = {client_id for client_id, state in states if state == fold.State.WITHDRAWN}
    changes.tell({client_id for client_id, _state in states}, refused)


def address_of(client: Card, channel: str) -> str:
    """Return the address the card has for `channel`, or an empty text."""
    return str((client.email if channel == "email" else client.phone) or "") if channel in fold.CHANNELS else ""


def _country() -> str:
    return Salon.objects.filter(pk=1).values_list("country", flat=True).first() or ""
