"""The journal beside the database: who was erased, by number, so that a backup cannot bring them back.

One line of JSON each, in a file that grows only, written before the database commits. No name and no address: ids, the
moment a card was made (an id may be given again after a restore), keyed hashes of the addresses that stay stopped. Each
line carries a code over itself and the one before, so that a lost or changed line is noticed. A second line says whether
the database committed (`settle`) or not (`take_back`); a process that was killed between the two is answered for by
`clients.erasure.settling`.
"""

import datetime as dt
import fcntl
import hashlib
import hmac
import json
import os
import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from salon.core import secrets


@dataclass(frozen=True)
class Entry:
    """One erasure. `cards` are id and moment of making, `stops` are channel and keyed hash."""

    case: uuid.UUID
    at: dt.datetime
    ground: str
    cards: Sequence[tuple[int, dt.datetime]]
    stops: Sequence[tuple[str, str]]


# How much of the end of the file is looked at to know it again, and at a time to find its last line.
_TAIL, _BLOCK = 200, 4096


@dataclass
class _Known:
    """What this process has read of the journal: of which file, how far, what stood there last, and the lines without an end."""

    file: tuple[str, int, int] | None = None
    size: int = 0
    last: bytes = b""
    open: dict[str, dict[str, Any]] = field(default_factory=dict)


_known = _Known()
_reading = threading.Lock()


def path() -> Path:
    """Return where the journal is: beside the data, or where the environment says."""
    return Path(os.environ.get("ERASURE_JOURNAL") or Path(settings.DATA_DIR) / "erasures.jsonl")


def write(entry: Entry) -> None:
    """Add an erasure, on the disk when this returns. Raises OSError where it cannot be written: then nothing is erased."""
    _append(
        {
            "case": str(entry.case), "at": entry.at.isoformat(), "ground": entry.ground,
            "cards": [[pk, made_at.isoformat()] for pk, made_at in entry.cards], "stops": [list(stop) for stop in entry.stops],
            "is_open": True,
        }
    )  # fmt: skip


def settle(case: uuid.UUID) -> None:
    """Say that the database committed the erasure: whatever a restore brings back, the line stands."""
    _append({"case": str(case), "done": True})


def take_back(case: uuid.UUID) -> None:
    """Say that the erasure came to nothing after all: the database refused it."""
    _append({"case": str(case), "void": True})


def entries() -> list[Entry]:
    """Return the erasures that stand, the oldest first. A line that was cut off in the middle is passed over."""
    return [_entry(line) for line in _standing()]


def unsettled() -> list[Entry]:
    """Return those of which no line says how they ended. Lines of before there were such lines are none of them.

    Asked every few seconds, so a process reads what it has not read yet, and the whole again only where the file is another.
    """
    with _reading:
        return [_entry(line) for line in _open_lines().values()]


def _open_lines() -> dict[str, dict[str, Any]]:
    global _known
    if not path().is_file():
        _known = _Known()
        return {}
    with path().open("rb") as file:
        about = os.fstat(file.fileno())
        which = (str(path()), about.st_dev, about.st_ino)
        if _known.file != which or not _goes_on(file):
            _known = _Known(which)
        file.seek(_known.size)
        whole, end, rest = file.read().rpartition(b"\n")
    _follow(_known.open, whole.split(b"\n"))
    _known.size += len(whole + end)
    _known.last = (_known.last + whole + end)[-_TAIL:]
    found = dict(_known.open)
    _follow(found, [rest])  # a line without its end may be cut off, or still being written: it is read again
    return found


def _goes_on(file: BinaryIO) -> bool:
    """Return whether the file still has, where we ended, what stood there: it was not shortened or put in place of ours."""
    file.seek(_known.size - len(_known.last))
    return file.read(len(_known.last)) == _known.last


def _follow(found: dict[str, dict[str, Any]], raws: Iterable[bytes]) -> None:
    """Put lines that are open into `found` by their case, and take out those that ended."""
    for raw in raws:
        try:
            line = json.loads(raw)
            del line["code"]
        except (ValueError, KeyError, TypeError):
            continue
        if line.get("done") or line.get("void"):
            found.pop(line["case"], None)
        elif "cards" in line and line.get("is_open"):
            found[line["case"]] = line


def is_whole() -> bool:
    """Return whether no line is missing, changed or cut off."""
    return all(is_whole for _line, is_whole in _lines())


def _standing() -> list[dict[str, Any]]:
    lines = [line for line, _is_whole in _lines() if line is not None]
    voided = {line["case"] for line in lines if line.get("void")}
    return [line for line in lines if "cards" in line and line["case"] not in voided]


def _entry(line: Mapping[str, Any]) -> Entry:
    cards = [(int(pk), dt.datetime.fromisoformat(made_at)) for pk, made_at in line["cards"]]
    stops = [(str(channel), str(code)) for channel, code in line["stops"]]
    return Entry(uuid.UUID(line["case"]), dt.datetime.fromisoformat(line["at"]), str(line["ground"]), cards, stops)


def _lines() -> Iterator[tuple[dict[str, Any] | None, bool]]:
    """Yield each line, None for one that cannot be read, and whether it follows whole upon the one before."""
    before = ""
    text = path().read_text(encoding="utf-8") if path().is_file() else ""
    for raw in text.splitlines():
        try:
            line = json.loads(raw)
            code = line.pop("code")
        except (ValueError, KeyError, AttributeError, TypeError):
            yield None, False
            continue
        yield line, hmac.compare_digest(code, _code(before, line))
        before = code


def _append(line: dict[str, Any]) -> None:
    path().parent.mkdir(parents=True, exist_ok=True)
    with path().open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # two erasures at once: one line after the other
        before, is_ended = _last(file)
        written = json.dumps({**line, "code": _code(before, line)}, separators=(",", ":")) + "\n"
        file.write((b"" if is_ended else b"\n") + written.encode())
        file.flush()
        os.fsync(file.fileno())


def _last(file: BinaryIO) -> tuple[str, bool]:
    """Return the code of the last line that can be read, nothing without one, and whether the file ends with a whole line.

    Looked for from the end: the file grows for years, and the client is locked meanwhile.
    """
    start, held = file.seek(0, os.SEEK_END), b""
    while start > 0:
        step = min(_BLOCK, start)
        start -= step
        file.seek(start)
        held = file.read(step) + held
        lines = held.split(b"\n")
        for raw in reversed(lines[1:] if start else lines):  # of the first the beginning may be missing
            try:
                return str(json.loads(raw)["code"]), held.endswith(b"\n")
            except (ValueError, KeyError, TypeError):
                continue
    return "", not held or held.endswith(b"\n")


def _code(before: str, line: Mapping[str, Any]) -> str:
    text = before + json.dumps(line, sort_keys=True, separators=(",", ":"))
    return hmac.new(secrets.key("erasures"), text.encode(), hashlib.sha256).hexdigest()
