"""Files that the tests make: lists as programs export them, and lists that mean harm."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openpyxl

from clients.importing.reader import formats
from clients.importing.reader.table import Unreadable
from clients.importing.reading import Number

SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"


def xlsx(*rows: Sequence[object]) -> bytes:
    """Return an Excel file with these rows on its first sheet."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(list(row))
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(entries: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in entries.items():
            # The kind of an OpenDocument file stands unpacked at its beginning.
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return file.getvalue()


def patched(name: str, change: Callable[[bytes], bytes], data: bytes | None = None) -> bytes:
    """Return a small list of clients as Excel file in which one entry was changed by hand."""
    entries = parts(data or xlsx(["Name", "Phone"], ["Ann Lee", "+33612345678"]))
    before = entries[name]
    entries[name] = change(before)
    assert entries[name] != before, "the change hit nothing"
    return zipped(entries)


def with_rows(xml: bytes) -> bytes:
    """Return the list with more rows, given as XML."""
    return patched(SHEET, lambda sheet: sheet.replace(b"</sheetData>", xml + b"</sheetData>"))


def with_strings(strings: bytes, count: int = 1) -> bytes:
    """Return a list of `count` clients whose names are all the first of a table of strings, given as XML."""
    entries = parts(xlsx(["Name", "Phone"], ["Ann Lee", "+33612345678"]))
    names = "".join(f'<row r="{number}"><c r="A{number}" t="s"><v>0</v></c></row>' for number in range(2, count + 2))
    entries[SHEET] = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f'<row r="1"><c r="A1" t="inlineStr"><is><t>Name</t></is></c></row>{names}</sheetData></worksheet>'
    ).encode()
    entries[STRINGS] = strings
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    for name, end, more in (
        ("[Content_Types].xml", b"</Types>", f'<Override PartName="/{STRINGS}" ContentType="{kind}"/>'),
        (RELATIONS, b"</Relationships>", f'<Relationship Id="rId99" Target="sharedStrings.xml" Type="{link}"/>'),
    ):
        if b"sharedStrings" not in entries[name]:
            entries[name] = entries[name].replace(end, more.encode() + end)
    return zipped(entries)


def strings(*texts: str, head: str = "") -> bytes:
    """Return a table of strings, with `head` before its first element."""
    items = "".join(f"<si><t>{text}</t></si>" for text in texts)
    return (
        f'<?xml version="1.0"?>{head}<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{items}</sst>'
    ).encode()


def card(*lines: str, version: str = "3.0") -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


def answer(data: bytes) -> dict[str, Any]:
    """Return what the reader answers, read in this process: for tests that read hundreds of harmless files."""
    try:
        found = json.dumps(vars(formats.read(data)))
    except Unreadable as fault:
        found = json.dumps({"unreadable": fault.reason, "row": fault.row})
    answered: dict[str, Any] = json.loads(found, parse_int=Number, parse_float=Number)
    return answered
