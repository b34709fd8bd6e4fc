"""Takes a merge back within 30 days: every row to its card, both cards as they were, but for what happened since.

A refusal that came meanwhile counts on all the cards: nobody knows whose it was. What else came since stays with the main
card. The newest merge of a card is taken back first.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clients import consent, fold
from clients.merging import fields, handles, merges, rows, snapshots, stragglers, texts
from clients.merging.pointers import Joining
from clients.merging.snapshots import Snapshot
from clients.models import (
    Blacklisting,
    Client,
    ClientContact,
    ConsentEvent,
    Deletion,
    HealthNote,
    Merge,
    MergedHealthNote,
    Standing,
    Subject,
)
from salon.core import audit, failpoints
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.tries import once_more

# Columns that are put back together or not at all.
TOGETHER: Sequence[tuple[str, ...]] = (
    *(group.fields for group in fields.GROUPS),
    ("note",), ("marketing_paused_until",), ("inactive_at", "inactive_reason"),
)  # fmt: skip


def why_not(merge: Merge, *, now: dt.datetime) -> str:
    """Return why the merge cannot be undone, in a sentence, or nothing if it can."""
    if merge.undone_at is not None:
        return _("This merge is undone already.")
    if not merge.snapshot or now >= merge.at + merges.UNDO_FOR:
        return _("A merge can be undone for 30 days. This one is older.")
    if merge.winner.erased_at is not None:
        return _("The card was deleted since. Nothing can be given back.")
    if Deletion.objects.filter(client=merge.winner_id).exists():
        return _("The card is being deleted. Bring it back first.")
    if newer(merge) is not None:
        return _("The card was merged again since. Undo the newer merge first.")
    return ""


def newer(merge: Merge) -> Merge | None:
    """Return the newest merge of the same card after this one that stands, or None."""
    return Merge.objects.filter(winner=merge.winner_id, pk__gt=merge.pk, undone_at=None).order_by("-pk").first()


def open_for(client: Client, *, now: dt.datetime) -> dict[int, Merge]:
    """Return the merges of a card that can still be undone, by id."""
    found = Merge.objects.filter(winner=client, undone_at=None, at__gt=now - merges.UNDO_FOR).exclude(snapshot=b"")
    newest = found.order_by("-pk").first()
    return {newest.pk: newest} if newest is not None and not why_not(newest, now=now) else {}


@once_more
@transaction.atomic
def undo(merge: Merge, *, by: User | None, now: dt.datetime) -> Merge:
    """Take the merge back and return it. Raises Refused where that is not possible any more, with the reason.

    What was changed on the main card since stays, unless it is still as the merge wrote it.
    """
    cards = _locked(Merge.objects.get(pk=merge.pk))
    merge = Merge.objects.select_for_update(of=("self",)).select_related("winner").get(pk=merge.pk)
    if reason := why_not(merge, now=now):
        raise Refused(reason)
    snapshot = snapshots.unseal(merge)
    joining = Joining(snapshot.winner, tuple(snapshot.losers), now)
    if set(cards) != set(joining.cards) or merge.winner_id != snapshot.winner:
        raise Refused(_("This merge cannot be undone any more."))
    stragglers.gather(joining, snapshot)
    failpoints.hit("unmerge_locked")
    said = refusals_since(snapshot)
    winner = cards[snapshot.winner]
    losers = [cards[pk] for pk in joining.losers]
    paused = winner.marketing_paused_until if untouched(winner, snapshot)[("marketing_paused_until",)] is False else None
    since = _Since(paused, winner.restricted_at, _asked_since(winner, snapshot), _barred_since(snapshot))
    _restore(winner, snapshot)
    for card in losers:
        _bring_back(card, snapshot, since)
    failpoints.hit("unmerge_cards_written")
    ClientContact.objects.filter(client=winner, pk__in=snapshot.made.get(ClientContact._meta.label_lower, [])).delete()
    count = rows.give_back(joining, snapshot)
    failpoints.hit("unmerge_rows_moved")
    _say_again(said, [winner, *losers], now=now)
    consent.void_holds(snapshot.holds, by=by, now=now)
    _end(merge, [winner, *losers], snapshot, now=now)
    audit.record("client.unmerged", winner, by=by, merge=merge.pk, cards=[card.pk for card in losers], rows_count=count)
    failpoints.hit("unmerge_written")
    return merge


def untouched(winner: Client, snapshot: Snapshot) -> dict[tuple[str, ...], bool]:
    """Return by group of columns whether the main card still has what the merge wrote."""
    return {
        names: all(snapshots.as_json(winner, name) == snapshot.after[name] for name in names)
        for names in TOGETHER
        if all(name in snapshot.after for name in names)
    }


def refusals_since(snapshot: Snapshot) -> list[ConsentEvent]:
    """Return the refusals that the joined person said since the merge and that stand: not voided, and no hold of a merge."""
    events = ConsentEvent.objects.filter(
        subject__client=snapshot.winner, pk__gt=snapshot.last_event, event__in=fold.NEGATIVE, voided_by=None
    )
    return list(events.exclude(event="merge_hold").select_related("subject").order_by("pk"))


def _locked(merge: Merge) -> dict[int, Client]:
    """Return the cards of the merge by id, locked in the order of their ids."""
    ids = [*merge.taken_in, merge.winner_id]
    return {card.pk: card for card in merges.lock(ids) if card.pk in ids}


def _restore(winner: Client, snapshot: Snapshot) -> None:
    """Give the main card back what stood on it, where nobody changed it since; of an edited note what is its own."""
    before = snapshot.before[str(winner.pk)]
    same = untouched(winner, snapshot)
    names = [name for group, is_same in same.items() if is_same for name in group]
    for name in names:
        setattr(winner, name, snapshots.from_json(name, before[name]))
    if not same.get(("note",), True):
        winner.note = texts.note_left(winner, snapshot)
        names.append("note")
    winner.version += 1
    winner.save(update_fields=[*names, "version"])


@dataclass(frozen=True)
class _Since:
    """What came over the joined person since the merge and holds for every card, as nobody knows whose it was."""

    paused: dt.datetime | None
    restricted: dt.datetime | None
    asked: dt.datetime | None
    barred: Sequence[Blacklisting]


def _asked_since(winner: Client, snapshot: Snapshot) -> dt.datetime | None:
    """Return since when the joined person wants to hear nothing any more, if they said so since the merge."""
    is_theirs = winner.inactive_reason == "asked" and not untouched(winner, snapshot)["inactive_at", "inactive_reason"]
    return winner.inactive_at if is_theirs else None


def _barred_since(snapshot: Snapshot) -> Sequence[Blacklisting]:
    newest = snapshot.newest.get(Blacklisting._meta.label_lower, 0)
    return list(Blacklisting.objects.filter(client=snapshot.winner, pk__gt=newest, lifted_at=None).order_by("pk"))


def _bring_back(card: Client, snapshot: Snapshot, since: _Since) -> None:
    """Write a card that was taken in as it was, with what holds for every card since."""
    for name, value in snapshot.before[str(card.pk)].items():
        setattr(card, name, snapshots.from_json(name, value))
    card.erased_at = card.merged_into = None
    card.restricted_at = card.restricted_at or since.restricted
    if since.paused is not None:
        card.marketing_paused_until = max(since.paused, card.marketing_paused_until or since.paused)
    if since.asked is not None and card.inactive_at is None:
        card.inactive_at, card.inactive_reason = since.asked, "asked"
    card.version += 1
    card.save()
    for row in since.barred:
        row.pk, row.client, row._state.adding = None, card, True
        row.save(force_insert=True)


def _say_again(said: Sequence[ConsentEvent], cards: Sequence[Client], *, now: dt.datetime) -> None:
    """Write each refusal that came since on every card whose ledger has not got it. It is the client's own still."""
    homes = dict(Subject.objects.filter(pk__in={event.subject_id for event in said}).values_list("pk", "client_id"))
    again = [
        consent.Said(
            card, event.purpose, event.channel, event.event, event.source, actor_type=event.actor_type,
            effective_at=event.effective_at, evidence_level=event.evidence_level, address_hmac=event.address_hmac,
        )
        for event in said
        for card in cards
        if homes.get(event.subject_id) != card.pk
    ]  # fmt: skip
    consent.record_many(again, now=now)


