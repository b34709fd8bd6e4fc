"""An import beside other work: nobody waits while it reads, what changed meanwhile is seen, and one imports at a time."""

import datetime as dt
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from django.db import connection
from django.utils import timezone

from clients import records
from clients.importing import commit, jobs
from clients.importing.plan import Plan
from clients.importing.rows import Row
from clients.models import Client, Import
from salon.core.models import Salon

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "Name,Phone,City\n" + "".join(f"Ann Lee{number},+336123456{number:02},Lyon\n" for number in range(20))


def bring_in() -> Import:
    return jobs.bring_in(LIST.encode(), "list.csv", by=None, now=timezone.now())


def after_each_plan(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], object]) -> list[bool]:
    """Call `act` with the number of plans made, after each of them; return whether they were made in a transaction."""
    real, planned = commit.plan_of, list[bool]()

    def plan_of(lines: Sequence[Row], *, now: dt.datetime) -> Plan:
        planned.append(connection.in_atomic_block)
        done = real(lines, now=now)
        act(len(planned))
        return done

    monkeypatch.setattr(commit, "plan_of", plan_of)
    return planned


def test_reading_and_planning_shut_nobody_out(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = after_each_plan(monkeypatch, lambda _count: None)
    bring_in()
    assert planned == [False]
    assert Client.objects.count() == 20


def test_a_card_added_while_an_import_plans_is_not_doubled(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    def add_once(count: int) -> None:
        if count == 1:
            records.add(by=None, first_name="Ann", last_name="Lee7", phone="+33612345607")

    planned = after_each_plan(monkeypatch, add_once)
    done = bring_in()
    assert len(planned) == 2
    assert (done.new_count, done.filled_count) == (19, 1)
    assert Client.objects.get(phone="+33612345607").city == "Lyon"
    assert Client.objects.count() == 20


def test_the_control_without_the_look_at_the_book_the_card_is_doubled(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    def add_once(count: int) -> None:
        if count == 1:
            records.add(by=None, first_name="Ann", last_name="Lee7", phone="+33612345607")

    after_each_plan(monkeypatch, add_once)
    monkeypatch.setattr(commit, "_alike", lambda _cards: [])
    bring_in()
    assert Client.objects.filter(phone="+33612345607").count() == 2


def test_a_card_that_somebody_fills_meanwhile_is_not_overwritten(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    card = records.add(by=None, first_name="Ann", last_name="Lee7", phone="+33612345607")

    def fill_once(count: int) -> None:
        if count == 1:
            records.edit(card, by=None, version=1, city="Nice")

    planned = after_each_plan(monkeypatch, fill_once)
    bring_in()
    card.refresh_from_db()
    assert (card.city, len(planned)) == ("Nice", 2)


def test_other_work_at_the_desk_makes_no_new_plan(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = after_each_plan(monkeypatch, lambda count: records.add(by=None, first_name=f"Busy {count}"))
    bring_in()
    assert len(planned) == 1
    assert Client.objects.filter(city="Lyon").count() == 20


def test_a_desk_that_changes_the_list_again_and_again_is_imported_into_all_the_same(
    salon: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_one_of_them(count: int) -> None:
        if count <= 6:
            records.add(by=None, first_name="Ann", last_name=f"Lee{count}", phone=f"+336123456{count:02}")

    planned = after_each_plan(monkeypatch, add_one_of_them)
    bring_in()
    assert len(planned) == 7
    assert Client.objects.filter(city="Lyon").count() == Client.objects.count() == 20


def test_of_two_imports_at_once_the_second_waits_and_finds_nothing_new(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, done = list[int](), list[int](), list[Import]()
    real = commit.plan_of

    def plan_of(lines: Sequence[Row], *, now: dt.datetime) -> Plan:
        running.append(1)
        most.append(len(running))
        time.sleep(0.5)
        running.pop()
        return real(lines, now=now)

    monkeypatch.setattr(commit, "plan_of", plan_of)

    def one() -> None:
        try:
            done.append(bring_in())
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(row.new_count for row in done) == [0, 20]
    assert Client.objects.count() == 20
    assert most == [1, 1], "they ran one after the other"
