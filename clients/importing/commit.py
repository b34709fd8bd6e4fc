"""The known cards for a plan, and a plan -> rows: all of it or nothing. Consent goes through `clients.consent` alone."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

from django.db import connection, transaction
from django.db.models import Count, Max, Sum

from clients import consent, fold, records
from clients.importing import columns, plan, reading, rows
from clients.importing.plan import Card, Plan
from clients.models import Client, ConsentEvent, Standing
from salon.core import audit
from salon.core.models import Salon, User

CHUNK = 500
TRIES = 3
# A claimed yes names offers and news: the one thing "newsletter" and "marketing" have in common.
CLAIMED = "mkt.promotion"
_FIELDS = (*records.FIELDS,)
_YES = ("grant", "confirm", "pending", "soft_opt_in")

T = TypeVar("T")


def make_plan(data: bytes, salon: Salon, *, now: dt.datetime) -> Plan:
    """Return what importing this file would do. Raises Refused for a file that cannot be read."""
    sheet = reading.read(data)
    found = columns.recognise(sheet.header)
    columns.check(found)
    lines = rows.read(sheet, found, country=salon.country, today=now.astimezone(salon.zone).date())
    return plan.make(lines, known_cards(), hash_of=consent.hash_of)


def carry_out(data: bytes, salon: Salon, *, by: User | None, now: dt.datetime) -> Plan:
    """Import the file and return what was done: every accepted row, or nothing at all when anything fails.

    Reading and planning take their time outside the transaction, so that the salon goes on working. Under the lock it
    is only checked that the plan still speaks of the cards as they are; a salon too busy for that is planned under it.
    """
    for _try in range(TRIES):
        before = _stamp()
        done = make_plan(data, salon, now=now)
        with transaction.atomic():
            _wait_for_other_imports()
            if _stamp() == before:
                return _write(done, salon, by=by, now=now)
    with transaction.atomic():
        _wait_for_other_imports()
        return _write(make_plan(data, salon, now=now), salon, by=by, now=now)


def _stamp() -> list[object]:
    """Return a mark that changes with anything a plan looks at: cards, what they answered, and the salon's country."""
    cards = Client.objects.aggregate(Count("pk"), Max("pk"), Sum("version"), Count("erased_at"), Count("restricted_at"))
    events = ConsentEvent.objects.aggregate(Count("pk"), Max("pk"))
    states = Standing.objects.values_list("state").annotate(Count("pk")).order_by("state")
    return [cards, events, list(states), Salon.objects.values_list("country", flat=True).first()]


def _wait_for_other_imports() -> None:
    """Hold the salon's row, so that of two imports at once the second sees what the first has written."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '10min'; SET LOCAL statement_timeout = '10min'")
    list(Salon.objects.select_for_update().values_list("pk"))


def _write(done: Plan, salon: Salon, *, by: User | None, now: dt.datetime) -> Plan:
    """Write what the plan says, and return it."""
    clients: dict[Card, int] = {}
    for some in _chunks(done.new):
        added = records.add_many([{"language": salon.language, **card.fields} for card in some], by=by, now=now)
        clients.update(zip(some, (client.pk for client in added), strict=True))
    for some in _chunks(done.updates):
        records.fill_many({card.pk: card.fills for card in some if card.pk is not None}, by=by)
    _record(done.stops, "withdraw", fold.ALL_MARKETING, clients, by=by, now=now)
    _record(done.claims, "import_claim", CLAIMED, clients, by=by, now=now)
    audit.record(
        "clients.imported", by=by, new_count=len(done.new), updated_count=len(done.updates),
        refused_count=len(done.refused_rows), claim_count=len(done.claims), stop_count=len(done.stops),
    )  # fmt: skip
    return done


def known_cards() -> list[Card]:
    """Return every card that is not erased, with what an import may not undo."""
    refused, granted = _answered()
    claimed, left = _claimed_and_left()
    found = []
    rows_of_cards = Client.objects.filter(erased_at=None).order_by("pk").values_list("pk", "version", "restricted_at", *_FIELDS)
    for pk, version, restricted_at, *some in rows_of_cards.iterator(chunk_size=5000):
        fields = {name: str(value) if name == "phone" else value for name, value in zip(_FIELDS, some, strict=True) if value}
        claims = frozenset(
            channel
            for channel, hmac in claimed.get(pk, ())
            if hmac == consent.hash_of(channel, str(fields.get("email" if channel == "email" else "phone", "")))
        )
        found.append(
            Card(
                fields=fields,
                pk=pk,
                version=version,
                is_restricted=restricted_at is not None,
                refused_on=frozenset(refused.get(pk, ())),
                granted_on=frozenset(granted.get(pk, ())),
                claimed_on=claims,
                left_addresses=frozenset(left.get(pk, ())),
            )
        )
    return found


def _answered() -> tuple[dict[int, set[str]], dict[int, set[str]]]:
    """Return the channels on which every marketing kind is refused, and on which offers are granted, by client id."""
    counts: dict[tuple[int, str], int] = defaultdict(int)
    granted: dict[int, set[str]] = defaultdict(set)
    standings = Standing.objects.filter(purpose__in=consent.MARKETING).values_list("client_id", "purpose", "channel", "state")
    for client_id, purpose, channel, state in standings.iterator(chunk_size=5000):
        counts[client_id, channel] += state == Standing.State.WITHDRAWN
        if purpose == CLAIMED and state == Standing.State.GRANTED:
            granted[client_id].add(channel)
    refused: dict[int, set[str]] = defaultdict(set)
    for (client_id, channel), count in counts.items():
        if count == len(consent.MARKETING):
            refused[client_id].add(channel)
    return refused, granted


def _claimed_and_left() -> tuple[dict[int, set[tuple[str, str]]], dict[int, set[str]]]:
    """Return (channel, hash) of claims by client id, and the hashes that a yes was about, of cards lacking an address."""
    claimed: dict[int, set[tuple[str, str]]] = defaultdict(set)
    claims = ConsentEvent.objects.filter(event="import_claim", purpose=CLAIMED, subject__client__isnull=False)
    for client_id, channel, hmac in claims.values_list("subject__client_id", "channel", "address_hmac").iterator(chunk_size=5000):
        claimed[client_id].add((channel, hmac))
    left: dict[int, set[str]] = defaultdict(set)
    yeses = ConsentEvent.objects.filter(event__in=_YES).exclude(address_hmac="")
    for lacking in ({"subject__client__email": ""}, {"subject__client__phone": ""}):
        for client_id, hmac in yeses.filter(**lacking).values_list("subject__client_id", "address_hmac"):
            left[client_id].add(hmac)
    return claimed, left


def _record(
    answers: Sequence[tuple[Card, str]], event: str, purpose: str, new: dict[Card, int], *, by: User | None, now: dt.datetime
) -> None:
    """Write one event for each (card, channel), in chunks of clients."""
    for some in _chunks(answers):
        pks = {card: card.pk if card.pk is not None else new[card] for card, _channel in some}
        clients = Client.objects.in_bulk(pks.values())
        said = [
            consent.Said(
                client=clients[pks[card]],
                purpose=purpose,
                channel=channel,
                event=event,
                source=ConsentEvent.Source.IMPORT,
                evidence_level=0,
            )
            for card, channel in some
        ]
        consent.record_many(said, by=by, now=now)


def _chunks(items: Sequence[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, CHUNK)):
        yield some
