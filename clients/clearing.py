"""Deletes many inactive cards in one act: what that would take, the start, and the work in the background.

Each card is deleted as one is (`clients.deletions`): it is hidden, and erased on its day, with its line in the journal. A card
with a visit to come stays: nothing is ever sent to an inactive client, so nobody would hear of the cancellation. Called by the
pages and the worker.
"""

import datetime as dt
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients import access, bookings, deletions, runs
from clients.models import Client, Deletion, DeletionRun, RetentionHold
from salon.core import audit, bell, failpoints, leases, notices
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import May

log = logging.getLogger(__name__)
NOTICE = "cards_deleted"
# So long the page of a run is kept.
KEPT_FOR = dt.timedelta(days=30)
TRIES = 5
# Why a card stays, in the order in which it is looked at.
REASONS: Mapping[str, Promise] = {
    "gone": lazy("Not in the book any more, or restricted"),
    "deleting": lazy("Is being deleted already"),
    "active": lazy("Active: make the card inactive first"),
    "ahead": lazy("Has an appointment to come: make the card active and cancel it there, so that the client is told"),
    "kept": lazy("Kept on purpose, by the rules of retention"),
    "refused": lazy("Could not be deleted. Open the card to see why"),
}


@dataclass(frozen=True)
class Look:
    """What a deletion of the chosen would take: ids of those that go, and why the others stay."""

    ids: Sequence[int]
    refused: Mapping[int, str]

    @property
    def why(self) -> list[tuple[Promise, int]]:
        """Return each reason with how many stay for it."""
        found = list(self.refused.values())
        return [(REASONS[code], found.count(code)) for code in REASONS if code in found]


def look(ids: Collection[int], *, by: User, now: dt.datetime) -> Look:
    """Return what deleting these cards would take. Reads only."""
    refused: dict[int, str] = {}
    for some in runs.chunks(sorted(ids)):
        refused |= _why_not(some, by, now)
    return Look([pk for pk in sorted(ids) if pk not in refused], refused)


@transaction.atomic
def start(found: Look, *, typed: int, is_at_once: bool, by: User, now: dt.datetime) -> DeletionRun:
    """Have the cards of a look deleted by the worker, and return the run.

    `typed` is the number of cards that somebody read and typed. Raises Refused where it is another one, for nobody, for cards
    that a run has already, and for who may not; only who may erase has them erased at once. The same sent twice is one run.
    """
    Salon.objects.select_for_update().get(pk=1)  # two that start at once, one after the other
    if not found.ids:
        raise Refused(_("None of these cards can be deleted."))
    going = set(found.ids)
    for run in _open():
        if going & set(run.todo):
            if going <= set(run.todo) and (run.by, run.is_at_once) == (by, is_at_once):
                return run
            raise Refused(_("Some of these cards are being deleted already. Look again in a minute."))
    if typed != len(found.ids):
        raise Refused(_("That is not the number of cards that would be deleted."), "typed")
    if not by.may(May.DELETE_CLIENTS) or (is_at_once and not by.may(May.ERASE_CLIENTS)):
        raise Refused(_("Only an owner erases at once."), "when")
    row = DeletionRun.objects.create(
        by=by, created_at=now, is_at_once=is_at_once, todo=list(found.ids),
        refused={str(pk): why for pk, why in found.refused.items()}, cards_count=len(found.ids),
    )  # fmt: skip
    audit.record("clients.deletion_started", row, by=by, clients_count=len(found.ids), is_at_once=is_at_once)
    bell.ring(bell.ERASURES)
    return row


def work() -> int:
    """Go on with the runs that nobody works on, and return how many were taken. A card that fails keeps no other."""
    return leases.work(lambda: leases.take(_open()), _do)


def tidy(now: dt.datetime) -> int:
    """Forget the runs that ended long ago, and return how many."""
    return DeletionRun.objects.filter(settled_at__lt=now - KEPT_FOR).delete()[0]


