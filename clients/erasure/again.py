"""After a restore: whoever was erased since the backup is erased again, as the journal beside the database says."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from clients import addresses
from clients.erasure import act, journal
from clients.models import Address, Client, Erasure
from salon.core import failpoints


@dataclass(frozen=True)
class Repeated:
    """How many erasures the journal holds, how many had to be done again, and whether the journal is whole."""

    known: int
    again: int
    is_whole: bool


def erase(now: dt.datetime) -> Repeated:
    """Erase again whom the journal names, stop their addresses again, and return counts. Calling it again does no harm.

    A card is the one of the journal if number and moment of making are the same: after a restore a number may be given
    to somebody else.
    """
    entries, count = journal.entries(), 0
    for entry in entries:
        with transaction.atomic():  # an address is stopped under its lock
            for channel, hmac in entry.stops:
                if not addresses.is_shut(channel, hmac):
                    addresses.stop_hash(channel, hmac, scope=Address.Scope.MARKETING, reason=Address.Reason.ERASED, now=entry.at)
        for card in _there(entry):
            case = None if Erasure.objects.filter(case=entry.case).exists() else entry.case
            count += act.erase(card, ground=entry.ground, by=None, now=now, again=case) is not None
            failpoints.hit("erased_again")
    return Repeated(len(entries), count, journal.is_whole())


def _there(entry: journal.Entry) -> list[Client]:
    """Return the cards of an entry that are there again, one that took in others before these."""
    found = [Client.objects.filter(pk=pk, created_at=made_at).first() for pk, made_at in entry.cards]
    return sorted((card for card in found if card and not act.is_gone(card)), key=lambda card: card.merged_into_id is not None)
