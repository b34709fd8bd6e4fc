"""An export from the wish to the deleted file: the only mover of `Export`. Small ones are written while somebody waits.

Large ones are jobs: the table is the queue, a job is held by a lease that each chunk renews, and when its worker dies
the next one begins anew. The finished file lies in the database for a day, for the one who asked.
"""

import datetime as dt
import logging
import os
import tempfile
from array import array
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import IO, Any

from django.db import transaction
from django.db.models import Q
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients import filters
from clients.exporting import file, people
from clients.exporting.file import Errand
from clients.exporting.people import Wanted
from clients.models import Export, ExportPart
from salon.core import audit, bell, failpoints, leases, notices, padlock, secrets, states, workbook
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import May

log = logging.getLogger(__name__)
State = Export.State
TABLE = states.Table(
    {
        State.RUNNING: frozenset({State.READY, State.FAILED}),
        State.READY: frozenset({State.EXPIRED}),
        State.FAILED: frozenset({State.RUNNING, State.EXPIRED}),
    }
)
# Written while the person waits: a few seconds' worth.
AT_ONCE = 5_000
KEPT_FOR = dt.timedelta(hours=24)
TRIES = 3
PART = 1 << 20


REASONS: Mapping[str, Promise] = {
    "role": lazy("Your role may not export clients."),
    "nobody": lazy("0 clients match: nothing to export."),
    "too_many": lazy("More than 1,048,575 clients do not fit into a sheet. Narrow the list."),
    "fault": lazy("The file could not be written."),
}


class Hindered(Refused):
    """No file can be made, for a reason with a code of REASONS."""

    def __init__(self, code: str) -> None:
        super().__init__(str(REASONS[code]))
        self.code = code


def hand_over(
    wanted: Wanted, *, purpose: str, password: str = "", by: User, salon: Salon, now: dt.datetime
) -> tuple[Export, IO[bytes]]:
    """Return the file of a list of at most AT_ONCE people, at its beginning, and its row in the log. Raises Refused.

    With a `password` nobody opens it without.
    """
    ids = _ids(wanted, by=by, salon=salon, now=now)
    if len(ids) > AT_ONCE:
        raise Refused(_("The list has grown: it is written in the background now. Try again."))
    content, locked = BytesIO(), BytesIO()
    count = file.write(content, Errand(wanted, by, salon, purpose, by.name), ids, now=now)
    if password:
        padlock.lock(content, locked, password)
    given = locked if password else content
    given.seek(0)
    return _note(wanted, purpose, count, by=by, now=now, is_protected=bool(password)), given


def write_to(target: IO[bytes], wanted: Wanted, purpose: str, *, reader: User, salon: Salon, now: dt.datetime) -> int:
    """Write a list of any length to `target` for whoever has the console, as `reader` may see it, and return its count."""
    ids = _ids(wanted, by=reader, salon=salon, now=now)
    count = file.write(target, Errand(wanted, reader, salon, purpose, "manage.py export_clients"), ids, now=now)
    _note(wanted, purpose, count, by=None, now=now)
    return count


@transaction.atomic
def start(wanted: Wanted, *, purpose: str, password: str = "", by: User, salon: Salon, now: dt.datetime) -> Export:
    """Have a file written by the worker and return its row. Raises Refused for nobody, and for more than a sheet holds.

    A `password` is kept sealed until the file is written, or a failed one forgotten.
    """
    count = len(_ids(wanted, by=by, salon=salon, now=now))
    row = Export.objects.create(
        by=by, created_at=now, purpose=purpose, password=secrets.seal(password) or None, is_protected=bool(password),
        row_count=count, **_asked(wanted),
    )  # fmt: skip
    audit.record("export.started", row, by=by, **_codes(wanted), rows_count=count, has_password=row.is_protected)
    bell.ring(bell.EXPORTS)
    return row


