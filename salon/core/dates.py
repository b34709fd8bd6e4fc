"""Days in words, as the languages of the house write them. Called by filters, forms and the texts of messages."""

import datetime as dt
import re

from django.utils import formats
from django.utils.translation import get_language

_FIRST = re.compile(r"\b1(?= \D)")


def show(on: dt.date, pattern: str) -> str:
    """Return the day in the reader's language. `pattern` is a date format of Django, already translated."""
    return as_written(formats.date_format(on, pattern), on, get_language() or "")


def as_written(text: str, on: dt.date, language: str) -> str:
    """Return `text`, which names the day `on`, as people write it: in French the first of a month is "1er"."""
    return _FIRST.sub("1er", text, count=1) if language.startswith("fr") and on.day == 1 else text
