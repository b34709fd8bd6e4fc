"""How long an SMS is: its alphabet, its parts, and the character that made it dear; and plain letters for typographic ones.

Pure. The tables are those of 3GPP TS 23.038. Asked by the texts, by the cost and by the page that shows both.
"""

import unicodedata
from dataclasses import dataclass

# The default alphabet, and what is reached through an escape and so takes two places.
BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
GSM7, UCS2 = "GSM-7", "UCS-2"
# How much fits into one message alone, and into each part of a longer one: septets, or units of 16 bits.
_ALONE = {GSM7: 160, UCS2: 70}
_PART = {GSM7: 153, UCS2: 67}

_PLAIN = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "ʼ": "'", "′": "'", "`": "'", "´": "'",
    "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "″": '"', "‹": "'", "›": "'",
    "…": "...", "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "−": "-", "•": "-", "·": "-", "×": "x",
    "œ": "oe", "Œ": "OE", "ẞ": "SS", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "™": "TM", "№": "No",
    "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "", "\u00ad": "",
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How long a text is: `units` are septets or 16-bit units, `culprit` the first character outside the default alphabet."""

    encoding: str
    units: int
    segments: int
    culprit: str = ""


def measure(text: str) -> Size:
    """Return alphabet, length and number of parts of a text. An empty text is one part, as it is charged."""
    culprit = next((char for char in text if char not in BASIC and char not in EXTENDED), "")
    encoding = UCS2 if culprit else GSM7
    widths = [(2 if ord(char) > 0xFFFF else 1) if culprit else (2 if char in EXTENDED else 1) for char in text]
    units = sum(widths)
    return Size(encoding, units, 1 if units <= _ALONE[encoding] else _parts(widths, _PART[encoding]), culprit)


def _parts(widths: list[int], room: int) -> int:
    """Return how many parts these characters fill. An escape or a surrogate stays with its other half."""
    count, used = 1, 0
    for width in widths:
        if used + width > room:
            count, used = count + 1, 0
        used += width
    return count


def tidy(text: str) -> str:
    """Return `text` with typographic signs and rare accents in plain letters, so that it needs the default alphabet.

    What has no plain form (an emoji, another script) stays as it is.
    """
    return "".join(_tidied(char) for char in unicodedata.normalize("NFC", text))


def _tidied(char: str) -> str:
    if char in BASIC or char in EXTENDED:
        return char
    if char in _PLAIN:
        return _PLAIN[char]
    if char.isspace():  # narrow, no-break, thin
        return " "
    bare = "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    return bare if bare and all(part in BASIC or part in EXTENDED for part in bare) else char
