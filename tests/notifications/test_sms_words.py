"""How long an SMS is, what it costs, and that every text of the house is one part in plain letters (I-51, I-52)."""

import datetime as dt
import re
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications import costs, kinds, segments, smswords, texts
from notifications.filling import fill
from notifications.models import SmsAccount
from salon.core import phone
from tests.generated import cases
from tests.notifications import sms_oracle

LANGUAGES = ("en", "fr", "de")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x" * 160, 1), ("x" * 161, 2), ("x" * 306, 2), ("x" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
        ("x" * 152 + "€" + "x" * 152, 3), ("ê" * 70, 1), ("ê" * 71, 2), ("ê" * 66 + "😀" + "ê" * 66, 3), ("", 1),
    ],
)  # fmt: skip
def test_the_boundaries_of_parts(text: str, count: int) -> None:
    """I-51. 306 septets are three parts where an escape would be cut in two."""
    assert (segments.measure(text).segments, sms_oracle.parts(text)) == (count, count)


PLAIN = st.sampled_from("aZ é@€[]{}\n'à")
CHARS = st.one_of(PLAIN, st.sampled_from("ê😀œ’日\U0001f1eb"), st.characters(codec="utf-8"))
AROUND = st.integers(60, 320)


@cases(300)
@given(st.lists(CHARS, max_size=12), AROUND, st.sampled_from(["x", "€", "ê", "😀"]))
def test_parts_are_those_of_the_encoded_text(odd: list[str], length: int, filling: str) -> None:
    """I-51: against an encoder of the standard, near every boundary; monotone; and almost additive in one alphabet."""
    text = filling * length + "".join(odd)
    found = segments.measure(text)
    assert found.segments == sms_oracle.parts(text)
    assert (found.encoding == "GSM-7") == (sms_oracle.septets(text) is not None)
    assert segments.measure(text + "x").segments >= found.segments
    assert segments.measure(text * 2).segments <= 2 * found.segments + 1


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert set(sms_oracle.TABLE) - {"\x1b"} == segments.BASIC
    assert set(sms_oracle.EXTENSION.values()) == segments.EXTENDED


def test_it_names_the_character_that_made_it_dear() -> None:
    assert segments.measure("Salut Chloë, à bientôt").culprit == "ë"
    assert segments.measure("Hallo Jürgen, bis Fr. 5 € ß").culprit == ""


@cases(200)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=0x17F), max_size=80))
def test_tidying_makes_nothing_dearer_and_is_done_once(text: str) -> None:
    tidied = segments.tidy(text)
    assert segments.tidy(tidied) == tidied
    if segments.measure(text).encoding == "GSM-7":
        assert tidied == text


def test_typographic_signs_become_plain_and_words_stay() -> None:
    assert (
        segments.tidy("C’est l’été… « À bientôt » – œufs, août, ça, 5\u202f€")
        == "C'est l'été... \" A bientot \" - oeufs, aout, ca, 5 €"
    )
    assert segments.tidy("Schöne Grüße, „Ihr“ Salon") == 'Schöne Grüße, "Ihr" Salon'


# --- the texts of the house ---------------------------------------------------------------------------------------

# The longest of each that a text must bear in one part, from the rules for default texts.
BUDGET = {
    "first_name": "Maximiliane!", "salon": "Salon Marguerite !", "service": "Coupe brushing barbe", "date": "mer. 22/12",
    "time": "14:30", "salon_phone": "x" * 24, "offer_text": "y" * 66, "review_link": "https://g.page/r/nord/rev",
}  # fmt: skip
OPT_OUT = {"unsubscribe_link": "https://a.example/s/1aBc", "sender_code": "36111"}


def opt_outs(language: str) -> list[str]:
    return [fill(texts.read("_opt_out", language, part).strip(), OPT_OUT) for part in ("link", "code", "reply")]


@pytest.mark.parametrize("kind", [name for name, kind in kinds.TABLE.items() if "sms" in kind.hours])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_at_the_length_it_must_bear_is_one_part_in_plain_letters(kind: str, language: str) -> None:
    """I-52, I-53, and that no text speaks of stopping itself: it is hung on to advertising, and to nothing else (I-14)."""
    text = texts.read(kind, language, "sms").strip()
    for opt_out in opt_outs(language) if kinds.TABLE[kind].is_marketing else [""]:
        assert len(opt_out) <= 34
        filled = f"{fill(text, BUDGET)} {opt_out}".rstrip()
        size = segments.measure(filled)
        assert (size.encoding, size.segments, sms_oracle.parts(filled)) == ("GSM-7", 1, 1), (filled, size)
        bare = fill(text, {**BUDGET, "first_name": "", "service": "", "salon_phone": ""})
        assert not re.search(r"[{}\[\]|]|  | [,.!](?! )|None", filled.replace(" !", "") + bare.replace(" !", "")), (filled, bare)
    assert kind == "optout_ack" or "STOP" not in text.upper()
    assert "opt_out" not in text


