"""Reading a list: encodings, separators, columns, and cells that are never guessed."""

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.importing import columns, numbers, reading, rows, stored, values
from clients.importing.reader import formats
from clients.importing.reader.table import Unreadable
from clients.importing.values import DAY_FIRST, MONTH_FIRST, UNDECIDED, Birth, Fault
from salon.core.errors import Refused
from tests.clients import files

TODAY = dt.date(2026, 11, 22)
FRENCH = "Prénom;Nom;Téléphone\nAmélie;Bérenger;0612345678\nChloé;Façade;0612345679\n"
GERMAN = "Vorname;Nachname;Straße\nJürgen;Groß;Münchner Straße 1\nKäthe;Böhm;Am Weiher 2\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1", "mac_roman", "cp850"]
)
@pytest.mark.parametrize("text", [FRENCH, GERMAN])
def test_every_common_encoding_gives_the_same_rows(text: str, encoding: str) -> None:
    assert reading.read(text.encode(encoding)).lines == reading.read(text.encode()).lines


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_the_separator_and_the_line_ends_are_found(separator: str, ending: str) -> None:
    text = ending.join(separator.join(row) for row in (("First name", "Last name", "Note"), ("Ann", "Lee", '"a,b;c"')))
    sheet = reading.read(text.encode())
    assert sheet.separator == separator
    assert sheet.lines[0].cells == ("Ann", "Lee", "a,b;c")


@pytest.mark.parametrize("first", ["Léa;Martin;06 88 21 04 11", "Léa;Martin;lea@example.org", "Léa;Martin;12.04.1990"])
def test_a_list_without_names_of_columns_keeps_its_first_client(first: str) -> None:
    sheet = reading.read(f"{first}\nAnn;Lee;;x\nBen;Low\n".encode())
    assert sheet.header == ("Column 1", "Column 2", "Column 3", "Column 4")
    assert [line.number for line in sheet.lines] == [1, 2, 3]
    assert sheet.lines[0].cells == tuple(first.split(";"))
    assert not sheet.has_header
    assert stored.unpack(stored.pack(sheet)) == sheet


@pytest.mark.parametrize("header", ["Prénom;06 88 21 04 11", "Who;What", "Jahr 1990;2024", "Name;12.04.1990"])
def test_a_row_that_names_a_column_or_holds_nothing_of_a_client_is_the_header(header: str) -> None:
    sheet = reading.read(f"{header}\nAnn;Lee\n".encode())
    assert (sheet.header, len(sheet.lines), sheet.has_header) == (tuple(header.split(";")), 1, True)


def test_a_title_with_a_phone_number_above_the_names_of_columns_is_no_client() -> None:
    sheet = reading.read(b"Salon Anna;04 72 00 00 01\nName;Phone\nAnn Lee;06 88 21 04 11\n")
    assert (sheet.header, len(sheet.lines)) == (("Name", "Phone"), 1)


@pytest.mark.parametrize("data", [b"Name;Phone\n", b"Name;Phone\n;\n\n", b"whatever\n"])
def test_a_list_that_holds_nobody_says_so(data: bytes) -> None:
    with pytest.raises(Refused, match="holds nobody"):
        reading.read(data)


@pytest.mark.parametrize(
    ("cell", "country", "e164", "told"),
    [
        ("612345678", "FR", "+33612345678", "06 12 34 56 78"),
        ("6 12 34 56 78", "FR", "+33612345678", "06 12 34 56 78"),
        ("15123456789", "DE", "+4915123456789", "01512 3456789"),
        ("0612345678", "FR", "+33612345678", ""),
        ("'0612345678", "FR", "+33612345678", ""),
        ("33612345678", "FR", "+33612345678", ""),
        ("+33612345678", "FR", "+33612345678", ""),
        ("+33612345678", "DE", "+33612345678", ""),
        ("612345678", "ES", "+34612345678", ""),
    ],
)
def test_a_number_in_text_without_its_zero_is_taken_and_told(cell: str, country: str, e164: str, told: str) -> None:
    sheet = reading.read(f"Name;Phone\nAnn Lee;{cell}\n".encode())
    (row,) = rows.read(sheet, columns.recognise(sheet.header), country=country, today=TODAY)
    assert (row.fields["phone"], row.faults) == (e164, [])
    assert [warning.reason for warning in row.warnings] == (
        [f"The number has no zero in front. It is taken as {told}."] if told else []
    )


