"""What a page of the list asks of the database: as many questions for fifty rows as for three, none of them of the whole book."""

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients import access, lists, search
from clients.models import Client
from salon.core.models import Salon, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "_many", {})


@pytest.mark.parametrize("query", ["", "?q=a", "?sort=-name", "?status=inactive", "?page=2"])
def test_a_page_asks_the_same_questions_however_many_rows_it_has(client: Browser, reception: User, query: str) -> None:
    client.force_login(reception)
    client.get(f"/clients/{query}")  # what each process looks up once
    for name in "abc":
        factories.client(last_name=name * 3)
    with CaptureQueriesContext(connection) as few:
        client.get(f"/clients/{query}")
    for index in range(60):
        card = factories.client(last_name=f"Amal {index}")
        factories.appointment(client=card) if index < 3 else None
    with CaptureQueriesContext(connection) as many:
        client.get(f"/clients/{query}")
    assert len(many) <= len(few), "a search that finds few asks of the inactive ones too"


def test_a_small_book_is_counted_for_each_page(reception: User) -> None:
    factories.client(last_name="Ann")
    assert lists.status_counts(reception)["active"] == 1
    factories.client(last_name="Ben")
    assert lists.status_counts(reception)["active"] == 2


def test_a_large_book_is_counted_again_when_its_count_is_too_old(reception: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "KEPT_FROM", 1)
    now = 1_000.0
    monkeypatch.setattr("clients.lists.time.monotonic", lambda: now)
    for name in ("Ann", "Ben"):
        factories.client(last_name=name)
    assert lists.status_counts(reception) == {"active": 2, "inactive": 0, "blacklist": 0}
    Client.objects.filter(last_name="Ben").update(blacklisted_at=timezone.now())
    factories.client(last_name="Cleo")
    assert lists.status_counts(reception) == {"active": 2, "inactive": 0, "blacklist": 1}, "a short count is never kept"
    now += lists.KEPT_SECONDS
    assert lists.status_counts(reception)["active"] == 3


def test_who_may_see_nobody_gets_no_count_that_was_kept_for_others(reception: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "KEPT_FROM", 0)
    factories.client(last_name="Ann")
    assert lists.status_counts(reception)["active"] == 1
    monkeypatch.setattr(User, "may", lambda *_given: False)
    assert lists.status_counts(reception)["active"] == 0


def test_a_page_by_a_count_that_is_too_old_has_cards_of_the_order_all_the_same(reception: User, salon: Salon) -> None:
    for index in range(120):
        factories.client(last_name=f"Amal {index:03}")
    found = lists.listing(reception, salon, text="", status="active", sort="name", number=3, now=timezone.now(), count=115)
    assert [row.client.last_name for row in found.rows] == [f"Amal {index:03}" for index in range(105, 120)]


def test_a_page_far_in_is_counted_off_in_a_narrow_index() -> None:
    rows = access.everybody().filter(lists.STATUSES["active"])
    with CaptureQueriesContext(connection) as queries:
        search.page(rows, number=2, per_page=2, count=8)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for way in ("seqscan", "bitmapscan", "sort"):
                cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN {'' if connection.vendor == 'postgresql' else 'QUERY PLAN '}{queries[-1]['sql']}")
        plan = str(cursor.fetchall())
    wanted = "Index Only Scan using" if connection.vendor == "postgresql" else "USING COVERING INDEX"
    assert f"{wanted} clients_client_listed" in plan
