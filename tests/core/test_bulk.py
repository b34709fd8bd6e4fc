"""Many rows in one statement: as the ORM would have written them, in the order given, or not at all."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients.models import Client, Import, ImportedCard, Standing
from salon.core import bulk
from tests import factories

pytestmark = pytest.mark.django_db
NASTY = 'O\'Neil %s %(x)s \\ "{1,2}" NULL ; -- ünï 🧵\n\t$1'


def row_of(model: type[Model], pk: int) -> dict[str, Any]:
    row = model._base_manager.values().get(pk=pk)
    return {name: value for name, value in row.items() if name != "id"}


def test_a_row_is_the_same_as_one_of_the_orm() -> None:
    at = timezone.now() - dt.timedelta(days=3)
    given = {"last_name": NASTY, "phone": "+33612447890", "birth_day": 3, "birth_month": 4, "language": "fr", "created_at": at}
    theirs = Client.objects.create(**given)
    (ours,) = bulk.insert(Client, list(given), [list(given.values())])
    assert row_of(Client, ours) == row_of(Client, theirs.pk)


def test_empty_and_full_moments_flags_and_mappings_are_kept() -> None:
    source, client = Import.objects.create(title="x"), factories.client()
    marks = {"*": "ab'c", "phone": "\\u00e9"}
    rows = [(source.pk, client.pk, flag, marks if flag else {}, timezone.now()) for flag in (True, False)]
    ids = bulk.insert(ImportedCard, ("source_id", "client_id", "is_new", "marks", "at"), rows)
    assert [row_of(ImportedCard, pk) for pk in ids] == [
        {"source_id": source.pk, "client_id": client.pk, "is_new": flag, "marks": kept, "at": at, "outcome": ""}
        for _source, _client, flag, kept, at in rows
    ]
    moments = [None, timezone.now(), None]
    ids = bulk.insert(Client, ("last_name", "inactive_at", "birth_year"), [("A", at, None) for at in moments])
    assert [Client.objects.get(pk=pk).inactive_at for pk in ids] == moments


def test_ids_come_in_the_order_given_over_several_statements() -> None:
    names = [f"Name{number}" for number in range(2 * bulk.BATCH + 7)]
    ids = bulk.insert(Client, ("last_name",), ([name] for name in names))
    written = Client.objects.in_bulk(ids)
    assert [written[pk].last_name for pk in ids] == names
    assert bulk.insert(Client, ("last_name",), []) == []


@pytest.mark.parametrize("bad", [("", ""), (None, "")])
def test_a_row_that_may_not_exist_is_refused_and_nothing_of_its_statement_stays(bad: tuple[Any, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(Client, ("last_name", "phone"), [("Good", ""), bad])
    assert not Client.objects.exists()


def test_what_stands_already_is_written_over_and_the_rest_is_added() -> None:
    one, two = factories.client(), factories.client()
    Standing.objects.create(client=one, purpose="mkt.promotion", channel="email", state="granted")
    rows = [(pk, "mkt.promotion", "email", "withdrawn", None) for pk in (one.pk, two.pk)]
    names = ("client_id", "purpose", "channel", "state", "event_id")
    bulk.upsert(Standing, names, rows, unique=("client_id", "purpose", "channel"))
    assert sorted(Standing.objects.values_list("client_id", "state")) == [(one.pk, "withdrawn"), (two.pk, "withdrawn")]


@pytest.mark.parametrize("text", ["", "NULL", "null", "{}", '"', "\\", '\\"', "a,b", "{a,b}", " a ", "\\N", "é\u2028\n\r\t"])
def test_a_text_is_kept_as_it_is_whatever_the_database_might_take_it_for(text: str) -> None:
    ids = bulk.insert(Client, ("last_name", "note"), [("A", text), ("B", "plain"), ("C", text)])
    assert [Client.objects.get(pk=pk).note for pk in ids] == [text, "plain", text]


def test_rows_are_found_by_any_of_many_texts() -> None:
    texts = [NASTY, "plain", '{"a",NULL}', "é"]
    ids = bulk.insert(Client, ("last_name", "sort_name"), ((text, text) for text in [*texts, "another"]))
    asked = [*texts, *(f"nobody{number}" for number in range(2 * bulk.BATCH))]
    found = bulk.find(Client, ("id", "sort_name", "erased_at"), "sort_name", asked)
    assert sorted(found) == sorted((pk, text, None) for pk, text in zip(ids, texts, strict=False))
    assert bulk.find(Client, ("id",), "sort_name", []) == []


def test_a_table_without_statistics_is_not_read_as_a_whole_to_find_some_rows() -> None:
    bulk.insert(Client, ("last_name", "email"), ((f"Name{number}", f"a{number}@example.org") for number in range(3000)))
    with CaptureQueriesContext(connection) as asked:
        bulk.find(Client, ("id",), "email", [f"a{number}@example.org" for number in range(500)])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'' if connection.vendor == 'postgresql' else 'QUERY PLAN '}{asked[0]['sql']}")
        plan = str(cursor.fetchall())
    assert "clients_client_email" in plan
    assert "Seq Scan on clients_client" not in plan
    assert "SCAN clients_client" not in plan
