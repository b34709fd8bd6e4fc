"""The file of faulty rows, as a spreadsheet opens it and as it comes back."""

import csv
import datetime as dt
import io

import pytest
from django.utils import translation

from clients.importing import columns, reading, report, rows

TODAY = dt.date(2026, 11, 22)


def faulty(text: str | bytes, *, country: str = "FR") -> str:
    """Return the file of faulty rows for a list, its columns as recognised."""
    sheet = reading.read(text if isinstance(text, bytes) else text.encode())
    read = rows.read(sheet, columns.recognise(sheet.header), country=country, today=TODAY)
    return report.faulty_csv(sheet, [row for row in read if row.faults], country=country)


def cells_of(text: str, separator: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), delimiter=separator))


@pytest.mark.parametrize(
    ("of_file", "language", "country", "expected"),
    [
        (",", "en", "GB", ","),
        (",", "en", "FR", ";"),
        (",", "fr", "GB", ";"),
        (",", "de", "US", ";"),
        (";", "en", "GB", ";"),
        ("\t", "fr", "FR", "\t"),
        ("|", "de", "DE", "|"),
    ],
)
def test_the_separator_is_that_of_the_list_or_the_one_spreadsheets_expect(
    of_file: str, language: str, country: str, expected: str
) -> None:
    with translation.override(language):
        text = faulty(of_file.join(["Name", "Phone"]) + "\n" + of_file.join(["Ann Lee", "06 12"]) + "\n", country=country)
    assert [len(line) for line in cells_of(text, expected)] == [5, 5]


@pytest.mark.parametrize(("country", "expected"), [("FR", ";"), ("DE", ";"), ("GB", ",")])
def test_contacts_of_a_phone_come_back_with_the_separator_of_the_country(country: str, expected: str) -> None:
    with translation.override("en"):
        text = faulty("BEGIN:VCARD\nVERSION:3.0\nN:Lee;Ann;;;\nEMAIL:ann@\nEND:VCARD\n", country=country)
    assert text.startswith(expected.join(["Row", "Column", "Reason"]))


@pytest.mark.parametrize("first", ["en", "fr", "de"])
@pytest.mark.parametrize("second", ["en", "fr", "de"])
def test_a_second_round_repeats_no_column(first: str, second: str) -> None:
    with translation.override(first):
        once = faulty("Name;Phone\nAnn Lee;06 12\n")
    with translation.override(second):
        twice = faulty(once)
    assert [len(line) for line in cells_of(twice, ";")] == [5, 5]
    assert [line[3:] for line in cells_of(twice, ";")] == [["Name", "Phone"], ["Ann Lee", "'06 12"]]


def test_columns_of_the_salon_that_come_first_stay() -> None:
    with translation.override("en"):
        text = faulty("Row;Column;Name;Phone\n7;x;Ann Lee;06 12\n")
    assert cells_of(text, ";")[0] == ["Row", "Column", "Reason", "Row", "Column", "Name", "Phone"]


@pytest.mark.parametrize(
    ("cell", "is_guarded"),
    [
        ("0612345678", True),
        ("06 12 34 56 78", True),
        ("01000", True),
        ("33612345678", True),
        ("01/02/1990", True),
        ("69001", False),
        ("0 Euro", False),
        ("0", False),
        ("Lyon", False),
    ],
)
def test_a_spreadsheet_takes_no_zero_away(cell: str, is_guarded: bool) -> None:
    written = cells_of(faulty(f"Name;E-mail;Other\nAnn Lee;ann@;{cell}\n"), ";")[1][5]
    assert written == (f"'{cell}" if is_guarded else cell)
    sheet = reading.read(f"Name;Phone;Postcode\nAnn Lee;{written};{written}\n".encode())
    (read,) = rows.read(sheet, columns.recognise(sheet.header), country="FR", today=TODAY)
    assert read.fields["postcode"] == cell, "the import takes the apostrophe off again"
