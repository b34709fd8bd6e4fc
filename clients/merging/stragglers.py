"""What still came to a card that was taken in: a page that was open, a plan that was being written. It goes where the card went.

Called by the clock, and by an undo before anything else. And what is kept for an undo is deleted when its time is over.
"""

import datetime as dt

from django.db import transaction

from clients.merging import merges, rows, snapshots
from clients.merging.pointers import Joining
from clients.merging.snapshots import Snapshot
from clients.models import Client, Merge
from salon.core.tries import once_more

# Nothing that began before a merge is under way longer.
_LOOK_BACK = dt.timedelta(days=2)


def gather(joining: Joining, snapshot: Snapshot) -> bool:
    """Move what points at the losers to the winner, note it in `snapshot`, and return whether there was anything.

    Call it with the cards locked.
    """
    if not any(True for _found in rows.left_over(joining.losers)):
        return False
    rows.take(joining, snapshot)
    return True


def sweep(now: dt.datetime) -> int:
    """Gather for every merge of the last days, and return for how many there was something."""
    recent = Merge.objects.filter(at__gt=now - _LOOK_BACK, undone_at=None).order_by("pk")
    return sum(_sweep(merge, now) for merge in recent)


def forget(now: dt.datetime) -> int:
    """Delete what undos would need whose time is over, and return how many."""
    _rows, counts = Merge.objects.filter(at__lte=now - merges.UNDO_FOR).delete()
    return counts.get(Merge._meta.label, 0)


@once_more
@transaction.atomic
def _sweep(merge: Merge, now: dt.datetime) -> bool:
    if not any(True for _found in rows.left_over(merge.taken_in)):
        return False
    merges.lock([*merge.taken_in, merge.winner_id])
    row = Merge.objects.select_for_update().get(pk=merge.pk)
    if row.undone_at is not None or not row.snapshot or row.winner_id != merge.winner_id:
        return False
    snapshot = snapshots.unseal(row)
    joining = Joining(row.winner_id, tuple(row.taken_in), now)
    if not gather(joining, snapshot):
        return False
    row.snapshot = snapshots.seal(snapshot)
    row.save(update_fields=["snapshot"])
    merges.project(list(Client.objects.filter(pk=row.winner_id)), now=now)
    return True