def account(**fields: Any) -> SmsAccount:
    return SmsAccount(
        **{"sender": "+33757000000", "can_answer": True, "prices": {"FR": "0.08", "DE": "0.11", "*": "0.2"}, **fields}
    )


def rendered(
    language: str = "fr", service: str = "Coupe", *, first_name: str = "Amélie", of: SmsAccount | None = None,
    shelf: texts.Shelf = texts.Shelf(),  # noqa: B008 (frozen)
) -> smswords.Words:  # fmt: skip
    """Return a reminder without a database: its rows hang together by attributes."""
    message: Any = SimpleNamespace(
        kind="reminder", channel="sms", campaign=None, told_start_at=dt.datetime(2026, 8, 15, 12, 30, tzinfo=dt.UTC),
        client=SimpleNamespace(first_name=first_name, language=language, phone="+33612345678", email=""),
        appointment=SimpleNamespace(service=SimpleNamespace(name=service), staff=SimpleNamespace(name="Léa")),
    )  # fmt: skip
    salon: Any = SimpleNamespace(
        name="Atelier Nord", legal_name="", address_line="", phone="+33472000000", country="FR", email="", language="fr",
        time_zone="Europe/Paris",
    )  # fmt: skip
    message.__dict__["loaded_shelf"] = shelf
    return smswords.render(message, salon, of or account())


def test_the_day_is_short_and_plain_in_every_language() -> None:
    """août and févr. would make an SMS dear: the day is written in figures."""
    bodies = {language: rendered(language).body for language in LANGUAGES}
    assert bodies == {
        "en": "Hi Amélie, see you Sat 15 Aug at 14:30 for Coupe at Atelier Nord. Can't make it? 04 72 00 00 00",
        "fr": "Bonjour Amélie, on vous attend sam. 15/8 à 14:30 chez Atelier Nord : Coupe. Un contretemps ? 04 72 00 00 00",
        "de": "Hallo Amélie, wir erwarten Sie am Sa. 15.8. um 14:30 Uhr bei Atelier Nord: Coupe. Verhindert? 04 72 00 00 00",
    }


def test_a_service_with_a_long_name_is_left_out_rather_than_paid_for() -> None:
    short = rendered(service="Balayage et soin profond à la kératine, coupe et brushing compris")
    assert (short.size.segments, "Balayage" in short.body) == (1, False)
    hopeless = rendered(service="Balayage", first_name="É" + "é" * 120)
    assert (hopeless.size.segments, "Balayage" in hopeless.body) == (2, True), "where it saves nothing it stays"


def test_a_text_of_the_salon_that_names_the_service_outright_stays_long_rather_than_unsaid() -> None:
    own = texts.Text("", "{date} {time}: {service}. " + "x" * 150, 1)
    words = rendered(service="Balayage", shelf=texts.Shelf({("reminder", "sms", "fr"): own}))
    assert (words.size.segments, "Balayage" in words.body) == (2, True)


def test_names_stay_as_they_are_unless_the_salon_allows_plain_letters() -> None:
    assert rendered(first_name="Chloë").size.culprit == "ë"
    plain = rendered(first_name="Chloë", of=account(may_tidy_names=True))
    assert ("Chloe" in plain.body, plain.size.encoding) == (True, "GSM-7")


def test_an_sms_costs_its_parts_by_the_country_it_goes_to() -> None:
    prices = {"FR": "0.08", "DE": "0.11", "*": "0.2"}
    assert costs.of("x" * 160, "+33612345678", prices) == (1, Decimal("0.08"))
    assert costs.of("x" * 161, "+4915123456789", prices) == (2, Decimal("0.22"))
    assert costs.of("ê" * 71, "+447400123456", prices) == (2, Decimal("0.4"))
    assert costs.of("x", "+33612345678", {}) == (1, Decimal(0))


@pytest.mark.parametrize(
    ("number", "is_refused"),
    [
        ("+33612345678", False), ("+33712345678", False), ("+4915123456789", False), ("+447400123456", False),
        ("+590690123456", False), ("+33472000000", True), ("+493012345678", True), ("+442079460000", True),
        ("+33800123456", True), ("+12125550123", False), ("+33", True), ("", True),
    ],
)  # fmt: skip
def test_only_what_is_surely_no_mobile_is_refused(number: str, is_refused: bool) -> None:
    """An American number does not tell what it is: it is tried."""
    assert phone.cannot_get_sms(number) is is_refused
