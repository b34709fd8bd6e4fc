"""An import from the upload to its undo: the only mover of `Import`. Its long parts run wherever somebody calls `work`.

The table is the queue. A job is held by a lease that each step renews; when its worker dies, the next one goes on.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients.importing import columns, commit, reading, stored, undoing
from clients.importing.commit import Job
from clients.importing.plan import Plan
from clients.importing.report import Report
from clients.models import Import, ImportedCard
from salon.core import audit, bell, collector, leases, notices, states
from salon.core.errors import Refused
from salon.core.lines import one_line
from salon.core.models import Salon, User

log = logging.getLogger(__name__)
State = Import.State
TABLE = states.Table(
    {
        State.UPLOADED: frozenset({State.CHECKING, State.RUNNING, State.DISCARDED}),
        State.CHECKING: frozenset({State.CHECKED, State.FAILED}),
        State.CHECKED: frozenset({State.CHECKING, State.RUNNING, State.DISCARDED}),
        State.RUNNING: frozenset({State.DONE, State.FAILED}),
        State.DONE: frozenset({State.UNDOING}),
        State.FAILED: frozenset({State.CHECKING, State.RUNNING, State.UNDOING, State.DISCARDED}),
        State.UNDOING: frozenset({State.UNDONE, State.FAILED}),
    }
)
JOBS = (State.CHECKING, State.RUNNING, State.UNDOING)
# What changes the book: one at a time.
_WRITERS = (State.RUNNING, State.UNDOING)
TRIES = 3
UNDO_FOR = dt.timedelta(days=7)
FORGET_UPLOADS_AFTER = dt.timedelta(hours=24)


def upload(data: bytes, name: str, *, by: User | None, now: dt.datetime) -> Import:
    """Keep a list and return its import. Raises Refused with one sentence for a file that cannot be read."""
    return _keep(reading.read(data, name), name, by=by, now=now)


@transaction.atomic
def _keep(sheet: reading.Sheet, name: str, *, by: User | None, now: dt.datetime) -> Import:
    title = one_line(name)[:100] or "list"
    row = Import.objects.create(title=title, by=by, created_at=now, sheet=stored.pack(sheet), row_count=len(sheet.lines))
    audit.record("import.uploaded", row, by=by, rows_count=row.row_count)
    return row


def choose(row: Import, fields: Mapping[int, str], *, by: User) -> Import:
    """Have the list checked with these fields (names by the column's number). Raises Refused when they make no card."""
    columns.check(columns.chosen(stored.unpack(row.sheet).header, dict(fields)))
    chosen = {str(index): field for index, field in fields.items()}
    return _queue(row, State.CHECKING, "import.checked", by=by, columns=chosen, report={})


def start(row: Import, *, by: User | None) -> Import:
    """Have the list imported, once the imports before it are done. Raises Refused for one that was forgotten meanwhile."""
    if not row.sheet:
        raise Refused(_("This list was forgotten meanwhile. Upload it again."))
    if row.cards.exclude(outcome="").exists():
        raise Refused(_("This import is further on already. Open it again."))
    return _queue(row, State.RUNNING, "import.started", by=by)


def undo(row: Import, *, by: User | None, now: dt.datetime) -> Import:
    """Have the import taken back. Raises Refused 7 days after it was done."""
    if not may_undo(row, now=now):
        raise Refused(_("Undo ends 7 days after the import."))
    left = row.cards.filter(outcome="").count()
    return _queue(row, State.UNDOING, "import.undo_started", by=by, steps_done=0, step_count=left)


def may_undo(row: Import, *, now: dt.datetime) -> bool:
    """Return whether the import can be taken back at `now`."""
    return bool(
        TABLE.may(row.state, State.UNDOING) and row.settled_at and now - row.settled_at <= UNDO_FOR and row.cards.exists()
    )


@transaction.atomic
def discard(row: Import, *, by: User) -> Import:
    """Throw the list away. Raises Refused for one that is running or in the book."""
    if row.cards.exists() or not states.move(row, TABLE, to=State.DISCARDED, **_emptied(), settled_at=timezone.now()):
        raise Refused(_("This import is further on already. Open it again."))
    audit.record("import.discarded", row, by=by)
    return row


def bring_in(data: bytes, name: str, *, by: User | None, now: dt.datetime) -> Import:
    """Import a list here and now, after the imports that run, and return it done. Raises Refused, or what went wrong."""
    return finish(begin(data, name, by=by, now=now))


def begin(data: bytes, name: str, *, by: User | None, now: dt.datetime, fields: Mapping[int, str] | None = None) -> Import:
    """Keep a list and have it imported without a look at it first, its columns as recognised but for `fields`. Raises Refused."""
    sheet = reading.read(data, name)
    row = _keep(sheet, name, by=by, now=now)
    columns.check(columns.chosen(sheet.header, fields or {}))
    chosen = {str(index): field for index, field in fields.items()} if fields else None
    return _queue(row, State.RUNNING, "import.started", by=by, columns=chosen)


def finish(row: Import) -> Import:
    """Do the job in hand of an import here and now, after those that run, and return it. Raises what went wrong."""
    while row.state in JOBS:
        if not work(only=row.pk):
            time.sleep(0.2)
        row.refresh_from_db()
    if row.state == State.FAILED:  # elsewhere: its worker died
        raise Refused(_("An import stopped before its end."))
    return row


def work(*, only: int | None = None) -> int:
    """Do what waits, one job after the other, and return how many were taken. `only`: this import's, and raise its faults."""
    return leases.work(lambda: _claim(only), lambda row: _do(row, is_alone=only is not None))


def tidy(now: dt.datetime) -> int:
    """Forget lists that nobody imported within a day and what was kept for undoing; return how many imports that touched."""
    old = Import.objects.filter(state__in=[State.UPLOADED, State.CHECKED], created_at__lt=now - FORGET_UPLOADS_AFTER)
    count = old.update(state=State.DISCARDED, settled_at=now, **_emptied())
    over = Import.objects.filter(settled_at__lt=now - UNDO_FOR).exclude(state__in=JOBS)
    ids = list(over.exclude(title="").values_list("pk", flat=True))
    with transaction.atomic():
        # That the card came with a list stays: nobody ever knows what such a client was told (`clients.existing`).
        ImportedCard.objects.filter(source__in=ids).update(marks={})
        return count + Import.objects.filter(pk__in=ids).update(**_emptied(), title="")


def _emptied() -> dict[str, Any]:
    return {"sheet": b"", "report": {}, "columns": None}


@transaction.atomic
def _queue(row: Import, to: str, event: str, *, by: User | None, **changes: Any) -> Import:
    """Put the import into the queue in this state. Raises Refused when somebody was quicker or it is not its turn."""
    if not states.move(row, TABLE, to=to, try_count=0, **leases.FREE, **changes):
        raise Refused(_("This import is further on already. Open it again."))
    audit.record(event, row, by=by)
    bell.ring(bell.IMPORTS)
    return row


def _claim(only: int | None) -> Import | None:
    """Take the oldest job that nobody holds; nothing while another import writes."""
    waiting = Import.objects.filter(state__in=JOBS, **({} if only is None else {"pk": only})).order_by("pk")
    if not waiting.filter(leases.free()).exists():
        return None
    with transaction.atomic():
        list(Salon.objects.select_for_update().values_list("pk"))  # two that claim at once, one after the other
        while (deadly := leases.take(waiting.filter(try_count__gte=TRIES).select_related("by").defer("sheet"))) is not None:
            _give_up(deadly)
        writes = Import.objects.filter(leases.held(), state__in=_WRITERS).exists()
        return leases.take(waiting.exclude(state__in=_WRITERS if writes else ()).select_related("by").defer("sheet"))


def _give_up(row: Import) -> None:
    """Stop an import over which one worker after the other died, so that those behind it have their turn."""
    log.error("import %s: its workers died", row.pk)
    job = Job(row, Salon.objects.current(), timezone.now(), partial(leases.hold, row))
    _settle(job, State.FAILED, "import.failed", notice="import_failed", kind="died")


def _do(row: Import, *, is_alone: bool) -> None:
    """Do one job. What goes wrong is tried again a few times, then the import stops where it stands."""
    salon = Salon.objects.current()
    job = Job(row, salon, timezone.now(), partial(leases.hold, row), is_waited_for=is_alone)
    acts: dict[str, Callable[[Job], None]] = {State.CHECKING: _check, State.RUNNING: _run, State.UNDOING: _undo}
    with translation.override(row.by.language if row.by else salon.language):
        try:
            acts[row.state](job)
        except leases.Lost:
            log.warning("import %s: another worker has it", row.pk)
        except Exception as error:
            log.error("import %s: %s", row.pk, type(error).__name__)
            if is_alone or row.try_count >= TRIES:
                _settle(job, State.FAILED, "import.failed", notice="import_failed", kind=type(error).__name__.lower())
            else:
                leases.rest(row)
            if is_alone:
                raise


@collector.resting()
def _check(job: Job) -> None:
    lines = commit.lines_of(stored.unpack(job.row.sheet), commit.chosen_of(job.row), job.salon, now=job.now)
    job.hold()
    report = Report.of(commit.plan_of(lines, now=job.now))
    # Nobody left the page of a list that was checked while its reader waited.
    notice = "" if job.is_waited_for else "import_checked"
    _settle(job, State.CHECKED, "", notice=notice, report=report.kept())


@collector.resting()
def _run(job: Job) -> None:
    row = job.row
    lines = commit.lines_of(stored.unpack(row.sheet), commit.chosen_of(row), job.salon, now=job.now)

    def planned(plan: Plan) -> None:
        # A list that was not looked at before is reported by what it was found to be first.
        first = {} if row.report else {"report": Report.of(plan).kept()}
        row.report = row.report or first["report"]
        Import.objects.filter(pk=row.pk).update(step_count=F("steps_done") + commit.size_of(plan), **first)

    job.hold()
    commit.carry_out(job, lines, planned=planned)
    row.refresh_from_db(fields=["new_count", "filled_count", "claim_count", "stop_count"])
    counts = {
        "new_count": row.new_count, "updated_count": row.filled_count, "claim_count": row.claim_count,
        "stop_count": row.stop_count, "refused_count": Report.loaded(row.report).faulty_count,
    }  # fmt: skip
    _settle(job, State.DONE, "clients.imported", notice="import_done", facts=counts)


def _undo(job: Job) -> None:
    undoing.carry_out(job)
    job.row.refresh_from_db(fields=["taken_back_count", "kept_count"])
    counts = {"taken_back_count": job.row.taken_back_count, "kept_count": job.row.kept_count}
    _settle(job, State.UNDONE, "import.undone", notice="import_undone", facts=counts)


@transaction.atomic
def _settle(
    job: Job, to: str, event: str, *, notice: str, facts: Mapping[str, int] | None = None, kind: str = "", **changes: object
) -> None:
    """End the job in this state, leave a line in the audit trail and ring for whoever asked. Raises Lost if it is not ours."""
    row = job.row
    settled = {} if to == State.CHECKED else {"settled_at": timezone.now()}
    guard = Q(lease_token=row.lease_token)
    if not states.move(row, TABLE, to=to, guard=guard, **leases.FREE, **settled, **changes):
        raise leases.Lost
    counts = dict(facts or {})
    if event:
        audit.record(event, row, by=row.by, **counts, **({"kind": kind} if kind else {}))
    if row.by is not None and notice:
        notices.tell(row.by, notice, url=reverse("clients:import", args=[row.pk]), now=timezone.now(), **counts)
