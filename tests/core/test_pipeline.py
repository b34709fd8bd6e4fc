"""Several statements in one round trip: order, what each sees, what a failure leaves, and who may speak meanwhile."""

import datetime as dt
import threading
from collections.abc import Iterator

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, connections, transaction

from salon.core import pipeline
from salon.core.models import Salon
from tests.notifications import workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.skipif("connection.vendor != 'postgresql'")]

PUT: pipeline.Statement = ("INSERT INTO pipeline_test (id, word) VALUES (%s, %s)", (1, "one"))
COUNT: pipeline.Statement = ("SELECT count(*) FROM pipeline_test", ())


@pytest.fixture(autouse=True)
def _table() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE pipeline_test (id integer PRIMARY KEY, word text NOT NULL)")
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE pipeline_test")


def count_elsewhere() -> int:
    """Return how many rows another connection sees."""
    found: list[int] = []

    def look() -> None:
        with connection.cursor() as cursor:
            cursor.execute(*COUNT)
            found.append(cursor.fetchone()[0])
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join(30)
    return found[0]


def somebody_waits() -> bool:
    """Return whether a connection of this database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return bool(cursor.fetchone()[0])


def test_statements_run_in_their_order_and_say_what_they_found_or_changed() -> None:
    with transaction.atomic():
        answers = pipeline.run(connection, [COUNT, PUT, COUNT, ("UPDATE pipeline_test SET word = %s", ("two %",)), COUNT])
    assert [answer[0] for answer in answers] == [1, 1, 1, 1, 1]
    assert [rows[0][0] for _count, rows in answers if rows] == [0, 1, 1]
    [(_count, rows)] = pipeline.run(connection, [("SELECT id, word, %s::text, 7 %% 4 FROM pipeline_test", (None,))])
    assert rows == [(1, "two %", None, 3)]


def test_a_value_has_the_type_it_would_have_alone() -> None:
    """Where the place tells nothing, or would tell something else: a span of time in a sum, a number of any size."""
    now = dt.datetime.now(dt.UTC)
    sql = "SELECT %s > now() - %s, 5::bigint + %s, %s = now()::date, coalesce(%s, 'x')"
    for number, text in ((1, "a"), (2**40, None)):
        params = (now, dt.timedelta(minutes=5), number, dt.date(2020, 1, 1), text)
        [(_count, rows)] = pipeline.run(connection, [(sql, params)])
        assert rows == [(True, 5 + number, False, text or "x")]


def test_the_commit_goes_along_with_the_last_statements_of_the_outermost_block_only() -> None:
    with transaction.atomic():
        pipeline.run(connection, [PUT])
        assert count_elsewhere() == 0
        with transaction.atomic():
            pipeline.run(connection, [COUNT], is_last=True)
        assert count_elsewhere() == 0
        pipeline.run(connection, [COUNT], is_last=True)
        assert count_elsewhere() == 1
    assert not connection.in_atomic_block


def test_a_statement_that_fails_leaves_nothing_of_its_transaction_and_the_connection_usable() -> None:
    for _ in range(2):  # the second time all but what failed is prepared
        with pytest.raises(IntegrityError), transaction.atomic():
            pipeline.run(connection, [PUT, COUNT, PUT, COUNT], is_last=True)
        assert count_elsewhere() == 0
        with pytest.raises(DataError), transaction.atomic():
            pipeline.run(connection, [("SELECT %s::int / 0", (1,)), PUT], is_last=True)
        assert count_elsewhere() == 0
    with transaction.atomic():
        assert [answer[0] for answer in pipeline.run(connection, [PUT], is_last=True)] == [1]
    assert count_elsewhere() == 1


def test_a_block_that_fails_after_its_statements_takes_them_back() -> None:
    with transaction.atomic():
        pipeline.run(connection, [PUT])
        transaction.set_rollback(True)
    assert count_elsewhere() == 0


def test_each_statement_sees_what_was_committed_when_its_turn_came() -> None:
    """A row is locked elsewhere; while we wait for it another is written and committed. The next statement sees that."""
    with transaction.atomic():
        pipeline.run(connection, [PUT], is_last=True)
    holds, sent = threading.Event(), threading.Event()

    def elsewhere() -> None:
        with transaction.atomic():
            pipeline.run(connection, [("SELECT id FROM pipeline_test WHERE id = %s FOR UPDATE", (1,))])
            holds.set()
            sent.wait(30)
            workers.wait_for(somebody_waits)
            pipeline.run(connection, [("INSERT INTO pipeline_test (id, word) VALUES (%s, %s)", (2, "two"))], is_last=True)
        connections.close_all()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert holds.wait(30)
    lock = ("SELECT id, (SELECT count(*) FROM pipeline_test) FROM pipeline_test WHERE id = %s FOR UPDATE", (1,))
    with transaction.atomic():
        (_one, locked), (_two, after) = pipeline.run(connection, [lock, COUNT], meanwhile=sent.set)
    thread.join(30)
    assert after == [(2,)]
    assert locked == [(1, 1)], "the control: what is read in the statement that waits is as old as its beginning"


def test_nobody_speaks_to_the_database_while_answers_are_awaited() -> None:
    told: list[str] = []

    def meanwhile() -> None:
        try:
            Salon.objects.first()
        except RuntimeError as error:
            told.append(str(error))

    with transaction.atomic():
        pipeline.run(connection, [PUT], is_last=True, meanwhile=meanwhile)
    assert told == ["the connection is waiting for other answers"]
    assert count_elsewhere() == 1
    assert Salon.objects.count() == 0


@pytest.mark.parametrize("place", [0, 1])
def test_a_connection_that_is_cut_says_so_and_another_is_opened(place: int) -> None:
    cut: pipeline.Statement = ("SELECT pg_terminate_backend(pg_backend_pid())", ())
    statements = [PUT, COUNT]
    statements.insert(place, cut)
    with pytest.raises(OperationalError), transaction.atomic():
        pipeline.run(connection, statements, is_last=True)
    connection.close()
    assert count_elsewhere() == 0
    with transaction.atomic():
        pipeline.run(connection, [PUT], is_last=True)
    assert count_elsewhere() == 1


def test_what_interrupts_the_wait_leaves_no_answer_for_somebody_else() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        pipeline.run(connection, [PUT, COUNT], meanwhile=interrupt)
    connection.close()
    assert count_elsewhere() == 0
