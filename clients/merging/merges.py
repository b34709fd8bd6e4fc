"""Makes several cards one, in one transaction: rows, fields, notes, contacts, consents. `clients.merging.undoing` takes it back.

Order of locks: the cards by id, then whatever points at them. What was read before the lock is read again under it.
"""

import contextlib
import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from clients import addresses, blacklist, consent, search
from clients.merging import consents, fields, notes, rows, snapshots
from clients.merging.pointers import Joining
from clients.merging.snapshots import Snapshot
from clients.models import (
    Channel,
    Client,
    ClientContact,
    ConsentEvent,
    Deletion,
    HealthNote,
    Merge,
    MergedHealthNote,
)
from salon.core import audit, failpoints
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.tries import once_more

LEAST, MOST = 2, 5
UNDO_FOR = dt.timedelta(days=30)
_EMPTY: Mapping[str, Any] = {
    **dict.fromkeys(("first_name", "last_name", "email", "phone", "street", "postcode", "city", "country", "note"), ""),
    **dict.fromkeys(("preferred_channel", "came_through", "search_text", "sort_name", "inactive_reason"), ""),
    **dict.fromkeys(("birth_day", "birth_month", "birth_year", "marketing_paused_until", "inactive_at", "blacklisted_at"), None),
}  # fmt: skip


class Changed(Refused):
    """Somebody changed one of the cards since the page was made."""

    def __init__(self) -> None:
        super().__init__(_("Somebody changed one of these cards meanwhile. Here is how they stand now."))


@once_more
@transaction.atomic
def merge(
    ids: Sequence[int],
    *,
    main: int,
    by: User | None,
    now: dt.datetime,
    chosen: Mapping[str, int] | None = None,
    versions: Mapping[int, int] | None = None,
) -> Merge:
    """Make the cards `ids` (2 to 5) one, which is `main`, and return the merge.

    `chosen` names by group (`fields.GROUPS`) the card whose value is taken where they differ; without it the best one is.
    `versions` are those that somebody saw by id. Raises Changed if a card has another one meanwhile, Refused for a card
    that is gone or restricted, for too few or too many, and where two rows cannot both stand and no model says what then.
    """
    cards = _locked(ids, main)
    if versions is not None and any(card.version != versions.get(card.pk) for card in cards):
        raise Changed
    failpoints.hit("merge_locked")
    joining = Joining(main, tuple(card.pk for card in cards[1:]), now)
    ledgers = consent.entries_of([card.pk for card in cards])
    compared = fields.compare(cards, chosen or {}, shut=undeliverable(cards))
    values = {**fields.result(compared), **fields.states(cards), "note": notes.joined(cards)}
    outlooks = consents.look(
        cards, ledgers, email=values["email"], phone=str(values["phone"] or ""), country=Salon.objects.current().country
    )
    snapshot = _snapshot(cards, joining)
    health = list(HealthNote.objects.filter(client__in=joining.cards))
    _drop_own(cards, values, snapshot)
    count = rows.take(joining, snapshot)
    failpoints.hit("merge_rows_moved")
    _empty(cards[1:], joining)
    _write(cards[0], values, fields.further(cards, values), snapshot)
    failpoints.hit("merge_cards_written")
    _agree(cards[0], consents.holds(outlooks), snapshot, by=by, now=now)
    failpoints.hit("merge_consents_written")
    done = Merge.objects.create(winner=cards[0], taken_in=list(joining.losers), by=by, at=now, snapshot=snapshots.seal(snapshot))
    MergedHealthNote.objects.bulk_create(_kept(done, note) for note in health)
    audit.record("client.merged", cards[0], by=by, merge=done.pk, cards=[card.pk for card in cards[1:]], rows_count=count)
    failpoints.hit("merge_written")
    return done


class _Joined(Exception):
    """Somebody merged a card into one of ours while we waited for it."""


def lock(ids: Collection[int]) -> list[Client]:
    """Lock these cards and those that they took in before, which lead to them: all in the order of their ids.

    One that was taken in while we waited is locked too, from the beginning: out of order two merges would wait for each other.
    """
    taken_in = Client.objects.filter(merged_into__in=ids).order_by()
    while True:
        with contextlib.suppress(_Joined), transaction.atomic():
            rows = Client.objects.select_for_update().filter(Q(pk__in=ids) | Q(merged_into__in=ids)).order_by("pk")
            cards = {card.pk: card for card in rows}
            if not set(taken_in.values_list("pk", flat=True)) <= cards.keys():
                raise _Joined
            return list(cards.values())


def refuse_deleted(ids: Collection[int]) -> None:
    """Raise Refused where one of these cards is to be erased: its day would come for the joined person."""
    if Deletion.objects.filter(client__in=ids).exists():
        raise Refused(_("One of these cards is to be deleted. Bring it back first."))


