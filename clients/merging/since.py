"""What happened on a merged card since, for the page before an undo: what stays with it, and what counts on all the cards."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.text import Truncator
from django.utils.translation import gettext as _

from clients.merging import fields, pointers, snapshots, texts, undoing
from clients.merging.snapshots import Snapshot
from clients.models import Client, Merge

_SHOWN = 300


@dataclass(frozen=True)
class Since:
    """The names of the cards that come back, and sentences: what stays with the main card, what counts on all."""

    names: Sequence[str]
    moved: int
    stays: Sequence[str]
    counts_on_all: Sequence[str]


def of(merge: Merge) -> Since:
    """Return what an undo of this merge would find. Raises ValueError when its snapshot was deleted."""
    snapshot, winner = snapshots.unseal(merge), merge.winner
    moved = sum(len(ids) for by_card in snapshot.moved.values() for ids in by_card.values())
    said = undoing.refusals_since(snapshot)
    on_all = [_("The client said No since. It counts on all the cards: nobody knows whose it was.")] if said else []
    stays = [*_new_rows(snapshot, winner), *_edits(snapshot, winner), *_texts(merge, snapshot, winner)]
    return Since([_name(snapshot, pk) for pk in snapshot.losers], moved, stays, on_all)


def _name(snapshot: Snapshot, pk: int) -> str:
    before = snapshot.before[str(pk)]
    return " ".join(part for part in (before["first_name"], before["last_name"]) if part) or str(before["phone"])


def _new_rows(snapshot: Snapshot, winner: Client) -> list[str]:
    """Return a sentence for each table that has rows of the main card that were not there when it was merged."""
    found = []
    for pointer in pointers.every():
        words = pointers.stays_words(pointer.model)
        if words is None:
            continue
        newest = snapshot.newest.get(pointer.model._meta.label_lower, 0)
        count = pointer.rows(**{pointer.field.name: winner.pk, "pk__gt": newest}).count()
        if count:
            found.append(words % {"count": count, "name": winner.name})
    return found


def _edits(snapshot: Snapshot, winner: Client) -> list[str]:
    """Return that fields were changed since, which stay as they are."""
    labels = {group.fields: str(group.label) for group in fields.GROUPS}
    changed = [labels[names] for names, is_same in undoing.untouched(winner, snapshot).items() if not is_same and names in labels]
    if not changed:
        return []
    return [_("Changed since, and stays as it is: %(fields)s") % {"fields": ", ".join(changed)}]


def _texts(merge: Merge, snapshot: Snapshot, winner: Client) -> list[str]:
    """Return that the joined notes were edited since: each card gets its own text back, what was added stays."""
    found = []
    if not undoing.untouched(winner, snapshot).get(("note",), True):
        kept = Truncator(texts.note_left(winner, snapshot)).chars(_SHOWN)
        said = _("The client note was edited since. The other card gets its own text back; on %(name)s stays: “%(text)s”")
        nothing = _("The client note was edited since. The other card gets its own text back; on %(name)s stays none.")
        found.append((said if kept else nothing) % {"name": winner.name, "text": kept})
    if texts.is_health_edited(merge, snapshot):
        words = _("The health note was edited since. Each card gets its own back; what was written since stays with %(name)s.")
        found.append(words % {"name": winner.name})
    return found
