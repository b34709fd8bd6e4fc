"""A large export as a job: begun anew after a crash, for the one who asked, gone after a day."""

import datetime as dt
import io
import signal
import subprocess
import sys
import uuid

import pytest
import python_calamine
from django.utils import timezone

from clients import records
from clients.exporting import exports, people
from clients.exporting.people import Wanted
from clients.models import Client, Export, ExportPart
from salon.core import leases
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Notice, Salon, User
from salon.core.roles import Role
from tests.notifications import workers

pytestmark = pytest.mark.django_db
State = Export.State


def fill(count: int) -> None:
    fields = [{"first_name": "Ann", "last_name": f"Lee{number:05}", "phone": f"+3361234{number:04}"} for number in range(count)]
    records.add_many(fields, by=None)


def start(by: User, wanted: Wanted | None = None, purpose: str = "") -> Export:
    wanted = wanted or Wanted("contacts")
    return exports.start(wanted, purpose=purpose, by=by, salon=Salon.objects.current(), now=timezone.now())


def content(row: Export, by: User) -> bytes:
    return b"".join(exports.fetch(row, by=by, now=timezone.now()))


def last_names(data: bytes) -> list[str]:
    header, *rows = python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    return [str(row[header.index("Last name")]) for row in rows]


def test_a_job_writes_the_file_tells_who_asked_and_leaves_its_lines(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "CHUNK", 3)
    monkeypatch.setattr(exports, "PART", 1_000)
    fill(10)
    row = start(owner, purpose="Cards")
    assert (row.state, row.row_count, row.size) == (State.RUNNING, 10, 0)
    assert exports.work() == 1
    row.refresh_from_db()
    assert (row.state, row.rows_done, row.lease_token) == (State.READY, 10, None)
    data = content(row, owner)
    assert len(data) == row.size
    assert ExportPart.objects.filter(source=row).count() > 3
    assert last_names(data) == [f"Lee{number:05}" for number in range(10)]
    notice = Notice.objects.get(user=owner)
    assert (notice.code, notice.url, notice.facts) == ("export_ready", f"/exports/{row.pk}/", {"rows_count": 10})
    assert list(AuditEvent.objects.filter(subject_type="clients.export").order_by("pk").values_list("action", flat=True)) == [
        "export.started", "clients.exported", "export.fetched",
    ]  # fmt: skip
    assert exports.work() == 0


def test_progress_is_told_and_the_lease_renewed_with_each_chunk(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "CHUNK", 2)
    fill(5)
    row, seen = start(owner), []
    hold = leases.hold

    def watched(one: Export, **changes: int) -> None:
        hold(one, **changes)
        seen.append(Export.objects.values_list("rows_done", flat=True).get(pk=row.pk))

    monkeypatch.setattr(leases, "hold", watched)
    exports.work()
    assert seen == [0, 2, 4, 5, 5]


def test_two_workers_take_one_job_once(owner: User) -> None:
    fill(1)
    row = start(owner)
    waiting = Export.objects.filter(state=State.RUNNING)
    assert leases.take(waiting) == row
    assert leases.take(waiting) is None
    Export.objects.update(lease_until=workers.LONG_AGO)
    again = leases.take(waiting)
    assert again is not None
    assert again.try_count == 2


def test_a_worker_that_lost_its_job_keeps_no_file(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(3)
    row = start(owner)
    read = people.ids_of

    def slowly(rows):  # type: ignore[no-untyped-def]
        Export.objects.filter(pk=row.pk).update(lease_token=uuid.uuid4())
        return read(rows)

    monkeypatch.setattr(people, "ids_of", slowly)
    exports.work()
    row.refresh_from_db()
    assert (row.state, ExportPart.objects.count(), Notice.objects.count()) == (State.RUNNING, 0, 0)


def test_what_goes_wrong_three_times_stops_says_why_and_can_start_again(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(3)
    row = start(owner)

    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("Ann Lee")

    with monkeypatch.context() as patch:
        patch.setattr(people, "read", broken)
        for _try in range(exports.TRIES):
            Export.objects.update(lease_until=None)
            exports.work()
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.FAILED, "fault")
    assert Notice.objects.get(user=owner).code == "export_failed"
    exports.start_again(row, by=owner)
    exports.work()
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.READY, "")
    assert last_names(content(row, owner)) == ["Lee00000", "Lee00001", "Lee00002"]
    with pytest.raises(Refused):
        exports.start_again(row, by=owner)