def undeliverable(cards: Sequence[Client]) -> frozenset[str]:
    """Return the addresses and numbers of these cards that a server said do not exist."""
    both = [(channel, str(value or "")) for card in cards for channel, value in (("email", card.email), ("sms", card.phone))]
    return frozenset(value for channel, value in both if value and addresses.is_undeliverable(channel, value))


def project(cards: Sequence[Client], *, now: dt.datetime) -> None:
    """Fold the ledgers of these cards anew, and bring the blacklist in line with the rows that they have now.

    What stood before is written over, not deleted: other systems are told of a Yes that ends.
    """
    consent.project(cards)
    for card in cards:
        card.blacklisted_at = blacklist.project(card, now=now).blacklisted_at


def search_text_of(card: Client) -> str:
    """Return what the search looks in, with the further contacts as they stand."""
    known = ClientContact.objects.filter(client=card).order_by("pk").values_list("address", flat=True)
    return search.text_of(
        first_name=card.first_name, last_name=card.last_name, phone=str(card.phone or ""), email=card.email, further=known
    )


def sort_name_of(card: Client) -> str:
    """Return by what the list puts the card in order."""
    return search.sort_name_of(first_name=card.first_name, last_name=card.last_name, phone=str(card.phone or ""))


def _locked(ids: Sequence[int], main: int) -> list[Client]:
    """Return the cards, locked, the main one first. Raises Refused where one is gone, or their number is wrong."""
    wanted = set(ids)
    if not LEAST <= len(wanted) <= MOST or main not in wanted:
        raise Refused(_("Tick 2 to 5 clients to merge them."))
    cards = [card for card in lock(wanted) if card.pk in wanted]
    if len(cards) != len(wanted) or any(card.erased_at or card.restricted_at for card in cards):
        raise Refused(_("One of these cards is not in the book any more. Look again."))
    refuse_deleted(wanted)
    return sorted(cards, key=lambda card: card.pk != main)


def _snapshot(cards: Sequence[Client], joining: Joining) -> Snapshot:
    newest = ConsentEvent.objects.filter(subject__client__in=joining.cards).aggregate(newest=Max("pk"))["newest"]
    before = {str(card.pk): snapshots.fields_of(card) for card in cards}
    return Snapshot(joining.winner, before, last_event=newest or 0, newest=rows.newest())


def _empty(losers: Sequence[Client], joining: Joining) -> None:
    """Leave nothing of the person on the cards that were taken in."""
    for card in losers:
        Client.objects.filter(pk=card.pk).update(
            **_EMPTY, erased_at=joining.now, merged_into=joining.winner, version=card.version + 1
        )


def _drop_own(cards: Sequence[Client], values: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Take off further contacts that will be the card's own number or address."""
    own = {Channel.EMAIL.value: str(values["email"] or ""), Channel.SMS.value: str(values["phone"] or "")}
    for contact in ClientContact.objects.filter(client__in=cards).order_by("pk"):
        if contact.address == own[contact.channel]:
            snapshot.gone.append(snapshots.row(contact))
            contact.delete()


def _write(card: Client, values: Mapping[str, Any], more: Sequence[tuple[str, str]], snapshot: Snapshot) -> None:
    """Write the joined values on the main card, and keep what was not taken as further contacts."""
    known = set(ClientContact.objects.filter(client=card).values_list("channel", "address"))
    made = ClientContact.objects.bulk_create(
        ClientContact(client=card, channel=channel, address=address)
        for channel, address in more
        if (channel, address) not in known
    )
    snapshot.made[ClientContact._meta.label_lower] = [contact.pk for contact in made]
    for name, value in values.items():
        setattr(card, name, value)
    card.sort_name = sort_name_of(card)
    card.search_text = search_text_of(card)
    card.version += 1
    card.save(update_fields=[*values, "sort_name", "search_text", "version"])
    snapshot.after = {name: snapshots.as_json(card, name) for name in values}


def _agree(card: Client, held: Sequence[tuple[str, str]], snapshot: Snapshot, *, by: User | None, now: dt.datetime) -> None:
    """Write the holds, and the standing of the joined person."""
    said = [consent.Said(card, purpose, channel, "merge_hold", ConsentEvent.Source.MERGE) for purpose, channel in held]
    snapshot.holds = [event.pk for event in consent.record_many(said, by=by, now=now)]
    project([card], now=now)
    HealthNote.objects.forget([card.pk])


def _kept(merge: Merge, note: HealthNote) -> MergedHealthNote:
    return MergedHealthNote(
        merge=merge, card=note.client_id, text=note.text, patch_tested_on=note.patch_tested_on, version=note.version,
        written_at=note.written_at, written_by_id=note.written_by_id,
    )  # fmt: skip
