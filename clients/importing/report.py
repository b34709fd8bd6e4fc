"""What a plan comes to, as a value that can be kept and shown: counts, the rows to look at, and the file of faulty rows."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from django.utils.translation import gettext as _

from clients.importing.plan import Plan
from clients.importing.rows import Problem, Row

# As many as anybody reads; the file of faulty rows has all of them.
LISTED = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
        """Return the report that `kept` was made of; an empty one for nothing."""
        return cls(**kept)

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
    return [[problem.row, problem.column, problem.reason] for problem in problems[:LISTED]]


def faulty_csv(header: Sequence[str], rows: Iterable[Row]) -> str:
    """Return the faulty rows as they are in the file, behind their number, column and reason, safe in a spreadsheet.

    Mended, the same file can be brought in again: the import leaves the first three columns alone.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([_("Row"), _("Column"), _("Reason"), *(_harmless(cell) for cell in header)])
    for row in rows:
        reasons = " ".join(dict.fromkeys(fault.reason for fault in row.faults))
        column = row.faults[0].column if row.faults else ""
        writer.writerow([row.number, _harmless(column), reasons, *(_harmless(cell) for cell in row.cells)])
    return out.getvalue()


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; the import takes the apostrophe off again."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
