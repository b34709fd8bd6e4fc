"""Queries compiled once: what may be given at each run, what stands in the statement, and the objects that come of it."""

import datetime as dt
import threading

import pytest
from django.db import connection, connections

from appointments.models import Appointment, State
from clients.models import Client
from salon.core import prepared
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

START = dt.datetime(2026, 11, 19, 13, 30, tzinfo=dt.UTC)
LONG_AGO = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)


def test_instants_words_and_numbers_are_given_at_each_run() -> None:
    early = factories.appointment(start_at=START)
    late = factories.appointment(start_at=START + dt.timedelta(hours=3))
    rows = Appointment.objects.filter(start_at__gte=LONG_AGO, staff_id=2_000_000_001, state="?state").values_list("pk")
    query = prepared.Query(rows, since=LONG_AGO, staff=2_000_000_001, state="?state")

    def found(visit: Appointment, since: dt.datetime, state: str) -> list[tuple[int]]:
        return prepared.run([query], {"since": since, "staff": visit.staff_id, "state": state})[0]

    assert found(early, START, State.BOOKED) == [(early.pk,)]
    assert found(early, START + dt.timedelta(seconds=1), State.BOOKED) == []
    assert found(early, START, State.CANCELLED) == []
    assert found(late, START.astimezone(dt.timezone(dt.timedelta(hours=5))), State.BOOKED) == [(late.pk,)]


def test_any_number_of_ids_is_one_parameter() -> None:
    ids = [factories.client(last_name=name).pk for name in ("Ann", "Ben", "Cleo")]
    query = prepared.Query(Client.objects.filter(pk__in=prepared.listed("?ids")).order_by("pk").values_list("pk"), ids="?ids")
    for some in (ids, ids[1:], [*ids[:1], 2_000_000_001], []):
        found = prepared.run([query], {"ids": prepared.as_list(some)})[0]
        assert found == [(pk,) for pk in some if pk in ids]


def test_a_place_that_is_not_in_the_query_is_refused() -> None:
    with pytest.raises(ValueError, match="since"):
        prepared.Query(Appointment.objects.values_list("pk"), since=LONG_AGO)


def test_a_word_that_never_changes_stands_in_the_statement_and_any_other_text_is_a_parameter() -> None:
    """Else PostgreSQL's kept plan could not use an index of the rows in one state."""
    evil = "x' OR 'a' = 'a"
    card = factories.client(last_name=evil)
    query = prepared.Query(Client.objects.filter(last_name=evil, language=card.language).values_list("pk"))
    assert f"'{card.language}'" in query.sql
    assert evil not in query.sql
    assert prepared.run([query], {}) == [[(card.pk,)]]
    some = prepared.Query(Client.objects.filter(last_name__contains="%s").values_list("pk"))
    assert prepared.run([some], {}) == [[]], "a sign of percent is no place"


def test_objects_are_those_of_the_queryset_and_ask_for_nothing_more() -> None:
    visit = factories.appointment(start_at=START)
    rows = Appointment.objects.select_related("client", "staff").only("start_at", "client__first_name", "staff__name")
    query = prepared.Query(rows.filter(pk=2_000_000_001), visit=2_000_000_001)
    [found] = query.objects(prepared.run([query], {"visit": visit.pk})[0])
    [expected] = rows.filter(pk=visit.pk)
    with connection.execute_wrapper(_refuse):
        assert (found.pk, found.start_at) == (visit.pk, START)
        assert expected.client is not None
        assert (found.client.first_name, found.staff.name) == (expected.client.first_name, expected.staff.name)
    assert found.get_deferred_fields() == expected.get_deferred_fields()
    assert not found._state.adding


def test_an_object_has_the_values_that_its_fields_make_and_none_where_nothing_is_joined() -> None:
    """A phone number is one, not its text: its field does more than keep what the database gave."""
    visit = factories.appointment(start_at=START, client=None)
    card = factories.client(phone="+33680000001")
    query = prepared.Query(Client.objects.filter(pk=2_000_000_001), pk=2_000_000_001)
    [found] = query.objects(prepared.run([query], {"pk": card.pk})[0])
    expected = Client.objects.get(pk=card.pk)
    kinds = [{name: type(value) for name, value in vars(one).items()} for one in (found, expected)]
    assert kinds[0] == kinds[1]
    assert found.phone == expected.phone
    alone = Appointment.objects.select_related("client").filter(pk=2_000_000_001)
    query = prepared.Query(alone, visit=2_000_000_001)
    [lonely] = query.objects(prepared.run([query], {"visit": visit.pk})[0])
    with connection.execute_wrapper(_refuse):
        assert lonely.client is None


def test_so_is_a_list_of_texts_of_any_length() -> None:
    names = sorted(factories.client(last_name=name).last_name for name in ("Ann", "D'Arc", 'B "x", {y}', "Zoë\\", "NULL"))
    rows = Client.objects.filter(last_name__in=prepared.listed("?names", "text"), language="?language").values_list("last_name")
    query = prepared.Query(rows, names="?names", language="?language")
    for count in range(6):
        given = {"names": prepared.as_list(names[:count]), "language": Client.objects.all()[0].language}
        assert sorted(prepared.run([query], given)[0]) == [(name,) for name in names[:count]]


def _refuse(*_given: object) -> None:
    raise AssertionError("another query")


def test_each_thread_keeps_its_own_query_for_each_argument() -> None:
    made: list[int] = []

    @prepared.kept
    def first(limit: int) -> prepared.Query:
        made.append(limit)
        return prepared.Query(Client.objects.values_list("pk")[:limit])

    def use() -> None:
        for limit in (1, 2, 1):
            prepared.run([first(limit)], {})

    def elsewhere() -> None:
        use()
        connections.close_all()

    use()
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(30)
    assert made == [1, 2, 1, 2]
