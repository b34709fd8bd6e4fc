"""An erasure in the middle of sending, booking and answering: nothing is handed over after it, nothing brings the person back."""

import contextlib
import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from appointments import booking, claims
from appointments.models import Appointment
from clients import clearing, consent, deletions, records, tags
from clients.erasure import above, act, again, journal, settling, wiping
from clients.importing import jobs
from clients.models import Address, Client, ConsentEvent, Deletion, DeletionRun, Erasure, Import, Subject
from notifications import carrying, dispatch, invariants, links, planner
from notifications.models import Campaign, Message, State
from notifications.providers.base import Envelope
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories, people
from tests.clients import canaries
from tests.fakes.provider import FakeProvider
from tests.fakes.smtp_sink import Sink
from tests.notifications import letters, marketing, workers
from tests.notifications.cast import client_of

MINUTE = dt.timedelta(minutes=1)
SHORT = os.environ.get("CHAOS") == "short"


def erase(client: Client, *, by: User | None = None, now: dt.datetime | None = None) -> Erasure | None:
    return act.erase(client, ground="asked", by=by, now=now or timezone.now())


def reminders(now: dt.datetime, count: int) -> list[Message]:
    start_at = now + dt.timedelta(hours=30)
    visits = [
        factories.appointment(start_at=start_at, time_set_at=now - dt.timedelta(days=3), is_notice_wanted=False)
        for _number in range(count)
    ]
    return [
        Message.objects.create(
            kind="reminder", channel="email", client=visit.client, appointment=visit, occasion=f"{visit.pk}:1:1", time_version=1,
            told_start_at=start_at, not_before=now - MINUTE, expires_at=start_at,
        )
        for visit in visits
    ]  # fmt: skip


# --- C8 -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("is_erased", [False, True])
def test_nothing_is_handed_over_to_whom_an_erasure_met_in_the_middle_of_a_batch(
    fake: FakeProvider, now: dt.datetime, is_erased: bool
) -> None:
    """The control is the same batch without an erasure: all five leave."""
    rows = reminders(now, 5)
    addresses = [client_of(row).email for row in rows]
    victims = {addresses[2]: [client_of(rows[2])], addresses[1]: [client_of(rows[3]), client_of(rows[4])]}

    def meanwhile(envelope: Envelope) -> None:
        for client in victims.get(envelope.recipient, []) if is_erased else []:
            erase(client, now=now)

    fake.before_prepare = meanwhile
    dispatch.deliver_due(now=now)
    dispatch.deliver_due(now=now + MINUTE)
    assert sorted(fake.recipients) == sorted(addresses[:2] if is_erased else addresses)
    gone = Message.objects.filter(client=None)
    assert gone.count() == (3 if is_erased else 0)
    assert {(row.state, row.reason, row.recipient, row.body) for row in gone} <= {(State.CANCELLED, "erased", "", "")}
    assert list(invariants.faults()) == []


@pytest.mark.django_db
def test_what_was_under_way_ends_without_a_word_of_the_person(fake: FakeProvider, now: dt.datetime) -> None:
    (row,) = reminders(now, 1)
    email = client_of(row).email

    def meanwhile(envelope: Envelope) -> None:
        erase(client_of(row), now=now)

    fake.before_deliver = meanwhile
    dispatch.deliver_due(now=now)
    row.refresh_from_db()
    assert (row.state, row.client, row.provider_id) == (State.ACCEPTED, None, "q1")
    act.finish(now)
    row.refresh_from_db()
    assert (row.recipient, row.title, row.body, row.provider_id, row.address_hmac) == ("", "", "", "", "")
    assert email not in " ".join(text for _table, text in canaries.texts())


@pytest.mark.django_db
def test_a_cancellation_reaches_the_client_before_they_are_hidden(fake: FakeProvider, now: dt.datetime, owner: User) -> None:
    visit = factories.appointment(start_at=now + dt.timedelta(hours=30), time_set_at=now - dt.timedelta(days=3))
    client = client_of(visit)
    planner.plan(now - dt.timedelta(days=2))
    Message.objects.all().delete()
    deletions.delete(client, is_asked=True, is_notice_wanted=True, by=owner, now=now, known_by="in_person")
    planner.plan(now)
    assert deletions.work(now + MINUTE) == 0  # it waits, that Undo may stop it
    dispatch.deliver_due(now=now + MINUTE)
    assert fake.recipients == [client.email]
    assert deletions.work(now + 2 * MINUTE) == 1
    client.refresh_from_db()
    assert client.erased_at is not None