def _open() -> "QuerySet[DeletionRun]":
    return DeletionRun.objects.filter(settled_at=None).select_related("by").order_by("pk")


def _do(row: DeletionRun) -> None:
    """Delete card after card, each with the note that it is done, so that another worker goes on where this one died.

    A card over which workers die is left out; where the database is busy, all that is left rests and is tried again.
    """
    try:
        while row.todo:
            pk = row.todo[0]
            if why := "refused" if row.try_count > TRIES else _delete(row, pk):
                _note(row, pk, why)
        _settle(row)
    except leases.Lost:
        log.warning("deletion run %s: another worker has it", row.pk)
    except (OperationalError, InterfaceError) as error:
        log.warning("deletion run %s: %s, tried again later", row.pk, type(error).__name__)
        leases.rest(row)


def _delete(row: DeletionRun, pk: int) -> str:
    """Delete one card, note it in the same step and return nothing, or why not (REASONS)."""
    if row.by is None:
        return "refused"
    now = timezone.now()  # its own: a run may take hours, and the thirty days and the visits to come are counted from here
    # As it stands now: somebody may have made the card active while the others were deleted.
    if why := _why_not([pk], row.by, now).get(pk, ""):
        return why
    how: dict[str, Any] = {"is_notice_wanted": False, "may_cancel": False, "is_at_once": row.is_at_once, "by": row.by, "now": now}
    try:
        with transaction.atomic():
            deletions.delete(Client.objects.get(pk=pk), is_asked=False, **how)
            _note(row, pk)
    except (leases.Lost, OperationalError, InterfaceError):
        raise  # the last two: the database is busy or away, which says nothing about the card
    except Exception as error:  # noqa: BLE001 (one that cannot be deleted must not keep the others)
        log.warning("deletion run %s: client %s: %s", row.pk, pk, type(error).__name__)
        row.refresh_from_db(fields=["todo", "done_count"])  # the note is taken back with the deletion
        return _why_not([pk], row.by, now).get(pk, "refused")
    failpoints.hit("clearing_deleted")
    return ""


def _note(row: DeletionRun, pk: int, why: str = "") -> None:
    """Write down what became of the card whose turn it is, `why` it stays or nothing. Raises Lost if it is not ours to say."""
    row.todo, row.try_count = row.todo[1:], 1
    if why:
        row.refused[str(pk)] = why
    else:
        row.done_count += 1
    leases.hold(row, todo=row.todo, done_count=row.done_count, refused=row.refused, try_count=1)


def _why_not(ids: Sequence[int], by: User, now: dt.datetime) -> dict[int, str]:
    """Return why these cards are not deleted in one act, by id; the others are."""
    here = dict(access.clients_for(by).filter(pk__in=ids).values_list("pk", "inactive_at"))
    deleting = set(Deletion.objects.filter(client__in=ids).values_list("client", flat=True))
    kept = set(RetentionHold.objects.filter(client__in=ids).values_list("client", flat=True))
    ahead = bookings.ahead_of(ids, now=now)
    found = {}
    for pk in ids:
        if pk in deleting:
            found[pk] = "deleting"
        elif pk not in here:
            found[pk] = "gone"
        elif here[pk] is None:
            found[pk] = "active"
        elif pk in ahead:
            found[pk] = "ahead"
        elif pk in kept:
            found[pk] = "kept"
    return found


@transaction.atomic
def _settle(row: DeletionRun) -> None:
    now = timezone.now()
    leases.hold(row, settled_at=now, lease_token=None)
    audit.record("clients.deleted", row, by=row.by, clients_count=row.done_count, refused_count=len(row.refused))
    if row.by is not None:
        url = reverse("clients:deletion_run", args=[row.pk])
        notices.tell(row.by, NOTICE, url=url, now=now, count=row.done_count, refused_count=len(row.refused))
    bell.ring(bell.ERASURES)
