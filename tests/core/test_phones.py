"""Stored phone numbers: taken apart as the library reads them, whatever the country."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from salon.core import phone

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


@pytest.mark.parametrize("text", ["+33", "+", "0612345678", "nonsense", "+9999999999", "+33 6 12 34 56 78", "+٣٣٦١٢٣٤٥٦٧٨"])
def test_what_is_no_stored_number_is_shown_as_it_is(text: str) -> None:
    assert phone.show(text, "FR") == text
    assert phone.dialled(text) == digits(text)