# --- afterwards ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_every_link_of_an_erased_client_is_dead(sending_salon: Salon) -> None:
    Salon.objects.update(public_url="https://salon.example")
    client = factories.client()
    event = consent.record(client, purpose="mkt.promotion", channel="email", event="pending", source="in_person")
    url = letters.url(client)
    confirm, form = f"/c/{links.confirm_token(event.pk)}/", f"/f/{links.form_token(client, now=timezone.now())}/"
    assert letters.browser().get(confirm).status_code == 200
    erase(client)
    before = letters.dump()
    assert letters.browser().post(url, {"List-Unsubscribe": "One-Click"}).content == b"OK\n"
    for path in (url, confirm, form):
        assert client.last_name not in letters.browser().get(path).content.decode()
        letters.browser().post(path, {"act": "confirm", "all": "no"})
    assert letters.dump() == before


@pytest.mark.django_db
def test_who_comes_back_gets_no_advertising_until_they_say_yes_through_their_link(
    fake: FakeProvider, now: dt.datetime, owner: User
) -> None:
    """I-24, with the control of somebody who was never erased."""
    Salon.objects.update(public_url="https://salon.example")
    first = marketing.willing(now)
    email = first.email
    erase(first, now=now)
    back, other = marketing.willing(now, email=email), marketing.willing(now)
    campaign = marketing.campaign(now)
    for client in (back, other):
        marketing.waiting(client, campaign, now)
    dispatch.deliver_due(now=now)
    assert fake.recipients == [other.email]
    assert Message.objects.get(client=back).reason == "marketing_objection"


@pytest.mark.django_db
def test_a_promotion_to_one_person_is_cleared_and_one_to_many_stays(now: dt.datetime, owner: User, sending_salon: Salon) -> None:
    Salon.objects.update(public_url="https://salon.example")
    one, two = marketing.willing(now), marketing.willing(now)
    alone = marketing.send(one, by=owner, now=now, key="1")
    both = marketing.send(one, two, by=owner, now=now, key="2")
    carrying.plan(now)
    erase(one, now=now)
    alone.refresh_from_db()
    both.refresh_from_db()
    assert (alone.title, alone.text) == ("", "")
    assert both.text
    theirs = both.recipients.order_by("pk")[0]
    assert not theirs.client
    assert theirs.address_hmac == ""
    assert Campaign.objects.count() == 2


@pytest.mark.django_db
def test_a_restore_erases_again_before_anything_is_planned(
    fake: FakeProvider, salon: Salon, owner: User, capsys: pytest.CaptureFixture[str]
) -> None:
    client = factories.client()
    kept = {field.attname: getattr(client, field.attname) for field in Client._meta.concrete_fields}
    erase(client, by=owner)
    Subject.objects.filter(pk=Subject.objects.latest("pk").pk).update(client=client)
    Client.objects.filter(pk=client.pk).update(**{name: value for name, value in kept.items() if name != "id"})
    visit = factories.appointment(client=client)
    Erasure.objects.all().delete()
    call_command("after_restore")
    said = capsys.readouterr().out
    client.refresh_from_db()
    visit.refresh_from_db()
    assert "Erased again, as the journal says: 1 (of 1 that were ever erased)." in said
    assert (client.last_name, visit.client) == ("", None)
    assert not Message.objects.exclude(client=None).exists()
    call_command("after_restore")
    assert "says: 0 (of 1" in capsys.readouterr().out


# --- the file -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the file of SQLite")
def test_no_file_of_the_data_directory_holds_a_canary(committed: Salon) -> None:
    """I-41: the raw bytes, the freed pages and the log of SQLite. The control finds them there before that."""
    owner = people.user_with(Role.OWNER)
    factories.appointment(state="done", start_at=timezone.now() - dt.timedelta(days=9))
    values, found = canaries.card()
    client = records.add(by=owner, **values)
    found |= canaries.fill(client)
    erase(client, by=owner)
    assert canaries.left(found) == {}
    assert in_files(found)
    assert act.finish(timezone.now())
    assert in_files(found) == set()
    assert Erasure.objects.get().wiped_at is not None


def in_files(found: dict[str, str]) -> set[str]:
    """Return the canaries that stand in a file of the data directory, as bytes."""
    texts = [path.read_bytes() for path in Path(settings.DATA_DIR).rglob("*") if path.is_file()]
    return {one for one in found for text in texts if one.encode() in text}


