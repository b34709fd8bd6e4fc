"""After an erasure the file of an SQLite database is written anew: a freed page still holds what was in it, and so does the WAL.

PostgreSQL writes over dead rows by itself (autovacuum). Called by the worker and by `manage.py erase_due`.
"""

import datetime as dt
import logging

from django.db import OperationalError, connection

from clients.models import Erasure

log = logging.getLogger(__name__)


def wipe(now: dt.datetime) -> bool:
    """Write the database anew if somebody was erased since, and return whether nothing is left to be done.

    False where somebody reads or writes just then: it is tried again. It cannot be done inside a transaction.
    """
    waiting = list(Erasure.objects.filter(wiped_at=None).values_list("pk", flat=True))
    if waiting and not _write_anew():
        return False
    Erasure.objects.filter(pk__in=waiting).update(wiped_at=now)
    return True


def _write_anew() -> bool:
    if connection.vendor != "sqlite":
        return True
    if connection.in_atomic_block:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            (is_busy, _pages, _moved) = cursor.fetchone()
    except OperationalError:
        log.warning("the database is in use: written anew later")
        return False
    return not is_busy