def _end(merge: Merge, cards: Sequence[Client], snapshot: Snapshot, *, now: dt.datetime) -> None:
    """Fold the ledgers anew, give the health notes back, write the search texts, and forget the snapshot."""
    merges.project(cards, now=now)
    granted = Standing.objects.filter(client__in=cards, purpose=consent.HEALTH, state=Standing.State.GRANTED)
    agreed = set(granted.values_list("client", flat=True))
    is_edited = texts.is_health_edited(merge, snapshot)
    if is_edited:
        texts.part_health(merge, snapshot)
    elif handles.is_note_joined(snapshot):
        HealthNote.objects.filter(client=snapshot.winner).delete()
    has_one = set(HealthNote.objects.filter(client__in=cards).values_list("client", flat=True))
    for note in MergedHealthNote.objects.filter(merge=merge):
        # What was written, or emptied, on the main card since is what stands there now.
        is_newer = is_edited and note.card == snapshot.winner
        if note.card in agreed and note.card not in has_one and not is_newer:
            HealthNote.objects.create(client_id=note.card, **_as_it_was(note))
    HealthNote.objects.forget([card.pk for card in cards])
    for card in cards:
        card.search_text = merges.search_text_of(card)
        card.sort_name = merges.sort_name_of(card)
        card.save(update_fields=["search_text", "sort_name"])
    MergedHealthNote.objects.filter(merge=merge).delete()
    merge.undone_at, merge.snapshot = now, b""
    merge.save(update_fields=["undone_at", "snapshot"])


def _as_it_was(note: MergedHealthNote) -> Mapping[str, Any]:
    names = ("text", "patch_tested_on", "version", "written_at", "written_by_id")
    return {name: getattr(note, name) for name in names}