# --- at once ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def erasing(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run an erasure elsewhere that holds its locks, until the block ends."""
    holds, go_on, errors = threading.Event(), threading.Event(), []
    prepare = above.prepare

    def wait(*args: Any) -> Any:
        holds.set()
        go_on.wait(20)
        return prepare(*args)

    def run() -> None:
        try:
            erase(client)
        except Exception as error:  # noqa: BLE001 (shown below)
            errors.append(error)
        finally:
            connections.close_all()

    monkeypatch.setattr(above, "prepare", wait)
    thread = threading.Thread(target=run)
    thread.start()
    assert holds.wait(20)
    timer = threading.Timer(0.4, go_on.set)
    timer.start()
    try:
        yield
    finally:
        go_on.set()
        thread.join(30)
        timer.cancel()
    assert errors == []


ACTS: dict[str, Callable[[Client, User], object]] = {
    "edit": lambda client, by: records.edit(client, by=by, version=client.version, first_name="Canary", note="canary"),
    "note": lambda client, by: records.write_note(client, by=by, note="canary", version=client.version),
    "tag": lambda client, by: tags.add(client=client, name="canary", by=by),
    "answer": lambda client, by: consent.record(
        client, purpose="mkt.promotion", channel="email", event="withdraw", source="in_person", note="canary", by=by
    ),
}


