"""The copy of their data that a client gets (Art. 15), with what they may take elsewhere marked (Art. 20): one ZIP.

A page to read in the client's language, one JSON, a CSV for each part, and the files. The rooms above register their parts
when they start, since nobody here may look up. What is said of other people is left out. Never a file of ours on a disk.
"""

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from clients import keeping, privacyform
from clients.models import Client
from salon.core import money
from salon.core.models import Salon
from salon.core.templatetags.house import as_day, as_time

Value = str | int | bool | dt.date | dt.datetime | Decimal | Promise | None
Row = Mapping[str, Value]
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Code(str):
    """A value that the files for a computer hold as it is stored, and the page says in `words`."""

    __slots__ = ("words",)
    words: str

    def __new__(cls, code: str, words: str | Promise) -> "Code":
        """Return the code with its words."""
        made = super().__new__(cls, code)
        made.words = str(words)
        return made


@dataclass(frozen=True)
class Part:
    """One part of the copy: a code, a title, the columns in words, and what gives its rows.

    `is_portable`: what the client gave, or what was seen of them, so that they may take it to somebody else.
    """

    code: str
    title: str | Promise
    columns: Mapping[str, str | Promise]
    rows_of: Callable[[Client], Sequence[Row]]
    is_portable: bool = False


@dataclass(frozen=True)
class Shown:
    """A part with its rows: `lines` as a file for a computer has them, `told` as the page does."""

    code: str
    title: str
    is_portable: bool
    columns: Mapping[str, str]
    rows: Sequence[Row]
    lines: Sequence[Sequence[str]] = field(default_factory=list)
    told: Sequence[Sequence[str]] = field(default_factory=list)


Files = Callable[[Client], Sequence[tuple[str, bytes]]]
_parts: dict[str, Part] = {}
_files: list[Files] = []


def register(part: Part) -> None:
    """Add a part. Called once for each, when an app starts."""
    _parts[part.code] = part


def register_files(files_of: Files) -> None:
    """Add files, as name and bytes. Called once, when an app starts."""
    if files_of not in _files:
        _files.append(files_of)


def of(client: Client, salon: Salon, *, now: dt.datetime) -> bytes:
    """Return the ZIP of a client."""
    with translation.override(client.language), timezone.override(salon.zone):
        parts = [_shown(part, client, salon) for part in _parts.values()]
        held = [(name, data) for files_of in _files for name, data in files_of(client)]
        page = render_to_string(
            "clients/copy_readable.html",
            {
                "client": client, "salon": salon, "now": now, "parts": parts, "files": [name for name, _data in held],
                "kept": keeping.of_clients(), "language": client.language,
                "authority": privacyform.AUTHORITIES.get(salon.country, ""),
            },
        )  # fmt: skip
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("readable.html", page)
            archive.writestr("style.css", _style())
            archive.writestr("data.json", _json(parts, salon, now))
            for part in parts:
                if part.rows:
                    archive.writestr(f"csv/{part.code}.csv", _csv(part))
            for name, data in held:
                archive.writestr(f"files/{name}", data)
    return buffer.getvalue()


def _shown(part: Part, client: Client, salon: Salon) -> Shown:
    rows = part.rows_of(client)
    columns = {code: str(words) for code, words in part.columns.items()}
    lines = [[_text(row.get(code)) for code in columns] for row in rows]
    told = [[_told(row.get(code), salon) for code in columns] for row in rows]
    return Shown(part.code, str(part.title), part.is_portable, columns, rows, lines, told)


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _told(value: Value, salon: Salon) -> str:
    """Return a value as the client reads it: words, days and amounts in their language."""
    if isinstance(value, Code):
        return value.words
    if isinstance(value, dt.datetime):
        return f"{as_day(value)}, {as_time(value)}"
    if isinstance(value, dt.date):
        return as_day(value)
    return money.show(value, salon.currency) if isinstance(value, Decimal) else _text(value)


def _json(parts: Sequence[Shown], salon: Salon, now: dt.datetime) -> str:
    def plain(value: Any) -> Any:
        return value.isoformat() if isinstance(value, dt.date) else str(value)

    held = {
        "format": "carnet-data-copy-1", "made_at": now.isoformat(), "salon": salon.name,
        "parts": {part.code: {"title": part.title, "portable": part.is_portable, "rows": part.rows} for part in parts},
    }  # fmt: skip
    return json.dumps(held, ensure_ascii=False, indent=2, default=plain)


def _csv(part: Shown) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(part.columns.values())
    for line in part.lines:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in line])
    return text.getvalue().encode("utf-8-sig")


def _style() -> bytes:
    path = finders.find("css/copy.css")
    with open(str(path), "rb") as file:  # noqa: PTH123
        return file.read()
