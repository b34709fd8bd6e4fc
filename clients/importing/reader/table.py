"""What reading gives: a table of text, or the reason why there is none. And the limits that hold for every format."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from clients.importing import names

MAX_ROWS = 50_000
MAX_COLUMNS = 60
MAX_CELL = 32_000
# Beyond these a file is no list of clients, whatever its rows: empty columns count here too.
MAX_WIDTH = 1_000
# The last row of a spreadsheet, empty ones counted.
MAX_NUMBER = 1_048_576
MAX_TEXT = 20_000_000
HEADER_WITHIN = 10
# What no name of a column looks like, but a client's phone number, e-mail address or birthday does.
_PHONE = re.compile(r"(?:tel:)?\+?[\d(][\d ()./-]{6,20}")
_PHONE_DIGITS = range(8, 16)
_EMAIL = re.compile(r"(?:mailto:)?[^@\s]+@[^@\s]+\.[^@\s]+")
_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d{2})|\d{4}([./-])\d{1,2}\2\d{1,2}")

# A number of a spreadsheet stays a number: as text it would hide that its leading zeros are lost.
Cell = str | int | float


class Unreadable(Exception):
    """The file cannot be read. `reason` is a key of `reading.SENTENCES`; `row` is the row in question, 0 for the whole file."""

    def __init__(self, reason: str, row: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.row = reason, row


@dataclass
class Table:
    """Header (empty where the file names no columns), and rows as (number in the file, cells).

    `blanks`: (row, column) of formulas that were stored without a value.
    """

    format: str
    header: list[Cell]
    rows: list[tuple[int, list[Cell]]]
    encoding: str = ""
    separator: str = ""
    blanks: list[tuple[int, int]] = field(default_factory=list)


class Rows:
    """Collects the rows of a file that hold anything, and stops at the first that passes a limit."""

    def __init__(self) -> None:
        self.filled: list[tuple[int, list[Cell]]] = []
        self._length = 0

    def add(self, number: int, cells: list[Cell]) -> None:
        """Take one row. Raises Unreadable for a cell, a row or a file that is too large."""
        while cells and (cells[-1] == "" or (isinstance(cells[-1], str) and not cells[-1].strip())):
            cells.pop()
        if not cells:
            return
        if len(cells) > MAX_WIDTH:
            raise Unreadable("too_many_columns")
        if len(self.filled) > MAX_ROWS:
            raise Unreadable("too_many_rows")
        lengths = [len(cell) for cell in cells if isinstance(cell, str)]
        if lengths and max(lengths) > MAX_CELL:
            raise Unreadable("long_cell", number)
        self._length += sum(lengths)
        if self._length > MAX_TEXT:
            raise Unreadable("too_large")
        self.filled.append((number, cells))

    def finished(self) -> tuple[list[Cell], list[tuple[int, list[Cell]]]]:
        """Return the header and the rows below it; an empty header where the first row is a client already.

        Raises Unreadable when there are none, or when more columns hold something than a list has. A column of which only
        the header is filled does not count: an export of Google's has many.
        """
        if not self.filled:
            raise Unreadable("empty")
        at = _header_index([cells for _number, cells in self.filled[:HEADER_WITHIN]])
        if at is None:
            at, header = -1, list[Cell]()
        else:
            header = self.filled[at][1]
        rows = self.filled[at + 1 :]
        if _filled_count(rows) > MAX_COLUMNS:
            raise Unreadable("too_many_columns")
        return header, rows


def _filled_count(rows: Sequence[tuple[int, Sequence[Cell]]]) -> int:
    """Return in how many columns these rows hold anything. A column that was seen to is not looked at again."""
    empty, width = list[int](), 0
    for _number, cells in rows:
        if len(cells) > width:
            empty += range(width, len(cells))
            width = len(cells)
        if empty:
            here = bisect_left(empty, len(cells))
            empty[:here] = [index for index in empty[:here] if cells[index] == ""]
    return width - len(empty)


def _header_index(rows: Sequence[Sequence[Cell]]) -> int | None:
    """Return which of the first rows is the header, None when there is none.

    It is the first, unless that is a title and a later one names columns. A first row that names none and holds what only
    a client has is a client: as a header it would be lost without a word.
    """
    known = [names.known_count(str(cell) for cell in row) for row in rows]
    if not known[0] and max(known) >= 2:
        return known.index(max(known))
    return None if not known[0] and any(_is_of_a_client(cell) for cell in rows[0]) else 0


def _is_of_a_client(cell: Cell) -> bool:
    """Return whether a cell is a phone number, an e-mail address or a date."""
    text = str(cell).strip().lstrip("'")
    if _PHONE.fullmatch(text) and sum(char.isdigit() for char in text) in _PHONE_DIGITS:
        return True
    return bool(_EMAIL.fullmatch(text) or _DATE.fullmatch(text))
