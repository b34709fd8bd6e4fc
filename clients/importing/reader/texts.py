"""Bytes of a text file -> text: a mark decides the encoding, then strict UTF-8, then the letters that one-byte encodings give."""

import codecs
import re
from itertools import islice

from charset_normalizer import from_bytes

from clients.importing.reader.table import Unreadable

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# What names, towns and notes of western Europe hold beyond ASCII: the evidence by which one-byte encodings are told apart.
_EXPECTED = frozenset("àâäáãåçéèêëíìîïñóòôöõúùûüÿœæßøÀÂÄÁÅÇÉÈÊËÎÏÍÑÔÖÓØÙÛÜÚŒÆ€’‘“”„–—«»°…\xa0")
_ONE_BYTE = ("cp1252", "mac_roman", "cp850")
# Beyond this the guess of a rare encoding gets no better, only slower.
_SAMPLE = 200_000
_LETTERS = 50_000
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_RARE = ("cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859_2", "iso8859_5", "iso8859_7", "iso8859_9", "koi8_r", "cp852",
         "mac_latin2")  # fmt: skip

# Looked up now: a reader that is confined can open no file, not even one of Python's own. Names in a zip are in cp437.
_LOOKED_UP = (*(encoding for _mark, encoding in _BOMS), *_ONE_BYTE, *_RARE, "utf-8", "utf-16-le", "utf-16-be", "latin-1",
              "ascii", "iso8859_15", "cp437")  # fmt: skip
for _name in _LOOKED_UP:
    codecs.lookup(_name)


def decode(data: bytes) -> tuple[str, str]:
    """Return (text, encoding). Raises Unreadable for bytes that are no text."""
    encoding = _encoding_of(data)
    text = data.decode(encoding)
    if "\0" in text:
        raise Unreadable("not_text")
    return text.removeprefix("\ufeff"), encoding


def _encoding_of(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            if not _decodes(data, encoding):
                raise Unreadable("not_text")
            return encoding
    if b"\0" in data:
        return _utf_16_without_mark(data)
    if _decodes(data, "utf-8"):
        return "utf-8"
    score, best = max((_score(data, encoding), -index) for index, encoding in enumerate(_ONE_BYTE))
    if score * 2 >= min(len(data.translate(None, bytes(range(128)))), _LETTERS):
        return _ONE_BYTE[-best]
    guess = from_bytes(data[:_SAMPLE], cp_isolation=list(_RARE)).best()
    return guess.encoding if guess is not None and _decodes(data, guess.encoding) else "latin-1"


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
    raise Unreadable("not_text")


def _score(data: bytes, encoding: str) -> int:
    """Return how many characters beyond ASCII make sense: an expected letter, and no capital inside a word."""
    if not _decodes(data, encoding):
        return -1
    text = data.decode(encoding)
    return sum(
        1 if match[0] in _EXPECTED and not (match[0].isupper() and text[match.start() - 1 : match.start()].islower()) else -1
        for match in islice(_BEYOND_ASCII.finditer(text), _LETTERS)
    )
