"""What a plan comes to, as a value that can be kept and shown: counts, the rows to look at, and the file of faulty rows."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from clients.importing.names import words
from clients.importing.plan import Plan
from clients.importing.reading import Sheet
from clients.importing.rows import Problem, Row
from salon.core.lines import one_line

# As many as anybody reads; the file of faulty rows has all of them.
LISTED = 500
_SHOWN_CHARS = 60
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# What a spreadsheet would take for a quantity and write without its zeros, or as 3,36E+10.
_DIGITS = re.compile(r"0[0-9 ()./-]+|[0-9]{8,}").fullmatch
# Where a comma stands in decimal numbers, spreadsheets expect a semicolon between cells.
_SEMICOLON_COUNTRIES = words("AT BE BR CH CZ DE DK ES FI FR GF GP GR HU IT LU MC MQ NL NO PL PT RE RO SE YT")
_SEMICOLON_LANGUAGES = frozenset({"fr", "de"})


@dataclass(frozen=True)
class Report:
    """What an import would do. The row counts add up to the rows of the file, but for `unclear_count`, which are among them."""

    new_count: int = 0
    update_count: int = 0
    unchanged_count: int = 0
    faulty_count: int = 0
    unclear_count: int = 0
    claim_count: int = 0
    stop_count: int = 0
    fault_count: int = 0
    warning_count: int = 0
    # [row, column, reason, whose row it is, value of the cell]
    faults: list[list[Any]] = field(default_factory=list)
    warnings: list[list[Any]] = field(default_factory=list)
    # How often each reason occurs: [reason, count], the most frequent first.
    warning_reasons: list[list[Any]] = field(default_factory=list)
    # Numbers of the faulty rows, all of them.
    faulty_rows: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return the report of a plan, its sentences in the language that is active."""
        return cls(
            new_count=len(plan.new),
            update_count=plan.update_row_count,
            unchanged_count=plan.unchanged_row_count,
            faulty_count=len(plan.refused_rows),
            unclear_count=len({problem.row for problem in plan.warnings}),
            claim_count=len(plan.claims),
            stop_count=len(plan.stops),
            fault_count=len(plan.refused),
            warning_count=len(plan.warnings),
            faults=_listed(plan.refused),
            warnings=_listed(plan.warnings),
            warning_reasons=[list(pair) for pair in Counter(one.reason for one in plan.warnings).most_common(10)],
            faulty_rows=[row.number for row in plan.refused_rows],
        )

    @classmethod
    def loaded(cls, kept: Mapping[str, Any]) -> Self:
        """Return the report that `kept` was made of; an empty one for nothing. An older one says of no row whose it is."""
        listed = {name: [[*one, "", ""][:5] for one in kept[name]] for name in ("faults", "warnings") if name in kept}
        return cls(**{**kept, **listed})

    def kept(self) -> dict[str, Any]:
        """Return the report as plain values for the database."""
        return asdict(self)

    @property
    def row_count(self) -> int:
        """Return how many rows an import would write: new cards and filled ones."""
        return self.new_count + self.update_count

    @property
    def is_nothing_to_do(self) -> bool:
        """Return whether the book would not change at all."""
        return not (self.new_count or self.update_count or self.claim_count or self.stop_count)


def _listed(problems: Sequence[Problem]) -> list[list[Any]]:
    return [[one.row, one.column, one.reason, _shown(one.who), _shown(one.value)] for one in problems[:LISTED]]


def _shown(text: str) -> str:
    """Return as much of a cell as it takes to know it again, in one line."""
    line = one_line(text)
    return line if len(line) <= _SHOWN_CHARS else f"{line[:_SHOWN_CHARS]}…"


def faulty_csv(sheet: Sheet, rows: Iterable[Row], *, country: str) -> str:
    """Return the faulty rows as they are in the file, behind their number, column and reason, safe in a spreadsheet.

    Mended, the same file can be brought in again: the import leaves the first three columns alone, and they are not
    repeated when rows of that file are faulty still. The separator is that of the file, unless spreadsheets of the
    reader's language or of `country` (two letters) expect another.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=_separator(sheet.separator, country))
    start = len(_ours()) if tuple(sheet.header[:3]) in _every_ours() else 0
    writer.writerow([*_ours(), *(_harmless(cell) for cell in sheet.header[start:])])
    for row in rows:
        reasons = " ".join(dict.fromkeys(fault.reason for fault in row.faults))
        column = row.faults[0].column if row.faults else ""
        writer.writerow([row.number, _harmless(column), reasons, *(_harmless(cell) for cell in row.cells[start:])])
    return out.getvalue()


def _ours() -> tuple[str, str, str]:
    """Return the names of the columns that a file of faulty rows begins with."""
    return (_("Row"), _("Column"), _("Reason"))


def _every_ours() -> set[tuple[str, ...]]:
    """Return these names in each language: the file may have been written for somebody else."""
    found: set[tuple[str, ...]] = set()
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found.add(_ours())
    return found


def _separator(of_file: str, country: str) -> str:
    expects_semicolons = (translation.get_language() or "") in _SEMICOLON_LANGUAGES or country in _SEMICOLON_COUNTRIES
    return of_file if of_file not in {"", ","} else ";" if expects_semicolons else ","


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula or a number; the import takes the apostrophe off again."""
    return f"'{cell}" if cell.startswith(_FORMULA) or _DIGITS(cell) else cell
