"""Where to look for two cards that may be one: cards that share a key are compared, nobody with everybody.

Each key makes small blocks in one statement whose cost grows with the cards. A block of more than MOST cards is not compared
by that key (the salon's own number, 1 January 1970): those cards are counted, said on the page, and found by their other keys.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby
from typing import Any

from django.db import connection
from rapidfuzz import process
from rapidfuzz.distance import OSA

from clients import search
from clients.duplicates.score import Facts
from clients.models import Channel, Client, ClientContact

MOST = 50
# So many slips in the whole name, and the score is asked. With more it says nothing of two cards that share no more than names.
SLIPS = 2
# Addresses looked up in one statement.
_AT_ONCE = 5_000
Pair = tuple[int, int]
_ACTIVE = "inactive_at IS NULL AND restricted_at IS NULL AND erased_at IS NULL"


@dataclass
class Found:
    """Pairs to compare, the lower id first, and how many cards each kind of key left out."""

    pairs: set[Pair] = field(default_factory=set)
    skipped: dict[str, int] = field(default_factory=dict)

    def add(self, ids: Iterable[int]) -> None:
        """Take in every two of these cards."""
        self.pairs.update(combinations(sorted(ids), 2))

    def skip(self, kind: str, count: int) -> None:
        """Count cards that were not compared."""
        if count:
            self.skipped[kind] = self.skipped.get(kind, 0) + count


def every() -> Found:
    """Return the pairs of all active cards that share a key."""
    found = Found()
    shared(found)
    similar(found)
    return found


def shared(found: Found) -> None:
    """Take in the cards that share a number or an e-mail, as their own or as a further contact."""
    for kind, column, channel in (("phone", "phone", Channel.SMS), ("email", "email", Channel.EMAIL)):
        with connection.cursor() as cursor:
            cursor.execute(_SHARED.format(column=column))
            counts = dict(cursor.fetchall())
            found.skip(kind, sum(count for count in counts.values() if count > MOST))
            _add_holders(found, column, [address for address, count in counts.items() if count <= MOST])
            cursor.execute(_FURTHER.format(column=column), [channel.value, MOST])
            found.pairs.update((min(pair), max(pair)) for pair in cursor.fetchall() if pair[0] != pair[1])
            cursor.execute(_FURTHER_BOTH, [channel.value, MOST])
            found.pairs.update((min(pair), max(pair)) for pair in cursor.fetchall())


def _add_holders(found: Found, column: str, addresses: Sequence[str]) -> None:
    """Take in the active cards with each of these addresses, looked up by the index of the column."""
    for start in range(0, len(addresses), _AT_ONCE):
        some = addresses[start : start + _AT_ONCE]
        with connection.cursor() as cursor:
            cursor.execute(_HOLDERS.format(column=column, places=", ".join(["%s"] * len(some))), some)
            holders: dict[str, list[int]] = {}
            for address, pk in cursor.fetchall():
                holders.setdefault(address, []).append(pk)
        for ids in holders.values():
            found.add(ids)


def similar(found: Found) -> None:
    """Take in the cards with one date of birth and an initial in common, and those whose names begin alike."""
    for kind, key, where in _keys():
        with connection.cursor() as cursor:
            cursor.execute(_BLOCKS.format(key=key, where=where))
            rows = cursor.fetchall()
        for _key, block in groupby(rows, key=lambda row: row[0]):
            cards = list(block)
            if cards[0][3] > MOST:
                found.skip(kind, cards[0][3])
            elif kind == "birth":
                found.add(pk for _key, pk, _name, _count in cards)
            else:
                found.pairs.update(_alike(cards))


def around(pk: int, own: Facts) -> set[Pair]:
    """Return the pairs of one card to compare: who shares a number, an e-mail, a date of birth or the name. By indexes alone."""
    card = Client.objects.values_list("sort_name", "first_name", "last_name").get(pk=pk)
    turned = search.sort_name_of(first_name=card[2], last_name=card[1], phone="")
    rows = Client.objects.active().exclude(pk=pk).order_by().values_list("pk")
    further = ClientContact.objects.exclude(client=pk).order_by().values_list("client")
    year, month, day = own.birth
    asked: list[Any] = [rows.filter(sort_name__in={card[0], turned} - {""})]
    if own.phones:
        asked += [rows.filter(phone__in=own.phones), further.filter(channel=Channel.SMS, address__in=own.phones)]
    if own.emails:
        asked += [rows.filter(email__in=own.emails), further.filter(channel=Channel.EMAIL, address__in=own.emails)]
    if year and day:
        asked.append(rows.filter(birth_year=year, birth_month=month, birth_day=day))
    first, *others = asked
    # One statement: a way to the database and back for each would take longer than the looking.
    ids = {one for (one,) in first.union(*others, all=True)[: 8 * MOST]}
    return {(min(pk, one), max(pk, one)) for one in ids}


def _alike(cards: list[tuple[str, int, str, int]]) -> Iterator[Pair]:
    """Yield the pairs of a block whose whole names are alike, in whatever order. Compared in one call a card."""
    names = [" ".join(sorted(name.split())) for _key, _pk, name, _count in cards]
    for place, name in enumerate(names[:-1]):
        rest = names[place + 1 :]
        for _name, _slips, index in process.extract(name, rest, scorer=OSA.distance, score_cutoff=SLIPS, limit=None):
            one, other = cards[place][1], cards[place + 1 + int(index)][1]
            yield min(one, other), max(one, other)


def _keys() -> list[tuple[str, str, str]]:
    """Return kind, expression and condition of each key: names as the search has folded them."""
    least = "least" if connection.vendor == "postgresql" else "min"
    last, first = "substr(sort_name, 1, {0})", "substr(search_text, 1, {0})"
    born = "birth_year || '-' || birth_month || '-' || birth_day"
    both = f"{least}({last.format(4)} || ' ' || {first.format(4)}, {first.format(4)} || ' ' || {last.format(4)})"
    named = "first_name <> '' AND last_name <> ''"
    return [
        ("birth", f"{born} || {least}({last.format(1)}, {first.format(1)})", "birth_year > 0 AND birth_day > 0"),
        ("name", f"{last.format(6)} || ' ' || {first.format(1)}", named),
        ("name", f"{first.format(5)} || ' ' || {last.format(2)}", named),
        ("name", both, named),
    ]


# Columns and numbers of ours; whatever comes from a card is a parameter.
_SHARED = "SELECT {column}, count(*) FROM clients_client WHERE {column} <> '' GROUP BY {column} HAVING count(*) > 1"
_HOLDERS = f"SELECT {{column}}, id FROM clients_client WHERE {{column}} IN ({{places}}) AND {_ACTIVE}"  # noqa: S608
# "|| ''": further contacts are few, and a card is looked up for each of them; never a contact for each card.
_FURTHER = (
    "SELECT further.client_id, clients_client.id FROM clients_clientcontact AS further"  # noqa: S608
    f" JOIN clients_client ON clients_client.{{column}} = further.address || '' AND {_ACTIVE} WHERE further.channel = %s"
    " AND (SELECT count(*) FROM clients_client AS own WHERE own.{column} = further.address) <= %s"
)
_FURTHER_BOTH = (
    "SELECT one.client_id, other.client_id FROM clients_clientcontact AS one JOIN clients_clientcontact AS other"
    " ON other.address = one.address AND other.channel = one.channel AND other.client_id > one.client_id"
    " WHERE one.channel = %s AND (SELECT count(*) FROM clients_clientcontact AS own WHERE own.address = one.address) <= %s"
)
_BLOCKS = (
    "SELECT block, id, sort_name, size FROM (SELECT block, id, sort_name, count(*) OVER (PARTITION BY block) AS size,"  # noqa: S608
    " row_number() OVER (PARTITION BY block ORDER BY id) AS place"
    f" FROM (SELECT {{key}} AS block, id, sort_name FROM clients_client WHERE {{where}} AND {_ACTIVE}) AS keyed) AS sized"
    f" WHERE size BETWEEN 2 AND {MOST} OR (size > {MOST} AND place = 1) ORDER BY block, id"
)