@transaction.atomic
def start_again(row: Export, *, by: User) -> Export:
    """Have a file written that stopped. Raises Refused for one that did not."""
    if not states.move(row, TABLE, to=State.RUNNING, rows_done=0, try_count=0, settled_at=None, reason="", **leases.FREE):
        raise Refused(_("This export did not stop. Open it again."))
    audit.record("export.started_again", row, by=by)
    bell.ring(bell.EXPORTS)
    return row


@transaction.atomic
def fetch(row: Export, *, by: User, now: dt.datetime) -> Iterator[bytes]:
    """Return the pieces of a file that is ready, and note that it was taken. Raises Refused for one that is not there."""
    if not is_there(row, now=now):
        raise Refused(_("This file is not there any more. Make a new one."))
    audit.record("export.fetched", row, by=by, rows_count=row.row_count)
    return _pieces(row)


def work(*, only: int | None = None) -> int:
    """Write what waits, one file after the other, and return how many were taken. `only`: this one, and raise its faults."""
    return leases.work(lambda: _claim(only), lambda row: _do(row, is_alone=only is not None))


def tidy(now: dt.datetime) -> int:
    """Delete the files of more than a day ago, and what they were searched by; return how many."""
    old = Export.objects.filter(state__in=[State.READY, State.FAILED], settled_at__lt=now - KEPT_FOR)
    count = 0
    for row in old:
        with transaction.atomic():
            if states.move(row, TABLE, to=State.EXPIRED, text="", size=0, password=None):
                ExportPart.objects.filter(source=row).delete()
                audit.record("export.deleted", row)
                count += 1
    return count


def is_there(row: Export, *, now: dt.datetime) -> bool:
    """Return whether the file can be taken at `now`."""
    return row.state == State.READY and row.settled_at is not None and now < row.settled_at + KEPT_FOR


def ends_at(row: Export) -> dt.datetime | None:
    """Return when the file is deleted."""
    return row.settled_at + KEPT_FOR if row.settled_at else None


def wanted_of(row: Export) -> Wanted:
    """Return what the row asks for."""
    on = filters.read(QueryDict(row.filters))
    return Wanted(preset=row.preset, who=row.who, text=row.text, status=row.status, sort=row.sort, filters=on, but=tuple(row.but))


@transaction.atomic
def _note(wanted: Wanted, purpose: str, count: int, *, by: User | None, now: dt.datetime, is_protected: bool = False) -> Export:
    """Write down that a file left at once. What it was searched by is not kept."""
    row = Export.objects.create(
        state=State.HANDED, by=by, created_at=now, settled_at=now, purpose=purpose, row_count=count, rows_done=count,
        is_protected=is_protected, **_asked(wanted, with_text=False),
    )  # fmt: skip
    audit.record("clients.exported", row, by=by, **_codes(wanted), rows_count=count, has_password=is_protected)
    return row


def _asked(wanted: Wanted, *, with_text: bool = True) -> dict[str, Any]:
    """Return the columns of a wish."""
    text, on = wanted.text if with_text else "", filters.query(wanted.filters)
    return {
        "preset": wanted.preset, "who": wanted.who, "text": text, "status": wanted.status, "sort": wanted.sort, "filters": on,
        "but": list(wanted.but),
    }  # fmt: skip


def _codes(wanted: Wanted) -> dict[str, str | bool | list[str]]:
    """Return what the audit trail may hold of a wish."""
    source = "selection" if wanted.ids else wanted.status
    return {
        "preset": wanted.preset, "who": wanted.channel or people.ALL, "list": source, "has_search": bool(wanted.text),
        "filters": [name for name, _value in wanted.filters],
    }  # fmt: skip


def _ids(wanted: Wanted, *, by: User, salon: Salon, now: dt.datetime) -> "array[int]":
    if not by.may(May.EXPORT):
        raise Hindered("role")
    ids = people.ids_of(people.chosen(people.listed(by, salon, wanted, now=now), wanted.channel, salon=salon, now=now))
    if not ids:
        raise Hindered("nobody")
    if len(ids) > workbook.MOST_ROWS:
        raise Hindered("too_many")
    return ids


