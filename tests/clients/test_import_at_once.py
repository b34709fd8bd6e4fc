"""An import beside other work: nobody waits while it reads, and what changed meanwhile is seen."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.utils import timezone

from clients import records
from clients.importing import commit
from clients.importing.plan import Plan
from clients.models import Client
from salon.core.models import Salon

LIST = "Name,Phone,City\n" + "".join(f"Ann Lee{number},+336123456{number:02},Lyon\n" for number in range(20))


def after_each_plan(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], object]) -> list[bool]:
    """Call `act` with the number of plans made, after each of them; return whether they were made in a transaction."""
    real, planned = commit.make_plan, list[bool]()

    def make_plan(*args: object, **kwargs: object) -> Plan:
        planned.append(connection.in_atomic_block)
        done = real(*args, **kwargs)  # type: ignore[arg-type]
        act(len(planned))
        return done

    monkeypatch.setattr(commit, "make_plan", make_plan)
    return planned


@pytest.mark.django_db(transaction=True)
def test_reading_and_planning_shut_nobody_out(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = after_each_plan(monkeypatch, lambda _count: None)
    commit.carry_out(LIST.encode(), salon, by=None, now=timezone.now())
    assert planned == [False]
    assert Client.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_a_card_added_while_an_import_plans_is_not_doubled(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    def add_once(count: int) -> None:
        if count == 1:
            records.add(by=None, first_name="Ann", last_name="Lee7", phone="+33612345607")

    planned = after_each_plan(monkeypatch, add_once)
    done = commit.carry_out(LIST.encode(), salon, by=None, now=timezone.now())
    assert len(planned) == 2
    assert (len(done.new), done.update_row_count) == (19, 1)
    assert Client.objects.get(phone="+33612345607").city == "Lyon"
    assert Client.objects.count() == 20


@pytest.mark.django_db(transaction=True)
def test_a_salon_that_never_rests_is_imported_into_all_the_same(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    def add_each_time(count: int) -> None:
        if not connection.in_atomic_block:
            records.add(by=None, first_name=f"Busy {count}")

    planned = after_each_plan(monkeypatch, add_each_time)
    commit.carry_out(LIST.encode(), salon, by=None, now=timezone.now())
    assert planned == [False, False, False, True]
    assert Client.objects.filter(city="Lyon").count() == 20


@pytest.mark.django_db(transaction=True)
def test_of_two_imports_at_once_the_second_sees_the_first(salon: Salon, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, done = threading.Barrier(2), list[Plan]()
    both = threading.local()

    def meet(_count: int) -> None:
        if not hasattr(both, "met"):
            both.met = True
            gate.wait(20)

    after_each_plan(monkeypatch, meet)

    def one() -> None:
        try:
            done.append(commit.carry_out(LIST.encode(), salon, by=None, now=timezone.now()))
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(plan.new) for plan in done) == [0, 20]
    assert Client.objects.count() == 20
