"""The rows of the client book that cannot simply be moved: links, health notes, subjects of the ledger. Registered at start."""

import datetime as dt
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from clients.merging import pointers, snapshots
from clients.merging.pointers import ByHand, Joining
from clients.merging.snapshots import Snapshot
from clients.models import Client, ClientLink, DuplicatePair, HealthNote, Subject
from salon.core.templatetags.house import as_day


def register() -> None:
    """Say what is done with the models of this app that declare BY_HAND."""
    pointers.register(ClientLink, ByHand(_join_links, _part_links))
    pointers.register(HealthNote, ByHand(_join_notes, _part_notes))
    pointers.register(Subject, ByHand(_join_subjects, _part_subjects))
    pointers.register(DuplicatePair, ByHand(_join_pairs, _part_pairs))


def _join_links(joining: Joining) -> list[dict[str, Any]]:
    """Take off what would link the card with itself, and the second link to the same third card."""
    cards, gone, known = set(joining.cards), [], set[int]()
    rows = list(ClientLink.objects.filter(Q(client__in=cards) | Q(other__in=cards)).order_by("pk"))
    # The main card's own stand first.
    rows.sort(key=lambda row: joining.winner not in {row.client_id, row.other_id})
    for row in rows:
        beyond = {row.client_id, row.other_id} - cards
        if beyond and not beyond & known:
            known |= beyond
            continue
        gone.append(snapshots.row(row))
        ClientLink.objects.filter(pk=row.pk).delete()
    return gone


def _part_links(joining: Joining, gone: list[dict[str, Any]]) -> None:
    """Give the links back that were taken off, unless the two were linked anew meanwhile."""
    for row in gone:
        if (ends := _ends(joining, row, "client", "other")) is None:
            continue
        one, two = ends
        if not ClientLink.objects.filter(Q(client=one, other=two) | Q(client=two, other=one)).exists():
            snapshots.put_back([row])


def _ends(joining: Joining, row: dict[str, Any], *names: str) -> tuple[int, int] | None:
    """Bring the two ends of a row home to where their cards are now, and return them. None where one of them is gone.

    The cards of this merge are there again; one from outside that one of them took in meanwhile leads nowhere.
    """
    was = [row["fields"][name] for name in names]
    now = [pk if pk in joining.cards else snapshots.home(pk) for pk in was]
    if any(pk is None or (pk in joining.cards and pk != old) for pk, old in zip(now, was, strict=True)):
        return None
    row["fields"].update(zip(names, now, strict=True))
    return now[0] or 0, now[1] or 0


def _join_notes(joining: Joining) -> dict[str, Any]:
    """Make one note of all, on the main card. The caller keeps what they were (`notes_of`) before it calls this."""
    notes = {note.client_id: note for note in HealthNote.objects.filter(client__in=joining.cards)}
    if set(notes) <= {joining.winner}:
        return {"version": 0}
    ordered = [notes[pk] for pk in joining.cards if pk in notes]
    main = notes.get(joining.winner) or HealthNote(client_id=joining.winner, version=0)
    names = dict(Client.objects.filter(pk__in=notes).values_list("pk", "first_name"))
    texts = list(dict.fromkeys(note.text.strip() for note in ordered if note.text.strip()))
    if len(texts) > 1:
        others = [
            f"{heading(names[note.client_id], note.written_at)}\n{note.text.strip()}" for note in ordered if note is not main
        ]
        texts = [main.text.strip(), *others] if main.text.strip() else others
    main.text = "\n\n".join(texts)
    main.patch_tested_on = max((note.patch_tested_on for note in ordered if note.patch_tested_on), default=None)
    newest = max(ordered, key=lambda note: note.written_at)
    main.written_at, main.written_by = newest.written_at, newest.written_by
    main.version = max(note.version for note in ordered) + 1
    HealthNote.objects.filter(client__in=joining.losers).delete()
    main.save()
    return {"version": main.version}


def heading(name: str, written_at: dt.datetime) -> str:
    """Return the line above what a card brought to a joined health note."""
    return _("From the card of %(name)s, written on %(day)s:") % {"name": name, "day": as_day(written_at)}


def _part_notes(_joining: Joining, _kept: dict[str, Any]) -> None:
    """Leave the note: `undoing` parts it, which knows whether somebody wrote it since. A version cannot say: it begins anew."""


def is_note_joined(snapshot: Snapshot) -> bool:
    """Return whether the merge wrote the health note of the main card anew."""
    return any(kept["version"] for kept in snapshot.by_hand.get(HealthNote._meta.label_lower, []))


def _join_subjects(joining: Joining) -> list[int]:
    """Mark the losers' own subjects as come along, so that new lines are written for the main card's own."""
    own = list(Subject.objects.filter(client__in=joining.losers, joined_at=None).values_list("pk", flat=True))
    Subject.objects.filter(pk__in=own).update(joined_at=joining.now)
    return own


def _part_subjects(joining: Joining, own: list[int]) -> None:
    Subject.objects.filter(pk__in=own).update(joined_at=None)


def _join_pairs(joining: Joining) -> dict[str, Any]:
    """Forget what was found about the cards that go. An answer ("not the same person") holds for the card that stays."""
    kept: dict[str, Any] = {"gone": [], "made": []}
    rows = DuplicatePair.objects.filter(Q(low__in=joining.losers) | Q(high__in=joining.losers)).order_by("pk")
    for row in rows:
        kept["gone"].append(snapshots.row(row))
        DuplicatePair.objects.filter(pk=row.pk).delete()
        third = (row.high_id if row.low_id in joining.losers else row.low_id) or 0
        if row.state != DuplicatePair.State.OPEN and third not in joining.cards:
            low, high = sorted((joining.winner, third))
            row.pk, row.low_id, row.high_id = None, low, high
            row._state.adding = True
            there = DuplicatePair.objects.filter(low=low, high=high).first()
            if there is not None and there.state == DuplicatePair.State.OPEN:
                kept["gone"].append(snapshots.row(there))
                there.delete()
            if there is None or there.pk is None:
                row.save(force_insert=True)
                kept["made"].append(row.pk)
    return kept


def _part_pairs(joining: Joining, kept: dict[str, Any]) -> None:
    DuplicatePair.objects.filter(pk__in=kept["made"]).delete()
    for row in kept["gone"]:
        if (ends := _ends(joining, row, "low", "high")) is None:
            continue
        row["fields"]["low"], row["fields"]["high"] = low, high = min(ends), max(ends)
        if not DuplicatePair.objects.filter(low=low, high=high).exists():
            snapshots.put_back([row])
