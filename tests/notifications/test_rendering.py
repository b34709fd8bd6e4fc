"""The words: complete in every language, on the salon's clock, and harmless whatever a client is called."""

import datetime as dt
import re
from email import message_from_bytes, policy

import pytest
from django.conf import settings

from notifications import filling, kinds, rendering, sending, texts
from notifications.channels import email
from notifications.filling import TemplateError, fill
from notifications.models import Message
from salon.core.models import Salon
from tests import factories
from tests.notifications.letters import text_of

SENDER = sending.Sender("Atelier Nord", "bonjour@atelier-nord.example", "reply@atelier-nord.example")
START = dt.datetime(2026, 11, 25, 13, 30, tzinfo=dt.UTC)


def message(kind: str = "reminder", **client: object) -> Message:
    visit = factories.appointment(start_at=START, client=factories.client(**client))
    return Message(pk=5, kind=kind, channel="email", client=visit.client, appointment=visit, told_start_at=START)


OF_VISITS = sorted(name for name, kind in kinds.TABLE.items() if kind.is_about_a_start)


def test_every_kind_has_its_texts_in_every_language_and_every_text_its_kind() -> None:
    for kind, row in kinds.TABLE.items():
        for language, _name in settings.LANGUAGES:
            parts = [*(["subject", "body"] if "email" in row.hours else []), *(["sms"] if "sms" in row.hours else [])]
            for part in parts:
                assert (texts.FOLDER / kind / language / f"{part}.txt").read_text(encoding="utf-8").strip()
    assert {path.name for path in texts.FOLDER.iterdir()} == {*kinds.TABLE, "_footer", "_opt_out", "_shell"}


def test_a_button_has_its_words_in_every_language_or_in_none() -> None:
    for kind in kinds.TABLE:
        words = {language: texts.button(kind, language) for language, _name in settings.LANGUAGES}
        assert all(words.values()) or not any(words.values()), words
    assert texts.button("review", "fr") == "Donner mon avis"


def test_texts_use_only_known_placeholders_and_service_texts_carry_no_advertising() -> None:
    """I-14."""
    marketing = {name for name, kind in kinds.TABLE.items() if kind.is_marketing}
    for path in texts.FOLDER.rglob("*.txt"):
        text = path.read_text(encoding="utf-8")
        found = set(re.findall(r"\{([^{}]*)\}", text))
        assert found <= filling.PLACEHOLDERS, path
        assert not re.search(r"https?://", text), path
        if path.parents[1].name not in {*marketing, "_opt_out"} and path.name != "marketing.txt":
            assert not found & filling.OF_MARKETING, path
        if path.name == "marketing.txt":
            assert text.count("{unsubscribe_link}") == 1
        if path.name == "sms.txt":
            assert "{opt_out}" not in text, f"{path}: the way out is hung on to what is sent, whatever a text says"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "fr", "de"])
@pytest.mark.parametrize("kind", OF_VISITS)
def test_a_text_says_what_when_where_and_with_whom(salon: Salon, kind: str, language: str) -> None:
    words = rendering.render(message(kind, language=language, first_name="Zoë"), salon)
    assert words.language == language
    for part in ("Zoë", "Coupe", "Léa", "14:30", "25", "Atelier Nord", "04 72 00 00 00"):
        assert part in words.body
    assert not re.search(r"[{}\[\]|]", words.title + words.body)
    assert "\n\n\n" not in words.body


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_without_a_first_name_nobody_is_greeted_by_a_comma(salon: Salon, language: str) -> None:
    Salon.objects.update(phone="", street="", postcode="", city="")
    bare = Salon.objects.current()
    words = rendering.render(message(first_name="", language=language), bare)
    assert words.body.splitlines()[0] in {"Hello,", "Bonjour,", "Guten Tag,"}
    assert not re.search(
        r" ,|, *$|: *$",
        words.body.replace("Hello,", "")
        .replace("Bonjour,", "")
        .replace("Guten Tag,", "")
        .replace("seeing you,", "")
        .replace("vous voir,", ""),
    )


