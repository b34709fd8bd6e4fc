"""A message as HTML: the same words in a plain shell, in the look of its class, with inline styles, as mail programs want them.

Nothing is fetched: no picture, no font, no pixel that tells who looked. Called by the e-mail channel only; pure.
"""

import functools
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from django.conf import settings

from notifications.rendering import Rendered

SHELL = Path(settings.BASE_DIR) / "templates" / "messages" / "_shell" / "mail.htm"
# How a class of messages looks, where it differs: the ground by day and by night, the salon's name, the card with the words.
_PLAIN = {
    "ground": "#f5f6f8", "night": "#12161b", "night_edge": "",
    "head": "margin:0 14px 12px;color:#0b665e;font-size:17px;font-weight:700",
}  # fmt: skip
LOOKS = {
    "service": {**_PLAIN, "card": "border-top:4px solid #0b665e"},
    "marketing": {
        "ground": "#f7f3ec", "night": "#171410", "night_edge": "", "card": "font-size:17px",
        "head": "margin:6px 14px 18px;color:#0b665e;font-size:22px;font-weight:700;text-align:center",
    },
    "system": {**_PLAIN, "night_edge": " border-color: #343d48 !important;", "card": "border:1px solid #dde2e8"},
}  # fmt: skip
# What divides the words from the footer in the text.
FOOTER = "\n\n-- \n"

_P = '<p style="margin:0 0 16px">%s</p>'
_BOX = (
    '<div class="b" style="margin:0 0 16px;padding:14px 18px;border-left:4px solid #0b665e;border-radius:8px;'
    'background:#e2f2f0">%s</div>'
)
_LEAD = '<b style="display:block;font-size:18px">%s</b>'
_BUTTON = (
    '<p style="margin:4px 0 20px"><a class="k" href="%s" style="display:inline-block;padding:12px 22px;border-radius:8px;'
    'background:#0b665e;color:#ffffff;text-decoration:none;font-weight:600;word-break:break-word">%s</a></p>'
)
_LINK = '<a class="l" href="%s" style="color:#0b665e">%s</a>'
_URL = re.compile(r"https?://[^\s<>\"]+")
# The gaps of a phone number, which stays in one piece.
_PHONE = re.compile(r"(?<=\d\d) (?=\d\d\b)")
_TRAILING = ".,;:!?)>]'\""
_PLACES = re.compile(r"\{(language|title|salon|words|footer)\}")
_LOOK = re.compile(r"\{(ground|night|night_edge|head|card)\}")


def dress(words: Rendered) -> str:
    """Return the HTML of a message. Everything in it that came from a person or a salon is escaped."""
    said, _sign, footer = _PHONE.sub("\u00a0", words.body).partition(FOOTER)
    paragraphs = [part for part in said.split("\n\n") if part.strip()]
    is_service = words.look == "service"
    values = {
        "language": escape(words.language),
        "title": escape(words.title),
        "salon": escape(words.salon),
        "words": "\n".join(
            _paragraph(part, words.button, is_boxed=is_service and 0 < place < len(paragraphs) - 1)
            for place, part in enumerate(paragraphs)
        ),
        "footer": "<br>\n".join(_line(line, is_short=True) for line in footer.strip().split("\n")),
    }
    pieces = list(_pieces(words.look))
    pieces[1::2] = [values[name] for name in pieces[1::2]]
    return "".join(pieces)


@functools.lru_cache(maxsize=8)
def shell(look: str) -> str:
    """Return the shell in the look of a class of messages: "service", "marketing" or "system"."""
    return _LOOK.sub(lambda place: LOOKS[look][place.group(1)], SHELL.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=8)
def _pieces(look: str) -> Sequence[str]:
    """Return the shell in a look as its text and the names of its places, in turns."""
    return _PLACES.split(shell(look))


def _paragraph(text: str, button: tuple[str, str], *, is_boxed: bool) -> str:
    """Return a paragraph. An address on a line of its own at its end is a button, with words if it is that of `button`.

    Several lines about a visit are a box, the first of them the largest.
    """
    lines = text.strip("\n").split("\n")
    if "://" in lines[-1] and _URL.fullmatch(lines[-1].strip()):
        url = lines.pop().strip()
        above = _P % "<br>\n".join(_line(line) for line in lines) if lines else ""
        return above + _BUTTON % (escape(url), escape(button[1] if url == button[0] else _short(url)))
    if is_boxed and len(lines) > 1:
        return _BOX % (_LEAD % _line(lines[0]) + "<br>\n".join(_line(line) for line in lines[1:]))
    return _P % "<br>\n".join(_line(line) for line in lines)


def _line(text: str, *, is_short: bool = False) -> str:
    """Return a line with its addresses as links."""
    if "://" not in text:
        return escape(text, quote=False)
    found, at = [], 0
    for match in _URL.finditer(text):
        url = match.group(0).rstrip(_TRAILING)
        found += [escape(text[at : match.start()], quote=False), _LINK % (escape(url), escape(_short(url) if is_short else url))]
        at = match.start() + len(url)
    return "".join([*found, escape(text[at:], quote=False)])


def _short(url: str) -> str:
    """Return the name that stands for an address: its host, and where it is short the path."""
    bare = url.partition("://")[2].rstrip("/")
    return bare if len(bare) <= 40 else bare.partition("/")[0]
