"""Lists as programs and salons write them, and columns that a person corrected by hand."""

import datetime as dt
from collections.abc import Iterator
from unittest import mock

import pytest

from clients.importing import columns, reading, rows
from clients.importing.columns import Column
from clients.importing.rows import Row
from salon.core.errors import Refused
from tests.clients import files

TODAY = dt.date(2026, 11, 22)


@pytest.fixture(autouse=True)
def in_this_process() -> Iterator[None]:
    with mock.patch.object(reading, "_answer", files.answer):
        yield


def read(data: bytes, country: str) -> list[Row]:
    sheet = reading.read(data)
    return rows.read(sheet, columns.recognise(sheet.header), country=country, today=TODAY)


OUTLOOK_EN = (
    '"Title","First Name","Middle Name","Last Name","Suffix","Company","Home Street","Home City","Home State",'
    '"Home Postal Code","Home Country/Region","Business Phone","Home Phone","Mobile Phone","Birthday","E-mail Address",'
    '"E-mail Type","Notes"\r\n'
    '"","Zoë","","Fairfax","","","1 High Street","Leeds","","LS1 4AP","United Kingdom","","0113 496 0000","07400 123456",'
    '"25/12/1985","zoe@example.org","SMTP","Prefers mornings"\r\n'
)
OUTLOOK_DE = (
    '"Anrede";"Vorname";"Weitere Vornamen";"Nachname";"Firma";"Straße privat";"Ort privat";"Postleitzahl privat";'
    '"Land/Region privat";"Telefon geschäftlich";"Telefon privat";"Mobiltelefon";"Geburtstag";"E-Mail-Adresse";"Notizen"\r\n'
    '"Frau";"Käthe";"Maria";"Groß";"";"Münchner Straße 1";"Köln";"50667";"Deutschland";"";"0221 4710";"0151 23456789";'
    '"12.04.1990";"kaethe@example.org";"Möchte Öl"\r\n'
)
ENGLISH = {"first_name": "Zoë", "last_name": "Fairfax", "phone": "+447400123456", "email": "zoe@example.org",
           "street": "1 High Street",
           "city": "Leeds", "postcode": "LS1 4AP", "country": "GB", "birth_day": 25, "birth_month": 12, "birth_year": 1985,
           "note": "Prefers mornings"}  # fmt: skip
GERMAN = {"first_name": "Käthe Maria", "last_name": "Groß", "phone": "+4915123456789", "email": "kaethe@example.org",
          "street": "Münchner Straße 1", "city": "Köln", "postcode": "50667", "country": "DE", "birth_day": 12,
          "birth_month": 4, "birth_year": 1990, "note": "Möchte Öl"}  # fmt: skip


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(("text", "country", "fields"), [(OUTLOOK_EN, "GB", ENGLISH), (OUTLOOK_DE, "DE", GERMAN)])
def test_an_export_of_outlook_is_read_whole(encoding: str, text: str, country: str, fields: dict[str, object]) -> None:
    (row,) = read(text.encode(encoding), country)
    assert not row.faults
    assert row.fields == fields


GOOGLE = (
    "First Name,Middle Name,Last Name,Nickname,Organization Name,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,"
    "E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value,Address 1 - Label,"
    "Address 1 - Formatted,Address 1 - Street,Address 1 - City,Address 1 - PO Box,Address 1 - Region,Address 1 - Postal Code,"
    "Address 1 - Country,Address 1 - Extended Address,Website 1 - Value\n"
    "Amélie,,Bertrand,,,1990-04-12,Thé vert,,* myContacts,* ,a@example.org,Work,b@example.org,Home,04 72 00 00 01,Mobile,"
    '06 12 34 56 78,Home,"3 rue Haute\n69001 Lyon",3 rue Haute,Lyon,,,69001,FR,,\n'
)


def test_an_export_of_google_is_read_whole() -> None:
    (row,) = read(GOOGLE.encode(), "FR")
    assert row.fields == {
        "first_name": "Amélie", "last_name": "Bertrand", "phone": "+33612345678", "email": "a@example.org", "note": "Thé vert",
        "street": "3 rue Haute", "city": "Lyon", "postcode": "69001", "country": "FR",
        "birth_day": 12, "birth_month": 4, "birth_year": 1990,
    }  # fmt: skip
    assert [one.reason for one in row.warnings] == [
        "A card holds one e-mail address: the others are left out.",
        "A card holds one phone number: the others are left out.",
    ]