def test_each_problem_says_whose_row_it_is_and_what_stands_in_the_cell() -> None:
    text = "Name;Phone;E-mail;Birthday;Newsletter\nAnn Lee;06 12;ann@;99.99.1990;perhaps\n;;ben@example.org;;\n"
    sheet = reading.read(text.encode())
    ann, ben = rows.read(sheet, columns.recognise(sheet.header), country="FR", today=TODAY)
    assert [(one.column, one.who, one.value) for one in (*ann.faults, *ann.warnings)] == [
        ("E-mail", "Ann Lee", "ann@"),
        ("Phone", "Ann Lee", "06 12"),
        ("Birthday", "Ann Lee", "99.99.1990"),
        ("Newsletter", "Ann Lee", "perhaps"),
    ]
    assert [(one.who, one.value) for one in ben.faults] == [("ben@example.org", "")]


def test_excels_sep_line_is_obeyed_and_not_read_as_a_header() -> None:
    sheet = reading.read(b"sep=|\r\nName|Phone\r\nAnn Lee|1\r\n")
    assert sheet.header == ("Name", "Phone")


def test_a_cell_with_line_breaks_is_one_row_and_rows_count_as_in_a_spreadsheet() -> None:
    sheet = reading.read(b'Name,Note\nAnn,"one\ntwo, three"\n\nBen,x\n')
    assert [(line.number, line.cells) for line in sheet.lines] == [(2, ("Ann", "one\ntwo, three")), (4, ("Ben", "x"))]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"  \r\n ", "empty"),
        (b"PK\x03\x04" + b"\0" * 40, "damaged"),
        (b"\xd0\xcf\x11\xe0 old excel", r"\.xls"),
        (b"Name\nAnn\0a", "not a text file"),
        (b'Name,Note\nAnn,ok\nBen,"open\nCy,x\n', "Row 3"),
        (b'Name\n"Ann" Lee\n', "Row 2"),
        (b"Name\n" + b"Ann\n" * 50_001, "50,000"),
        (b"x" * 5_000_001, "5 MB"),
        (",".join(f"c{n}" for n in range(61)).encode() + b"\n" + b",".join([b"x"] * 61), "60 columns"),
        (b"Name\n" + b"a" * 32_001, "32,000"),
    ],
)
def test_what_cannot_be_read_is_refused_with_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        reading.read(data)


def test_sixty_filled_columns_among_many_empty_ones_are_read() -> None:
    header = ",".join(["Name", *(f"E-mail {n} - Label" for n in range(80))])
    assert len(reading.read(f"{header}\nAnn{',' * 80}\n".encode()).lines) == 1


def fields_of(header: str) -> list[str]:
    return [column.field for column in columns.recognise(header.split(","))]


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (
            "First Name,Last Name,E-mail Address,Mobile Phone,Birthday",
            "first_name last_name email mobile birthday",
        ),
        (
            "Prénom,Nom,Courriel,Portable,Date de naissance,Code postal,Ville",
            "first_name last_name email mobile birthday postcode city",
        ),
        (
            "Vorname,Name,E-Mail,Handy,Geburtsdatum,PLZ,Ort,Straße",
            "first_name last_name email mobile birthday postcode city street",
        ),
        (
            "NOM,TELEPHONE",
            "name phone",
        ),
        (
            "Kunde,Telefon",
            "name phone",
        ),
        (
            "Given Name,Additional Name,Family Name,E-mail 1 - Type,E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value",
            "first_name middle_name last_name email phone_label phone",
        ),
        (
            (
                "First Name,Last Name,Phonetic First Name,Organization Name,Birthday,Labels,E-mail 1 - Label,"
                "E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value,Address 1 - Street,Address 1 - City"
            ),
            "first_name last_name birthday email phone_label phone street city",
        ),
    ],
)
def test_columns_are_recognised_by_name(header: str, fields: str) -> None:
    assert fields_of(header) == fields.split()


