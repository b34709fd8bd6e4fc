"""The filters of the list that only the visits know, and who may be found by them."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Q
from django.test import Client as Browser
from django.utils import timezone, translation

from appointments import habits
from appointments.models import Appointment, State
from clients import consent, filters, lists, standings
from clients.models import Client
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
NOW = timezone.now()
HABITS = {"unseen": "6m", "service": "", "staff": "", "ahead": "yes"}


def agreed(client: Client, event: str = "grant") -> Client:
    """Return the client with an answer about profiling."""
    consent.record_many([consent.Said(client, "profiling", "", event, "in_person", actor_type="staff")])
    return client


def visit(client: Client, days: int, state: str = State.DONE, **fields: Any) -> Appointment:
    return factories.appointment(client=client, start_at=NOW + dt.timedelta(days=days), state=state, **fields)


def found(user: User, salon: Salon, text: str = "", **chosen: str) -> set[int]:
    rows = lists.matching(user, salon, text=text, status="active", filters=filters.read(chosen), now=NOW)
    return set(rows.values_list("pk", flat=True))


@pytest.fixture
def habit(salon: Salon) -> dict[str, str]:
    """Somebody of each answer with the very same visits; the value of each filter that would find them."""
    service, staff = factories.service(), factories.staff()
    for place, event in enumerate(("grant", "withdraw", "")):
        client = factories.client(last_name=f"Said {event}")
        if event:
            agreed(client, event)
        visit(client, -400 - place, service=service, staff=staff)
        visit(client, 5 + place, State.BOOKED, service=service, staff=staff)
    return {**HABITS, "service": str(service.pk), "staff": str(staff.pk)}


@pytest.mark.parametrize("name", list(HABITS))
def test_a_filter_by_habit_never_finds_a_client_without_a_yes_to_profiling(
    reception: User, salon: Salon, habit: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    granted = Client.objects.get(last_name="Said grant").pk
    assert found(reception, salon, **{name: habit[name]}) == {granted}
    monkeypatch.setattr(standings, "profiled", Q)
    assert len(found(reception, salon, **{name: habit[name]})) == 3, "the guard is what keeps them out, not their visits"


def test_every_filter_of_the_visits_is_one_by_habit() -> None:
    assert all(one.is_habit for one in (habits.UNSEEN, habits.SERVICE, habits.STAFF, habits.AHEAD))
    assert {one.name for one in filters.every() if one.is_habit} == set(HABITS)


def test_a_search_by_name_or_phone_finds_who_said_no_to_profiling(reception: User, salon: Salon, habit: dict[str, str]) -> None:
    refused = Client.objects.get(last_name="Said withdraw")
    Client.objects.filter(pk=refused.pk).update(search_text="said withdraw | 0688012345")
    assert found(reception, salon, text="withdraw") == {refused.pk}
    assert found(reception, salon, text="0688 01 23 45") == {refused.pk}


def test_the_page_says_how_many_are_left_out_whatever_they_did(signed_in: SignIn, salon: Salon, habit: dict[str, str]) -> None:
    factories.client(last_name="Never came")
    desk = signed_in(Role.RECEPTION)
    shown = desk.get(f"/clients/?service={habit['service']}").content.decode()
    assert "3 clients said No to profiling or were not asked: left out." in shown
    assert 'id="left-out"' not in desk.get("/clients/?lang=fr").content.decode()


def test_no_visit_since_finds_who_came_before_and_not_since(reception: User, salon: Salon) -> None:
    late, fresh, never, missed = (agreed(factories.client()) for _ in range(4))
    visit(late, -200)
    visit(fresh, -200)
    visit(fresh, -10)
    visit(missed, -200)
    visit(missed, -10, State.NO_SHOW)
    assert found(reception, salon, unseen="6m") == {late.pk, missed.pk}
    assert never.pk not in found(reception, salon, unseen="3m")
    day = (NOW - dt.timedelta(days=300)).date().isoformat()
    assert found(reception, salon, unseen=day) == set()
    assert filters.read({"unseen": "7y"}) == filters.read({"unseen": "2026-02-30"}) == ()


@pytest.mark.parametrize(
    ("on", "count", "before"),
    [
        (dt.date(2026, 11, 27), 6, dt.date(2026, 5, 27)), (dt.date(2026, 3, 31), 1, dt.date(2026, 2, 28)),
        (dt.date(2026, 1, 31), 3, dt.date(2025, 10, 31)), (dt.date(2026, 12, 5), 12, dt.date(2025, 12, 5)),
        (dt.date(2024, 2, 29), 24, dt.date(2022, 2, 28)),
    ],
)  # fmt: skip
def test_months_are_counted_as_people_count_them(on: dt.date, count: int, before: dt.date) -> None:
    assert habits._months_before(on, count) == before


def test_a_booking_that_was_cancelled_is_none(reception: User, salon: Salon) -> None:
    booked, free, cancelled = (agreed(factories.client()) for _ in range(3))
    visit(booked, 3, State.CONFIRMED)
    visit(cancelled, 3, State.CANCELLED, cancelled_at=NOW)
    visit(free, -3)
    assert found(reception, salon, ahead="yes") == {booked.pk}
    assert found(reception, salon, ahead="no") == {free.pk, cancelled.pk}


def test_a_service_had_is_one_that_was_done_not_one_that_was_booked(reception: User, salon: Salon) -> None:
    service, staff = factories.service(), factories.staff()
    had, booked = agreed(factories.client()), agreed(factories.client())
    visit(had, -4, service=service, staff=staff)
    visit(booked, 3, State.BOOKED, service=service, staff=staff)
    assert found(reception, salon, service=str(service.pk)) == found(reception, salon, staff=str(staff.pk)) == {had.pk}


def test_a_period_is_said_in_the_readers_language() -> None:
    chosen = filters.read({"unseen": "3m"})
    with translation.override("fr"):
        assert filters.words(chosen) == [("unseen", "Pas venu depuis\u202f: 3 mois")]
    with translation.override("en"):
        assert filters.words(chosen) == [("unseen", "No visit since: 3 months ago")]
