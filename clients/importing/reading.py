"""The bytes of a CSV file -> its header and rows. Decides encoding and separator; knows nothing about clients' values."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from charset_normalizer import from_bytes
from django.utils.translation import gettext as _

from clients.importing import columns
from salon.core.errors import Refused

MAX_BYTES = 5_000_000
MAX_ROWS = 50_000
MAX_COLUMNS = 60
MAX_CELL = 32_000

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SEPARATORS = ",;\t|"
# Signatures of spreadsheets that were only renamed to .csv: xlsx and ods are zip files, xls is an OLE file.
_OLE = b"\xd0\xcf\x11\xe0"
# What names, towns and notes of western Europe hold beyond ASCII: the evidence by which one-byte encodings are told apart.
_EXPECTED = frozenset("àâäáãåçéèêëíìîïñóòôöõúùûüÿœæßøÀÂÄÁÅÇÉÈÊËÎÏÍÑÔÖÓØÙÛÜÚŒÆ€’‘“”„–—«»°…\xa0")
_ONE_BYTE = ("cp1252", "mac_roman", "cp850")


@dataclass(frozen=True)
class Line:
    """One row of the file. `number` is the row's number in a spreadsheet, where the header is row 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """The file as text: its header, its rows that hold anything, and how it was written."""

    header: tuple[str, ...]
    lines: tuple[Line, ...]
    encoding: str
    separator: str


def read(data: bytes) -> Sheet:
    """Return the header and rows of a CSV file.

    Raises Refused with one clear sentence for what is no CSV file, is too large, or has quotation marks that do not close.
    """
    if not data.strip():
        raise Refused(_("The file is empty."))
    if len(data) > MAX_BYTES:
        raise Refused(_("The file is larger than 5 MB. Split it into smaller files."))
    if data.startswith(_OLE) or zipfile.is_zipfile(io.BytesIO(data)):
        raise Refused(_("This is a spreadsheet, not a CSV file. Open it and save it as CSV."))
    encoding = _encoding_of(data)
    text = data.decode(encoding)
    if "\0" in text:
        raise Refused(_("This is not a text file. Save the list as CSV and try again."))
    text, separator = _separator_of(text)
    records = list(_records(text, separator))
    filled = [line for line in records if any(cell.strip() for cell in line.cells)]
    if not filled:
        raise Refused(_("The file is empty."))
    if len(filled) - 1 > MAX_ROWS:
        raise Refused(_("The file has more than 50,000 rows. Split it into smaller files."))
    header, *lines = filled
    width = max(len(line.cells) for line in filled)
    if width > MAX_COLUMNS and sum(_is_filled(lines, index) for index in range(width)) > MAX_COLUMNS:
        raise Refused(_("The file has more than 60 columns. Delete the ones that are not about clients."))
    return Sheet(tuple(cell.strip() for cell in header.cells), tuple(lines), encoding, separator)


def _encoding_of(data: bytes) -> str:
    """Return the encoding: a BOM decides, then strict UTF-8, then the letters that one-byte encodings give."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return encoding if _decodes(data, encoding) else _not_text()
    if b"\0" in data:
        return _utf_16_without_mark(data)
    if _decodes(data, "utf-8"):
        return "utf-8"
    score, best = max((_score(data, encoding), -index) for index, encoding in enumerate(_ONE_BYTE))
    if score * 2 >= sum(byte > 127 for byte in data):
        return _ONE_BYTE[-best]
    guess = from_bytes(data).best()
    return guess.encoding if guess is not None and _decodes(data, guess.encoding) else "latin-1"


def _is_filled(lines: list[Line], index: int) -> bool:
    """Return whether any row has something in the column: an export of Google's has many columns that nobody fills."""
    return any(index < len(line.cells) and line.cells[index].strip() for line in lines)


def _not_text() -> str:
    raise Refused(_("This is not a text file. Save the list as CSV and try again."))


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True


def _utf_16_without_mark(data: bytes) -> str:
    """Return which half of each pair is zero: in a list of western names most of them are."""
    pairs = len(data) // 2
    for encoding, zeros in (("utf-16-le", data[1::2].count(0)), ("utf-16-be", data[::2].count(0))):
        if len(data) % 2 == 0 and zeros > pairs * 0.6 and _decodes(data, encoding):
            return encoding
    return _not_text()


def _score(data: bytes, encoding: str) -> int:
    """Return how many characters beyond ASCII make sense: an expected letter, and no capital inside a word."""
    if not _decodes(data, encoding):
        return -1
    text = data.decode(encoding)
    return sum(
        1 if char in _EXPECTED and not (char.isupper() and text[index - 1 : index].islower()) else -1
        for index, char in enumerate(text)
        if ord(char) > 127
    )


def _separator_of(text: str) -> tuple[str, str]:
    """Return the text without Excel's "sep=" line, and the separator under which most columns are recognised."""
    told = re.match(r"\ufeff?sep=([,;\t|])\r?\n", text)
    if told:
        return text[told.end() :], told.group(1)
    start = text.lstrip("\r\n\ufeff \t") or text
    best = max(_SEPARATORS, key=lambda separator: _header_worth(start, separator))
    return text, best


def _header_worth(text: str, separator: str) -> tuple[int, int]:
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), [])
    except csv.Error:
        return (-1, 0)
    return (len(columns.recognise(header)), len(header))


def _records(text: str, separator: str) -> Iterator[Line]:
    """Yield every record, empty ones too, so that numbers are those a spreadsheet shows.

    Strict: a quotation mark that never closes would otherwise swallow the rest of the file into one cell.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise Refused(
                _("Row %(row)s: the quotation marks do not match, so the rows after it cannot be told apart.") % {"row": number}
            ) from error
        if cells is None:
            return
        if any(len(cell) > MAX_CELL for cell in cells):
            raise Refused(_("Row %(row)s: a cell holds more than 32,000 characters.") % {"row": number})
        yield Line(number, tuple(cells))