def _claim(only: int | None) -> Export | None:
    waiting = Export.objects.filter(state=State.RUNNING, **({} if only is None else {"pk": only})).select_related("by")
    while (deadly := leases.take(waiting.filter(try_count__gte=TRIES))) is not None:  # one worker after the other died over it
        log.error("export %s: its workers died", deadly.pk)
        _settle(deadly, State.FAILED, "export.failed", notice="export_failed", reason="fault")
    return leases.take(waiting.order_by("pk"))


def _do(row: Export, *, is_alone: bool) -> None:
    """Write one file. What goes wrong is tried again a few times, then the export stops."""
    try:
        _write(row)
    except leases.Lost:
        log.warning("export %s: another worker has it", row.pk)
    except Exception as error:
        log.error("export %s: %s", row.pk, type(error).__name__)  # no more: its text may hold what a card holds
        if is_alone or isinstance(error, Hindered) or row.try_count >= TRIES:
            reason = error.code if isinstance(error, Hindered) else "fault"
            _settle(row, State.FAILED, "export.failed", notice="export_failed", reason=reason)
        else:
            leases.rest(row)
        if is_alone:
            raise


def _write(row: Export) -> None:
    now, salon, wanted = timezone.now(), Salon.objects.current(), wanted_of(row)
    if row.by is None:
        raise Hindered("role")
    ids = _ids(wanted, by=row.by, salon=salon, now=now)
    leases.hold(row, row_count=len(ids), rows_done=0)

    def progress(done: int) -> None:
        leases.hold(row, rows_done=done)
        failpoints.hit("export_chunk_written")

    with tempfile.TemporaryFile() as content, tempfile.TemporaryFile() as locked:
        errand = Errand(wanted, row.by, salon, row.purpose, row.by.name)
        count = file.write(content, errand, ids, now=now, progress=progress)
        if row.is_protected:
            padlock.lock(content, locked, secrets.unseal(row.password or ""))
        leases.hold(row)
        _store(row, locked if row.is_protected else content, count)


@transaction.atomic
def _store(row: Export, content: IO[bytes], count: int) -> None:
    """Keep the finished file in pieces, all of it or nothing."""
    size = content.seek(0, os.SEEK_END)
    content.seek(0)
    ExportPart.objects.filter(source=row).delete()
    number = 0
    while piece := content.read(PART):
        ExportPart.objects.create(source=row, number=number, data=piece)
        number += 1
    failpoints.hit("export_stored")
    done: dict[str, int | None] = {"row_count": count, "rows_done": count, "size": size, "password": None}
    _settle(row, State.READY, "clients.exported", notice="export_ready", **done)


@transaction.atomic
def _settle(row: Export, to: str, event: str, *, notice: str, **changes: int | str | None) -> None:
    """End the job in this state, leave a line in the audit trail and ring for who asked. Raises Lost if it is not ours."""
    now = timezone.now()
    if not states.move(row, TABLE, to=to, guard=Q(lease_token=row.lease_token), settled_at=now, **leases.FREE, **changes):
        raise leases.Lost
    facts = {**_codes(wanted_of(row)), "rows_count": row.row_count, "reason": row.reason, "has_password": row.is_protected}
    audit.record(event, row, by=row.by, **facts)
    if row.by is not None:
        notices.tell(row.by, notice, url=reverse("clients:export_job", args=[row.pk]), now=now, rows_count=row.row_count)


def _pieces(row: Export) -> Iterator[bytes]:
    """Yield the file piece by piece, one in memory at a time."""
    numbers = list(ExportPart.objects.filter(source=row).order_by("number").values_list("pk", flat=True))
    for pk in numbers:
        yield bytes(ExportPart.objects.values_list("data", flat=True).get(pk=pk))
