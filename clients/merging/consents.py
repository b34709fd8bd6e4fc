"""What a joined person agreed to: the fold over both ledgers, and where it may not stand because neither card had it.

Nobody picks this by hand. A No of any card wins. A Yes stays only where a card had it, for the address that is left.
Reads what it is given; `merges` writes the holds down.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clients import addresses, countries, fold, readings
from clients.fold import Entry, Reading, State
from clients.models import Client

_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True)
class Outlook:
    """What becomes of one purpose on one channel.

    `reason` is "no" (a No wins), "one" (answered on one card), "same", "address" (the Yes was for an address that is not
    the card's own any more), "held" (together the ledgers say Yes, but no card did) or "" (nobody was asked). `is_held`:
    the fold over the joined ledger says more than it may, and a hold is written.
    """

    purpose: str
    channel: str
    state: State
    reason: str
    reading: Reading
    is_held: bool = False


def look(
    cards: Sequence[Client], ledgers: Mapping[int, Sequence[Entry]], *, email: str, phone: str, country: str
) -> list[Outlook]:
    """Return the outlook of every purpose and channel, for the address and the number that are left."""
    joined = [entry for card in cards for entry in ledgers[card.pk]]
    left = {"email": addresses.hash_of("email", email), "sms": addresses.hash_of("sms", phone), "": ""}
    hashes = {card.pk: {channel: readings.address_hash(card, channel) for channel in left} for card in cards}
    found = []
    for purpose, channel in fold.pairs():
        needed = countries.minimum_evidence(country, purpose, channel)

        about: dict[str, Any] = {"purpose": purpose, "channel": channel, "minimum_evidence": needed}
        before = []
        for card in cards:
            hmac = hashes[card.pk][channel]
            before.append((fold.reading(ledgers[card.pk], address_hmac=hmac, **about), hmac == left[channel]))
        found.append(_outlook(purpose, channel, fold.reading(joined, address_hmac=left[channel], **about), before))
    return found


def holds(outlooks: Sequence[Outlook]) -> list[tuple[str, str]]:
    """Return for which (purpose, channel) a hold must be written."""
    return [(one.purpose, one.channel) for one in outlooks if one.is_held]


def _outlook(purpose: str, channel: str, joined: Reading, before: Sequence[tuple[Reading, bool]]) -> Outlook:
    noes = [reading for reading, _is_left in before if reading.state is State.WITHDRAWN]
    yeses = [reading for reading, _is_left in before if reading.state is State.GRANTED]
    rightful = [reading for reading, is_left in before if reading.state is State.GRANTED and is_left]
    if noes:
        newest = max(noes, key=lambda reading: reading.entry.effective_at if reading.entry else _NEVER)
        return Outlook(purpose, channel, State.WITHDRAWN, "no", newest, is_held=joined.state is not State.WITHDRAWN)
    if joined.state is State.GRANTED and not rightful and purpose not in fold.SERVICE:
        return Outlook(purpose, channel, State.WITHDRAWN, "held", joined, is_held=True)
    if joined.state is State.UNKNOWN:
        return Outlook(purpose, channel, joined.state, "address" if yeses else "", joined)
    if yeses and joined.state is not State.GRANTED:
        return Outlook(purpose, channel, joined.state, "address", joined)
    answered = [reading for reading, _is_left in before if reading.state is not State.UNKNOWN]
    return Outlook(purpose, channel, joined.state, "one" if len(answered) == 1 else "same", joined)
