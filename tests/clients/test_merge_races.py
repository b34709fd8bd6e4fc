"""Merges at the same moment as merges, bookings, refusals and undos; and processes killed in the middle. Real threads."""

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.db.models import QuerySet
from django.utils import timezone

from appointments import booking
from appointments.models import Appointment, Service, Staff
from clients import consent, contacts, invariants, opened, records, survivors, tags
from clients.merging import merges, rows, stragglers, undoing
from clients.models import Client, ConsentEvent, Merge, Standing
from notifications import planner
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import Role
from tests import factories, people
from tests.appointments.test_booking_races import all_at_once
from tests.clients import merging_world
from tests.notifications.workers import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)
IS_SHORT = os.environ.get("CHAOS") == "short"
CARDS, CROWD = 40, 20
TRIES = 400 if IS_SHORT else 6_800  # of which 16 in 36 are merges: 3,000
GONE = (Refused, Client.DoesNotExist)


@pytest.fixture
def desk() -> User:
    factories.salon()
    return people.user_with(Role.RECEPTION)


def cards(count: int, by: User) -> list[int]:
    return [
        card.pk for card in factories.cards([{"first_name": f"C{n}", "email": f"c{n}@example.org"} for n in range(count)], by=by)
    ]


def join(one: int, other: int, by: User) -> Merge:
    return merges.merge([one, other], main=one, by=by, now=timezone.now())


def sound() -> None:
    """See that no row is left behind, nobody goes round in a circle, and the projection is the ledger's."""
    stragglers.sweep(timezone.now())
    gone = dict(Client.objects.filter(merged_into__isnull=False).values_list("pk", "merged_into_id"))
    for pk, home in gone.items():
        assert home not in gone, f"{pk} leads to {home}, which is gone too"
        assert survivors.of(pk) == home
    assert list(rows.left_over(list(gone))) == []
    assert Client.objects.filter(merged_into__isnull=False, erased_at=None).count() == 0
    assert list(invariants.faults()) == []


# --- two at once --------------------------------------------------------------------------------------------------


def test_a_into_b_and_b_into_a_at_once_leaves_one_card(desk: User) -> None:
    one, two = cards(2, desk)
    results = all_at_once(2, lambda number: join(*((one, two) if number else (two, one)), desk))
    assert sorted(type(result).__name__ for result in results) == ["Merge", "Refused"]
    assert Client.objects.active().count() == 1
    sound()


@pytest.mark.parametrize("is_locking", [True, False])
def test_it_is_the_lock_of_the_cards_that_keeps_merges_apart(
    desk: User, is_locking: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time")
    if not is_locking:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **how: rows)
    gate = threading.Barrier(2, timeout=3)
    look = consent.entries_of

    def together(ids: Any) -> Any:
        if not is_locking:
            gate.wait()
        return look(ids)

    monkeypatch.setattr(consent, "entries_of", together)
    one, two = cards(2, desk)
    results = all_at_once(2, lambda number: join(*((one, two) if number else (two, one)), desk))
    kept_apart = sorted(type(result).__name__ for result in results) == ["Merge", "Refused"]
    assert kept_apart is is_locking, results
    if is_locking:
        sound()


def during(act: Callable[[], object], *, one: int, two: int, desk: User) -> object:
    """Let `act` begin while a merge of `two` into `one` holds its locks, which then commits; return what came of it."""
    begun, found = threading.Event(), list[object]()

    def run() -> None:
        begun.set()
        try:
            found.append(act())
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            found.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        join(one, two, desk)
        thread.start()
        assert begun.wait(10)
        thread.join(0.4)
    thread.join(30)
    return found[0]


def test_what_meets_a_merge_on_its_way_goes_to_the_card_that_is_left(desk: User) -> None:
    one, two = cards(2, desk)
    card = Client.objects.get(pk=two)
    service, staff, start_at = factories.service(), factories.staff(), timezone.now() + dt.timedelta(days=3)
    visit = during(
        lambda: booking.book(client=card, staff=staff, service=service, start_at=start_at, by=desk, now=timezone.now()),
        one=one, two=two, desk=desk,
    )  # fmt: skip
    assert isinstance(visit, Appointment)
    assert visit.client_id == one
    sound()


def test_a_refusal_that_meets_a_merge_is_not_lost(desk: User) -> None:
    one, two = cards(2, desk)
    card = Client.objects.get(pk=two)
    said = during(
        lambda: consent.record(card, purpose="*", channel="*", event="object", source="one_click_post"),
        one=one,
        two=two,
        desk=desk,
    )
    assert isinstance(said, ConsentEvent), said
    assert consent.standing(Client.objects.get(pk=one), "mkt.promotion", "email") == Standing.State.WITHDRAWN
    sound()


def test_what_is_written_on_a_card_at_the_moment_it_goes_is_refused_or_taken_along(desk: User) -> None:
    acts: list[Callable[[Client], object]] = [
        lambda card: tags.add(card, name="Late", by=desk),
        lambda card: contacts.add(card, channel="sms", address="+33612447899", label="", by=desk),
        lambda card: records.edit(card, by=desk, version=card.version, city="Paris"),
        lambda card: opened.remember(desk, card, now=timezone.now()),
    ]
    for act in acts:
        one, two = cards(2, desk)
        card = Client.objects.get(pk=two)
        result = during(lambda act=act, card=card: act(card), one=one, two=two, desk=desk)  # type: ignore[misc]
        assert result is None or isinstance(result, GONE), result
        sound()
        Client.objects.filter(pk=one).update(email="")


