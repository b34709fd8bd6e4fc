"""Several people tag the same cards at the same moment, with real threads, on the database that runs."""

import time
from collections.abc import Sequence

import pytest
from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.utils import timezone

from clients import tagging, tags
from clients.models import Client, Tag, TagRun
from salon.core.models import User
from salon.core.roles import Role
from tests import factories, people
from tests.appointments.test_booking_races import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> User:
    factories.salon()
    return people.user_with(Role.RECEPTION)


def test_a_card_gets_a_tag_once_however_many_put_it_on_at_once(desk: User) -> None:
    ids = {factories.client().pk for _ in range(12)}
    tags.called("bridal")
    results = all_at_once(4, lambda _number: tagging.add(ids, name="Bridal", by=desk, now=timezone.now()))
    assert all(isinstance(result, TagRun) for result in results), results
    runs = [result for result in results if isinstance(result, TagRun)]
    assert sorted(pk for run in runs for pk in run.changed) == sorted(ids), "each card is changed by one of them"
    assert Client.tags.through.objects.count() == len(ids)


@pytest.mark.parametrize("is_locking", [True, False])
def test_it_is_the_lock_of_the_cards_that_keeps_two_apart(desk: User, is_locking: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets one write at a time")
    look = tagging._with

    def slowly(ids: Sequence[int], tag: Tag) -> set[int]:
        found = look(ids, tag)
        time.sleep(0.3)
        return found

    monkeypatch.setattr(tagging, "_with", slowly)
    if not is_locking:
        monkeypatch.setattr(QuerySet, "select_for_update", lambda rows: rows)
    ids = {factories.client().pk for _ in range(3)}
    tags.called("bridal")
    results = all_at_once(2, lambda _number: tagging.add(ids, name="bridal", by=desk, now=timezone.now()))
    assert any(isinstance(result, IntegrityError) for result in results) is not is_locking


def test_of_two_who_undo_one_does(desk: User) -> None:
    ids = {factories.client().pk for _ in range(6)}
    run = tagging.add(ids, name="bridal", by=desk, now=timezone.now())
    results = all_at_once(2, lambda _number: tagging.undo(run, by=desk, now=timezone.now()))
    assert sorted(str(type(result).__name__) for result in results) == ["Refused", "int"]
    assert not Client.tags.through.objects.exists()