def test_who_lost_the_right_meanwhile_gets_no_file(owner: User) -> None:
    fill(3)
    row = start(owner)
    owner.role = Role.RECEPTION
    owner.save()
    exports.work()
    row.refresh_from_db()
    assert (row.state, row.reason, ExportPart.objects.count()) == (State.FAILED, "role", 0)


def test_a_list_that_emptied_meanwhile_is_told(owner: User) -> None:
    fill(1)
    row = start(owner)
    Client.objects.update(inactive_at=timezone.now())
    exports.work()
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.FAILED, "nobody")


def test_after_a_day_the_file_and_what_was_searched_are_gone(owner: User) -> None:
    fill(2)
    row = start(owner, Wanted("contacts", text="Lee00001"), purpose="Cards")
    exports.work()
    row.refresh_from_db()
    assert row.settled_at is not None
    at = row.settled_at + exports.KEPT_FOR
    assert exports.tidy(at - dt.timedelta(seconds=1)) == 0
    with pytest.raises(Refused):
        exports.fetch(row, by=owner, now=at)
    assert exports.tidy(at + dt.timedelta(seconds=1)) == 1
    row.refresh_from_db()
    assert (row.state, row.text, row.purpose, row.size, ExportPart.objects.count()) == (State.EXPIRED, "", "Cards", 0, 0)
    assert AuditEvent.objects.filter(action="export.deleted").count() == 1
    with pytest.raises(Refused):
        exports.fetch(row, by=owner, now=timezone.now())


@pytest.mark.chaos
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", ["export_chunk_written", "export_stored"])
def test_a_worker_killed_in_the_middle_leaves_nothing_half_and_the_next_begins_anew(owner: User, place: str) -> None:
    fill(2_500)
    row = start(owner)
    for step in (2, 1) if place == "export_chunk_written" else (1,):
        assert work_elsewhere(f"{place}@{step}:kill9") == -signal.SIGKILL
        row.refresh_from_db()
        assert (row.state, ExportPart.objects.count(), Notice.objects.count()) == (State.RUNNING, 0, 0)
        assert exports.work() == 0, "its lease holds"
        Export.objects.update(lease_until=workers.LONG_AGO)
    assert work_elsewhere("") == 0
    row.refresh_from_db()
    assert row.state == State.READY
    assert last_names(content(row, owner)) == [f"Lee{number:05}" for number in range(2_500)]


@pytest.mark.chaos
@pytest.mark.django_db(transaction=True)
def test_an_export_that_kills_every_worker_stops_and_the_next_one_has_its_turn(owner: User) -> None:
    fill(2)
    deadly, behind = start(owner), start(owner)
    for _death in range(exports.TRIES):
        assert work_elsewhere("export_stored:kill9") == -signal.SIGKILL
        Export.objects.update(lease_until=workers.LONG_AGO)
    assert work_elsewhere("") == 0
    deadly.refresh_from_db()
    behind.refresh_from_db()
    assert (deadly.state, deadly.reason, deadly.lease_token) == (State.FAILED, "fault", None)
    assert behind.state == State.READY
    assert sorted(Notice.objects.values_list("code", flat=True)) == ["export_failed", "export_ready"]
    exports.start_again(deadly, by=owner)
    assert exports.work() == 1


def test_an_export_whose_last_try_is_under_way_is_not_stopped(owner: User) -> None:
    fill(1)
    row = start(owner)
    Export.objects.update(lease_token=uuid.uuid4(), lease_until=timezone.now() + leases.LEASE, try_count=exports.TRIES)
    assert exports.work() == 0
    row.refresh_from_db()
    assert row.state == State.RUNNING


def work_elsewhere(failpoint: str) -> int:
    """Write what waits in a process of its own that dies where `failpoint` says, and return its exit code."""
    script = "import django; django.setup(); from clients.exporting import exports; exports.work()"
    environment = workers.environment(9, FAILPOINT=failpoint)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=workers.ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode
