"""The safe entry: bytes of any list -> its header and rows as text, read in a process of its own that may take little.

Knows nothing about clients' values. Whatever the bytes are, it returns a Sheet or raises Refused, and writes nothing.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.importing import columns
from salon.core import apart, collector
from salon.core.errors import Refused

log = logging.getLogger(__name__)

MAX_BYTES = 5_000_000
TIME_OUT = 9.0
READER = apart.program(Path(__file__).resolve().parent / "reader" / "__main__.py")

# Every reason the reader may give; it names the key, so that no text of a hostile file is ever shown as ours.
SENTENCES: Mapping[str, Promise] = {
    "empty": gettext_lazy("The file is empty."),
    "nobody": gettext_lazy("The list holds nobody: there is no row below the names of its columns."),
    "not_excel": gettext_lazy(
        "This is not an Excel file, whatever its name. Open the list in a spreadsheet program and save it as .xlsx."
    ),
    "not_text": gettext_lazy("This is not a text file. Save the list as CSV and try again."),
    "picture": gettext_lazy("This is a picture, not a list. Save the list as .xlsx or CSV."),
    "pdf": gettext_lazy("This is a PDF document, not a list. Save the list as .xlsx or CSV."),
    "archive": gettext_lazy("This is an archive. Unpack it and choose the list in it."),
    "web_page": gettext_lazy("This is a web page, whatever its name. Open it in a spreadsheet program and save it as .xlsx."),
    "document": gettext_lazy("This is a text document, not a list. Copy the table into a spreadsheet and save it as .xlsx."),
    "old_excel": gettext_lazy("This is an Excel file of the old kind (.xls). Open it and save it as .xlsx or CSV."),
    "binary_excel": gettext_lazy("This is a binary Excel file (.xlsb). Open it and save it as .xlsx or CSV."),
    "open_document": gettext_lazy("This is an OpenDocument file (.ods). Open it and save it as .xlsx or CSV."),
    "password": gettext_lazy("The file is protected by a password. Save it without one and try again."),
    "damaged": gettext_lazy("The file is damaged or incomplete. Save it again in the program it comes from."),
    "entities": gettext_lazy("The file holds definitions that a list does not need and that may do harm. Save it again as CSV."),
    "bomb": gettext_lazy("The file would grow too large when unpacked. Save the list as CSV and try again."),
    "too_large": gettext_lazy("The file needs more memory or time than a list may take. Save the list as CSV and try again."),
    "far_cell": gettext_lazy("A cell far to the right or far down makes the sheet too large. Copy the list to a new file."),
    "too_many_rows": gettext_lazy("The file has more than 50,000 rows. Split it into smaller files."),
    "too_many_columns": gettext_lazy("The file has more than 60 columns. Delete the ones that are not about clients."),
    "long_cell": gettext_lazy("Row %(row)s: a cell holds more than 32,000 characters."),
    "open_quotes": gettext_lazy("Row %(row)s: the quotation marks do not match, so the rows after it cannot be told apart."),
    "open_card": gettext_lazy("Contact %(row)s does not end. The file is damaged or incomplete."),
}


class Number(str):
    """The text of a cell that a spreadsheet holds as a number: leading zeros that it had are gone."""

    __slots__ = ()


@dataclass(frozen=True)
class Line:
    """One row of the file. `number` is the row's number in a spreadsheet, where the header is row 1; of a vCard the contact's."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """The file as text: its header, its rows that hold anything, and how it was written.

    `format` is "csv", "xlsx" or "vcard"; `encoding` and `separator` are empty where there are none. `blanks` are the
    (row number, column index) of cells whose formula was stored without a value: they count as empty. Without names of
    columns in the file (`has_header`) the header is ours: they are numbered.
    """

    header: tuple[str, ...]
    lines: tuple[Line, ...]
    encoding: str
    separator: str
    format: str = "csv"
    blanks: frozenset[tuple[int, int]] = frozenset()
    has_header: bool = True


@collector.resting()
def read(data: bytes, name: str = "") -> Sheet:
    """Return the header and rows of a CSV, Excel (.xlsx) or vCard file, told apart by content: its `name` decides nothing
    but the words for a file without a list that calls itself Excel.

    Raises Refused with one clear sentence for anything else, too large, damaged or hostile, within ten seconds.
    """
    if not data.strip():
        raise Refused(_("The file is empty."))
    if len(data) > MAX_BYTES:
        raise Refused(_("The file is larger than 5 MB. Split it into smaller files."))
    answer = _answer(data)
    if "unreadable" in answer:
        raise _refusal(str(answer["unreadable"]), int(answer["row"]))
    if not answer["rows"]:
        raise _refusal("not_excel" if answer["format"] != "xlsx" and _is_named_excel(name) else "nobody", 0)
    return Sheet(
        header=_header(answer),
        lines=tuple(Line(int(number), tuple(cells)) for number, cells in answer["rows"]),
        encoding=answer["encoding"],
        separator=answer["separator"],
        format=answer["format"],
        blanks=frozenset((int(row), int(column)) for row, column in answer["blanks"]),
        has_header=bool(answer["header"]),
    )


def _header(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the columns; their numbers for a file that names none."""
    if not answer["header"]:
        width = max(len(cells) for _number, cells in answer["rows"])
        return tuple(_("Column %(number)s") % {"number": index} for index in range(1, width + 1))
    return tuple(_title(str(cell).strip(), answer["format"]) for cell in answer["header"])


def _title(cell: str, kind: str) -> str:
    """Return the name of a column. The contacts of a phone have none: theirs are ours, in the reader's language."""
    return str(columns.CHOICES[cell]) if kind == "vcard" else cell


def _answer(data: bytes) -> dict[str, Any]:
    """Return what the reader says of the file. One that is killed by its limits says that the file is too large."""
    code, written = apart.run(READER, data, seconds=TIME_OUT)
    if code or not written:
        # A negative code is the signal of a limit. Otherwise the reader stumbled over something that no valid file holds.
        log.warning("a file to import could not be read: the reader ended with %s", code)
        return {"unreadable": "damaged" if code == 1 else "too_large", "row": 0}
    answer: dict[str, Any] = json.loads(written, parse_int=Number, parse_float=Number)
    return answer


def _is_named_excel(name: str) -> bool:
    return name.casefold().endswith((".xlsx", ".xlsm", ".xls"))


def _refusal(reason: str, row: int) -> Refused:
    sentence = str(SENTENCES.get(reason, SENTENCES["damaged"]))
    return Refused(sentence % {"row": row} if row else sentence)
