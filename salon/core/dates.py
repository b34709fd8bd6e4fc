"""Days in words, as the languages of the house write them, and days read from addresses.

Called by filters, forms, views and the texts of messages.
"""

import datetime as dt
import functools
import re

from django.utils import formats
from django.utils.dateparse import parse_date
from django.utils.translation import get_language

# The days that the calendar knows: outside them the arithmetic of dates ends, not a salon.
FIRST_DAY, LAST_DAY = dt.date(2000, 1, 1), dt.date(2100, 12, 31)
_FIRST = re.compile(r"\b1(?= \D)")
# Two months that Django shortens otherwise than French does.
_SHORT_MONTHS = re.compile(r"\b(?:jan|fév)\.")
_SHORT = {"jan.": "janv.", "fév.": "févr."}


def show(on: dt.date, pattern: str) -> str:
    """Return the day in the reader's language. `pattern` is a date format of Django, already translated."""
    return _shown(on, pattern, get_language() or "")


@functools.lru_cache(maxsize=2_000)
def _shown(on: dt.date, pattern: str, language: str) -> str:
    """Return the day in `language`, the active one: a page names the same few days again and again."""
    return as_written(formats.date_format(on, pattern), on, language)


def as_written(text: str, on: dt.date, language: str) -> str:
    """Return `text`, which names the day `on`, as people write it: in French "1er janv." and "2 févr."."""
    if not language.startswith("fr"):
        return text
    text = _SHORT_MONTHS.sub(lambda found: _SHORT[found[0]], text)
    return _FIRST.sub("1er", text, count=1) if on.day == 1 else text


def is_known(on: dt.date) -> bool:
    """Return whether the calendar knows the day."""
    return FIRST_DAY <= on <= LAST_DAY


def read(text: str) -> dt.date | None:
    """Return the day that `text` ("2026-11-18") names, or None: for nonsense, and for a day the calendar does not know."""
    try:
        on = parse_date(text)
    except ValueError:
        return None
    return on if on and is_known(on) else None
