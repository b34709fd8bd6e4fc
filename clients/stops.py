"""What the holder of an address stops by a link in a message. Called by the public pages; needs no sign-in.

It can only restrict. The lock order is that of the house: client, then address.
"""

import datetime as dt

from django.db import transaction

from clients import addresses, consent, fold
from clients.models import Address, Client, ConsentEvent, Subject

_STOPPED = (Address.Scope.MARKETING, Address.Scope.ALL)


@transaction.atomic
def by_click(subject_id: int, channel: str, address_start: str, *, now: dt.datetime) -> ConsentEvent | None:
    """Stop all marketing on `channel` to the address whose hash begins so, and return the event.

    None if nobody is there any more, or if this was said already.
    """
    client = locked(subject_id)
    if client is None:
        return None
    current = consent.address_hash(client, channel)
    hmac = current if current.startswith(address_start) else addresses.beginning(channel, address_start)
    is_stopped = not hmac or Address.objects.filter(channel=channel, hmac=hmac, scope__in=_STOPPED).exists()
    if is_stopped and _has_objected(client, channel):
        return None
    said = consent.Said(client, fold.ALL_MARKETING, channel, "object", "one_click_post", address_hmac=hmac)
    return consent.record_many([said], now=now)[0]


def locked(subject_id: int) -> Client | None:
    """Return the card that the ledger's subject stands for now, locked, or None: it was forgotten, or never was."""
    while (pk := Subject.objects.filter(pk=subject_id).values_list("client", flat=True).first()) is not None:
        client = Client.objects.select_for_update().filter(pk=pk, erased_at=None).first()
        if client is None or Subject.objects.filter(pk=subject_id, client=pk).exists():
            return client
    return None


def _has_objected(client: Client, channel: str) -> bool:
    """Return whether an objection of the client stands for every kind of marketing on the channel."""
    entries, hmac = consent.events_of(client), consent.address_hash(client, channel)
    return all(fold.has_objected(entries, purpose=one, channel=channel, address_hmac=hmac) for one in fold.MARKETING)
