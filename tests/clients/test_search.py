"""Whom the search box finds."""

from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from clients import access, records, search
from clients.models import Client
from salon.core.models import Salon, User
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def book(reception: User) -> None:
    records.add_many(
        [
            {"first_name": "Jürgen", "last_name": "Groß", "phone": "+491713004127", "email": "j.gross@example.org"},
            {"first_name": "Anne-Marie", "last_name": "O’Brien", "phone": "+33612447890", "email": "anne.marie@example.net"},
            {"first_name": "Michaela", "last_name": "Müller", "phone": "+33688210411", "email": "mm1990@example.org"},
            {"first_name": "Łucja", "last_name": "Østergård"},
            {"first_name": "Cœur", "last_name": "Çelik", "phone": "+33755103267"},
            {"phone": "+447400123456"},
        ],
        by=reception,
    )


def names(text: str) -> set[str]:
    return {client.last_name or str(client.phone) for client in search.find(text)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("muller", {"Müller"}), ("MUELLER", {"Müller"}), ("Müller", {"Müller"}), ("gross", {"Groß"}), ("groß", {"Groß"}),
        ("Juergen", {"Groß"}), ("jurgen groß", {"Groß"}), ("groß jür", {"Groß"}), ("aela", {"Müller"}),
        ("lucja", {"Østergård"}), ("ostergard", {"Østergård"}), ("oestergaard", {"Østergård"}), ("coeur celik", {"Çelik"}),
        ("anne marie", {"O’Brien"}), ("anne-marie", {"O’Brien"}), ("annemarie", {"O’Brien"}), ("o'brien", {"O’Brien"}),
        ("obrien", {"O’Brien"}), ("06 12 44", {"O’Brien"}), ("0612447890", {"O’Brien"}), ("+33 6 12 44", {"O’Brien"}),
        ("0033612447890", {"O’Brien"}), ("+33 (0)6 12 44", {"O’Brien"}), ("06.12.44", {"O’Brien"}), ("7890", {"O’Brien"}),
        ("anne 7890", {"O’Brien"}), ("0411", {"Müller"}), ("+49 171 300", {"Groß"}), ("0171 3004", {"Groß"}),
        ("07400 123456", {"+447400123456"}), ("gross@exa", {"Groß"}), ("@example.net", {"O’Brien"}), ("mm1990", {"Müller"}),
        ("anne.marie@example.net", {"O’Brien"}), ("marie@example.net", {"O’Brien"}), ("marie@example.org", set()),
        ("e@example.net", {"O’Brien"}), ("muller 7890", set()), ("zzz", set()), ("%", set()), ("_", set()), ("' OR 1=1", set()),
    ],
)  # fmt: skip
def test_a_client_is_found_by(book: None, text: str, found: set[str]) -> None:
    assert names(text) == found


def test_nothing_typed_finds_everybody(book: None) -> None:
    assert search.find("  ").count() == 6


def test_the_order_is_that_of_a_phone_book(book: None) -> None:
    shown = [client.last_name for client in search.page(Client.objects.all()).rows]
    assert shown == ["", "Çelik", "Groß", "Müller", "O’Brien", "Østergård"]


@pytest.mark.parametrize("number", [1, 2, 3, 99])
@pytest.mark.parametrize("order", [("sort_name", "pk"), ("-sort_name", "-pk")])
def test_a_page_is_the_same_whether_counted_or_walked(reception: User, number: int, order: tuple[str, ...]) -> None:
    records.add_many([{"last_name": f"Name{number % 7}"} for number in range(23)], by=reception)
    probed = search.page(Client.objects.all(), order=order, number=number, per_page=10)
    walked = search.page(Client.objects.all(), order=order, number=number, per_page=10, count=23)
    assert probed == walked
    assert probed.page_count == 3


def test_many_matches_are_counted_no_further_than_the_cap(reception: User, monkeypatch: pytest.MonkeyPatch) -> None:
    records.add_many([{"last_name": f"Name{number}"} for number in range(12)], by=reception)
    monkeypatch.setattr(search, "COUNT_UP_TO", 10)
    found = search.page(search.find("name"), per_page=5)
    assert (found.count, found.is_capped, len(found.rows)) == (10, True, 5)


