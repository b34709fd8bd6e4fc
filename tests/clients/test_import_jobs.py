"""An import as a job: whole after a crash, undone for seven days but for what was used, and forgotten afterwards."""

import datetime as dt
import signal
import subprocess
import sys
import uuid
from typing import Any

import pytest
from django.utils import timezone

from clients import addresses, consent, contacts, invariants, records, search
from clients.importing import commit, jobs, undoing
from clients.importing.report import Report
from clients.merging import merges
from clients.models import Address, Client, ConsentEvent, DuplicatePair, Import, ImportedCard, RetentionWarning, Subject
from salon.core import leases
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Notice, Salon, User
from tests import factories
from tests.notifications import workers

State = Import.State
HEAD = "First name,Last name,Phone,E-mail,City,Newsletter\n"
LIST = HEAD + "".join(
    f"Ann,Lee{number},06123456{number:02},ann{number}@example.org,Lyon,{('yes', 'no', '')[number % 3]}\n" for number in range(30)
)


def a_list(count: int, *, is_answered: bool = True) -> str:
    """Return a list of so many people, of whom every third says yes, every third no."""
    answers = ("yes", "no", "") if is_answered else ("", "", "")
    rows = (f"Ann,Lee{one},06123{one:05},ann{one}@example.org,Lyon,{answers[one % 3]}\n" for one in range(count))
    return HEAD + "".join(rows)


def bring_in(text: str = LIST, by: User | None = None) -> Import:
    return jobs.bring_in(text.encode(), "list.csv", by=by, now=timezone.now())


def undo(row: Import) -> Import:
    return jobs.finish(jobs.undo(row, by=None, now=timezone.now()))


def book() -> list[Any]:
    """Everything on the cards but their versions."""
    return list(Client.objects.order_by("pk").values(*records.FIELDS, "search_text", "sort_name"))


# --- undo ---------------------------------------------------------------------------------------------------------


def test_an_undo_leaves_the_book_as_it_was(salon: Salon) -> None:
    known = factories.client(first_name="Ann", last_name="Lee3", phone="+33612345603", email="")
    before = book()
    row = bring_in()
    assert (row.new_count, row.filled_count) == (29, 1)
    known.refresh_from_db()
    assert (known.email, known.city) == ("ann3@example.org", "Lyon")
    row = undo(row)
    assert (row.state, row.taken_back_count, row.kept_count) == (State.UNDONE, 30, 0)
    assert [{**card, "search_text": "", "sort_name": ""} for card in book()] == [
        {**card, "search_text": "", "sort_name": ""} for card in before
    ]
    assert list(invariants.faults()) == []


def test_a_search_for_duplicates_and_a_warning_keep_no_card(salon: Salon, owner: User) -> None:
    known, row = factories.client(), bring_in()
    card = Client.objects.latest("pk")
    DuplicatePair.objects.create(low=known, high=card, score=60, band="likely")
    RetentionWarning.objects.create(client=card, code="prospects", warned_on=factories.today(), erase_on=factories.today())
    row = undo(row)
    assert (row.state, row.kept_count) == (State.UNDONE, 0)


def test_a_field_that_a_merge_may_have_brought_is_not_emptied(salon: Salon, owner: User) -> None:
    known = factories.client(first_name="Ann", last_name="Lee3", phone="+33612345603", email="")
    own = factories.client(first_name="Ann", last_name="Lee3", phone="+33688888888", city="Lyon")
    row = bring_in()
    merges.merge([known.pk, own.pk], main=known.pk, by=owner, now=timezone.now())
    row = undo(row)
    known.refresh_from_db()
    assert (known.city, row.cards.get(client=known).outcome) == ("Lyon", undoing.CHANGED)


def test_an_undone_list_can_be_imported_again(salon: Salon) -> None:
    undo(bring_in())
    assert bring_in().new_count == 30


def test_what_came_to_a_card_since_keeps_it_with_its_reason(salon: Salon, owner: User) -> None:
    row = bring_in()
    visited, written, answered, edited, banned = Client.objects.order_by("pk")[:5]
    factories.appointment(client=visited)
    message = workers.reminders(1)[0]
    type(message).objects.filter(pk=message.pk).update(client=written)
    consent.record(answered, purpose="mkt.promotion", channel="email", event="grant", source="paper_form", by=owner)
    records.edit(edited, by=owner, version=1, city="Nice")
    Client.objects.filter(pk=banned.pk).update(blacklisted_at=timezone.now())
    row = undo(row)
    kept = dict(row.cards.exclude(outcome=undoing.EMPTIED).values_list("client", "outcome"))
    assert kept == {
        visited.pk: "appointments.appointment", written.pk: "notifications.message", answered.pk: "answered",
        edited.pk: "changed", banned.pk: "changed",
    }  # fmt: skip
    assert (row.taken_back_count, row.kept_count) == (25, 5)
    assert all(undoing.reason(code) for code in kept.values())