@pytest.mark.parametrize(
    ("title", "channels", "is_inverted"),
    [
        ("Newsletter", ("email",), False),
        ("Marketing", ("email", "sms"), False),
        ("Email Marketing Consent", ("email",), False),
        ("E-mail opt-in", ("email",), False),
        ("SMS opt in", ("sms",), False),
        ("SMS", ("sms",), False),
        ("Accepte les SMS", ("sms",), False),
        ("Inscrit à la newsletter", ("email",), False),
        ("Einwilligung Werbung per E-Mail", ("email",), False),
        ("Unsubscribed", ("email", "sms"), True),
        ("Email opt-out", ("email",), True),
        ("Désinscrit SMS", ("sms",), True),
        ("Newsletter abgemeldet", ("email",), True),
        ("Keine Werbung", ("email", "sms"), True),
        ("Ne pas contacter", ("email", "sms"), True),
        ("Do not contact", ("email", "sms"), True),
    ],
)
def test_a_column_about_consent_is_known_with_its_channels_and_its_sense(
    title: str, channels: tuple[str, ...], is_inverted: bool
) -> None:
    (column,) = columns.recognise([title])
    assert (column.field, column.channels, column.is_inverted) == ("consent", channels, is_inverted)


@pytest.mark.parametrize("title", ["No", "N°", "Client no", "Contact no", "Marketing source", "Phone label", "Status", "", "Nr."])
def test_a_number_or_a_label_is_never_taken_for_consent_or_phone(title: str) -> None:
    assert columns.recognise([title]) == []


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("Martin, Léa", ("Léa", "Martin")),
        ("Léa Martin", ("Léa", "Martin")),
        ("MARTIN Léa", ("Léa", "MARTIN")),
        ("DE LA TOUR Anne", ("Anne", "DE LA TOUR")),
        ("Ludwig van Beethoven", ("Ludwig", "van Beethoven")),
        ("Anna Maria Berg", ("Anna Maria", "Berg")),
        ("Sophie", ("", "Sophie")),
        ("ANNE MARTIN", ("ANNE", "MARTIN")),
        ("", ("", "")),
    ],
)
def test_a_whole_name_is_split_by_one_rule(whole: str, parts: tuple[str, str]) -> None:
    assert values.split_name(whole) == parts


@pytest.mark.parametrize(
    ("cell", "order", "birth"),
    [
        ("1990-04-12", UNDECIDED, Birth(12, 4, 1990)),
        ("1990-04-12 00:00:00", UNDECIDED, Birth(12, 4, 1990)),
        ("--04-12", UNDECIDED, Birth(12, 4)),
        ("--02-29", UNDECIDED, Birth(29, 2)),
        ("12.04.1990", UNDECIDED, Birth(12, 4, 1990)),
        ("12.04.", UNDECIDED, Birth(12, 4)),
        ("12/04/1990", DAY_FIRST, Birth(12, 4, 1990)),
        ("12/04/1990", MONTH_FIRST, Birth(4, 12, 1990)),
        ("25/04/1990", UNDECIDED, Birth(25, 4, 1990)),
        ("04/25/1990", UNDECIDED, Birth(25, 4, 1990)),
        ("05/05/1990", UNDECIDED, Birth(5, 5, 1990)),
        ("12 avril 1990", UNDECIDED, Birth(12, 4, 1990)),
        ("1er août 1985", UNDECIDED, Birth(1, 8, 1985)),
        ("12. März 1990", UNDECIDED, Birth(12, 3, 1990)),
        ("April 12, 1990", UNDECIDED, Birth(12, 4, 1990)),
        ("12.04.90", UNDECIDED, Birth(12, 4, 1990)),
        ("12.04.15", UNDECIDED, Birth(12, 4)),
        ("1990", UNDECIDED, Birth(None, None, 1990)),
    ],
)
def test_a_day_of_birth_is_read_as_people_write_it(cell: str, order: str, birth: Birth) -> None:
    assert values.birthday(cell, order, TODAY) == birth


