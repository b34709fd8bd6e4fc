"""Several statements in one round trip to PostgreSQL, each prepared once on the server and still a statement of its own.

Called by `prepared` only. The order is kept, and under READ COMMITTED each statement sees what had been committed when its
turn came: a lock that it waited for is followed by reads that see why.
"""

import datetime as dt
import itertools
import re
import select
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import abc
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, Format, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

Statement = tuple[str, Sequence[Any]]
# How many rows a statement changed or found, and those it found.
Answer = tuple[int, list[tuple[Any, ...]]]

_TYPED = (dt.date, dt.time, dt.timedelta)
_BEGIN: Statement = ("BEGIN", ())
_COMMIT: Statement = ("COMMIT", ())
_PLACE = re.compile(r"%([s%])")
# Asked for with every statement: plain numbers, not looked up in their enums each time.
_IDLE, _OK = int(TransactionStatus.IDLE), int(ConnStatus.OK)
_ERROR, _ROWS, _SYNC = int(ExecStatus.FATAL_ERROR), int(ExecStatus.TUPLES_OK), int(ExecStatus.PIPELINE_SYNC)
_TEXT, _BINARY = PyFormat.TEXT, Format.BINARY


class _Known(threading.local):
    """What this thread's connection has prepared, and what turns values into text and back on it."""

    connection: "psycopg.Connection[Any] | None" = None
    values: abc.Transformer
    names: dict[str, bytes]

    def use(self, connection: "psycopg.Connection[Any]") -> None:
        if self.connection is not connection:
            self.connection, self.values, self.names = connection, Transformer(connection), {}


_known = _Known()
# A name is never used twice: what failed may be there all the same.
_number = itertools.count()


def run(
    connection: BaseDatabaseWrapper,
    statements: Sequence[Statement],
    *,
    is_last: bool = False,
    meanwhile: Callable[[], None] | None = None,
) -> list[Answer]:
    """Run `statements` in this order in one round trip and return what each found or how many rows it changed.

    In an `atomic` block BEGIN goes along where it was not said yet, and with `is_last` COMMIT, if the block is the
    outermost; whatever the block does after that would be outside of the transaction. `meanwhile` is called once all has
    been sent, before the answers are read; it must not touch the database, and must not raise.
    Raises Django's database errors; then nothing of the transaction will hold.
    """
    if connection.connection is None:
        connection.ensure_connection()
    driver: psycopg.Connection[Any] = connection.connection
    is_idle = driver.pgconn.transaction_status == _IDLE
    first = [_BEGIN] if connection.in_atomic_block and is_idle else []
    last = [_COMMIT] if is_last and connection.in_atomic_block and not connection.savepoint_ids else []
    with connection.wrap_database_errors:
        _known.use(driver)
        answers = _talk(connection, [*first, *statements, *last], meanwhile)
    return answers[len(first) : len(first) + len(statements)]


def _talk(connection: BaseDatabaseWrapper, statements: Sequence[Statement], meanwhile: Callable[[], None] | None) -> list[Answer]:
    driver: psycopg.Connection[Any] = connection.connection
    line = driver.pgconn
    new: dict[str, bytes] = {}
    is_over = False
    line.enter_pipeline_mode()
    try:
        # True: the answer to a statement; False: to its preparation.
        awaited: list[bool] = []
        for sql, params in statements:
            _say(line, sql, params, new, awaited)
        line.pipeline_sync()
        _send_all(line)
        if meanwhile is not None:
            with connection.execute_wrapper(_refuse):
                meanwhile()
        found, error = _answers(line, awaited)
        line.exit_pipeline_mode()
        is_over = True
    finally:
        if not is_over:  # lost or interrupted: what is still to come would be taken for the answer to something else
            driver.close()
    if error is not None:
        raise error
    _known.names.update(new)
    return found


def _refuse(*_given: Any) -> None:
    raise RuntimeError("the connection is waiting for other answers")


def _say(line: PGconn, sql: str, params: Sequence[Any], new: dict[str, bytes], awaited: list[bool]) -> None:
    """Queue a statement, prepared on its first use; add to `awaited` what is to be awaited for it."""
    given = _known.values.dump_sequence(params, [_TEXT] * len(params)) if params else None
    name = _known.names.get(sql) or new.get(sql)
    if name is None:
        name = new[sql] = f"carnet_{next(_number)}".encode()
        line.send_prepare(name, _numbered(sql), _types(params))
        awaited.append(False)
    line.send_query_prepared(name, given, result_format=_BINARY)
    awaited.append(True)


def _types(params: Sequence[Any]) -> list[int]:
    """Return the types of the parameters: 0 where the server is to tell by the place where the value stands.

    Of a number the driver would say how large this one is, of a text nothing; a time in a sum tells no place.
    """
    told = _known.values.types or ()
    return [oid if isinstance(param, _TYPED) else 0 for param, oid in zip(params, told, strict=False)]


@lru_cache(maxsize=256)
def _numbered(sql: str) -> bytes:
    """Return the statement with $1, $2 for its %s."""
    count = 0

    def place(match: re.Match[str]) -> str:
        nonlocal count
        if match[1] == "%":
            return "%"
        count += 1
        return f"${count}"

    return _PLACE.sub(place, sql).encode()


def _answers(line: PGconn, awaited: Sequence[bool]) -> tuple[list[Answer], psycopg.Error | None]:
    """Return the answers to all that was said, and the first error. Raises OperationalError for a lost connection."""
    answers: list[Answer] = []
    error: psycopg.Error | None = None
    values = _known.values
    for is_answer in awaited:
        result = _next(line)
        if result is None:
            raise psycopg.OperationalError("an answer is missing")
        if result.status == _ERROR:
            error = error or psycopg.errors.error_from_result(result)
        elif is_answer and error is None:
            answers.append(_read(result, values))
        if line.status != _OK:
            raise psycopg.OperationalError("the connection was lost") from error
        while _next(line) is not None:  # the end of the answers to this statement
            pass
    end = _next(line)
    if end is None or end.status != _SYNC:
        raise psycopg.OperationalError("the answers do not match what was said") from error
    return answers, error


def _read(result: PGresult, values: abc.Transformer) -> Answer:
    if result.status != _ROWS:
        return result.command_tuples or 0, []
    if not (count := result.ntuples):
        return 0, []
    values.set_pgresult(result, set_loaders=True, format=_BINARY)
    return count, values.load_rows(0, count, tuple)


def _next(line: PGconn) -> PGresult | None:
    while line.is_busy():
        _wait(line, select.POLLIN)
        line.consume_input()
    return line.get_result()


def _send_all(line: PGconn) -> None:
    """Give everything to the socket; read what comes meanwhile, lest both sides wait for the other."""
    while line.flush():
        if _wait(line, select.POLLIN | select.POLLOUT) & select.POLLIN:
            line.consume_input()


def _wait(line: PGconn, what: int) -> int:
    poll = select.poll()
    poll.register(line.socket, what)
    return poll.poll()[0][1]