FRENCH_LIST = (
    "Nom;Prénom;Portable;Tél. fixe;E-mail;Date de naissance;Adresse;Code postal;Ville;Remarques;Newsletter;SMS\r\n"
    "BERTRAND;Amélie;06 12 34 56 78;;amelie@example.org;12/04/1990;3 rue Haute;69001;Lyon;Thé;oui;non\r\n"
)
GERMAN_LIST = (
    "Kundenliste Salon Weiß\r\n\r\n"
    "Name;Vorname;Handy;Festnetz;E-Mail;Geb.-Datum;Straße;PLZ;Ort;Bemerkung;Newsletter;Werbung per SMS\r\n"
    "Bertrand;Amélie;0151 23456789;;amelie@example.org;12.04.1990;Hauptstraße 3;10115;Berlin;Tee;ja;nein\r\n"
)
ENGLISH_LIST = (
    "Client Name,Mobile Number,Email,DOB,Address,Postcode,Town,Comments,Email opt-in,Unsubscribed SMS\n"
    "Amélie Bertrand,07400 123456,amelie@example.org,12 Apr 1990,3 High Street,LS1 4AP,Leeds,Tea,Yes,Yes\n"
)
SALONS = {
    "French": (FRENCH_LIST, "cp1252", "FR", "+33612345678"),
    "German": (GERMAN_LIST, "cp1252", "DE", "+4915123456789"),
    "English": (ENGLISH_LIST, "utf-8", "GB", "+447400123456"),
}


@pytest.mark.parametrize("name", SALONS)
def test_a_list_of_a_salon_is_read_whole(name: str) -> None:
    text, encoding, country, phone = SALONS[name]
    (row,) = read(text.encode(encoding), country)
    assert not row.faults
    assert not row.warnings
    assert (str(row.fields["first_name"]), str(row.fields["last_name"]).title()) == ("Amélie", "Bertrand")
    assert (row.fields["phone"], row.fields["email"], row.answers) == (
        phone,
        "amelie@example.org",
        {"email": True, "sms": False},
    )
    assert [row.fields[part] for part in ("birth_day", "birth_month", "birth_year")] == [12, 4, 1990]
    assert {"street", "postcode", "city", "note"} <= set(row.fields)


def test_what_can_be_read_two_ways_is_left_out_or_refused() -> None:
    text = "Name,Phone,Birthday\nAnn,06123,03/04/1990\nBen,6.12E+08,01/02/90\nCy,+33612345678,04/05/15\n"
    ann, ben, cy = read(text.encode(), "FR")
    assert ann.faults[0].column == "Phone"
    assert "shortened" in ben.faults[0].reason
    assert not cy.faults
    assert all("birth_day" not in row.fields and row.warnings for row in (ann, ben, cy))


HEADER = ["Kunde", "Rufnr", "Geburt", "Sagt Ja", "E-Mail"]


def test_a_column_set_by_hand_is_read_as_that_and_the_others_stay() -> None:
    found = columns.chosen(HEADER, {1: "mobile", 2: "birthday:month first", 3: "consent:sms"})
    assert [(one.index, one.field, one.order, one.channels) for one in found] == [
        (0, "name", "", ()), (1, "mobile", "", ()), (2, "birthday", "month first", ()), (3, "consent", "", ("sms",)),
        (4, "email", "", ()),
    ]  # fmt: skip
    sheet = reading.read((",".join(HEADER) + "\nAnn Lee,0612345678,03/04/1990,ja,\n").encode())
    (row,) = rows.read(sheet, found, country="FR", today=TODAY)
    assert (row.fields["birth_day"], row.fields["birth_month"], row.answers) == (4, 3, {"sms": True})


def test_a_column_left_out_by_hand_is_left_out() -> None:
    assert [one.field for one in columns.chosen(HEADER, {4: ""})] == ["name"]


def test_every_recognised_column_stands_at_a_choice_and_choosing_it_changes_nothing() -> None:
    header = [*GOOGLE.splitlines()[0].split(","), "Newsletter", "SMS opt-in", "Unsubscribed", "Keine Werbung", "Birth month"]
    found = columns.recognise(header)
    every = dict.fromkeys(range(len(header)), "") | {one.index: columns.choice_of(one) for one in found}
    assert set(every.values()) <= set(columns.CHOICES)
    assert columns.chosen(header, every) == found


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({1: "name"}, "“Whole name” is chosen for “Kunde” and for “Rufnr”"),
        ({0: ""}, "No column with names"),
        ({9: "name"}, "no such column"),
        ({-1: "name"}, "no such column"),
        ({1: "shoe size"}, "no such column"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(fields: dict[int, str], words: str) -> None:
    with pytest.raises(Refused, match=words):
        columns.chosen(HEADER, fields)


def test_every_choice_makes_a_column_that_stands_at_it() -> None:
    for choice in columns.CHOICES:
        if choice and choice != "name":
            made = next((one for one in columns.chosen(["Name", "x"], {1: choice}) if one.index == 1), None)
            assert isinstance(made, Column)
            assert columns.choice_of(made) == choice