def test_the_control_without_the_look_at_other_tables_a_visited_card_cannot_go_either(
    salon: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = bring_in()
    factories.appointment(client=Client.objects.order_by("pk")[0])
    monkeypatch.setattr(undoing, "_attached", lambda _ids: {})
    with pytest.raises(Exception, match="protected"):
        undo(row)
    row.refresh_from_db()
    assert row.state == State.FAILED


def test_a_filled_field_that_was_changed_since_stays_and_the_others_are_emptied(salon: Salon) -> None:
    known = factories.client(first_name="Ann", last_name="Lee3", phone="+33612345603", email="")
    row = bring_in(HEAD + "Ann,Lee3,0612345603,ann3@example.org,Lyon,\n")
    known.refresh_from_db()
    records.edit(known, by=None, version=known.version, city="Nice")
    row = undo(row)
    known.refresh_from_db()
    assert (known.email, known.city) == ("", "Nice")
    assert (row.taken_back_count, row.kept_count) == (0, 1)


def test_a_filled_address_that_somebody_answered_for_stays(salon: Salon, owner: User) -> None:
    known = factories.client(first_name="Ann", last_name="Lee3", phone="+33612345603", email="")
    row = bring_in(HEAD + "Ann,Lee3,0612345603,ann3@example.org,Lyon,\n")
    known.refresh_from_db()
    consent.record(known, purpose="mkt.promotion", channel="email", event="grant", source="paper_form", by=owner)
    undo(row)
    known.refresh_from_db()
    assert (known.email, known.city) == ("ann3@example.org", "")
    assert consent.reading(known, "mkt.promotion", "email").state == "granted"


def test_a_no_of_the_list_stays_in_force_after_its_undo(salon: Salon) -> None:
    known = factories.client(first_name="Ann", last_name="Lee4", phone="+33612345604", email="ann4@example.org")
    row = undo(bring_in())
    assert row.stop_count == 10
    assert consent.reading(known, "mkt.promotion", "email").state == "withdrawn"
    stopped = Address.objects.get(channel="email", hmac=addresses.hash_of("email", "ann1@example.org"))
    assert stopped.scope == Address.Scope.MARKETING, "the card is gone, its address still says no"
    assert not Address.objects.filter(hmac=addresses.hash_of("email", "ann0@example.org")).exclude(scope="").exists()


def test_the_ledger_outlives_a_card_that_an_undo_removed(salon: Salon) -> None:
    row = bring_in()
    before = ConsentEvent.objects.count()
    undo(row)
    assert ConsentEvent.objects.count() == before == 20
    assert not Client.objects.exists()
    assert Subject.objects.filter(client=None).count() == 30


def test_what_an_undo_empties_leaves_further_numbers_in_the_search(salon: Salon, reception: User) -> None:
    client = factories.client(first_name="Ann", last_name="Lee", phone="", email="ann@example.org")
    contacts.add(client, channel="sms", address="+33612345678", label="", by=reception)
    row = bring_in("First name,Last name,E-mail,City\nAnn,Lee,ann@example.org,Lyon\n")
    assert search.find("345678").get() == client
    undo(row)
    client.refresh_from_db()
    assert (client.city, search.find("345678").get()) == ("", client)


def test_what_was_taken_back_in_part_is_not_imported_again(salon: Salon) -> None:
    row = bring_in()
    ImportedCard.objects.filter(source=row, pk=row.cards.order_by("pk")[0].pk).update(outcome="emptied")
    Import.objects.filter(pk=row.pk).update(state=State.FAILED)
    row.refresh_from_db()
    with pytest.raises(Refused):
        jobs.start(row, by=None)


def test_undo_ends_after_seven_days(salon: Salon) -> None:
    row = bring_in()
    late = timezone.now() + jobs.UNDO_FOR + dt.timedelta(minutes=1)
    with pytest.raises(Refused, match=r"7"):
        jobs.undo(row, by=None, now=late)
    assert jobs.may_undo(row, now=timezone.now())


# --- the queue ----------------------------------------------------------------------------------------------------


def test_a_job_that_somebody_holds_is_left_alone_until_its_lease_is_over(salon: Salon) -> None:
    row = jobs.start(factories.imported(LIST), by=None)
    Import.objects.filter(pk=row.pk).update(lease_token=uuid.uuid4(), lease_until=timezone.now() + leases.LEASE)
    assert jobs.work() == 0
    Import.objects.filter(pk=row.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert jobs.work() == 1
    row.refresh_from_db()
    assert (row.state, row.new_count) == (State.DONE, 30)


def test_a_check_need_not_wait_for_an_import(salon: Salon, owner: User) -> None:
    running = jobs.start(factories.imported(LIST), by=None)
    Import.objects.filter(pk=running.pk).update(lease_token=uuid.uuid4(), lease_until=timezone.now() + leases.LEASE)
    checked = jobs.choose(factories.imported(LIST), {}, by=owner)
    second = jobs.start(factories.imported(LIST), by=None)
    assert jobs.work() == 1
    assert Import.objects.get(pk=checked.pk).state == State.CHECKED
    assert Import.objects.get(pk=second.pk).new_count == 0


def test_a_worker_that_lost_its_job_writes_nothing_more(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    row = jobs.start(factories.imported(LIST), by=None)
    real = commit.plan_of

    def slowly(lines: Any, **when: Any) -> Any:
        Import.objects.filter(pk=row.pk).update(lease_token=uuid.uuid4(), lease_until=timezone.now() + leases.LEASE)
        return real(lines, **when)

    monkeypatch.setattr(commit, "plan_of", slowly)
    jobs.work()
    assert not Client.objects.exists()


def test_what_goes_wrong_three_times_stops_and_tells_who_asked(
    salon: Salon, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = jobs.start(factories.imported(LIST, by=owner), by=owner)

    def broken(_lines: object, **_when: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(commit, "plan_of", broken)
        for _try in range(jobs.TRIES):
            Import.objects.filter(pk=row.pk).update(lease_until=None)
            jobs.work()
    row.refresh_from_db()
    assert row.state == State.FAILED
    assert Notice.objects.get(user=owner).code == "import_failed"
    assert jobs.finish(jobs.start(row, by=owner)).new_count == 30, "it can be gone on with"


def test_the_bell_tells_who_asked_and_only_counts(salon: Salon, owner: User) -> None:
    row = jobs.finish(jobs.start(factories.imported(LIST, by=owner), by=owner))
    notice = Notice.objects.get(user=owner)
    assert (notice.code, notice.facts["new_count"], notice.url) == ("import_done", 30, f"/clients/import/{row.pk}/")


def test_the_audit_names_every_step(salon: Salon, owner: User) -> None:
    row = jobs.finish(jobs.choose(factories.imported(LIST, by=owner), {}, by=owner))
    undo(jobs.finish(jobs.start(row, by=owner)))
    steps = AuditEvent.objects.filter(subject_type="clients.import").order_by("pk").values_list("action", flat=True)
    assert list(steps) == [
        "import.uploaded", "import.checked", "import.started", "clients.imported", "import.undo_started", "import.undone",
    ]  # fmt: skip


def test_what_was_checked_is_what_is_done(salon: Salon, owner: User) -> None:
    row = jobs.finish(jobs.choose(factories.imported(LIST + "Bad,Row,06 12,,,no\n", by=owner), {}, by=owner))
    found = Report.loaded(row.report)
    assert (found.new_count, found.faulty_count, found.claim_count, found.stop_count) == (30, 1, 10, 10)
    done = jobs.finish(jobs.start(row, by=owner))
    assert (done.new_count, done.claim_count, done.stop_count) == (30, 10, 10)
    assert done.steps_done == done.step_count


# --- forgetting ---------------------------------------------------------------------------------------------------


def test_a_list_that_nobody_imports_is_forgotten_after_a_day(salon: Salon) -> None:
    row = factories.imported(LIST)
    jobs.tidy(timezone.now() + dt.timedelta(hours=23))
    row.refresh_from_db()
    assert bytes(row.sheet)
    jobs.tidy(timezone.now() + dt.timedelta(hours=25))
    row.refresh_from_db()
    assert (row.state, bytes(row.sheet)) == (State.DISCARDED, b"")


def test_a_list_that_was_imported_is_forgotten_after_seven_days(salon: Salon) -> None:
    row = bring_in()
    jobs.tidy(timezone.now() + dt.timedelta(days=6))
    assert all(card.marks for card in row.cards.all())
    jobs.tidy(timezone.now() + dt.timedelta(days=7, hours=1))
    row.refresh_from_db()
    assert (bytes(row.sheet), row.report, row.title, row.new_count) == (b"", {}, "", 30)
    assert [card.marks for card in row.cards.all()] == [{}] * 30, "of each card stays that it came with a list, and no more"
    assert not jobs.may_undo(row, now=timezone.now() + dt.timedelta(days=7, hours=1))
    assert Client.objects.count() == 30


def test_nothing_is_kept_of_a_list_that_was_thrown_away(salon: Salon, owner: User) -> None:
    row = jobs.discard(factories.imported(LIST), by=owner)
    row.refresh_from_db()
    assert (row.state, bytes(row.sheet)) == (State.DISCARDED, b"")
    with pytest.raises(Refused):
        jobs.start(row, by=owner)


# --- crashes ------------------------------------------------------------------------------------------------------

WORK = "import django; django.setup(); from clients.importing import jobs; jobs.work()"


def work_elsewhere(failpoint: str) -> int:
    """Do what waits in a process of its own that dies where `failpoint` says, and return its exit code."""
    environment = workers.environment(9, FAILPOINT=failpoint)
    done = subprocess.run(
        [sys.executable, "-c", WORK], cwd=workers.ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode


def let_the_lease_end() -> None:
    Import.objects.update(lease_until=workers.LONG_AGO)


@pytest.mark.chaos
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("place", ["import_step_written", "import_step_done"])
def test_an_import_killed_anywhere_goes_on_and_is_whole(salon: Salon, place: str) -> None:
    """K8: after each kill nothing is half, no card is without its no; at the end everything is there once."""
    known = factories.client(first_name="Ann", last_name="Lee1", phone="+33612300001", email="")
    text = a_list(1800)
    row = jobs.start(factories.imported(text), by=None)
    kills = 0
    for step in (1, 1, 2, 1):
        kills += work_elsewhere(f"{place}@{step}:kill9") == -signal.SIGKILL
        assert_no_card_without_its_no()
        let_the_lease_end()
    assert kills == 4
    assert work_elsewhere("") == 0
    row.refresh_from_db()
    assert (row.state, row.new_count, row.filled_count, row.stop_count, row.claim_count) == (State.DONE, 1799, 1, 600, 600)
    assert Client.objects.count() == 1800
    assert consent.standing(known, "mkt.promotion", "email") == "withdrawn"
    assert ConsentEvent.objects.count() == 1200
    assert list(invariants.faults()) == []


def assert_no_card_without_its_no() -> None:
    for client in Client.objects.filter(imports__is_new=True):
        if int(client.last_name.removeprefix("Lee")) % 3 == 1:
            assert consent.standing(client, "mkt.promotion", "email") == "withdrawn", client.pk


@pytest.mark.chaos
@pytest.mark.django_db(transaction=True)
def test_an_undo_killed_in_the_middle_goes_on_and_is_whole(salon: Salon) -> None:
    text = a_list(600, is_answered=False)
    row = bring_in(text)
    jobs.undo(row, by=None, now=timezone.now())
    for step in (2, 1):
        assert work_elsewhere(f"undo_step_written@{step}:kill9") == -signal.SIGKILL
        let_the_lease_end()
    left = Client.objects.count()
    assert 0 < left < 600
    assert work_elsewhere("") == 0
    row.refresh_from_db()
    assert (row.state, row.taken_back_count, Client.objects.count()) == (State.UNDONE, 600, 0)


@pytest.mark.chaos
@pytest.mark.django_db(transaction=True)
def test_an_import_that_kills_every_worker_stops_and_the_next_one_has_its_turn(salon: Salon, owner: User) -> None:
    deadly = jobs.start(factories.imported(LIST, by=owner), by=owner)
    behind = jobs.start(factories.imported(HEAD + "Bo,Behind,0612345699,,,\n"), by=None)
    for _death in range(jobs.TRIES):
        assert work_elsewhere("import_step_written:kill9") == -signal.SIGKILL
        let_the_lease_end()
    assert work_elsewhere("") == 0
    deadly.refresh_from_db()
    behind.refresh_from_db()
    assert (deadly.state, deadly.lease_token, behind.state) == (State.FAILED, None, State.DONE)
    assert [client.last_name for client in Client.objects.all()] == ["Behind"]
    assert Notice.objects.get(user=owner).code == "import_failed"
    assert AuditEvent.objects.get(action="import.failed").facts["kind"] == "died"
    assert jobs.finish(jobs.start(deadly, by=owner)).new_count == 30, "it can be gone on with"


def test_an_import_whose_last_try_is_under_way_is_not_stopped(salon: Salon) -> None:
    row = jobs.start(factories.imported(LIST), by=None)
    held = {"lease_token": uuid.uuid4(), "lease_until": timezone.now() + leases.LEASE, "try_count": jobs.TRIES}
    Import.objects.filter(pk=row.pk).update(**held)
    assert jobs.work() == 0
    row.refresh_from_db()
    assert row.state == State.RUNNING


def test_who_waits_for_an_import_that_was_stopped_elsewhere_is_told(salon: Salon) -> None:
    row = jobs.start(factories.imported(LIST), by=None)
    Import.objects.filter(pk=row.pk).update(try_count=jobs.TRIES)
    with pytest.raises(Refused, match="stopped"):
        jobs.finish(row)