def test_postgresql_looks_in_its_trigram_index(book: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite reads a narrow index from end to end")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + "SELECT id FROM clients_client WHERE search_text LIKE '%muller%'")
        assert "clients_client_search" in str(cursor.fetchall())


def test_a_page_of_few_matches_and_their_count_take_one_statement(
    book: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        found = search.page(search.find("mm1990"))
    assert ([client.last_name for client in found.rows], found.count) == (["Müller"], 1)
    with django_assert_num_queries(1):
        nobody = search.page(search.find("zzz"))
    assert (nobody.rows, nobody.count, nobody.page_count) == ([], 0, 1)


def test_a_line_of_the_list_asks_the_database_nothing_more(
    reception: User, salon: Salon, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = factories.client(first_name="Noor", last_name="Haddad", phone="+33612447890", email="n@example.org")
    (found,) = search.page(Client.objects.active(), search.matches("haddad")).rows
    with django_assert_num_queries(0):
        shown = access.contacts(reception, found, salon, now=timezone.now())
        marks = (found.inactive_at, found.blacklisted_at)
    assert (shown.name, shown.dial, shown.email, marks) == ("Noor Haddad", "+33612447890", "n@example.org", (None, None))
    assert found.language == client.language, "the rest of the card is there for who asks"


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("order", [("sort_name", "pk"), ("-sort_name", "-pk")])
@pytest.mark.parametrize("walk_most", [5, 40])
def test_a_page_of_a_broad_term_is_the_same_whether_walked_or_sorted(
    reception: User, monkeypatch: pytest.MonkeyPatch, number: int, order: tuple[str, ...], walk_most: int
) -> None:
    records.add_many([{"last_name": f"{'Common' if number % 3 else 'Other'}{number:02}"} for number in range(40)], by=reception)
    rows, matching = Client.objects.active(), search.matches("common")
    exact = search.page(rows, matching, order=order, number=number, per_page=10)
    monkeypatch.setattr(search, "COUNT_UP_TO", 20)
    monkeypatch.setattr(search, "WALK_MOST", walk_most)
    with CaptureQueriesContext(connection) as queries:
        capped = search.page(rows, matching, order=order, number=number, per_page=10)
    assert (capped.rows, capped.count, capped.is_capped, exact.count) == (exact.rows, 20, True, 26)
    assert len(queries) == (2 if walk_most == 40 else 3)


def test_postgresql_is_not_asked_for_the_domain_of_a_whole_address(book: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite reads a narrow index from end to end")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        sql, params = search.find("anne.marie@example.net").values_list("pk").query.sql_with_params()
        cursor.execute(f"EXPLAIN {sql}", params)
        (condition,) = [line for (line,) in cursor.fetchall() if "Index Cond" in line]
    assert "anne.marie@" in condition
    assert "example" not in condition


def test_a_line_is_what_the_orm_would_read_of_it(reception: User) -> None:
    client = factories.client(first_name="Noor", last_name="Haddad", phone="+33612447890", email="n@example.org")
    Client.objects.filter(pk=client.pk).update(inactive_at=timezone.now(), inactive_reason="moved")
    (found,) = search.page(search.find("haddad")).rows
    (walked,) = search.page(Client.objects.all(), count=1).rows
    for line in (found, walked):
        read = Client.objects.only(*line.__dict__.keys() - {"_state"}).get(pk=client.pk)
        assert {**vars(line), "_state": vars(line._state)} == {**vars(read), "_state": vars(read._state)}
        assert line == client


def test_postgresql_walks_the_order_in_a_narrow_index(book: None, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite reads a narrow index from end to end")
    monkeypatch.setattr(search, "COUNT_UP_TO", 2)
    with CaptureQueriesContext(connection) as queries:
        search.page(Client.objects.active(), search.matches("m"), per_page=2)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
        # Nothing is vacuumed here, so that an index without the text would do as well, with a look at each card.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DROP INDEX clients_client_listed")
        cursor.execute(f"EXPLAIN {queries[1]['sql']}")
        assert "Index Only Scan using clients_client_search_walk" in str(cursor.fetchall())


def test_names_that_grow_when_folded_still_fit_the_indexes(reception: User) -> None:
    # One sign of these is up to six letters of three bytes once it is folded.
    signs = [chr(code) for code in range(0x3300, 0x3358)]
    first, last = ("".join(Random(seed).choices(signs, k=100)) for seed in (1, 2))
    records.add_many([{"first_name": first, "last_name": last}], by=reception)
    assert len(Client.objects.get().search_text.encode()) <= search.MOST_BYTES
    assert names(first[:20]) == {last}


def test_cards_made_by_the_test_factory_are_found_too(reception: User) -> None:
    factories.client(first_name="Noor", last_name="Haddad")
    assert names("haddad noor") == {"Haddad"}


def test_what_nobody_sees_hides_nobody(reception: User) -> None:
    for typed, searched in (
        ("An\u200bna", "anna"),
        ("پگاه\u200cنوری", "پگاهنوری"),
        ("Müller\u00ad-Lüden", "muller-luden"),
        ("Zoë", "zo\u200ee"),
    ):
        client = records.add(by=reception, last_name=typed)
        assert client in search.find(searched), ascii(typed)
