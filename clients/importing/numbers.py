"""Phone numbers and postcodes: digits that are no quantities, and of which a spreadsheet may have lost a zero."""

import re

from django.utils.translation import gettext as _

from clients.importing.reading import Number
from clients.importing.values import Fault, clean
from salon.core import phone as phones
from salon.core.errors import Refused

_NO_DIGIT = re.compile(r"\D")
_DIGITS = re.compile(r"[0-9 +()./-]+").fullmatch
_SHORTENED = re.compile(r"\d[.,]\d+e\+?\d+", re.IGNORECASE)
# Digits of a postcode, where postcodes are digits and may begin with a zero.
_POSTCODE_DIGITS = {"DE": 5, "EE": 5, "ES": 5, "FI": 5, "FR": 5, "IT": 5, "MC": 5, "MX": 5, "NO": 4, "RO": 6, "US": 5}


def phone(text: str, country: str) -> str:
    """Return a phone number as E.164, read in the salon's country (two letters). Raises Fault."""
    if isinstance(text, Number):
        return _phone_of_digits(text, country)
    number = clean(text).removeprefix("tel:")
    if _SHORTENED.search(number):
        raise Fault(_("A spreadsheet has shortened this phone number. Format the column as text."))
    if not _DIGITS(number) and re.search(r"[^\W\d_]", re.sub(r"(?i)\b(?:ext|x|poste)\b", "", number)):
        raise Fault(_("This is no phone number."))
    try:
        return phones.read(number, country)
    except Refused as refused:
        raise Fault(refused.message) from refused


def doubt(text: str, e164: str, country: str) -> str:
    """Return what to tell of a number that was read from `text`, "" for nothing: a spreadsheet may have lost its zero.

    Text is taken where a number is refused: whoever lists numbers as text has typed 612345678, or saved a CSV from a
    spreadsheet that took the zero of every row.
    """
    if isinstance(text, Number) or text[:1] not in "123456789" or f"0{_NO_DIGIT.sub('', text)}" != phones.dialled(e164):
        return ""
    return _("The number has no zero in front. It is taken as %(number)s.") % {"number": phones.show(e164, country)}


def _phone_of_digits(digits: Number, country: str) -> str:
    """Return the phone number that a spreadsheet holds as a number. Raises Fault where a zero that it lost would matter.

    612345678 may have been 06 12 34 56 78 or the number of another country; 33612345678 can only be +33 6 12 34 56 78.
    """
    with_zero = _valid_phone(f"0{digits}", country)
    meant = {_valid_phone(f"+{digits}", country), _valid_phone(digits, country)} - {""}
    if not digits.isdigit() or with_zero or len(meant) > 1:
        raise Fault(_("The spreadsheet holds this phone number as a number, so a zero may be lost. Format the column as text."))
    return meant.pop() if meant else phone(str(digits), country)


def _valid_phone(text: str, country: str) -> str:
    try:
        return phones.read(text, country)
    except Refused:
        return ""


def postcode(text: str, country: str) -> str:
    """Return a postcode as written. Raises Fault for one that a spreadsheet holds as a number and that is short of digits."""
    if isinstance(text, Number) and len(text) < _POSTCODE_DIGITS.get(country, 0):
        raise Fault(_("The spreadsheet holds this postcode as a number, so a zero may be lost. It is left out."))
    return clean(text)
