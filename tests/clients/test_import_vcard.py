"""Address books: what phones and mail programs write, in the three versions of vCard."""

import datetime as dt

import pytest
import vobject
from django.utils import timezone, translation
from hypothesis import given
from hypothesis import strategies as st

from clients import consent
from clients.importing import columns, jobs, reading, rows
from clients.importing.reader import formats, vcards
from clients.importing.rows import Row
from clients.models import Client
from salon.core.errors import Refused
from salon.core.models import Salon
from tests import factories
from tests.clients.files import card

TODAY = dt.date(2026, 11, 22)


def rows_of(text: str | bytes, country: str = "FR") -> list[Row]:
    sheet = reading.read(text if isinstance(text, bytes) else text.encode())
    assert sheet.format == "vcard"
    return rows.read(sheet, columns.recognise(sheet.header), country=country, today=TODAY)


def fields(text: str | bytes) -> dict[str, object]:
    (row,) = rows_of(text)
    assert not row.faults
    return dict(row.fields)


PHONE = card(
    "PRODID:-//Phone//1.0//EN",
    "N:Bertrand;Amélie;Rose;Mme;",
    "FN:Mme Amélie Rose Bertrand",
    "item1.TEL;type=pref:04 72 00 00 01",
    "item1.X-ABLabel:_$!<HomeFax>!$_",
    "item2.TEL:06 12 34 56 78",
    "item2.X-ABLabel:Portable perso",
    "item3.EMAIL;type=INTERNET:second@example.org",
    "EMAIL;type=INTERNET;type=HOME;type=pref:amelie@example.org",
    "item4.ADR;type=HOME;type=pref:;;3 rue Haute\\nBât. B;Lyon;;69001;France",
    "BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12",
    "NOTE:Likes tea\\, and quiet\\nAllergic to PPD",
    "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAASABIAAD" + "A" * 60,
    " " + "B" * 74,
    "END:VCARD"[:0],
)


def test_a_card_of_a_phone_with_groups_and_labels() -> None:
    assert fields(PHONE) == {
        "last_name": "Bertrand",
        "first_name": "Amélie Rose",
        "phone": "+33612345678",
        "email": "amelie@example.org",
        "street": "3 rue Haute, Bât. B",
        "city": "Lyon",
        "postcode": "69001",
        "country": "FR",
        "birth_day": 12,
        "birth_month": 4,
        "note": "Likes tea, and quiet\nAllergic to PPD",
    }


OUTLOOK = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN;LANGUAGE=de;CHARSET=Windows-1252:Müller;Jürgen\r\nFN;CHARSET=Windows-1252:Jürgen Müller\r\n"
    "TEL;HOME;VOICE:030 901820\r\nTEL;CELL;VOICE:0151 23456789\r\nTEL;WORK;FAX:030 111111\r\n"
    "ADR;HOME;PREF;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:;;M=C3=BCnchner Stra=C3=9Fe 1=0D=0AHinterhaus;Bad Ma=\r\n"
    "nnheim;;10115;Deutschland\r\nBDAY:19900412\r\nEMAIL;PREF;INTERNET:juergen@example.org\r\n"
    "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=Windows-1252:Mag keinen L=E4rm =\r\n und Caf=E9\r\n"
    "PHOTO;TYPE=JPEG;ENCODING=BASE64:\r\n /9j/4AAQSkZJRgABAQ\r\n\r\nREV:20260101T000000Z\r\nEND:VCARD\r\n"
)


def test_a_card_of_2_1_with_quoted_printable_and_charsets() -> None:
    (row,) = rows_of(OUTLOOK.encode("cp1252"), "DE")
    assert row.fields == {
        "last_name": "Müller",
        "first_name": "Jürgen",
        "phone": "+4915123456789",
        "email": "juergen@example.org",
        "street": "Münchner Straße 1, Hinterhaus",
        "city": "Bad Mannheim",
        "postcode": "10115",
        "country": "DE",
        "birth_day": 12,
        "birth_month": 4,
        "birth_year": 1990,
        "note": "Mag keinen Lärm  und Café",
    }


def test_a_card_of_4_0() -> None:
    text = card(
        "N:Lee;Ann;;;",
        "FN:Ann Lee",
        'TEL;VALUE=uri;PREF=2;TYPE="voice,home":tel:+33-4-72-00-00-01',
        'TEL;VALUE=uri;PREF=1;TYPE="voice,cell":tel:+33-6-12-34-56-78;ext=3',
        "EMAIL;PREF=2:b@example.org",
        "EMAIL;PREF=1:a@example.org",
        'ADR;LABEL="3 rue Haute: Lyon; France":;;3 rue Haute;Lyon;;69001;France',
        "BDAY:--0412",
        "LANG:fr",
        "KIND:individual",
        version="4.0",
    )
    found = fields(text)
    assert (found["phone"], found["email"], found["city"], found["language"]) == ("+33612345678", "a@example.org", "Lyon", "fr")
    assert (found["birth_day"], found["birth_month"], "birth_year" in found) == (12, 4, False)


