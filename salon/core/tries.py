"""An operation that the database gave up to end a deadlock is done again, from its beginning, where nothing is lost by it."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

P = ParamSpec("P")
R = TypeVar("R")
MOST = 4
_GIVEN_UP = {"40P01", "40001"}  # PostgreSQL: deadlock detected, serialization failure


def once_more(operation: Callable[P, R]) -> Callable[P, R]:
    """Run the operation again, a few times at most, if the database gave it up; not inside somebody else's transaction."""

    @wraps(operation)
    def tried(*args: P.args, **kwargs: P.kwargs) -> R:
        for _try in range(MOST - 1):
            try:
                return operation(*args, **kwargs)
            except OperationalError as error:
                if connection.in_atomic_block or getattr(error.__cause__, "sqlstate", "") not in _GIVEN_UP:
                    raise
        return operation(*args, **kwargs)

    return tried
