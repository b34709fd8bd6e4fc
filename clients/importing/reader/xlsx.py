"""An Excel file (.xlsx) -> the rows of its first sheet that holds anything: stored values only, nothing is calculated or fetched.

Hidden rows and columns are read like the others: a filter left on hides clients, it does not delete them.
"""

import datetime as dt
import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterator
from xml.sax import SAXException
from xml.sax.handler import ContentHandler

from defusedxml import DefusedXmlException, ElementTree
from defusedxml.expatreader import DefusedExpatParser
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from clients.importing.reader.table import MAX_ROWS, Cell, Rows, Table, Unreadable

MAX_UNPACKED = 50_000_000
MAX_RATIO = 100
MAX_ENTRIES = 1_000
# A small file may be packed as tightly as it likes.
_SMALL = 2_000_000
_CHUNK = 1 << 16

_DAMAGE = (zipfile.BadZipFile, zlib.error, CalamineError, ElementTree.ParseError, EOFError, KeyError, ValueError, OSError,
           NotImplementedError, RuntimeError)  # fmt: skip
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# A cell that holds something beyond column ZZ or beyond row 99,999.
_FAR = re.compile(rb'<c r="(?:[A-Z]{3}\d+|[A-Z]{1,2}\d{6,7})"[^>]*(?<!/)>')
_FORMULA = re.compile(rb'<c r="([A-Z]{1,3})(\d{1,7})"([^>]*)>\s*<f(?:\s[^>]*)?(?:/>|>[^<]*</f>)\s*(<v\s*/>|<v></v>)?\s*</c>')


def read(data: bytes) -> Table:
    """Return the rows of the first visible sheet with content, else of the first hidden one. Raises Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check(archive, len(data))
            sources = _sources(archive)
            workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
            sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
            for described in sorted(sheets, key=lambda one: one.visible != SheetVisibleEnum.Visible):
                source = archive.read(sources[described.name]) if described.name in sources else b""
                _check_far(source)
                sheet = workbook.get_sheet_by_name(described.name)
                rows = _rows(sheet)
                if rows.filled:
                    left = (sheet.start or (0, 0))[1]
                    return Table("xlsx", *rows.finished(), blanks=[(row, column - left) for row, column in _blanks(source)])
    except _DAMAGE as error:
        raise Unreadable("damaged") from error
    raise Unreadable("empty")


def _check(archive: zipfile.ZipFile, packed: int) -> None:
    """Unpack everything once, keeping nothing, and raise Unreadable for what is too much or defines entities.

    The sizes in an archive's own directory are claims; what counts is what comes out.
    """
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise Unreadable("bomb")
    limit = min(MAX_UNPACKED, max(_SMALL, MAX_RATIO * packed))
    unpacked = 0
    for entry in entries:
        if entry.flag_bits & 1:
            raise Unreadable("password")
        prolog = _Prolog() if entry.filename.lower().endswith((".xml", ".rels", ".vml")) else None
        with archive.open(entry) as file:
            while chunk := file.read(_CHUNK):
                unpacked += len(chunk)
                if unpacked > limit:
                    raise Unreadable("bomb")
                if prolog is not None and not prolog.is_over:
                    prolog.feed(chunk)


class _Prolog:
    """The part of an XML file before its first element, the only place where it may define entities."""

    def __init__(self) -> None:
        self._parser = DefusedExpatParser(forbid_dtd=True)
        self._root = _Root()
        self._parser.setContentHandler(self._root)

    @property
    def is_over(self) -> bool:
        return self._root.is_seen

    def feed(self, chunk: bytes) -> None:
        """Raise Unreadable when a definition begins here, or when this is no XML."""
        try:
            self._parser.feed(chunk)
        except DefusedXmlException as error:
            raise Unreadable("entities") from error
        except SAXException as error:
            if not self._root.is_seen:
                raise Unreadable("damaged") from error


class _Root(ContentHandler):
    """Notes that the first element was seen."""

    is_seen = False

    def startElementNS(self, name: object, qname: object, attrs: object) -> None:  # noqa: N802 (SAX's name)
        self.is_seen = True

    def startElement(self, name: object, attrs: object) -> None:  # noqa: N802 (SAX's name)
        self.is_seen = True


def _sources(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the entry of each sheet by the sheet's name."""
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"), forbid_dtd=True)
    targets = {one.get("Id"): str(one.get("Target")) for one in relations}
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"), forbid_dtd=True)
    found = {}
    for sheet in book.iter():
        target = targets.get(sheet.get(_RELATION)) if sheet.tag.endswith("}sheet") else None
        if target:
            found[str(sheet.get("name"))] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return found


def _check_far(source: bytes) -> None:
    """Raise Unreadable for a cell so far away that the table up to it would fill the memory."""
    if _FAR.search(source):
        raise Unreadable("too_many_rows" if source.count(b"<row ") > MAX_ROWS + 1 else "far_cell")


def _blanks(source: bytes) -> Iterator[tuple[int, int]]:
    """Yield (row, column) of formulas stored without a value. A formula whose stored text is empty has one."""
    if b"<f" not in source:
        return
    for match in _FORMULA.finditer(source):
        letters, row, attributes, value = match.groups()
        if not (value and b't="str"' in attributes):
            column = 0
            for letter in letters:
                column = column * 26 + letter - 64
            yield int(row), column - 1


def _rows(sheet: CalamineSheet) -> Rows:
    rows = Rows()
    if sheet.start is None:
        return rows
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        # Most cells are text without a sign to take out.
        rows.add(number, [value if type(value) is str and value.isprintable() else _cell(value) for value in cells])
    return rows


def _number(value: float) -> Cell:
    """Return a number without ".0". One beyond all numbers, or none, is nothing that a person typed: an empty cell."""
    if not math.isfinite(value):
        return ""
    return value if value % 1 else int(value)


def _cell(value: object) -> Cell:
    """Return a cell as text, a number as a number without ".0", a date as 1990-04-12, true and false as yes and no."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\0", "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)
