"""Fields of one line: what is pasted with line breaks or other control characters in it is made one line.

Used by every form instead of Django's CharField, for a name ends up in the subject of a mail.
"""

import re
from typing import Any

from django import forms

# Turns the direction of whatever follows on the page. No keyboard writes it; a name in Arabic or Hebrew needs none.
_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str) -> str:
    """Return `text` with each run of control characters as one space, none at its ends, and no overrides of direction."""
    return _CONTROL.sub(" ", _DIRECTION.sub("", text)).strip()


class Line(forms.CharField):
    """A text of one line."""

    def to_python(self, value: Any) -> Any:
        """Return the text as one line."""
        return one_line(super().to_python(value) or "")
