"""What the holder of an address stops by one click, and whom a link stands for. Called by the public pages.

A click can only restrict; it needs no sign-in. The lock order is that of the house: client, then address.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from clients import addresses, consent, fold
from clients.models import Client, ConsentEvent


@dataclass(frozen=True)
class Link:
    """Who holds a link: the subject of the ledger, and the address it was sent to by the beginning of its hash."""

    subject_id: int
    channel: str
    address_start: str

    def has_address(self, address_hmac: str) -> bool:
        """Return whether the link was sent to the address with this hash."""
        return bool(address_hmac) and address_hmac.startswith(self.address_start)


@transaction.atomic
def by_click(link: Link, *, source: str = ConsentEvent.Source.ONE_CLICK_POST, now: dt.datetime) -> ConsentEvent | None:
    """Stop all marketing on the link's channel to its address, whoever has it, and return the event.

    None if nobody is there any more, or if this was said already.
    """
    client = locked(link)
    if client is None:
        return None
    hmac = address_of(link, client)
    if has_objected(client, link.channel, hmac):
        return None
    said = consent.Said(client, fold.ALL_MARKETING, link.channel, "object", source, address_hmac=hmac)
    return consent.record_many([said], now=now)[0]


def client_of(link: Link) -> Client | None:
    """Return the card that the link's subject stands for now, or None: it was forgotten, or never was."""
    return Client.objects.filter(subjects=link.subject_id, erased_at=None).first()


def locked(link: Link) -> Client | None:
    """Return the card of a link, locked. Call it inside a transaction. Follows a merge that commits meanwhile."""
    while (found := client_of(link)) is not None:
        client = Client.objects.select_for_update().filter(pk=found.pk).first()  # None: removed meanwhile
        if client_of(link) == client:
            return client
    return None


def is_current(link: Link, client: Client) -> bool:
    """Return whether the card still has the address that the link was sent to."""
    return link.has_address(consent.address_hash(client, link.channel))


def address_of(link: Link, client: Client) -> str:
    """Return the hash of the address that the link was sent to, "" if nothing is known of it any more."""
    current = consent.address_hash(client, link.channel)
    return current if link.has_address(current) else addresses.beginning(link.channel, link.address_start)


def is_closed(client: Client, entries: Sequence[fold.Entry], purpose: str, channel: str) -> bool:
    """Return whether only a link to the client's address itself opens it again, or a signed form."""
    hmac = consent.address_hash(client, channel)
    return fold.has_objected(entries, purpose=purpose, channel=channel, address_hmac=hmac) or (
        purpose in fold.MARKETING and addresses.is_shut(channel, hmac)
    )


def has_objected(client: Client, channel: str, hmac: str) -> bool:
    """Return whether an objection stands against every kind of marketing on a channel, and the address is stopped.

    Not while a later Yes waits for its link: another No ends that as well.
    """
    if hmac and not addresses.is_shut(channel, hmac):
        return False
    entries, current = consent.events_of(client), consent.address_hash(client, channel)
    if any(consent.reading(client, one, channel, entries=entries).state is fold.State.PENDING for one in fold.MARKETING):
        return False
    return all(fold.has_objected(entries, purpose=one, channel=channel, address_hmac=current) for one in fold.MARKETING)
