"""`export`: every client with every column as an Excel file, against openpyxl's own write-only loop and django-import-export.

Each side is a process of its own and writes as many columns. django-import-export comes from requirements-bench.txt:
`--peer-python` names a Python that has it. The file is read again by calamine, and by LibreOffice where it is installed.
"""

import argparse
import csv
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import python_calamine
from django.db import connection
from django.utils import timezone

from appointments.models import Appointment, Service, Staff, State
from bench.result import Result
from clients import fold
from clients.exporting import columns
from clients.models import Client, Standing
from notifications.demo import house, people
from salon.core.models import User
from salon.core.roles import Role

ROOT = Path(__file__).resolve().parent.parent
# As many columns of the card as ours has in all, for the sides that know no answers and no visits.
PLAIN = (
    "first_name", "last_name", "email", "phone", "language", "birth_day", "birth_month", "birth_year", "street", "postcode",
    "city", "country", "note", "preferred_channel", "came_through", "created_at", "inactive_at", "blacklisted_at", "id",
    "version", "sort_name", "search_text", "inactive_reason", "erased_at",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the Python of the peer."""
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="a Python with requirements-bench.txt")


def run(options: argparse.Namespace) -> Result:
    """Fill the database, let each side write its file, and return times, memory and what other programs read in ours."""
    assert len(PLAIN) == len(columns.COLUMNS)
    fill(options.clients)
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-export-") as folder:
        mine = _side("ours", sys.executable, Path(folder))
        theirs = _side("openpyxl", sys.executable, Path(folder))
        peer = _side("import_export", options.peer_python, Path(folder))
        sealed = _side("locked", sys.executable, Path(folder))
        if mine is None or theirs is None or sealed is None:
            raise SystemExit("a side did not finish")
        figures: dict[str, float | int | str] = {
            "clients": mine["rows"], "columns": len(PLAIN), "ours s": round(mine["seconds"], 2),
            "openpyxl s": round(theirs["seconds"], 2), "openpyxl peak MiB": round(theirs["peak_rss_mib"], 1),
            "locked s": round(sealed["seconds"], 2), "locked peak MiB": round(sealed["peak_rss_mib"], 1),
            "size MiB": round((Path(folder) / "ours.xlsx").stat().st_size / 2**20, 2),
        }  # fmt: skip
        ratios = {"vs_openpyxl": round(theirs["seconds"] / mine["seconds"], 2)}
        if peer is None:
            notes.append(f"django-import-export is NOT INSTALLED in {options.peer_python}: no vs_import_export.")
        else:
            figures["import_export s"] = round(peer["seconds"], 2)
            figures["import_export peak MiB"] = round(peer["peak_rss_mib"], 1)
            ratios["vs_import_export"] = round(peer["seconds"] / mine["seconds"], 2)
        ratios["peak_rss_mib"] = round(mine["peak_rss_mib"], 1)
        figures["rows read by calamine"] = _by_calamine(Path(folder) / "ours.xlsx")
        figures["rows read by LibreOffice"] = _by_libreoffice(Path(folder) / "ours.xlsx", notes)
    targets = {"vs_openpyxl": "≥ 0.9", "vs_import_export": "≥ 2.5", "peak_rss_mib": "≤ 120"}
    return Result("export", figures, ratios, targets, notes)


def fill(count: int) -> None:
    """Make a salon with `count` clients, three fifths with answers, half with a past visit, a tenth with one ahead."""
    rng, now = Random(1), timezone.now()
    house.profile("FR")
    User.objects.create_user("owner@example.org", None, name="Olivia Moreau", role=Role.OWNER, language="en")
    people.add(count, language="en", rng=rng, by=None, now=now)
    states = [Standing.State.GRANTED, Standing.State.GRANTED, Standing.State.WITHDRAWN]
    service = Service.objects.create(name="Cut", duration_minutes=45, price=42)
    staff = Staff.objects.create(name="Léa")
    ids = list(Client.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), 5_000):
        some = ids[start : start + 5_000]
        Standing.objects.bulk_create(
            Standing(client_id=pk, purpose=purpose, channel=channel, state=state)
            for pk in some
            if rng.random() < 0.6
            for channel in fold.CHANNELS
            for state in [rng.choice(states)]
            for purpose in fold.MARKETING
        )
        Appointment.objects.bulk_create(
            _visit(pk, staff, service, at, state)
            for pk in some
            for share, at, state in (
                (0.5, now - dt.timedelta(days=30), State.DONE),
                (0.1, now + dt.timedelta(days=30), State.BOOKED),
            )
            if rng.random() < share
        )
    with connection.cursor() as cursor:
        # As the book is a minute later by itself: each card was written twice here.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _visit(pk: int, staff: Staff, service: Service, at: dt.datetime, state: str) -> Appointment:
    # Minutes apart, so that no two of them overlap.
    start = at + (dt.timedelta(minutes=pk) if state == State.BOOKED else -dt.timedelta(minutes=pk))
    return Appointment(
        client_id=pk, staff=staff, service=service, start_at=start, end_at=start + dt.timedelta(minutes=1), price=42, state=state
    )


def _side(side: str, python: str, folder: Path) -> dict[str, Any] | None:
    """Let one side write its file and return its seconds, rows and peak memory, or None where it is not installed."""
    done = subprocess.run(
        [python, "-m", "bench.peers.export", side, str(folder / f"{side}.xlsx"), ",".join(PLAIN)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        if "ModuleNotFoundError" not in done.stderr:
            print(done.stderr, file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _by_calamine(path: Path) -> int:
    return len(python_calamine.load_workbook(str(path)).get_sheet_by_index(0).to_python()) - 1


def _by_libreoffice(path: Path, notes: list[str]) -> int | str:
    """Return how many rows LibreOffice reads in the file, or that it is not there."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        notes.append("LibreOffice is NOT INSTALLED: the file was not opened with it.")
        return "not installed"
    into = path.parent / "office"
    subprocess.run(
        [office, f"-env:UserInstallation=file://{into}/profile", "--headless", "--convert-to",
         "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,1", "--outdir", str(into), str(path)],
        capture_output=True,
        check=True,
    )  # fmt: skip
    (made,) = into.glob("*.csv")
    with made.open(encoding="utf-8", newline="") as file:
        return sum(1 for _row in csv.reader(file)) - 1
