"""What kind of file this is, by its content and never by its name, and its table of text."""

import io
import zipfile

from clients.importing.reader import csvs, texts, vcards, xlsx
from clients.importing.reader.table import Table, Unreadable

# Kinds of file that end up here by mistake or renamed.
_SIGNATURES = (
    (b"\x89PNG\r\n", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"%PDF", "pdf"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!\x1a", "archive"),
)
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_WEB = ("<!doctype", "<html", "<?xml", "<table", "<meta")


def read(data: bytes) -> Table:
    """Return the file's table. Raises Unreadable with the reason, for whatever bytes."""
    if not data.strip():
        raise Unreadable("empty")
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            raise Unreadable(kind)
    if data.startswith(_OLE):
        raise Unreadable("password" if _ENCRYPTED in data else "old_excel")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archived(data)
    text, encoding = texts.decode(data)
    start = text[:2000].lstrip().casefold()
    if start.startswith("begin:vcard"):
        return vcards.read(text, encoding)
    if start.startswith(_WEB):
        raise Unreadable("web_page")
    return csvs.read(text, encoding)


def _archived(data: bytes) -> Table:
    """Return the table of an Excel file. Raises Unreadable with what else a zip archive is."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Unreadable("damaged") from error
    if "xl/workbook.xml" in names:
        return xlsx.read(data)
    if "xl/workbook.bin" in names:
        raise Unreadable("binary_excel")
    if "word/document.xml" in names:
        raise Unreadable("document")
    if b"application/vnd.oasis.opendocument" in data[:200]:
        raise Unreadable("open_document" if b"opendocument.spreadsheet" in data[:200] else "document")
    raise Unreadable("archive")
