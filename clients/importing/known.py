"""The cards of the book as a plan sees them, with what an import may not undo: tuples, not objects, however many there are."""

import datetime as dt
from collections import defaultdict

from clients import consent, fold, records
from clients.importing.plan import Card
from clients.models import Client, ConsentEvent, Standing

# A claimed yes names offers and news: the one thing "newsletter" and "marketing" have in common.
CLAIMED = "mkt.promotion"
_FIELDS = (*records.FIELDS,)
_YES = ("grant", "confirm", "pending", "soft_opt_in")


def cards(now: dt.datetime) -> list[Card]:
    """Return every card that is not erased, with what an import may not undo."""
    refused, granted = _answered(now)
    claimed, left = _claimed_and_left()
    found = []
    rows_of_cards = Client.objects.filter(erased_at=None).order_by("pk").values_list(
        "pk", "version", "restricted_at", "inactive_reason", *_FIELDS
    )  # fmt: skip
    for pk, version, restricted_at, inactive_reason, *some in rows_of_cards.iterator(chunk_size=5000):
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
                # Nothing is filled into a card that is to be erased either.
                is_restricted=restricted_at is not None or inactive_reason == Client.DELETING,
                refused_on=frozenset(refused.get(pk, ())),
                granted_on=frozenset(granted.get(pk, ())),
                claimed_on=claims,
                left_addresses=frozenset(left.get(pk, ())),
            )
        )
    return found


def _answered(now: dt.datetime) -> tuple[dict[int, set[str]], dict[int, set[str]]]:
    """Return the channels on which every marketing kind is refused, and on which offers are granted, by client id.

    A No that somebody of the salon may still take back as a slip is none yet: that of the list must stand by itself.
    """
    slips = ConsentEvent.objects.filter(actor_type="staff", event__in=fold.NEGATIVE, recorded_at__gte=now - consent.UNDO_WITHIN)
    may_go = set(slips.values_list("pk", flat=True))
    counts: dict[tuple[int, str], int] = defaultdict(int)
    granted: dict[int, set[str]] = defaultdict(set)
    rows = Standing.objects.filter(purpose__in=consent.MARKETING)
    standings = rows.values_list("client_id", "purpose", "channel", "state", "event_id")
    for client_id, purpose, channel, state, event_id in standings.iterator(chunk_size=5000):
        counts[client_id, channel] += state == Standing.State.WITHDRAWN and event_id not in may_go
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
