"""Excel files: what their cells say, and that nothing a spreadsheet has lost is guessed."""

import datetime as dt
import io
from pathlib import Path

import openpyxl
import pytest
from django.core.management import call_command
from django.utils import timezone

from clients import consent
from clients.importing import columns, jobs, reading, rows, stored
from clients.importing.reading import Number, Sheet
from clients.importing.rows import Row
from clients.models import Client, ConsentEvent
from salon.core.models import Salon
from tests import factories
from tests.clients import files

TODAY = dt.date(2026, 11, 22)


def rows_of(sheet: Sheet, country: str = "FR") -> list[Row]:
    return rows.read(sheet, columns.recognise(sheet.header), country=country, today=TODAY)


def one_row(header: list[str], cells: list[object], country: str = "FR") -> Row:
    (row,) = rows_of(reading.read(files.xlsx(header, cells)), country)
    return row


def test_every_kind_of_cell_is_read_as_a_person_sees_it() -> None:
    sheet = reading.read(
        files.xlsx(
            ["Name", "Birthday", "Born at", "Newsletter", "SMS", "Visits", "Price", "Time", "Nothing"],
            [
                "Ann Lee",
                dt.date(1990, 4, 12),
                dt.datetime.fromisoformat("1990-04-12T10:30"),
                True,
                False,
                12,
                3.5,
                dt.time(9, 30),
                None,
            ],
        )
    )
    assert sheet.format == "xlsx"
    assert sheet.lines[0].cells == ("Ann Lee", "1990-04-12", "1990-04-12 10:30:00", "yes", "no", "12", "3.5", "09:30:00")
    assert [isinstance(cell, Number) for cell in sheet.lines[0].cells] == [False] * 5 + [True, True, False]


def test_a_date_needs_no_order_and_a_serial_number_is_no_date() -> None:
    assert one_row(["Name", "Birthday"], ["Ann", dt.date(1990, 3, 4)]).fields["birth_month"] == 3
    row = one_row(["Name", "Birthday"], ["Ann", 32974])
    assert "birth_year" not in row.fields
    assert "no date" in row.warnings[0].reason
    assert one_row(["Name", "Birthday"], ["Ann", 1990]).fields["birth_year"] == 1990


@pytest.mark.parametrize(
    ("number", "country", "phone"),
    [
        (33612345678, "FR", "+33612345678"),
        (447400123456, "GB", "+447400123456"),
        # Spain writes no zero before its numbers, so none can be lost.
        (612345678, "ES", "+34612345678"),
    ],
)
def test_a_phone_stored_as_a_number_is_read_where_it_can_mean_one_thing(number: int, country: str, phone: str) -> None:
    assert one_row(["Name", "Phone"], ["Ann", number], country).fields["phone"] == phone


@pytest.mark.parametrize(("number", "country"), [(612345678, "FR"), (15123456789, "DE"), (7400123456, "GB"), (612345678.5, "FR")])
def test_a_phone_that_may_have_lost_its_zero_is_refused_with_the_reason(number: float, country: str) -> None:
    row = one_row(["Name", "Phone"], ["Ann", number], country)
    assert "phone" not in row.fields
    assert "a zero may be lost" in row.faults[0].reason


def test_a_number_is_still_known_as_one_when_the_list_was_kept_for_a_while() -> None:
    """Between the upload and the import a list waits in the database: a lost zero must not be forgotten there."""
    sheet = reading.read(files.xlsx(["Name", "Phone", "Price"], ["Ann", 612345678, 3.5]))
    kept = stored.unpack(stored.pack(sheet))
    assert kept == sheet
    assert [isinstance(cell, Number) for cell in kept.lines[0].cells] == [False, True, True]
    (row,) = rows_of(kept)
    assert "a zero may be lost" in row.faults[0].reason


def test_the_control_the_same_digits_as_text_are_a_phone_number() -> None:
    assert one_row(["Name", "Phone"], ["Ann", "612345678"]).fields["phone"] == "+33612345678"


def test_a_postcode_short_of_a_digit_is_left_out_and_told() -> None:
    row = one_row(["Name", "Postcode"], ["Ann", 1000])
    assert "postcode" not in row.fields
    assert "zero may be lost" in row.warnings[0].reason
    assert one_row(["Name", "Postcode"], ["Ann", 69001]).fields["postcode"] == "69001"
    assert one_row(["Name", "Postcode", "Country"], ["Ann", 1000, "Belgium"]).fields["postcode"] == "1000"


def test_the_first_visible_sheet_with_content_is_read() -> None:
    book = openpyxl.Workbook()
    book.create_sheet("Hidden").append(["Name", "Secret"])
    book["Hidden"].append(["Ben Low", "x"])
    book["Hidden"].sheet_state = "hidden"
    book.create_sheet("Clients").append(["Name", "Phone"])
    book["Clients"].append(["Ann Lee", "06 88 21 04 11"])
    assert reading.read(files.saved(book)).header == ("Name", "Phone")
    book.remove(book["Clients"])
    assert reading.read(files.saved(book)).header == ("Name", "Secret")


