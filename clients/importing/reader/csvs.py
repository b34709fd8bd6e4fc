"""The text of a CSV file -> its rows. Decides the separator."""

import csv
import io
import re

from clients.importing import names
from clients.importing.reader.table import MAX_NUMBER, MAX_WIDTH, Cell, Rows, Table, Unreadable

_SEPARATORS = ",;\t|"


def read(text: str, encoding: str) -> Table:
    """Return the rows of a CSV file. Raises Unreadable for one that is too large or has quotation marks that do not close."""
    text, separator = _separator_of(text)
    rows = Rows()
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = line = 0
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            # A quotation mark that never closes would swallow the rest of the file into one cell.
            is_one_long_line = "field larger" in str(error) and reader.line_num <= line + 1
            raise Unreadable("long_cell" if is_one_long_line else "open_quotes", number) from error
        if cells is None:
            return Table("csv", *rows.finished(), encoding, separator)
        line = reader.line_num
        if number > MAX_NUMBER:
            raise Unreadable("too_many_rows")
        if not cells:
            continue
        rows.add(number, list[Cell](cells))


def _separator_of(text: str) -> tuple[str, str]:
    """Return the text without Excel's "sep=" line, and the separator under which most columns are recognised."""
    told = re.match(r"sep=([,;\t|])\r?\n", text)
    if told:
        return text[told.end() :], told.group(1)
    start = text.lstrip("\r\n\ufeff \t") or text
    return text, max(_SEPARATORS, key=lambda separator: _header_worth(start, separator))


def _header_worth(text: str, separator: str) -> tuple[int, int]:
    """Return how many columns have a known name in the best of the first rows, and how many there are."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    worth = (-1, 0)
    for _row in range(3):
        try:
            header = next(reader, [])
        except csv.Error:
            break
        worth = max(worth, (names.known_count(header[:MAX_WIDTH]), len(header)))
    return worth
