"""What a merge of some cards will do, as a value: for the page that shows it. Writes nothing.

`merges.merge` reads everything again under its locks and by the same rules.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from clients import access, consent, rooms
from clients.merging import agreed, consents, fields, merges, notes, shown, warnings
from clients.merging.fields import Compared, Kind, Words
from clients.models import Client, ClientContact, HealthNote
from salon.core import phone
from salon.core.errors import Refused
from salon.core.models import Salon, User


@dataclass(frozen=True)
class Cell:
    """What one card has for a field that must be chosen. `is_empty`: it has nothing, so there is nothing to press."""

    pk: int
    text: Words
    is_picked: bool
    is_empty: bool


@dataclass(frozen=True)
class Row:
    """One field. A choice has `cells`; everything else has one text and says why it is not asked."""

    name: str
    label: Words
    seen: str
    cells: Sequence[Cell] = ()
    text: Words = ""
    why: Words = ""
    icon: str = ""
    is_changed: bool = False


@dataclass(frozen=True)
class Head:
    """A card at the head of its column. `counts` are what stands on it, in words."""

    card: Client
    is_main: bool
    counts: Sequence[str]


@dataclass(frozen=True)
class Tally:
    """How many things of a kind the card will have, and what they are added up of."""

    label: Words
    count: int
    parts: Sequence[int]

    @property
    def words(self) -> str:
        """Return "Visits: 28 (27 + 1)"."""
        return f"{_counted(self.label, shown.count(self.count))} ({' + '.join(shown.count(part) for part in self.parts)})"


@dataclass(frozen=True)
class Plan:
    """Everything that the page shows."""

    heads: Sequence[Head]
    choices: Sequence[Row]
    others: Sequence[Row]
    consents: Sequence[agreed.Line]
    warnings: Sequence[str]
    tallies: Sequence[Tally]
    name: str
    phone: str
    main: int = field(default=0)

    @property
    def ids(self) -> list[int]:
        """Return the ids of all the cards, the main one first."""
        return [head.card.pk for head in self.heads]

    @property
    def seen(self) -> dict[str, str]:
        """Return a mark of every field as it stands, so that a change can be pointed at."""
        return {row.name: row.seen for row in (*self.choices, *self.others)}

    @property
    def width(self) -> int:
        """Return over how many columns a value of all the cards goes."""
        return len(self.heads)


def cards_for(user: User, ids: Sequence[int]) -> list[Client]:
    """Return the cards to merge, in the order of their ids. Raises Refused where one is not there, or their number is wrong."""
    wanted = set(ids)
    if not merges.LEAST <= len(wanted) <= merges.MOST:
        raise Refused(_("Tick 2 to 5 clients to merge them."))
    found = list(access.clients_for(user).filter(pk__in=wanted).order_by("pk"))
    if len(found) != len(wanted):
        raise Refused(_("One of these cards is not in the book any more. Look again."))
    merges.refuse_deleted(wanted)
    return found


def make(
    user: User, salon: Salon, cards: Sequence[Client], *, main: int | None, chosen: Mapping[str, int], now: dt.datetime,
    seen: Mapping[str, str] | None = None,
) -> Plan:  # fmt: skip
    """Return what merging these cards would do. Without a `main` it is the card with most on it, of equals the older.

    `seen` are the marks of an earlier plan: what is another since is pointed at.
    """
    counts = {card.pk: {room.name: room.count_of(user, card) for room in rooms.above()} for card in cards}
    if main not in counts:
        main = max(cards, key=lambda card: (sum(counts[card.pk].values()), -card.created_at.timestamp(), -card.pk)).pk
    cards = sorted(cards, key=lambda card: card.pk != main)
    compared = fields.compare(cards, chosen, shut=merges.undeliverable(cards))
    values = fields.result(compared)
    outlooks = consents.look(
        cards, consent.entries_of([card.pk for card in cards]), email=values["email"], phone=str(values["phone"] or ""),
        country=salon.country,
    )  # fmt: skip
    rows = [*(_row(one, cards, salon) for one in compared), *_kept(cards, compared, values, salon), *_notes(cards, outlooks)]
    if seen is not None:
        rows = [Row(**{**vars(row), "is_changed": seen.get(row.name, row.seen) != row.seen}) for row in rows]
    return Plan(
        [_head(card, card.pk == main, counts[card.pk]) for card in cards],
        [row for row in rows if row.cells],
        [row for row in rows if not row.cells and row.text],
        agreed.lines(outlooks),
        warnings.of(cards, now=now),
        [_tally(room, [counts[card.pk][room.name] for card in cards]) for room in rooms.above()],
        " ".join(part for part in (values["first_name"], values["last_name"]) if part),
        phone.show(str(values["phone"] or ""), salon.country),
        main,
    )


def _head(card: Client, is_main: bool, counts: Mapping[str, int]) -> Head:
    return Head(card, is_main, [_counted(room.label, shown.count(counts[room.name])) for room in rooms.above()])


def _counted(label: Words, count: str) -> str:
    # Translators: a label and a number, "Visits: 28"
    return _("%(what)s: %(number)s") % {"what": label, "number": count}


def _tally(room: rooms.Room, parts: Sequence[int]) -> Tally:
    return Tally(room.label, sum(parts), parts)


def _row(one: Compared, cards: Sequence[Client], salon: Salon) -> Row:
    group, seen = one.group, _mark([one.group.values(card) for card in sorted(cards, key=lambda card: card.pk)])
    if one.kind is Kind.CHOICE:
        cells = [Cell(card.pk, shown.text(group, card, salon), card is one.picked, not one.offers(card)) for card in cards]
        return Row(group.name, group.label, seen, cells)
    text = shown.text(group, one.picked, salon) if one.kind is not Kind.NONE else ""
    if one.kind is Kind.SAME:
        return Row(group.name, group.label, seen, text=text, why=_same(cards), icon="equal")
    return Row(group.name, group.label, seen, text=text, why=_("Only on one"), icon="arrow-right")


def _same(cards: Sequence[Client]) -> str:
    return _("Same on both") if len(cards) == merges.LEAST else _("Same on all")


def _kept(cards: Sequence[Client], compared: Sequence[Compared], values: Mapping[str, Any], salon: Salon) -> list[Row]:
    """Return what stays as further contacts: those of the cards, and the numbers and addresses that are not taken."""
    own = {"email": str(values["email"] or ""), "sms": str(values["phone"] or "")}
    found = dict.fromkeys(fields.further(cards, values))
    rows = ClientContact.objects.filter(client__in=cards).order_by("pk").values_list("channel", "address")
    found |= {(channel, address): None for channel, address in rows if address != own[channel]}
    texts = [phone.show(address, salon.country) if channel == "sms" else address for channel, address in found]
    seen = _mark(sorted(found))
    return [Row("further", _("Further contacts"), seen, text=", ".join(texts), why=_("Both kept"), icon="plus")]


def _notes(cards: Sequence[Client], outlooks: Sequence[consents.Outlook]) -> list[Row]:
    """Return the client notes, and that there are health notes: what they say stands on no page but their own."""
    seen = _mark([card.note for card in sorted(cards, key=lambda card: card.pk)])
    texts = list(dict.fromkeys(card.note.strip() for card in cards if card.note.strip()))
    why = _("Both kept") if notes.is_joined(cards) else _("Only on one")
    if len(texts) == 1 and all(card.note.strip() for card in cards):
        why = _same(cards)
    found = [Row("note", _("Client note"), seen, text="\n".join(texts), why=why, icon="plus" if len(texts) > 1 else "equal")]
    count = HealthNote.objects.filter(client__in=cards).count()
    if count:
        is_kept = any(one.purpose == consent.HEALTH and one.state == "granted" for one in outlooks)
        why = (_("Both kept") if count > 1 else _("Only on one")) if is_kept else _("Deleted: the client said No")
        found.append(Row("health", _("Health note"), _mark(count), text=_("Encrypted"), why=why, icon="lock"))
    return found


def _mark(value: Any) -> str:
    """Return a short mark of a value: it stands in the page and says nothing of it."""
    return salted_hmac("clients.merging", repr(value)).hexdigest()[:12]
