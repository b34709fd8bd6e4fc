"""How a line of the log is written: what went wrong by type and place, never with the values that it was about.

Called by the settings and by gunicorn.conf.py. A database names the whole row in its errors, so no message of an
exception is ever printed.
"""

import logging
import re
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

# Whoever knows what follows may act: stop, confirm, join, take the installation.
_SECRET = re.compile(r"/(u|c|f|s|hooks/preferences|hooks/twilio/status|setup|join|accounts/password/reset/key)/[^/].*")

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def _harmless(value: object) -> object:
    """Return `value` without what an exception says, and a path without its query and without a secret."""
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, str) and value.startswith("/"):
        return _SECRET.sub(r"/\1/…", value.partition("?")[0])
    return value


def _args(record: logging.LogRecord) -> Any:
    if isinstance(record.args, Mapping):
        # Celery hands over the exception as text, under this name.
        return {name: "" if name in {"exc", "traceback"} else _harmless(value) for name, value in record.args.items()}
    return tuple(_harmless(value) for value in record.args or ())


def calm(record: logging.LogRecord) -> bool:
    """Keep every record; a page that somebody may not open, that is not there or whose form was wrong is no warning.

    A filter of Django's logger of requests. The 4xx stay as one line of INFO, without the frames of the refusal.
    """
    if record.levelno == logging.WARNING and 400 <= getattr(record, "status_code", 0) < 500:
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.exc_info = record.exc_text = None
    return True


class Line(logging.Formatter):
    """Writes an exception as its type and the frames it went through, and so those that caused it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, from a copy: another handler may have left the full text of the exception on the record."""
        copy = logging.makeLogRecord(record.__dict__)
        copy.msg, copy.args, copy.exc_text = _harmless(record.msg), _args(record), None
        return super().format(copy)

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 (the standard library's name)
        """Return the type and place of `ei` and of what led to it, the latest first."""
        lines: list[str] = []
        error, seen = ei[1], set[int]()
        while error is not None and id(error) not in seen:
            seen.add(id(error))
            lines.append(f"{type(error).__module__}.{type(error).__qualname__}")
            frames = traceback.extract_tb(error.__traceback__)
            lines.extend(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)
