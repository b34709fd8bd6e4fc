"""`manage.py import_clients FILE`: shows what a CSV file would bring in; with --commit brings it in."""

import csv
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.importing import commit, reading
from clients.importing.plan import Plan
from clients.importing.rows import Problem
from salon.core.errors import Refused
from salon.core.models import Salon

SHOWN = 50
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Command(BaseCommand):
    help = "Bring in clients from a CSV file. Shows what would happen; --commit does it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--commit", action="store_true", help="bring the clients in")
        parser.add_argument("--refused", metavar="FILE.csv", help="write the refused rows, with reasons, to a new file")

    def handle(self, *args: Any, **options: Any) -> None:
        salon = Salon.objects.filter(pk=1).first()
        with translation.override(salon.language if salon else "en"):
            if salon is None:
                raise CommandError(_("The salon is not set up yet. Open the set-up link first."))
            if options["refused"] and Path(options["refused"]).exists():
                raise CommandError(_exists(Path(options["refused"])))
            data = _bytes_of(Path(options["file"]))
            now = timezone.now()
            try:
                if options["commit"]:
                    plan = commit.carry_out(data, salon, by=None, now=now)
                else:
                    plan = commit.make_plan(data, salon, now=now)
            except Refused as refused:
                raise CommandError(str(refused)) from refused
            self._show(plan, is_done=options["commit"])
            if options["refused"]:
                self._write_refused(plan, data, Path(options["refused"]))

    def _show(self, plan: Plan, *, is_done: bool) -> None:
        out = self.stdout.write
        counts = (
            (_("New"), len(plan.new)),
            (_("Updated"), plan.update_row_count),
            (_("Unchanged"), plan.unchanged_row_count),
            (_("Refused"), len(plan.refused_rows)),
        )
        width = max(len(name) for name, _count in counts)
        for name, count in counts:
            out(f"{name:<{width}}  {count:>6}")
        if plan.claims:
            out(
                _("Marketing, yes in the file: %(count)s. Proof is missing, so nothing is sent on it.")
                % {"count": len(plan.claims)}
            )
        if plan.stops:
            out(_("Marketing, no in the file: %(count)s. It counts at once.") % {"count": len(plan.stops)})
        self._list(_("Refused rows"), plan.refused)
        self._list(_("Left out or worth a look"), plan.warnings)
        if is_done:
            out(_("Imported."))
        else:
            out(_("Nothing was changed. Add --commit to import."))

    def _list(self, title: str, problems: Sequence[Problem]) -> None:
        if not problems:
            return
        self.stdout.write(f"\n{title}")
        for problem in problems[:SHOWN]:
            where = _("Row %(row)s") % {"row": problem.row}
            column = f", {problem.column}" if problem.column else ""
            self.stdout.write(f"  {where}{column}: {problem.reason}")
        if rest := problems[SHOWN:]:
            more = ngettext("and %(count)s more", "and %(count)s more", len(rest)) % {"count": len(rest)}
            self.stdout.write(f"  … {more}")
            for reason, count in Counter(problem.reason for problem in rest).most_common(10):
                self.stdout.write(f"    {count} × {reason}")

    def _write_refused(self, plan: Plan, data: bytes, path: Path) -> None:
        """Write the rows as they are in the file, behind their number, column and reason, safe to open in a spreadsheet."""
        header = reading.read(data).header
        try:
            with path.open("x", encoding="utf-8-sig", newline="") as file:
                path.chmod(0o600)
                writer = csv.writer(file)
                writer.writerow([_("Row"), _("Column"), _("Reason"), *header])
                for row in plan.refused_rows:
                    fault = row.faults[0]
                    reasons = " ".join(dict.fromkeys(one.reason for one in row.faults))
                    writer.writerow([row.number, fault.column, reasons, *(_harmless(cell) for cell in row.cells)])
        except FileExistsError as error:
            raise CommandError(_exists(path)) from error
        except OSError as error:
            raise CommandError(_("%(path)s cannot be written.") % {"path": path}) from error
        self.stdout.write(_("Refused rows are in %(path)s.") % {"path": path})


def _bytes_of(path: Path) -> bytes:
    """Return the file's content, no more of it than is allowed. Raises CommandError with a sentence."""
    if path.is_dir():
        raise CommandError(_("%(path)s is a folder, not a file.") % {"path": path})
    try:
        with path.open("rb") as file:
            return file.read(reading.MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise CommandError(_("There is no file %(path)s.") % {"path": path}) from error
    except OSError as error:
        raise CommandError(_("%(path)s cannot be read.") % {"path": path}) from error


def _exists(path: Path) -> str:
    return _("%(path)s exists already. Name a new file for the refused rows.") % {"path": path}


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; the import takes the apostrophe off again."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