@pytest.mark.chaos
def test_nothing_that_meets_an_erasure_brings_the_person_back(committed: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = people.user_with(Role.OWNER)
    staff, service = factories.staff(), factories.service()
    start_at = timezone.now() + dt.timedelta(days=2)

    def book(client: Client, by: User) -> object:
        now = timezone.now()
        return booking.book(client=client, staff=staff, service=service, start_at=start_at, by=by, now=now, note="canary")

    for act_of in (book, *(list(ACTS.values())[:2] if SHORT else ACTS.values())):
        client = factories.client()
        with erasing(client, monkeypatch), contextlib.suppress(Refused, Client.DoesNotExist):
            act_of(client, desk)
        client.refresh_from_db()
        assert client.erased_at is not None
        assert "canary" not in " ".join(text.lower() for _table, text in canaries.texts())
    connection.check_constraints()
    # The control: a booking that does not wait for the card.
    monkeypatch.setattr(claims, "hold_client", lambda made: None)
    client = factories.client()
    with erasing(client, monkeypatch):
        book(client, desk)
    assert Appointment.objects.filter(client=client, note="canary").exists()


@pytest.mark.chaos
def test_a_list_that_names_them_does_not_begin_while_they_are_erased(committed: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, client = people.user_with(Role.OWNER), factories.client()
    text = f"First name,E-mail\nCanary,{client.email}\n"
    row = factories.imported(text, by=desk, state=Import.State.CHECKED)
    with erasing(client, monkeypatch), contextlib.suppress(Refused):
        jobs.start(row, by=desk)
    jobs.work()
    row.refresh_from_db()
    assert (row.state, bytes(row.sheet)) == (Import.State.DISCARDED, b"")
    assert not Client.objects.filter(erased_at=None).exists()


@pytest.mark.chaos
@pytest.mark.parametrize("is_erased", [True, False])
def test_a_sender_elsewhere_hands_nothing_over_after_the_erasure(committed: Salon, is_erased: bool) -> None:
    """C8 with a process of its own, held up between the text and the decision. The control erases nobody."""
    rows = workers.reminders(4)
    with Sink() as server:
        sender = workers.start(server.port, "--once", FAILPOINT="after_prepare:sleep=3")
        workers.wait_for(lambda: workers.states()[State.CLAIMED.value] == 4)
        for row in rows if is_erased else []:
            erase(client_of(row))
        sender.communicate(timeout=120)
        assert len(server.mails) == (0 if is_erased else 4)
    if is_erased:
        assert workers.states() == {State.CANCELLED.value: 4}
    assert list(invariants.faults()) == []


@pytest.mark.chaos
def test_a_kill_at_any_step_leaves_all_or_nothing_and_the_next_one_ends_it(committed: Salon) -> None:
    owner = people.user_with(Role.OWNER)
    steps = ["erase_journal", "erase_cancelled", "erase_suppressed", "erase_scrubbed", "erase_before_commit", "erase_committed"]
    for step in steps[::2] if SHORT else steps:
        values, found = canaries.card()
        client = records.add(by=owner, **values)
        factories.appointment(state="done", start_at=timezone.now() - dt.timedelta(days=9))
        found |= canaries.fill(client)
        Deletion.objects.filter(client=client).update(erase_on=timezone.now().date() - dt.timedelta(days=1), waits_until=None)
        whole = set(canaries.left(found))
        connections.close_all()
        assert run_due(step) == -signal.SIGKILL
        left = set(canaries.left(found))
        assert left == (set() if step == "erase_committed" else whole)
        killed = journal.unsettled()
        assert [[pk for pk, _made in entry.cards] for entry in killed] == [[client.pk]]
        assert run_due("") == 0
        # What was killed before its commit is no line of the journal any more, what was committed is confirmed.
        assert journal.unsettled() == []
        assert (killed[0] in journal.entries()) is (step == "erase_committed")
        assert [client.pk in dict(entry.cards) for entry in journal.entries()].count(True) == 1
        assert canaries.left(found) == {}
        assert Erasure.objects.filter(wiped_at=None).count() == 0
    assert list(invariants.faults()) == []
    connection.check_constraints()


@pytest.mark.chaos
@pytest.mark.parametrize("is_settled", [True, False])
def test_who_is_brought_back_after_a_kill_is_not_erased_by_the_journal_of_it(committed: Salon, is_settled: bool) -> None:
    owner, now = people.user_with(Role.OWNER), timezone.now()
    client = factories.client(last_name="Bertrand")
    row = deletions.delete(client, is_asked=False, is_notice_wanted=False, by=owner, now=now)
    Deletion.objects.update(erase_on=now.date() - dt.timedelta(days=1))
    connections.close_all()
    assert run_due("erase_journal") == -signal.SIGKILL
    Deletion.objects.update(erase_on=now.date() + dt.timedelta(days=20))
    if is_settled:
        assert settling.settle() == 1
    deletions.bring_back(row, by=owner, now=now)
    # A restore, to a moment at which they are there.
    assert again.erase(now).again == (0 if is_settled else 1)
    client.refresh_from_db()
    assert client.last_name == ("Bertrand" if is_settled else "")
    assert settling.settle() == 0


@pytest.mark.django_db
def test_a_line_of_another_database_is_not_voided(owner: User) -> None:
    client = factories.client()
    elsewhere = client.created_at - dt.timedelta(days=1)
    journal.write(journal.Entry(uuid.uuid4(), timezone.now(), "asked", [(client.pk, elsewhere)], []))
    journal.write(journal.Entry(uuid.uuid4(), timezone.now(), "asked", [(client.pk + 1000, elsewhere)], []))
    assert settling.settle() == 0
    assert len(journal.entries()) == 2
    # And one that is done stands, whatever the database says later.
    assert erase(client) is not None
    Erasure.objects.all().delete()
    assert settling.settle() == 0
    assert len(journal.entries()) == 3


@pytest.mark.chaos
def test_a_deletion_of_many_goes_on_where_its_worker_was_killed(committed: Salon) -> None:
    owner, now = people.user_with(Role.OWNER), timezone.now()
    cards = [factories.client(inactive_at=now, inactive_reason="moved") for _number in range(4)]
    found = clearing.look([card.pk for card in cards], by=owner, now=now)
    row = clearing.start(found, typed=4, is_at_once=False, by=owner, now=now)
    connections.close_all()
    assert run_due("clearing_deleted@3") == -signal.SIGKILL
    assert Deletion.objects.count() == 3
    DeletionRun.objects.update(lease_until=workers.LONG_AGO)
    clearing.work()
    row.refresh_from_db()
    assert (row.done_count, row.refused, Deletion.objects.count()) == (4, {}, 4)


def run_due(step: str) -> int:
    """Run `manage.py erase_due` in a process of its own, killed at `step`, and return its exit code."""
    environment = workers.environment(1, **({"FAILPOINT": f"{step}:kill9"} if step else {}))
    process = subprocess.run(
        [sys.executable, "manage.py", "erase_due"], cwd=workers.ROOT, env=environment, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert process.returncode in {0, -signal.SIGKILL}, process.stderr
    return process.returncode


@pytest.mark.django_db
def test_the_file_is_not_written_anew_for_nothing(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiping, "_write_anew", lambda: pytest.fail("nobody was erased"))
    assert wiping.wipe(timezone.now())
    assert not Address.objects.exists()
    assert not ConsentEvent.objects.exists()
