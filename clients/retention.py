"""The one way past the database's guard of the consent ledger. Only retention goes through it; nothing else may."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def may_delete() -> Iterator[None]:
    """Let DELETE on the ledger through inside the block, for this transaction only. A line still cannot be changed."""
    is_sqlite = connection.vendor == "sqlite"
    with transaction.atomic(), connection.cursor() as cursor:
        if is_sqlite:
            cursor.execute("INSERT INTO clients_retention_gate (is_open) VALUES (1)")
        else:
            cursor.execute("SET LOCAL carnet.retention = 'on'")
        yield
        if is_sqlite:
            cursor.execute("DELETE FROM clients_retention_gate")
        else:
            cursor.execute("SET LOCAL carnet.retention = 'off'")
