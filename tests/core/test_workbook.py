"""The one writer of Excel files, read again by two other programs."""

import datetime as dt
import io
import itertools
import re
import tracemalloc
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest
import python_calamine
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from salon.core import workbook
from salon.core.workbook import Cell, Column, Sheet
from tests.generated import cases

MOMENT = dt.datetime(2026, 11, 18, 14, 30)  # noqa: DTZ001 (a sheet knows no zones)
FORMULAS = (
    "=1+1", '=HYPERLINK("http://evil.example","Click")', "=cmd|' /C calc'!A0", "+33612345678", "-2+3", "@SUM(A1)", "\t=1+1",
    "\r=1+1", "＝1+1", "#REF!", "#N/A", "TRUE", "0033", "1E5", "12/11/2026", "{=1}", "'=1",
)  # fmt: skip


def made(rows: Iterable[Sequence[Cell]], width: int, about: Sequence[tuple[str, Cell]] = ()) -> io.BytesIO:
    file = io.BytesIO()
    sheet = Sheet("Clients", [Column(f"C{number}") for number in range(width)], "About", lambda count: about, "Salon")
    workbook.write(file, sheet, rows)
    file.seek(0)
    return file


def by_openpyxl(file: io.BytesIO) -> list[list[Any]]:
    file.seek(0)
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(file).worksheets[0].iter_rows(min_row=2)]


def by_calamine(file: io.BytesIO) -> list[list[Any]]:
    file.seek(0)
    return python_calamine.load_workbook(file).get_sheet_by_index(0).to_python()[1:]


def expected(text: str) -> str:
    """What a sheet can hold of a text, told apart from the code: line ends, characters that XML has not, composed form."""
    for end in ("\r\n", "\r", "\x85", "\u2028", "\u2029"):
        text = text.replace(end, "\n")
    kept = [char for char in text if char == "\n" or char == "\t" or unicodedata.category(char) not in {"Cc", "Cs"}]
    text = "".join(" " if char == "\t" else char for char in kept if char not in "\ufffe\uffff")
    return unicodedata.normalize("NFC", text)


def decoded(text: str) -> str:
    """What Excel makes of the text of a cell: openpyxl leaves _x005F_ as it stands."""
    return re.sub("_x005F_(?=x[0-9A-Fa-f]{4}_)", "_", text)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_becomes_a_formula(text: str) -> None:
    file = made([[text]], 1, [("Purpose", text), (text, 1)])
    book = openpyxl.load_workbook(file)
    cell = book.worksheets[0]["A2"]
    assert (cell.data_type, cell.value, cell.number_format) == ("s", expected(text), "@")
    assert [book.worksheets[1][place].data_type for place in ("B1", "A2")] == ["s", "s"]
    assert b"<f>" not in b"".join(ZipFile(file).read(name) for name in ZipFile(file).namelist())


def test_openpyxl_alone_would_have_made_a_formula() -> None:
    book = Workbook()
    book.worksheets[0].append([FORMULAS[1]])
    file = io.BytesIO()
    book.save(file)
    assert openpyxl.load_workbook(file).worksheets[0]["A1"].data_type == "f"


@given(st.lists(st.text(st.characters(codec=None, categories=None), max_size=60), min_size=1, max_size=12))
@cases(60)
def test_any_text_is_read_back_as_it_was_typed(texts: list[str]) -> None:
    file = made([[text] for text in [*texts, "end"]], 1)
    wanted = [expected(text) for text in texts]
    assert [decoded(row[0] or "") for row in by_openpyxl(file)[:-1]] == wanted
    assert [row[0] for row in by_calamine(file)[:-1]] == wanted


@pytest.mark.parametrize(
    "text", ["_x0041_", "_x005F_x0041_", "a_x000D_b", "_x", "_xyz_", "<b>&amp;</b>", " a  b ", "a\nb", "👩‍👩‍👧", "\u202eابت"]
)
def test_signs_that_files_treat_as_their_own_come_back(text: str) -> None:
    file = made([[text]], 1)
    assert by_calamine(file) == [[text]]
    assert decoded(by_openpyxl(file)[0][0]) == text


def test_dates_are_dates_and_numbers_numbers() -> None:
    row: list[Cell] = [dt.date(1990, 4, 4), MOMENT, 7, Decimal("42.50"), None, "", 0]
    file = made([row], 7)
    cells = openpyxl.load_workbook(file).worksheets[0][2]
    assert [cell.is_date for cell in cells] == [True, True, False, False, False, False, False]
    assert [cell.value for cell in cells] == [dt.datetime(1990, 4, 4), MOMENT, 7, 42.5, None, None, 0]  # noqa: DTZ001
    assert by_calamine(file) == [[dt.date(1990, 4, 4), MOMENT, 7.0, 42.5, "", "", 0.0]]


@given(st.dates(dt.date(1900, 3, 1), dt.date(9999, 12, 31)))
def test_every_day_is_the_day_that_openpyxl_would_write(day: dt.date) -> None:
    assert workbook.serial(day) == openpyxl.utils.datetime.to_excel(day)


@pytest.mark.parametrize("day", [dt.date(1900, 1, 1), dt.date(1900, 2, 28), dt.date(1871, 5, 9)])
def test_a_day_of_before_march_1900_is_written_out(day: dt.date) -> None:
    assert by_openpyxl(made([[day]], 1)) == [[day.isoformat()]]


def test_a_text_is_cut_where_a_cell_ends_and_never_inside_a_character() -> None:
    assert len(workbook.clean("a" * 40_000)) == 32_767
    cut = workbook.clean("👩" * 20_000)
    assert len(cut.encode("utf-16-le")) // 2 == 32_766
    assert by_calamine(made([[cut]], 1)) == [[cut]]


def test_the_sheet_can_be_filtered_and_keeps_its_header_in_sight() -> None:
    book = openpyxl.load_workbook(made([["a", "b"], ["c", "d"]], 2, [("Rows", 2)]))
    page, about = book.worksheets
    assert (page.auto_filter.ref, page.freeze_panes, page.print_title_rows) == ("A1:B3", "A2", "$1:$1")
    assert (page["A1"].font.bold, page.column_dimensions["B"].width) == (True, 18)
    assert [[cell.value for cell in row] for row in about.iter_rows()] == [["Rows", 2]]
    assert about.title == "About"


def test_a_sheet_that_would_be_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    made([["a"], ["b"]], 1)
    with pytest.raises(ValueError, match="no more rows"):
        made([["a"], ["b"], ["c"]], 1)


def test_a_reader_that_streams_sees_every_row() -> None:
    book = openpyxl.load_workbook(made([["a"], ["b"], ["c"]], 1), read_only=True)
    assert [row[0] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)] == ["a", "b", "c"]


def test_memory_does_not_grow_with_the_rows() -> None:
    def peak(count: int) -> int:
        class Nowhere(io.BytesIO):
            """A file that keeps nothing, so that only the writer is measured."""

            def write(self, data: Any) -> int:
                self.length = getattr(self, "length", 0) + len(data)
                return len(data)

            def tell(self) -> int:
                return getattr(self, "length", 0)

            def seekable(self) -> bool:
                return False

        rows: Iterator[list[Cell]] = ([f"Amélie {number}", number, dt.date(2026, 1, 1)] for number in itertools.count())
        tracemalloc.start()
        sheet = Sheet("Clients", [Column("a"), Column("b"), Column("c")], "About", lambda count: [])
        workbook.write(Nowhere(), sheet, itertools.islice(rows, count))
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)  # what is loaded once is no part of it
    assert peak(20_000) < peak(2_000) + 1_000_000
