"""A Yes that waits for the client's own link (double opt-in): what a link covers, whether it still waits, confirming it.

Called by the page behind the link, by whoever sends it, and by the card. A link covers every Yes for its address that
waits when it is opened, also those recorded after it was sent. A confirmation is a new line of the ledger.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from clients import consent, fold, stops
from clients.models import Client, ConsentEvent
from clients.stops import Link

VALID_FOR = dt.timedelta(days=7)
# Who asked: the client themselves, in whatever way. A file somebody imported asks nobody for a link.
_Source = ConsentEvent.Source
SOURCES = frozenset({
    _Source.IN_PERSON, _Source.PHONE, _Source.PAPER_FORM, _Source.OTHER, _Source.OWN_FORM, _Source.PREFERENCE_PAGE,
    _Source.PORTAL, _Source.WIDGET,
})  # fmt: skip
ASKING = ("grant", "pending")

Needed = Callable[[str, str], int]


@dataclass(frozen=True)
class Request:
    """What a link covers: every line that still waits. `lines` is empty once it `is_confirmed`."""

    client: Client
    asked_at: dt.datetime
    lines: Sequence[ConsentEvent]
    is_confirmed: bool = False


def is_over(asked_at: dt.datetime, now: dt.datetime) -> bool:
    """Return whether a request of that instant is too old to be confirmed."""
    return now - asked_at >= VALID_FOR


def open_lines(
    entries: Sequence[fold.Entry], event_id: int, *, address_hmac: str, needed: Needed, now: dt.datetime
) -> list[fold.Entry]:
    """Return every line that waits for a link and that the link which names `event_id` can confirm. Reads nothing.

    One that was said for the address of today, after every No, and less than seven days ago. `needed` gives the evidence
    that the country asks for a purpose and channel.
    """
    first = next((entry for entry in entries if entry.id == event_id), None)
    if first is None or first.address_hmac != address_hmac or is_over(first.recorded_at, now):
        return []
    asked = [
        entry
        for entry in entries
        if entry.event in ASKING and entry.source in SOURCES and entry.channel == first.channel
        and entry.purpose in consent.MARKETING and not is_over(entry.recorded_at, now)
    ]  # fmt: skip
    return _newest([line for line in asked if _waits(entries, line, address_hmac, needed)])


def together(entries: Sequence[fold.Entry], event_id: int) -> set[int]:
    """Return the lines that were recorded together with `event_id`, by their ids."""
    first = next((entry for entry in entries if entry.id == event_id), None)
    return {entry.id for entry in _group(entries, first)} if first else set()


def find(event_id: int, *, now: dt.datetime) -> Request | None:
    """Return the request that begins with this line of the ledger; None if there is nothing to confirm. Changes nothing."""
    link = _link(event_id)
    client = stops.client_of(link) if link else None
    return _find(client, event_id, now) if client else None


@transaction.atomic
def confirm(event_id: int, *, shown: Collection[int], now: dt.datetime) -> Request | None:
    """Write the Yes of what waits among the lines that were `shown` to the client, by the link itself, once.

    Return the request as it was found, with these lines alone if there were any.
    """
    link = _link(event_id)
    client = stops.locked(link) if link else None
    found = _find(client, event_id, now) if client else None
    lines = [line for line in found.lines if line.pk in shown] if found else []
    if client is None or found is None or not lines:
        return found
    said = [
        consent.Said(client, line.purpose, line.channel, "confirm", _Source.PREFERENCE_PAGE, text=line.text) for line in lines
    ]
    consent.record_many(said, now=now)
    return replace(found, lines=lines, is_confirmed=True)


def _find(client: Client, event_id: int, now: dt.datetime) -> Request | None:
    entries = consent.events_of(client)
    first = next((entry for entry in entries if entry.id == event_id), None)
    if first is None or client.inactive_at or client.restricted_at:
        return None
    hmac = consent.address_hash(client, first.channel)
    ids = [line.id for line in open_lines(entries, event_id, address_hmac=hmac, needed=consent.needed, now=now)]
    if ids:
        rows = ConsentEvent.objects.filter(pk__in=ids).select_related("text").order_by("pk")
        return Request(client, first.effective_at, list(rows))
    readings = [consent.reading(client, line.purpose, line.channel, entries=entries) for line in _group(entries, first)]
    is_confirmed = any(one.state is fold.State.GRANTED and one.entry and one.entry.event == "confirm" for one in readings)
    return Request(client, first.effective_at, [], True) if is_confirmed else None


def _link(event_id: int) -> Link | None:
    """Return the request as a link to its subject, so that it follows a merge and ends with an erasure."""
    row = ConsentEvent.objects.filter(pk=event_id, event__in=ASKING).values_list("subject", "channel").first()
    return Link(row[0], row[1], "") if row else None


def _group(entries: Sequence[fold.Entry], first: fold.Entry) -> list[fold.Entry]:
    """Return the lines that were recorded together with this one."""
    return [
        entry
        for entry in entries
        if entry.event in ASKING
        and (entry.origin, entry.channel, entry.recorded_at) == (first.origin, first.channel, first.recorded_at)
    ]


def _newest(lines: Sequence[fold.Entry]) -> list[fold.Entry]:
    """Return the newest line of each purpose: said twice, it is confirmed once, in the words shown last."""
    newest = {line.purpose: line for line in sorted(lines, key=lambda line: (line.effective_at, line.recorded_at, line.id))}
    return sorted(newest.values(), key=lambda line: line.id)


def _waits(entries: Sequence[fold.Entry], line: fold.Entry, address_hmac: str, needed: Needed) -> bool:
    """Return whether a line waits by itself, without the other Yeses, and nothing else has made a Yes of it since."""
    others = [entry for entry in entries if entry is line or entry.event in fold.NEGATIVE or entry.event == "void"]
    return all(
        fold.state(
            known, purpose=line.purpose, channel=line.channel, address_hmac=address_hmac,
            minimum_evidence=needed(line.purpose, line.channel),
        ) is fold.State.PENDING
        for known in (entries, others)
    )  # fmt: skip
