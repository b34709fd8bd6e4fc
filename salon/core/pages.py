"""How much of the database's file a connection keeps in memory: SQLite's pages. PostgreSQL keeps them in its own processes."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# KiB. Enough for the way from an index to its row and for what the next rows share.
FEW = 1_000


@contextmanager
def few() -> Iterator[None]:
    """Keep few pages while the whole book is read once: nobody asks for them again, and they are 20 MB in the end."""
    if connection.vendor != "sqlite":
        yield
        return
    before = _kept()
    _keep(-FEW)
    try:
        yield
    finally:
        _keep(before)


def _kept() -> int:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA cache_size")
        return int(cursor.fetchone()[0])


def _keep(count: int) -> None:
    """Keep so many pages, or KiB where it is negative."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA cache_size={count:d}")
