"""The one writer of Excel files: openpyxl makes the workbook, the rows of its first sheet are streamed into it.

Text stays text, whatever it begins with; dates are dates and numbers numbers. Memory does not grow with the rows.
Called by the exports; knows nobody.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from io import BytesIO
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

Cell = str | int | float | Decimal | dt.date | dt.datetime | None

# A sheet of Excel's holds no more, its header included, and a cell no more than this many UTF-16 units.
MOST_ROWS = 1_048_575
MOST_UNITS = 32_767
# Excel counts days from here; before March 1900 it believes in a day that never was, so those dates are written out.
_DAY_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001 (a sheet knows no zones)
_FIRST_DAY = dt.date(1900, 3, 1)
_BUFFER = 1 << 16
_LEVEL = 6

_SHEET, _TYPES = "xl/worksheets/sheet1.xml", "[Content_Types].xml"
_ROWS_END = b"</sheetData>"
# How far the sheet reaches, which is not known at its beginning: some readers would stop after the header.
_DIMENSION = re.compile(rb"<dimension [^>]*>")
_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
# What XML cannot hold, and control characters, which no sheet shows.
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# Readers take _x0041_ for an A; so that it stays what was typed, its underscore is written that way.
_HEX = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


class Look(StrEnum):
    """How a value is shown. Text stays text when it is edited; Excel shows days and moments as its own country does."""

    TEXT = "@"
    NUMBER = "General"
    DAY = "mm-dd-yy"
    MOMENT = "m/d/yy h:mm"


@dataclass(frozen=True)
class Column:
    """A column of the first sheet. `width` is in characters."""

    title: str
    width: int = 18


@dataclass(frozen=True)
class Sheet:
    """What a file holds beside its rows. `about` is asked for the lines of the second sheet, with the count of rows."""

    title: str
    columns: Sequence[Column]
    about_title: str
    about: Callable[[int], Iterable[tuple[str, Cell]]]
    author: str = ""


def write(target: IO[bytes], sheet: Sheet, rows: Iterable[Sequence[Cell]]) -> int:
    """Write a workbook with `rows` to `target`, an empty file open for writing, and return how many rows there were.

    A cell is text, a number, a day, a moment without a zone, or None. Raises ValueError past MOST_ROWS.
    """
    book, styles = _frame(sheet)
    head = _saved(book)
    with ZipFile(target, "w", ZIP_DEFLATED, compresslevel=_LEVEL) as file:
        # First, so that whoever looks at the beginning sees what kind of file it is.
        file.writestr(_entry(_TYPES), head.read(_TYPES))
        with file.open(_entry(_SHEET), "w", force_zip64=True) as part:
            part.write(_DIMENSION.sub(b"", head.read(_SHEET).split(_ROWS_END)[0]))
            count = _stream(part, rows, len(sheet.columns), styles)
            _finish(book, sheet, count)
            whole = _saved(book)
            part.write(_ROWS_END + whole.read(_SHEET).split(_ROWS_END)[1])
        for name in whole.namelist():
            if name not in {_SHEET, _TYPES}:
                file.writestr(_entry(name), whole.read(name))
    return count


def clean(text: str) -> str:
    """Return `text` as a cell holds it: NFC, lines ended by a line feed, no other control characters, not too long."""
    if text.isascii() and text.isprintable() and len(text) <= MOST_UNITS:
        return text
    text = unicodedata.normalize("NFC", _UNSHOWN.sub("", _LINE_END.sub("\n", text)).replace("\t", " "))
    if len(text) * 2 > MOST_UNITS:
        text = text.encode("utf-16-le")[: MOST_UNITS * 2].decode("utf-16-le", errors="ignore")
    return text


def serial(value: dt.date) -> float:
    """Return a day or a moment as the number Excel keeps: days, and parts of days, since the end of 1899."""
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    days = (moment - _DAY_ZERO) / dt.timedelta(days=1)
    return int(days) if days.is_integer() else days


def _frame(sheet: Sheet) -> tuple[Workbook, dict[Look, int]]:
    """Return the workbook with its first sheet's header, and the number that each look has in it."""
    book = Workbook()
    page = book.active
    assert isinstance(page, Worksheet)
    page.title = sheet.title
    book.properties.title, book.properties.creator = clean(sheet.title), clean(sheet.author)
    for number, column in enumerate(sheet.columns, start=1):
        cell = page.cell(1, number)
        _put(cell, column.title)
        _mark_heading(cell)
        page.column_dimensions[get_column_letter(number)].width = column.width
    page.row_dimensions[1].height = 24
    page.freeze_panes = "A2"
    page.print_title_rows = "1:1"
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", page.PAPERSIZE_A4
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    notes = book.create_sheet(sheet.about_title)
    styles = {}
    for number, look in enumerate(Look, start=1):
        notes.cell(1, number).number_format = look.value
        styles[look] = notes.cell(1, number).style_id
    notes.delete_rows(1)
    return book, styles