@pytest.mark.parametrize(
    ("line", "birth"),
    [
        ("BDAY:1990-04-12", (12, 4, 1990)),
        ("BDAY:19900412", (12, 4, 1990)),
        ("BDAY:1990-04-12T00:00:00Z", (12, 4, 1990)),
        ("BDAY;VALUE=date:1990-04-12", (12, 4, 1990)),
        ("BDAY:--04-12", (12, 4, None)),
        ("BDAY:1990", (None, None, 1990)),
        ("BDAY;VALUE=text:in spring", (None, None, None)),
        ("BDAY:03/04/1990", (None, None, None)),
        ("BDAY:1990-04-11T23:30:00Z", (None, None, None)),
    ],
)
def test_a_day_of_birth_is_read_or_left_out_never_guessed(line: str, birth: tuple[int | None, ...]) -> None:
    (row,) = rows_of(card("FN:Ann Lee", line))
    assert tuple(row.fields.get(name) for name in ("birth_day", "birth_month", "birth_year")) == birth
    assert bool(row.warnings) == (birth == (None, None, None))


def test_several_cards_keep_their_order_and_number() -> None:
    found = rows_of(
        card("FN:Ann Lee")
        + "\r\n"
        + card("FN:Ben Low", version="4.0")
        + "\ufeff"
        + card("N:;;;;", version="2.1")
        + card("ORG:Garage")
    )
    assert [(row.number, row.fields["last_name"]) for row in found] == [(1, "Lee"), (2, "Low"), (4, "Garage")]


def test_a_line_folded_anywhere_is_one_line() -> None:
    assert fields(card("N:Bert", " rand;Amé", "\tlie;;;", "NOTE:one ", "  two"))["note"] == "one  two"
    assert fields(card("N:Bert", " rand;Amé", "\tlie;;;"))["last_name"] == "Bertrand"


def test_an_agent_inside_a_card_is_no_client() -> None:
    (row,) = rows_of("BEGIN:VCARD\r\nVERSION:2.1\r\nN:Lee;Ann\r\nAGENT:\r\n" + card("N:Bond;James") + "END:VCARD\r\n")
    assert row.fields["last_name"] == "Lee"


def test_signs_without_end_are_passed_over_in_time() -> None:
    (row,) = rows_of(card("TEL" + ";" * 2_000_000 + ":0612345678", 'N;X="' + '"' * 1_000_000 + ":a", "FN:Ann Lee"))
    assert row.fields == {"first_name": "Ann", "last_name": "Lee"}


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_the_columns_of_contacts_are_recognised_in_every_language(language: str) -> None:
    with translation.override(language):
        sheet = reading.read(PHONE.encode())
        known = {"home_phone": "phone"}
        assert [known.get(one.field, one.field) for one in columns.recognise(sheet.header)] == list(vcards.COLUMNS)


@pytest.mark.django_db
def test_a_file_of_contacts_becomes_cards_and_says_nothing_about_marketing(salon: Salon) -> None:
    known = factories.client(first_name="Ann", last_name="Lee", phone="+33612345678", email="")
    consent.record(known, purpose="*", channel="sms", event="object", source="one_click_post", actor_type="client")
    text = card("N:Lee;Ann;;;", "TEL;TYPE=CELL:0612345678", "EMAIL:ann@example.org", "CATEGORIES:Newsletter") + PHONE
    done = jobs.bring_in(text.encode(), "contacts.vcf", by=None, now=timezone.now())
    assert (done.new_count, done.filled_count, done.claim_count, done.stop_count) == (1, 1, 0, 0)
    assert consent.standing(known, "mkt.promotion", "sms") == "withdrawn"
    assert Client.objects.get(email="ann@example.org") == known


def test_a_broken_card_is_refused_with_its_number() -> None:
    with pytest.raises(Refused, match="Contact 2"):
        reading.read((card("FN:Ann") + "BEGIN:VCARD\r\nFN:Ben\r\n").encode())


TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Zs"]), min_size=1, max_size=40)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_what_another_program_writes_is_read_back(last: str, first: str, town: str, note: str) -> None:
    """The oracle is a library that writes vCard 3.0 with its own escaping and folding."""
    contact = vobject.vCard()
    contact.add("n").value = vobject.vcard.Name(family=last, given=first)
    contact.add("fn").value = f"{first} {last}"
    contact.add("adr").value = vobject.vcard.Address(street="1", city=town)
    contact.add("note").value = note * 5
    table = formats.read(contact.serialize().encode())
    cells = dict(zip(vcards.COLUMNS, [*table.rows[0][1], *[""] * 20], strict=False))
    assert cells["note"] == note * 5
    assert cells["city"] == town
    # A comma in a name parts several names; a list of clients has them side by side.
    assert str(cells["last_name"]).split() == last.replace(",", " ").split()
