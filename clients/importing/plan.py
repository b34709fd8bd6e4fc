"""Rows of values + the cards that are known -> what an import would do, as a value to show before anything is written.

Pure. The rules: one match fills empty fields and never overwrites, several matches fill nothing, no match is a new card.
The same file planned again over its own result changes nothing. A yes is a claim; a no counts at once, from refused rows too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.utils.translation import gettext as _

from clients.importing.rows import Problem, Row, Value
from clients.importing.values import plain

_SINGLE = ("email", "phone", "note")
_BIRTH = ("birth_day", "birth_month", "birth_year")
_ADDRESS = ("street", "postcode", "city", "country")
_CHANNEL_FIELD = {"email": "email", "sms": "phone"}


@dataclass(eq=False)
class Card:
    """A card as the plan sees it: a known one (`pk`) or one to be made (None)."""

    fields: dict[str, Value]
    pk: int | None = None
    version: int = 1
    # No data of a restricted person may be changed.
    is_restricted: bool = False
    # Channels on which every marketing kind is refused, and on which offers are granted, today.
    refused_on: frozenset[str] = frozenset()
    granted_on: frozenset[str] = frozenset()
    # Channels on which an earlier import left a claim for the address of today.
    claimed_on: frozenset[str] = frozenset()
    # Keyed hashes of addresses for which this person once said yes and which the card no longer has.
    left_addresses: frozenset[str] = frozenset()
    # What the plan adds to a known card.
    fills: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What an import would do. Row counts add up to the rows of the file."""

    new: Sequence[Card]
    updates: Sequence[Card]
    update_row_count: int
    unchanged_row_count: int
    refused: Sequence[Problem]
    refused_rows: Sequence[Row]
    warnings: Sequence[Problem]
    claims: Sequence[tuple[Card, str]]
    stops: Sequence[tuple[Card, str]]
    # The cards that it was planned over, as they will be when it is done.
    known: Sequence[Card] = ()


class _Index:
    """Which cards a row may mean. Grows with the plan; a card never leaves it."""

    def __init__(self, cards: Iterable[Card]) -> None:
        self._by_key: dict[tuple[str, ...], list[Card]] = defaultdict(list)
        self.add_all(cards)

    def add_all(self, cards: Iterable[Card]) -> None:
        for card in cards:
            self.add(card)

    def add(self, card: Card) -> None:
        for key in (*_keys(card.fields), *_addresses(card.fields), ("called", name_of(card.fields))):
            if card not in self._by_key[key]:
                self._by_key[key].append(card)

    def _find(self, keys: Iterable[tuple[str, ...]]) -> list[Card]:
        return list(dict.fromkeys(card for key in keys for card in self._by_key.get(key, ())))

    def same(self, fields: Mapping[str, Value]) -> list[Card]:
        """Return the cards of the person a row names: same e-mail and name, or same phone and name."""
        return self._find(_keys(fields))

    def with_address_of(self, fields: Mapping[str, Value]) -> list[Card]:
        """Return the cards with the row's e-mail or phone, whatever the name."""
        return self._find(_addresses(fields))

    def with_name_of(self, fields: Mapping[str, Value]) -> list[Card]:
        """Return the cards with the row's name, whatever the addresses."""
        return self._find([("called", name_of(fields))]) if name_of(fields) else []

    def with_address_for(self, channel: str, fields: Mapping[str, Value]) -> list[Card]:
        """Return the cards with the row's address for one channel, whatever the name."""
        name = _CHANNEL_FIELD[channel]
        return self._find(_addresses({name: fields[name]})) if fields.get(name) else []


def name_of(fields: Mapping[str, Value]) -> str:
    """Return the name by which cards are compared: no case, no accents, words in any order."""
    return _name_of(str(fields.get("first_name", "")), str(fields.get("last_name", "")))


# One row after the other is asked for its name several times.
@lru_cache(maxsize=64)
def _name_of(first: str, last: str) -> str:
    return " ".join(sorted(plain(f"{first} {last}").split()))


def _addresses(fields: Mapping[str, Value]) -> list[tuple[str, ...]]:
    return [(name, str(fields[name]).lower()) for name in ("email", "phone") if fields.get(name)]


def _keys(fields: Mapping[str, Value]) -> list[tuple[str, ...]]:
    """Return the keys that two of the same person share. Without phone and e-mail: the name and the very same birthday."""
    name = name_of(fields)
    addresses = [("same", *address, name) for address in _addresses(fields)]
    return addresses or [("name", name, *(str(fields.get(part) or "") for part in _BIRTH))]


