"""The migrations of a run, once: the worker that comes first makes its database, and the others begin with a copy of it."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import connection


@contextmanager
def migrated_once(shared: Path) -> Iterator[None]:
    """Let the database that is made inside begin as another worker left it, or leave it to the others.

    `shared` is a folder of all workers of this run; one at a time is inside. Only for SQLite, where a copy costs nothing.
    """
    name, kept = Path(connection.settings_dict["TEST"]["NAME"]), shared / "migrated.sqlite3"
    with (shared / "migrated.lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            _copy(kept, name)
            # Django would begin with an empty one. The migrations look at what is there, and find nothing to do.
            patch.setattr(connection.creation, "_create_test_db", lambda *args, **kwargs: str(name))
            yield
        else:
            yield
            _copy(name, kept)


def _copy(source: Path, target: Path) -> None:
    """Copy a database with what its journal still holds. Where the target is, it is whole."""
    part = target.with_suffix(".part")
    with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(part)) as there:
        here.backup(there)
    part.replace(target)
