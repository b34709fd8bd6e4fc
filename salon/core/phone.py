"""Phone numbers in the salon's country: read in any spelling, stored as E.164, shown as people there write them."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import phonenumbers
from django.utils.translation import gettext as _
from phonenumber_field.modelfields import PhoneNumberDescriptor, PhoneNumberField
from phonenumber_field.phonenumber import to_python

from salon.core.errors import Refused

_NO_DIGIT = re.compile(r"\D")
# What people write between the digits of a number. Not a bracket: what stands in it may be a zero to leave out.
_BETWEEN = re.compile(r"[ ./-]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
# Parts of a country with a code of their own, whose numbers are dialled there and at home without it: 0690… is Guadeloupe.
_OVERSEAS = {"FR": ("GP", "MQ", "GF", "RE", "YT")}
# Mobile numbers that regulators keep for films and books, which the library does not count as numbers: Arcep, plan national de
# numérotation (06 39 98), and Ofcom, numbers for drama (07700 900). The demo's clients have them; nobody else has.
_OF_FICTION = re.compile(r"\+3363998[0-9]{4}|\+447700900[0-9]{3}").fullmatch
_Type = phonenumbers.PhoneNumberType
_Match = Callable[[str], re.Match[str] | None]
_NO_SMS = frozenset({
    _Type.FIXED_LINE, _Type.TOLL_FREE, _Type.PREMIUM_RATE, _Type.SHARED_COST, _Type.UAN, _Type.VOICEMAIL, _Type.PAGER,
})  # fmt: skip
EXAMPLES = {"FR": "06 12 34 56 78", "DE": "0151 23456789", "GB": "07400 123456"}


def example(country: str) -> str:
    """Return a number as somebody in `country` (two letters) would type it."""
    if country in EXAMPLES:
        return EXAMPLES[country]
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL) if number else "+33 6 12 34 56 78"


def read(text: str, country: str) -> str:
    """Return `text` as E.164, read as a number of `country` unless it starts with + or 00.

    What is no number of `country` itself may be one of its overseas parts, as it is dialled at home.
    Raises Refused with a sentence that gives an example when it is no possible number.
    """
    whole = _BETWEEN.sub("", text)
    if (parts := _parts(whole)) is not None and _is_valid(parts):
        return whole
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise _refusal(country) from error
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(number) or _OF_FICTION(e164):
        return e164
    overseas = {found for region in _OVERSEAS.get(country, ()) if (found := _national(text, region))}
    if len(overseas) != 1:
        raise _refusal(country)
    return overseas.pop()


def _national(text: str, region: str) -> str:
    """Return `text` as E.164 where it is a number of `region` in the form dialled there, "" where it is none."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_valid_number(number) or not _NO_DIGIT.sub("", text).startswith("0"):
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _refusal(country: str) -> Refused:
    return Refused(_("Enter a phone number, like %(example)s") % {"example": example(country)}, field="phone")


def show(e164: str, country: str) -> str:
    """Return the number as people in `country` write it: national at home, with +CC from abroad."""
    if not e164:
        return ""
    number = _parts(e164)
    if number is None:
        return e164
    at_home = phonenumbers.country_code_for_region(country) == number.country_code
    form = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


def dialled(e164: str) -> str:
    """Return the digits of the number as people in its own country dial them; those it has if it is none."""
    number = _parts(e164)
    if number is None:
        return _NO_DIGIT.sub("", e164)
    digits: str = phonenumbers.national_significant_number(number)
    for begins, is_whole, front in _ways(number.country_code):
        if begins(digits) and (whole := is_whole(digits)):
            if front is None:
                return _NO_DIGIT.sub("", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
            return front + "".join(whole.groups())
    return digits


@cache
def _ways(code: int) -> list[tuple[_Match, _Match, str | None]]:
    """Return the forms of a country's numbers: what digits begin with, what they are, what is dialled in front of them.

    In the order in which the library looks, which would write each number with blanks that are only taken out again. None in
    front: the form moves digits about, as in Argentina, and the library has to write it.
    """
    region = phonenumbers.region_code_for_country_code(code)
    known = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    ways: list[tuple[_Match, _Match, str | None]] = []
    for form in known.number_format if known is not None else ():
        whole = re.compile(form.pattern or "")
        written = re.sub(r"(\\\d)", form.national_prefix_formatting_rule or r"\1", form.format or "", count=1)
        front, groups = re.fullmatch(r"(\d*)(.*)", re.sub(r"[^\d\\]", "", written)).groups()  # type: ignore[union-attr]
        is_plain = groups == "".join(f"\\{group}" for group in range(1, whole.groups + 1))
        begins = re.compile(form.leading_digits_pattern[-1] if form.leading_digits_pattern else "")
        ways.append((begins.match, whole.fullmatch, front if is_plain else None))
    return ways


def region(e164: str) -> str:
    """Return the country (two letters) that a number belongs to, or an empty text."""
    number = _parts(e164)
    return str(phonenumbers.region_code_for_number(number) or "") if number is not None else ""


def pattern(country: str) -> str:
    """Return the regular expression, for a database, of numbers (E.164) of `country`: none for which `region` says another.

    Where countries share a code, as Great Britain and the islands beside it, those of its mobiles alone.
    """
    code = phonenumbers.country_code_for_region(country)
    if len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]) == 1:
        return rf"^\+{code}[0-9]+$"
    known = phonenumbers.PhoneMetadata.metadata_for_region(country)
    mobiles = known.mobile.national_number_pattern if known is not None and known.mobile is not None else ""
    return rf"^\+{code}({mobiles})$"


