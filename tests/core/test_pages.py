"""Pages of the database's file in memory: few while a book is read once, and then as many as before."""

import pytest
from django.db import connection

from salon.core import pages

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps pages in its own processes"),
]


def kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA cache_size")
        return int(cursor.fetchone()[0])


def test_few_pages_are_kept_while_a_book_is_read_and_then_as_many_as_before() -> None:
    before = kept()
    with pages.few():
        assert kept() == -pages.FEW
        with pages.few():
            assert kept() == -pages.FEW
        assert kept() == -pages.FEW
    assert kept() == before != -pages.FEW


def test_as_many_pages_as_before_are_kept_when_the_reading_fails() -> None:
    before = kept()
    with pytest.raises(ZeroDivisionError), pages.few():
        _ = 1 / 0
    assert kept() == before