# --- many at once -------------------------------------------------------------------------------------------------


@pytest.mark.chaos
def test_thousands_of_merges_undos_bookings_and_refusals_leave_no_orphan_no_circle_and_no_refusal_behind(desk: User) -> None:
    """K6, K7."""
    ids, service = cards(CARDS, desk), factories.service(duration_minutes=5)
    crew = [factories.staff(name=f"S{number}") for number in range(CROWD)]
    start = timezone.now() + dt.timedelta(days=1)
    counts, lock, refused, booked = Counter[str](), threading.Lock(), set[int](), list[int]()
    left = iter(range(TRIES))

    def worker(number: int) -> None:
        chance = random.Random(number)
        while True:
            with lock:
                step = next(left, None)
            if step is None:
                return
            name, act = one_act(
                chance, ids, desk, (service, crew[number]), start + dt.timedelta(minutes=5 * step), refused, booked
            )
            try:
                act()
            except GONE:
                name = f"{name}, refused"
            with lock:
                counts[name] += 1

    results = all_at_once(CROWD if connection.vendor == "postgresql" else 6, worker)
    assert "\n".join(str(result) for result in results if result is not None) == ""
    print(dict(counts))
    assert counts["merge"] > TRIES // 20
    assert counts["undo"] > 0
    sound()
    planner.plan(timezone.now())
    sound()
    assert Appointment.objects.count() == len(booked)
    assert Appointment.objects.filter(client__erased_at__isnull=False).count() == 0
    for pk in refused:
        home = Client.objects.get(pk=survivors.of(pk))
        assert consent.standing(home, "mkt.promotion", "email") == Standing.State.WITHDRAWN, pk


def one_act(
    chance: random.Random, ids: list[int], desk: User, chair: tuple[Service, Staff], start_at: dt.datetime, refused: set[int],
    booked: list[int],
) -> tuple[str, Callable[[], object]]:  # fmt: skip
    one, two = chance.sample(ids, 2)
    kind = chance.choices(["merge", "turned", "undo", "book", "refuse", "tag"], [8, 8, 9, 6, 2, 3])[0]
    now, client = timezone.now(), Client.objects.get(pk=one)

    def undo() -> object:
        found = [merge for merge in Merge.objects.filter(undone_at=None) if not undoing.why_not(merge, now=now)]
        if not found:
            raise Refused("nothing to undo")
        return undoing.undo(chance.choice(found), by=desk, now=timezone.now())

    def book() -> None:
        visit = booking.book(client=client, staff=chair[1], service=chair[0], start_at=start_at, by=desk, now=now)
        booked.append(visit.pk)

    def refuse() -> None:
        consent.record(client, purpose="*", channel="*", event="object", source="one_click_post")
        refused.add(one)

    acts: dict[str, Callable[[], object]] = {
        "merge": lambda: join(one, two, desk), "turned": lambda: join(two, one, desk), "undo": undo, "book": book,
        "refuse": refuse, "tag": lambda: tags.add(client, name=f"T{start_at.minute % 5}", by=desk),
    }  # fmt: skip
    return "merge" if kind == "turned" else kind, acts[kind]


# --- killed in the middle -----------------------------------------------------------------------------------------

PLACES = (
    "merge_locked", "merge_table_moved@4", "merge_rows_moved", "merge_cards_written", "merge_consents_written", "merge_written",
    "unmerge_locked", "unmerge_cards_written", "unmerge_table_moved@4", "unmerge_rows_moved", "unmerge_written",
)  # fmt: skip
SCRIPT = """
import sys, django
django.setup()
from django.utils import timezone
from clients.merging import merges, undoing
from clients.models import Merge
one, two = map(int, sys.argv[1:])
found = Merge.objects.filter(winner=one, undone_at=None).first()
if found is None:
    merges.merge([one, two], main=one, by=None, now=timezone.now())
else:
    undoing.undo(found, by=None, now=timezone.now())
"""


def run(one: int, two: int, **more: str) -> int:
    """Merge, or undo the merge there is, in a process of its own; return its exit code."""
    command = [sys.executable, "-c", SCRIPT, str(one), str(two)]
    done = subprocess.run(command, cwd=ROOT, env=environment(1, **more), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode


@pytest.mark.chaos
def test_a_merge_or_an_undo_that_is_killed_at_any_step_was_never_begun(desk: User) -> None:
    """K8."""
    one, two = cards(2, desk)
    factories.appointment(client=Client.objects.get(pk=two))
    for number in (one, two):
        tags.add(Client.objects.get(pk=number), name="Regular", by=desk)
        consent.record(Client.objects.get(pk=number), purpose="*", channel="email", event="withdraw", source="in_person")
    every = merging_world.APART - {"clients.standing", "clients.consentevent", "clients.merge"}
    places = PLACES[::3] if IS_SHORT else PLACES
    for place in places:
        is_undo = place.startswith("unmerge")
        if is_undo and not Merge.objects.filter(undone_at=None).exists():
            assert run(one, two) == 0
        before = merging_world.rows(apart=every)
        assert run(one, two, FAILPOINT=f"{place}:kill9") == -signal.SIGKILL, place
        assert merging_world.differences(before, merging_world.rows(apart=every)) == [], place
    assert run(one, two) == 0