def cannot_get_sms(e164: str) -> bool:
    """Return whether a number is surely none that takes text messages: a landline, a service line, or no number at all.

    Where a country does not tell mobiles from landlines by their numbers, or gave out new ones, nothing is sure.
    """
    number = _parts(e164)
    if number is None or not phonenumbers.is_possible_number(number):
        return True
    return phonenumbers.number_type(number) in _NO_SMS


def _parts(e164: str) -> phonenumbers.PhoneNumber | None:
    """Return the parts of a number as it is stored, None if it is none.

    Taken apart and not read as something that a person typed: that takes ten times as long, in every line of a list.
    """
    if not _E164(e164):
        return None
    for length in (1, 2, 3):  # no country's code begins another's
        code, rest = int(e164[1 : 1 + length]), e164[1 + length :]
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            zeros = len(rest) - len(rest.lstrip("0"))
            return phonenumbers.PhoneNumber(
                country_code=code, national_number=int(rest), italian_leading_zero=bool(zeros) or None,
                number_of_leading_zeros=zeros if zeros > 1 else None,
            )  # fmt: skip
    return None


def _is_valid(number: phonenumbers.PhoneNumber) -> bool:
    """Return whether it is a number, as the library says. Asked for mobiles first, which most are: it asks for them last."""
    mobiles = _mobiles(number.country_code)
    digits = phonenumbers.national_significant_number(number)
    if mobiles is not None and len(digits) in mobiles[0] and mobiles[1].fullmatch(digits):
        return True
    return bool(phonenumbers.is_valid_number(number))


@cache
def _mobiles(code: int) -> tuple[frozenset[int], re.Pattern[str]] | None:
    """Return how long the mobile numbers of the first country with this code are, and what they look like; None if unsaid."""
    known = phonenumbers.PhoneMetadata.metadata_for_region(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code][0])
    if known is None or known.leading_digits is not None:
        return None
    of_any, of_mobile = known.general_desc, known.mobile
    if of_any is None or of_mobile is None or not of_mobile.national_number_pattern:
        return None
    lengths = frozenset(of_mobile.possible_length or of_any.possible_length)
    return lengths, re.compile(f"(?=(?:{of_any.national_number_pattern})$)(?:{of_mobile.national_number_pattern})")


def mask(shown: str) -> str:
    """Return a shown number with all but its first two and last two digits hidden: "06 •• •• •• 11"."""
    digits = [index for index, char in enumerate(shown) if char.isdigit()]
    hidden = set(digits[2:-2])
    return "".join("•" if index in hidden else char for index, char in enumerate(shown))


def mask_email(address: str) -> str:
    """Return an address with its mailbox hidden after two letters: "am•••@example.org"."""
    box, at, domain = address.partition("@")
    return f"{box[:2]}•••{at}{domain}" if at else ""


class _WhenAsked(PhoneNumberDescriptor):  # type: ignore[misc]
    """Reads the digits when somebody asks for the number. On loading, it is half the time of a page of clients."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        value = super().__get__(instance, owner)
        if isinstance(value, str) and value:
            value = instance.__dict__[self.field.name] = to_python(value, region=self.field.region)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.name] = value


class NumberField(PhoneNumberField):  # type: ignore[misc]
    """The phone number of a row: E.164 in the database."""

    descriptor_class = _WhenAsked

    def get_db_converters(self, connection: object) -> list[Any]:
        """Return none: a loaded value is what stands in the database until somebody asks."""
        return []

    def get_prep_value(self, value: Any) -> Any:
        """Return a number as the database holds it. One that is written so already is not read again."""
        return value if isinstance(value, str) and _E164(value) else super().get_prep_value(value)

    def deconstruct(self) -> Any:
        """Return it as the field it is to a migration: only Python sees the difference."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "phonenumber_field.modelfields.PhoneNumberField", args, kwargs
