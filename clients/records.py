"""Changes of a client's card: add, edit, note. Keeps search text, order and version; never writes the ledger itself.

Called by the pages, the import and the demo. An address that changes is told to `clients.consent`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import consent, contacts, fold, search
from clients.models import Client, Subject
from clients.newcomers import Newcomer
from salon.core import audit, bulk
from salon.core.errors import Refused
from salon.core.models import Salon, User

FIELDS = (
    "first_name", "last_name", "email", "phone", "language", "birth_day", "birth_month", "birth_year", "street", "postcode",
    "city", "country", "note", "preferred_channel", "came_through",
)  # fmt: skip


_EMPTY = dict.fromkeys(("birth_day", "birth_month", "birth_year"))


class Conflict(Refused):
    """Somebody else changed the card meanwhile. `theirs` is the card as it is now."""

    def __init__(self, theirs: Client) -> None:
        super().__init__(_("Somebody changed this card while you were typing."))
        self.theirs = theirs


def prepare(fields: Mapping[str, Any], *, further: Sequence[str] = ()) -> dict[str, Any]:
    """Return the columns of a card: `fields` (see FIELDS) with what search and order need.

    `further` are more numbers and e-mails that the card has already, which the search finds too. Phone is E.164 or
    empty, e-mail is checked by the caller. Raises Refused for nobody, and for a name of which nothing is seen, TypeError
    for an unknown field.
    """
    unknown = set(fields) - set(FIELDS)
    if unknown:
        raise TypeError(f"no such field of a card: {sorted(unknown)}")
    values = {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}
    who = {name: str(values.get(name) or "") for name in ("first_name", "last_name", "phone")}
    if not any(search.is_seen(value) for value in who.values()):
        raise Refused(_("Enter a first name, a last name or a phone number."))
    values["phone"] = who["phone"]
    values["search_text"] = search.text_of(**who, email=str(values.get("email") or ""), further=further)
    values["sort_name"] = search.sort_name_of(**who)
    return values


@transaction.atomic
def add(*, by: User | None, now: dt.datetime | None = None, **fields: Any) -> Client:
    """Return a new client with these fields. Without a language they get the salon's.

    Raises Refused if there is neither a first name nor a last name nor a phone number.
    """
    (pk,) = add_many([fields], by=by, now=now)
    return Client.objects.get(pk=pk)


def add_many(fields: Sequence[Mapping[str, Any]], *, by: User | None, now: dt.datetime | None = None) -> list[int]:
    """Add clients and return their ids, one for each mapping of fields and in that order, all or none. Rules as in `add`."""
    return [made.pk for made in make_many(fields, by=by, now=now)]


@transaction.atomic
def make_many(fields: Sequence[Mapping[str, Any]], *, by: User | None, now: dt.datetime | None = None) -> list[Newcomer]:
    """Add clients as `add_many`, and return them as the ledger takes answers of theirs in the very same transaction."""
    now = now or timezone.now()
    language = Salon.objects.filter(pk=1).values_list("language", flat=True).first() or "en"
    names = (*FIELDS, "search_text", "sort_name", "created_at")
    missing = {**empty(), "language": language, "created_at": now}
    cards = [{**missing, **prepare(one)} for one in fields]
    ids = bulk.insert(Client, names, ([card[name] for name in names] for card in cards))
    subjects = bulk.insert(Subject, ("client_id", "created_at"), ((pk, now) for pk in ids))
    if len(ids) == 1:
        audit.record("client.added", Client(pk=ids[0]), by=by)
    elif ids:
        audit.record("client.added_many", by=by, clients_count=len(ids))
    return [
        Newcomer(pk, subject, str(card["email"] or ""), card["phone"])
        for pk, subject, card in zip(ids, subjects, cards, strict=True)
    ]


def empty() -> dict[str, Any]:
    """Return the fields of a card of which nothing is known."""
    return {field.name: field.get_default() for field in Client._meta.concrete_fields if field.name in FIELDS}


@transaction.atomic
def fill_many(fills: Mapping[int, Mapping[str, Any]], *, by: User | None) -> int:
    """Fill empty fields of known cards and return how many cards changed. What a card already has is never overwritten.

    `fills` holds fields (see FIELDS) by the card's id. Call it in chunks: it locks all the cards it is given.
    """
    cards = list(Client.objects.select_for_update().filter(pk__in=fills, merged_into=None).order_by("pk"))
    changed, further = [], contacts.addresses_of([card.pk for card in cards])
    for card in cards:
        before = {name: getattr(card, name) for name in FIELDS}
        added = {name: value for name, value in fills[card.pk].items() if not before[name]}
        if not added:
            continue
        for name, value in prepare({**before, **added}, further=further[card.pk]).items():
            setattr(card, name, value)
        card.version += 1
        changed.append(card)
    Client.objects.bulk_update(changed, [*FIELDS, "search_text", "sort_name", "version"], batch_size=100)
    consent.project([card for card in changed if {"email", "phone"} & set(fills[card.pk])])
    if changed:
        audit.record("client.filled_many", by=by, clients_count=len(changed))
    return len(changed)


@transaction.atomic
def empty_many(fields: Mapping[int, Sequence[str]], *, by: User | None, now: dt.datetime) -> int:
    """Empty these fields (names by the card's id) of known cards and return how many cards changed.

    An address that goes ends the Yes that was given for it. Raises Refused if nobody would be left on a card.
    """
    cards = list(Client.objects.select_for_update().filter(pk__in=fields, merged_into=None).order_by("pk"))
    said, further = [], contacts.addresses_of([card.pk for card in cards])
    for card in cards:
        emptied = fields[card.pk]
        before = {name: getattr(card, name) for name in FIELDS}
        left = {**before, **{name: _EMPTY.get(name, "") for name in emptied}}
        for name, value in prepare(left, further=further[card.pk]).items():
            setattr(card, name, value)
        card.version += 1
        channels = [channel for channel, name in (("email", "email"), ("sms", "phone")) if name in emptied]
        said += [consent.Said(card, fold.EVERYTHING, one, "address_changed", "other", evidence_level=0) for one in channels]
    Client.objects.bulk_update(cards, [*FIELDS, "search_text", "sort_name", "version"], batch_size=100)
    consent.record_many(said, by=by, now=now)
    if cards:
        audit.record("client.emptied_many", by=by, clients_count=len(cards))
    return len(cards)


@transaction.atomic
def remove_many(clients: Sequence[Client], *, by: User | None) -> int:
    """Remove cards that nothing but their own rows points at, and return how many went. The ledger stays, without them.

    For an undo of what was just made; a person who has been here is erased instead.
    """
    ids = [client.pk for client in clients]
    Client.objects.filter(pk__in=ids).delete()
    if ids:
        audit.record("client.removed_many", by=by, clients_count=len(ids))
    return len(ids)


@transaction.atomic
def edit(client: Client, *, by: User | None, version: int, now: dt.datetime | None = None, **fields: Any) -> Client:
    """Return the card with `fields` changed; fields left out stay.

    `version` is the card's version that the editor saw. Raises Conflict if it has another one meanwhile, Refused if
    nobody would be left on the card. A changed e-mail or phone drops the Yes given for the old one.
    """
    now = now or timezone.now()
    card = _locked(client, version)
    before = {name: getattr(card, name) for name in FIELDS}
    hashes = {channel: consent.address_hash(card, channel) for channel in fold.CHANNELS}
    reminders = {channel: consent.reading(card, "svc.reminder", channel) for channel in fold.CHANNELS}
    values = prepare({**before, **fields}, further=contacts.addresses_of([card.pk])[card.pk])
    changed = [name for name in FIELDS if name in values and str(before[name] or "") != str(values[name] or "")]
    if not changed:
        return card
    for name in (*changed, "search_text", "sort_name"):
        setattr(card, name, values[name])
    _save(card, [*changed, "search_text", "sort_name"])
    audit.record("client.edited", card, by=by, fields=changed)
    moved = [channel for channel in fold.CHANNELS if consent.address_hash(card, channel) != hashes[channel]]
    _tell_the_ledger(card, moved, reminders, by=by, now=now)
    return card


@transaction.atomic
def write_note(client: Client, *, by: User, note: str, version: int) -> Client:
    """Return the card with its note replaced. Raises Conflict as `edit` does."""
    card = _locked(client, version)
    if card.note == note.strip():
        return card
    card.note = note.strip()
    _save(card, ["note"])
    audit.record("client.note_written", card, by=by)
    return card


def _locked(client: Client, version: int) -> Client:
    card = Client.objects.select_for_update().get(pk=client.pk, erased_at=None)
    if card.version != version:
        raise Conflict(card)
    return card


def _save(card: Client, fields: Iterable[str]) -> None:
    card.version += 1
    card.save(update_fields=[*fields, "version"])


def _tell_the_ledger(
    card: Client, channels: Sequence[str], reminders: Mapping[str, fold.Reading], *, by: User | None, now: dt.datetime
) -> None:
    """Write that addresses changed. A Yes to marketing ends with its address; reminders that were on again stay on."""
    said = []
    for channel in channels:
        said.append(consent.Said(card, fold.EVERYTHING, channel, "address_changed", "other", evidence_level=0))
        if reminders[channel].state is fold.State.GRANTED and consent.address_hash(card, channel):
            said.append(consent.Said(card, "svc.reminder", channel, "grant", "other", evidence_level=1))
    consent.record_many(said, by=by, now=now)