def make(rows: Sequence[Row], known: Iterable[Card], *, hash_of: Callable[[str, str], str]) -> Plan:
    """Return the plan for these rows over these cards. `hash_of(channel, address)` is the ledger's keyed hash."""
    cards_known = list(known)
    index = _Index(cards_known)
    new: list[Card] = []
    updates: dict[Card, None] = {}
    counts = {"update": 0, "unchanged": 0}
    warnings: list[Problem] = []
    accepted = [row for row in rows if not row.faults]
    for row in accepted:
        warnings += row.warnings
        cards = index.same(row.fields)
        if not cards and not (not name_of(row.fields) and index.with_address_of(row.fields)):
            card = Card(fields=dict(row.fields))
            index.add(card)
            new.append(card)
            continue
        fills = _fills(cards[0], row.fields, hash_of) if len(cards) == 1 else {}
        if len(cards) > 1:
            warnings.append(Problem(row.number, "", _("Several cards are of this person: nothing is filled in."), row.who))
        if fills:
            _fill(cards[0], fills)
            index.add(cards[0])
            if cards[0].pk is not None:
                updates[cards[0]] = None
        counts["update" if fills else "unchanged"] += 1
    claims, stops, told = _answers(rows, index)
    refused_rows = [row for row in rows if row.faults]
    return Plan(
        new=new,
        updates=list(updates),
        update_row_count=counts["update"],
        unchanged_row_count=counts["unchanged"],
        refused=[fault for row in refused_rows for fault in row.faults],
        refused_rows=refused_rows,
        warnings=sorted([*warnings, *told], key=lambda problem: problem.row),
        claims=claims,
        stops=stops,
        known=cards_known,
    )


def _fill(card: Card, fills: Mapping[str, Value]) -> None:
    card.fields.update(fills)
    if card.pk is not None:
        card.fills.update(fills)


def _fills(card: Card, fields: Mapping[str, Value], hash_of: Callable[[str, str], str]) -> dict[str, Value]:
    """Return what the row adds to the card: empty fields only; an address as a whole; no birthday beside another.

    An address that the card once had and was given a yes for stays off: bringing it back would bring the yes back.
    """
    if card.is_restricted:
        return {}
    fills = {name: fields[name] for name in _SINGLE if fields.get(name) and not card.fields.get(name)}
    for channel, name in _CHANNEL_FIELD.items():
        if name in fills and hash_of(channel, str(fills[name])) in card.left_addresses:
            del fills[name]
    if not any(card.fields.get(name) for name in _ADDRESS):
        fills |= {name: fields[name] for name in _ADDRESS if fields.get(name)}
    if all(not card.fields.get(name) or not fields.get(name) or card.fields[name] == fields[name] for name in _BIRTH):
        fills |= {name: fields[name] for name in _BIRTH if fields.get(name) and not card.fields.get(name)}
    return fills


def _answers(rows: Sequence[Row], index: _Index) -> tuple[list[tuple[Card, str]], list[tuple[Card, str]], list[Problem]]:
    """Return claims, stops and what to tell, read over the finished cards so that the order of rows does not matter."""
    stops: dict[tuple[Card, str], None] = {}
    for row in rows:
        for channel in (channel for channel, said in row.answers.items() if not said):
            cards = _meant_by_a_no(row, channel, index)
            stops.update(dict.fromkeys((card, channel) for card in cards if channel not in card.refused_on))
    claims: dict[tuple[Card, str], None] = {}
    told: list[Problem] = []
    for row in (row for row in rows if not row.faults):
        cards = index.same(row.fields)
        for channel in (channel for channel, said in row.answers.items() if said):
            if any(channel in card.refused_on or (card, channel) in stops for card in cards):
                told.append(Problem(row.number, "", _("The file says yes, this person said no: the no stands."), row.who))
            elif len(cards) == 1 and _may_claim(cards[0], channel):
                claims[cards[0], channel] = None
    return list(claims), list(stops), told


def _meant_by_a_no(row: Row, channel: str, index: _Index) -> list[Card]:
    """Return whose marketing a no stops: the row's own card, and for a row without a known one everybody at its address.

    A card that is only made now may be somebody we know under another name. Where that names nobody, the one card that
    has its other address or, of a row with no readable address, its name.
    """
    cards = index.same(row.fields)
    if row.faults or all(card.pk is None for card in cards):
        cards = list(dict.fromkeys([*cards, *index.with_address_for(channel, row.fields)]))
    if cards:
        return cards
    others = index.with_address_of(row.fields) if _addresses(row.fields) else index.with_name_of(row.fields)
    return others if len(others) == 1 else []


def _may_claim(card: Card, channel: str) -> bool:
    has_address = bool(card.fields.get(_CHANNEL_FIELD[channel]))
    return has_address and not card.is_restricted and channel not in card.granted_on | card.claimed_on
