"""Stored phone numbers: taken apart as the library reads them, whatever the country."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from salon.core import phone
from salon.core.errors import Refused

# A number of each range as it is dialled -> with its code; ranges as the French numbering plan gives them.
OVERSEAS = [
    ("06 90 45 76 78", "+590690457678"),  # Guadeloupe
    ("0590 90 12 34", "+590590901234"),
    ("0696 20 12 34", "+596696201234"),  # Martinique
    ("0697 12 34 56", "+596697123456"),
    ("0694 20 12 34", "+594694201234"),  # French Guiana
    ("0594 30 12 34", "+594594301234"),
    ("0692 12 34 56", "+262692123456"),  # Réunion
    ("0693.12.34.56", "+262693123456"),
    ("0262 20 12 34", "+262262201234"),
    ("0639 02 34 56", "+262639023456"),  # Mayotte
]
# Kept for films and books: no numbers to the library.
FICTION = ("+3363998", "+447700900")
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def oracle(e164: str, form: int) -> str:
    return phonenumbers.format_number(phonenumbers.parse(e164, None), form)


def digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


@given(st.sampled_from(REGIONS), st.sampled_from([PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE]), st.sampled_from(REGIONS))
def test_a_stored_number_is_shown_as_if_it_was_read_anew(region: str, kind: int, at_home: str) -> None:
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return
    e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
    is_near = phonenumbers.country_code_for_region(at_home) == example.country_code
    form = PhoneNumberFormat.NATIONAL if is_near else PhoneNumberFormat.INTERNATIONAL
    assert phone.show(e164, at_home) == oracle(e164, form)
    assert phone.dialled(e164) == digits(oracle(e164, PhoneNumberFormat.NATIONAL))


@given(
    st.sampled_from(REGIONS), st.sampled_from(list(PhoneNumberType.values())), st.sampled_from(REGIONS),
    st.lists(st.integers(0, 9), max_size=5), st.sampled_from(["", " ", "-", "."]),
)  # fmt: skip
def test_a_number_with_its_code_is_read_as_the_library_reads_it(
    region: str, kind: int, country: str, tail: list[int], between: str
) -> None:
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return
    e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
    typed = f"{e164[: len(e164) - len(tail)]}{between}{''.join(map(str, tail))}"
    meant = phonenumbers.parse(typed, country)
    e164 = phonenumbers.format_number(meant, PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(meant):
        assert phone.read(typed, country) == e164
    elif not e164.startswith(FICTION):
        with pytest.raises(Refused):
            phone.read(typed, country)


@given(st.sampled_from(REGIONS), st.sampled_from(list(PhoneNumberType.values())), st.lists(st.integers(0, 9), max_size=6))
def test_a_number_is_dialled_at_home_as_the_library_writes_it(region: str, kind: int, tail: list[int]) -> None:
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return
    e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
    e164 = f"{e164[: len(e164) - len(tail)]}{''.join(map(str, tail))}"
    meant = phonenumbers.parse(e164, None)
    if phonenumbers.format_number(meant, PhoneNumberFormat.E164) == e164:
        assert phone.dialled(e164) == digits(phonenumbers.format_number(meant, PhoneNumberFormat.NATIONAL))


@pytest.mark.parametrize(("typed", "e164"), OVERSEAS)
def test_a_french_salon_takes_numbers_from_overseas_as_they_are_dialled(typed: str, e164: str) -> None:
    assert phone.read(typed, "FR") == e164
    assert phone.dialled(e164) == digits(typed)


@pytest.mark.parametrize("typed", ["0690 45 76 7", "0690 45 76 789", "690 45 76 78", "0698", "0600", "+33 690 45 76 78", "0699"])
def test_a_number_of_nowhere_in_france_is_refused(typed: str) -> None:
    with pytest.raises(Refused):
        phone.read(typed, "FR")


def test_only_a_salon_in_france_reads_overseas_numbers_as_dialled() -> None:
    with pytest.raises(Refused):
        phone.read("06 90 45 76 78", "BE")


def test_a_number_of_mainland_france_stays_one() -> None:
    assert phone.read("06 12 34 56 78", "FR") == "+33612345678"


@pytest.mark.parametrize("text", ["+33", "+", "0612345678", "nonsense", "+9999999999", "+33 6 12 34 56 78", "+٣٣٦١٢٣٤٥٦٧٨"])
def test_what_is_no_stored_number_is_shown_as_it_is(text: str) -> None:
    assert phone.show(text, "FR") == text
    assert phone.dialled(text) == digits(text)