@pytest.mark.django_db
def test_a_language_without_texts_falls_back_to_the_salons(salon: Salon) -> None:
    assert rendering.render(message(language="it"), salon).language == "fr"


@pytest.mark.django_db
def test_the_clock_is_the_salons_in_summer_and_winter(salon: Salon) -> None:
    winter = rendering.when(dt.datetime(2026, 3, 28, 13, 30, tzinfo=dt.UTC), salon.time_zone, "de")
    summer = rendering.when(dt.datetime(2026, 3, 29, 13, 30, tzinfo=dt.UTC), salon.time_zone, "en")
    assert (winter["time"], summer["time"]) == ("14:30", "15:30")
    assert winter["date_long"] == "Samstag, 28. März"
    assert summer["date_long"] == "Sunday 29 March"


@pytest.mark.parametrize("text", ["{salon.__class__}", "{0}", "{}", "{settings}", "[{secret}|x]"])
def test_there_is_no_way_to_an_object(text: str) -> None:
    """M18."""
    with pytest.raises(TemplateError):
        fill(text, {"salon": "A", "settings": "B", "secret": "C"})


def test_a_missing_value_is_an_error_and_a_bracket_its_way_out() -> None:
    with pytest.raises(TemplateError):
        fill("Hi {first_name},", {"first_name": ""})
    assert fill("[Hi {first_name},|Hi,]", {"first_name": ""}) == "Hi,"
    assert fill("[Hi {first_name},|Hi,]", {"first_name": "Ann"}) == "Hi Ann,"


def test_what_a_value_holds_is_not_read_again() -> None:
    values = {"first_name": "{salon}[a|b]{0}%s{{", "salon": "X"}
    assert fill("{first_name} {salon}", values) == "{salon}[a|b]{0}%s{{ X"


@pytest.mark.django_db
def test_a_name_cannot_add_a_header_or_a_line(salon: Salon) -> None:
    evil = "Eve\r\nBcc: all@example.org\r\n\r\nBuy"
    Salon.objects.update(name=evil)
    words = rendering.render(message("confirmation", first_name=evil), Salon.objects.current())
    raw = email.build(words, message_id="<m.5@x>", sender=sending.Sender(evil, "a@example.org", ""))
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Bcc"] is None
    assert mail.defects == []
    assert "\n" not in words.title
    assert text_of(mail).splitlines()[0].startswith("Bonjour Eve Bcc:")


@pytest.mark.django_db
def test_the_mail_reads_back_as_it_was_meant(salon: Salon) -> None:
    words = rendering.render(message("change", language="fr", first_name="Ünsal"), salon)
    raw = email.build(words, message_id="<m.5.abc@atelier-nord.example>", sender=SENDER)
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Subject"] == words.title
    assert mail["From"].addresses[0].display_name == "Atelier Nord"
    assert mail["To"].addresses[0].addr_spec == words.recipient
    assert mail["Reply-To"] == "reply@atelier-nord.example"
    assert mail["Message-ID"] == "<m.5.abc@atelier-nord.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "fr"
    assert mail["List-Unsubscribe"] is None
    assert mail["Date"].datetime is not None
    assert text_of(mail).replace("\r\n", "\n") == words.body
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_long_words_and_all_alphabets_survive_the_wire() -> None:
    for title, body in (("x" * 300, "y" * 5000), ("Ελένη – заказ 予約 " * 12, "Ж" * 3000 + "\n.\n..\n"), ("plain", "plain\n")):
        words = rendering.Rendered("a@example.org", "en", title, body)
        mail = message_from_bytes(email.build(words, message_id="<1@x>", sender=SENDER), policy=policy.default)
        assert mail["Subject"].strip() == title.strip()
        assert text_of(mail).replace("\r\n", "\n").strip() == body.strip()


def test_the_message_id_is_the_same_for_every_attempt() -> None:
    salon = Salon(name="A")
    first = email.message_id_of(Message(pk=9, attempt_count=0), salon, "a@b.example")
    assert first == email.message_id_of(Message(pk=9, attempt_count=4), salon, "a@b.example")
    assert re.fullmatch(r"<m\.9\.[0-9a-f]{32}\.[0-9a-f]{16}@b\.example>", first)
