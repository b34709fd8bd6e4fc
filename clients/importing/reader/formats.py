"""What kind of file this is, by its content and never by its name, and its table of text."""

from clients.importing.reader import csvs, texts
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


def read(data: bytes) -> Table:
    """Return the file's table. Raises Unreadable with the reason, for whatever bytes."""
    if not data.strip():
        raise Unreadable("empty")
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            raise Unreadable(kind)
    if data.startswith(_OLE):
        raise Unreadable("password" if _ENCRYPTED in data else "old_excel")
    if data.startswith(b"PK"):
        raise Unreadable("damaged")
    text, encoding = texts.decode(data)
    start = text[:2000].lstrip().casefold()
    if start.startswith("begin:vcard"):
        raise Unreadable("vcard")
    if start.startswith(("<!doctype", "<html", "<?xml", "<table", "<meta")):
        raise Unreadable("web_page")
    return csvs.read(text, encoding)