def _finish(book: Workbook, sheet: Sheet, count: int) -> None:
    """Add what is known once the rows are written: the filter over them, and the second sheet."""
    page, notes = book.worksheets
    page.auto_filter.ref = f"A1:{get_column_letter(len(sheet.columns))}{count + 1}"
    notes.column_dimensions["A"].width, notes.column_dimensions["B"].width = 28, 70
    for number, (name, value) in enumerate(sheet.about(count), start=1):
        _put(notes.cell(number, 1), name)
        notes.cell(number, 1).font = Font(bold=True)
        _put(notes.cell(number, 2), value)
        notes.cell(number, 2).alignment = Alignment(horizontal="left", vertical="top", wrap_text=True)
        notes.cell(number, 1).alignment = Alignment(vertical="top")


def _put(cell: SheetCell, value: Cell) -> None:
    """Put a value into a cell of openpyxl's. Left alone it would make a formula of a text that begins like one."""
    cell.value = clean(value) if isinstance(value, str) else value
    if isinstance(value, str):
        cell.data_type = "s"
    cell.number_format = _look(value).value


def _look(value: Cell) -> Look:
    if isinstance(value, str):
        return Look.TEXT
    if isinstance(value, dt.datetime):
        return Look.MOMENT
    return Look.DAY if isinstance(value, dt.date) else Look.NUMBER


def _mark_heading(cell: SheetCell) -> None:
    cell.font = Font(bold=True, color="FFFFFFFF")
    cell.fill = PatternFill("solid", fgColor="FF0B665E")
    cell.alignment = Alignment(vertical="center")


def _saved(book: Workbook) -> ZipFile:
    file = BytesIO()
    book.save(file)
    return ZipFile(file)


def _entry(name: str) -> ZipInfo:
    """Return an entry with the mark of a compressed one and the hour of this machine left out."""
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    return entry


def _stream(part: IO[bytes], rows: Iterable[Sequence[Cell]], width: int, styles: Mapping[Look, int]) -> int:
    """Write every row, from the sheet's second on, as its XML, and return how many there were."""
    letters = [get_column_letter(number) for number in range(1, width + 1)]
    looks = {look: f'" s="{number}"' for look, number in styles.items()}
    count, size = 0, 0
    buffer: list[str] = []
    for row in rows:
        if count >= MOST_ROWS:
            raise ValueError("a sheet holds no more rows")
        count += 1
        number = count + 1
        cells = zip(letters, row, strict=True)
        xml = "".join([f'<c r="{letter}{number}{_content(value, looks)}' for letter, value in cells if value not in (None, "")])
        buffer.append(f'<row r="{number}">{xml}</row>')
        size += len(xml)
        if size > _BUFFER:
            part.write("".join(buffer).encode())
            buffer.clear()
            size = 0
    part.write("".join(buffer).encode())
    return count


def _content(value: Cell, looks: Mapping[Look, str]) -> str:
    """Return the rest of a cell behind its place."""
    if isinstance(value, str):
        text = clean(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if "_x" in text:
            text = _HEX.sub("_x005F_", text)
        return f'{looks[Look.TEXT]} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    look = _look(value)
    if isinstance(value, dt.date):
        if (value.date() if isinstance(value, dt.datetime) else value) >= _FIRST_DAY:
            return f"{looks[look]}><v>{serial(value)}</v></c>"
        return _content(value.isoformat(), looks)
    return f"{looks[look]}><v>{value}</v></c>"