def test_hidden_rows_and_columns_are_read() -> None:
    """A filter left on hides clients: leaving them out would lose them in silence."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["Name", "Town"], ["Ann", "Lyon"], ["Ben", "Nice"]):
        book.active.append(row)
    book.active.row_dimensions[2].hidden = True
    book.active.column_dimensions["B"].hidden = True
    assert [line.cells for line in reading.read(files.saved(book)).lines] == [("Ann", "Lyon"), ("Ben", "Nice")]


def test_a_list_that_begins_further_down_and_to_the_right_keeps_its_row_numbers() -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active["C2"] = "Kundenliste 2026"
    for row, cells in ((4, ["Vorname", "Nachname", "Handy"]), (5, ["Ann", "Lee", "0151 23456789"]), (7, ["Ben", "Low", "x"])):
        for column, cell in enumerate(cells, start=3):
            book.active.cell(row, column, cell)
    sheet = reading.read(files.saved(book))
    assert sheet.header == ("Vorname", "Nachname", "Handy")
    assert [line.number for line in sheet.lines] == [5, 7]


def with_formulas(stored: str) -> bytes:
    """Return a list in whose row 4 the phone number is a formula, with this as its stored result."""
    name = '<c r="A4" t="inlineStr"><is><t>Ben</t></is></c>'
    return files.with_rows(f'<row r="4">{name}<c r="B4" t="str"><f>"+336"&amp;1</f>{stored}</c></row>'.encode())


def test_of_a_formula_the_stored_value_counts() -> None:
    sheet = reading.read(with_formulas("<v>+33612345679</v>"))
    assert sheet.lines[-1].cells == ("Ben", "+33612345679")
    assert not sheet.blanks


def test_a_formula_saved_without_a_result_is_an_empty_cell_and_told() -> None:
    (_ann, ben) = rows_of(reading.read(with_formulas("")))
    assert "phone" not in ben.fields
    assert [(one.row, one.column) for one in ben.warnings] == [(4, "Phone")]
    assert "without a result" in ben.warnings[0].reason


def test_a_link_to_another_file_is_not_followed() -> None:
    link = b'<row r="3"><c r="A3" t="str"><f>[1]Sheet1!A1</f><v>Stored Name</v></c></row>'
    data = files.parts(files.with_rows(link))
    data["xl/externalLinks/externalLink1.xml"] = (
        b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    )
    data["xl/externalLinks/_rels/externalLink1.xml.rels"] = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
        b'Target="http://127.0.0.1:9/x.xlsx" TargetMode="External" Type="x"/></Relationships>'
    )
    assert reading.read(files.zipped(data)).lines[-1].cells == ("Stored Name",)


def test_an_error_value_is_an_empty_cell() -> None:
    assert reading.read(files.xlsx(["Name", "Phone", "Town"], ["Ann", "#N/A", "Lyon"])).lines[0].cells == ("Ann", "", "Lyon")


@pytest.mark.django_db
def test_a_no_in_an_excel_file_counts_even_in_a_refused_row(salon: Salon) -> None:
    factories.salon(language="en")
    card = factories.client(first_name="Ann", last_name="Lee", phone="+33612345678", email="ann@example.org")
    consent.record(card, purpose="mkt.promotion", channel="email", event="grant", source="paper_form")
    data = files.xlsx(["Name", "E-mail", "Phone", "Newsletter"], ["Ann Lee", "ann@example.org", 612345678, False])
    done = jobs.bring_in(data, "list.xlsx", by=None, now=timezone.now())
    assert done.report["faulty_count"] == 1
    assert consent.standing(card, "mkt.promotion", "email") == "withdrawn"
    assert consent.standing(card, "mkt.promotion", "sms") == "unknown"


@pytest.mark.django_db
def test_a_yes_in_an_excel_file_is_a_claim_and_opens_nothing(salon: Salon) -> None:
    data = files.xlsx(["Name", "E-mail", "Newsletter"], ["Ann Lee", "ann@example.org", True])
    jobs.bring_in(data, "list.xlsx", by=None, now=timezone.now())
    assert set(ConsentEvent.objects.values_list("event", flat=True)) == {"import_claim"}
    assert consent.reading(Client.objects.get(), "mkt.promotion", "email").state == "unknown"


@pytest.mark.django_db
def test_an_excel_file_with_another_name_is_read_all_the_same(salon: Salon, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(files.xlsx(["Name", "Phone"], ["Ann Lee", "0612345678"]))
    call_command("import_clients", str(path), "--commit", stdout=io.StringIO())
    assert str(Client.objects.get().phone) == "+33612345678"