@pytest.mark.parametrize(
    "cell", ["12/04/1990", "1-2-1990", "30.02.1990", "soon", "12.04.2027", "32975", "1850-01-01", "00/00/0000"]
)
def test_a_date_that_is_ambiguous_or_none_is_never_guessed(cell: str) -> None:
    with pytest.raises(Fault):
        values.birthday(cell, UNDECIDED, TODAY)


@pytest.mark.parametrize(
    ("cells", "language", "order"),
    [
        (["01/02/1990", "25/02/1990"], "en", DAY_FIRST),
        (["01/02/1990", "02/25/1990"], "fr", MONTH_FIRST),
        (["25/02/1990", "02/25/1990"], "fr", UNDECIDED),
        (["01/02/1990"], "en", UNDECIDED),
        (["01/02/1990"], "de", DAY_FIRST),
    ],
)
def test_the_whole_column_decides_which_comes_first(cells: list[str], language: str, order: str) -> None:
    assert values.day_order(cells, language) == order


@pytest.mark.parametrize(
    "cell",
    [
        "06 12 34 56 78",
        "+33 6 12 34 56 78",
        "0033612345678",
        "612345678",
        "'0612345678",
        "tel:+33612345678",
        "+33 (0)6 12 34 56 78",
    ],
)
def test_a_phone_number_is_read_in_any_spelling(cell: str) -> None:
    assert numbers.phone(cell, "FR") == "+33612345678"


@pytest.mark.parametrize("cell", ["06 12", "call Ann", "6,12E+08", "06 12 34 56 78 Ann", "+", "0000000000"])
def test_what_is_no_phone_number_is_a_fault(cell: str) -> None:
    with pytest.raises(Fault):
        numbers.phone(cell, "FR")


@pytest.mark.parametrize("cell", ["a@", "@b.fr", "a b@c.fr", "a@@b.fr", "a@b", "a@b..fr"])
def test_what_is_no_email_is_a_fault(cell: str) -> None:
    with pytest.raises(Fault):
        values.email(cell)


def test_control_and_direction_characters_are_taken_out() -> None:
    assert values.clean(" A\u202en\u200bn \t Lee\x07 ") == "Ann Lee"


@given(st.text(max_size=60))
def test_no_cell_breaks_a_reader(cell: str) -> None:
    for read in (values.email, lambda text: numbers.phone(text, "FR"), values.yes_or_no, values.country,
                 lambda text: values.birthday(text, UNDECIDED, TODAY)):  # fmt: skip
        try:
            read(cell)
        except Fault:
            continue


@given(st.binary(max_size=400))
def test_no_file_breaks_the_reader(data: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert formats.read(data).header is not None


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("پگاه\u200cنوری", "پگاه\u200cنوری"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        (
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
            "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        ),
        ("\u200dAnn\u200c Lee\u200d", "Ann Lee"),
        ("Ann\U000e0041", "Ann"),
        ("'", "'"),
        ("'=1", "=1"),
    ],
)
def test_joiners_stay_between_two_signs(typed: str, kept: str) -> None:
    assert values.clean(typed) == kept


@pytest.mark.parametrize("number", ["1e999", "-1e999", "nan", "inf"])
def test_a_number_that_is_none_is_an_empty_cell(number: str) -> None:
    data = files.with_rows(
        f'<row r="3"><c r="A3" t="inlineStr"><is><t>Ben</t></is></c><c r="B3"><v>{number}</v></c></row>'.encode()
    )
    sheet = reading.read(data)
    assert [line.cells for line in sheet.lines][-1][0] == "Ben"
    assert all(isinstance(cell, str) for line in sheet.lines for cell in line.cells)
    assert stored.unpack(stored.pack(sheet)) == sheet
