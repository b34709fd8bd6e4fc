"""`manage.py import_clients FILE`: shows what a list would bring in; with --commit brings it in, as the page does."""

import sys
import threading
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.importing import columns, commit, jobs, reading, report
from clients.importing.report import Report
from clients.models import Import
from salon.core.errors import Refused
from salon.core.models import Salon

SHOWN = 50


class Command(BaseCommand):
    help = "Bring in clients from an Excel (.xlsx), CSV or vCard file. Shows what would happen; --commit does it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--commit", action="store_true", help="bring the clients in")
        parser.add_argument(
            "--column", action="append", default=[], metavar="HEADER=FIELD", help="say what a column holds, like Tel=mobile"
        )
        parser.add_argument("--refused", metavar="FILE.csv", help="write the refused rows, with reasons, to a new file")

    def handle(self, *args: Any, **options: Any) -> None:
        salon = Salon.objects.filter(pk=1).first()
        with translation.override(salon.language if salon else "en"):
            if salon is None:
                raise CommandError(_("The salon is not set up yet. Open the set-up link first."))
            if options["refused"] and Path(options["refused"]).exists():
                raise CommandError(_exists(Path(options["refused"])))
            path, now = Path(options["file"]), timezone.now()
            data = _bytes_of(path)
            try:
                sheet = reading.read(data, path.name)
                fields = _fields_of(options["column"], sheet.header)
                lines = commit.lines_of(sheet, fields, salon, now=now)
                if options["commit"]:
                    row = jobs.begin(data, path.name, by=None, now=now, fields=fields)
                    with _progress(row):
                        jobs.finish(row)
                    self._show(Report.loaded(row.report), done=row)
                else:
                    self._show(Report.of(commit.plan_of(lines, now=timezone.now())), done=None)
            except Refused as refused:
                raise CommandError(str(refused)) from refused
            if options["refused"]:
                text = report.faulty_csv(sheet, [row for row in lines if row.faults], country=salon.country)
                self._write_refused(text, Path(options["refused"]))

    def _show(self, report: Report, *, done: Import | None) -> None:
        out = self.stdout.write
        counts = (
            (_("New"), report.new_count),
            (_("Updated"), report.update_count),
            (_("Unchanged"), report.unchanged_count),
            (_("Refused"), report.faulty_count),
        )
        width = max(len(name) for name, _count in counts)
        for name, count in counts:
            out(f"{name:<{width}}  {count:>6}")
        if report.claim_count:
            out(
                _(
                    "Answers Yes to marketing, e-mail and SMS counted apart: %(count)s. Proof is missing, so nothing is sent "
                    "on it."
                )
                % {"count": report.claim_count}
            )
        if report.stop_count:
            out(
                _("Answers No to marketing, e-mail and SMS counted apart: %(count)s. A No counts at once.")
                % {"count": report.stop_count}
            )
        self._list(_("Refused rows"), report.faults, report.fault_count)
        self._list(_("Left out or worth a look"), report.warnings, report.warning_count)
        for reason, count in report.warning_reasons if report.warning_count > SHOWN else ():
            out(f"    {count} × {reason}")
        if done is None:
            out(_("Nothing was changed. Add --commit to import."))
        else:
            out(_("Imported."))
            out(_("To take it back within 7 days: manage.py undo_import %(number)s") % {"number": done.pk})

    def _list(self, title: str, problems: Sequence[Sequence[Any]], total: int) -> None:
        if not problems:
            return
        self.stdout.write(f"\n{title}")
        for number, column, reason, _who, _value in problems[:SHOWN]:
            where = _("Row %(row)s") % {"row": number}
            name = f", {column}" if column else ""
            self.stdout.write(f"  {where}{name}: {reason}")
        if rest := max(0, total - SHOWN):
            more = ngettext("and %(count)s more", "and %(count)s more", rest) % {"count": rest}
            self.stdout.write(f"  … {more}")

    def _write_refused(self, text: str, path: Path) -> None:
        """Write the refused rows to a file of their own, for its owner's eyes only."""
        try:
            with path.open("x", encoding="utf-8-sig", newline="") as file:
                path.chmod(0o600)
                file.write(text)
        except FileExistsError as error:
            raise CommandError(_exists(path)) from error
        except OSError as error:
            raise CommandError(_("%(path)s cannot be written.") % {"path": path}) from error
        self.stdout.write(_("Refused rows are in %(path)s.") % {"path": path})


def _fields_of(wishes: Sequence[str], header: Sequence[str]) -> dict[int, str]:
    """Return the fields of columns (by number) that --column names. Raises Refused for one that there is not."""
    fields = {}
    for wish in wishes:
        name, _equals, field = wish.rpartition("=")
        if not name or field not in columns.CHOICES:
            choices = ", ".join(choice for choice in columns.CHOICES if choice)
            raise Refused(
                _('Name a column and what it holds, like --column "Tel=mobile". What it may hold: %(choices)s')
                % {"choices": choices}
            )
        if name not in header:
            raise Refused(_("There is no column %(name)s in the file.") % {"name": name})
        fields[header.index(name)] = field
    return fields


@contextmanager
def _progress(row: Import) -> Iterator[None]:
    """Show on a terminal how far the import is, from a thread that only looks."""
    if not sys.stderr.isatty():
        yield
        return
    is_over = threading.Event()

    def show() -> None:
        while not is_over.wait(1):
            done, whole = Import.objects.filter(pk=row.pk).values_list("steps_done", "step_count").get()
            if whole:
                print("\r" + _("%(done)s of %(all)s") % {"done": done, "all": whole}, end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        connections.close_all()

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


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
