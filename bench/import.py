"""`import`: a whole list brought in, beside the bare reading of the same file, and what the web notices of it.

The list is an Excel file as a salon has it. The web is the real one, asked for the list of clients over and over: first
at rest, then while another process brings a second list in, as the worker does.
"""

import argparse
import datetime as dt
import http.client
import io
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import openpyxl
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.test import Client as Browser
from django.utils import timezone
from python_calamine import CalamineWorkbook

from bench import search
from bench.result import Result, percentile
from clients.importing import columns, jobs, reading, rows
from clients.models import Client
from salon.core.models import Salon, User

ROOT = Path(__file__).resolve().parent.parent
HEADER = [
    "Vorname", "Nachname", "Geburtsdatum", "Mobil", "Telefon", "E-Mail", "Straße", "PLZ", "Ort", "Land", "Sprache", "Notiz",
    "Newsletter", "Kunde seit", "Letzter Besuch", "Besuche", "Stammpersonal", "Status",
]  # fmt: skip
BEFORE = 2_000
REST_S = 8.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take how many clients the second list has, beside which the web is asked."""
    parser.add_argument("--beside", type=int, default=10_000, metavar="N", help="clients of the second list (default 10,000)")


def run(options: argparse.Namespace) -> Result:
    """Bring `options.clients` in and return seconds, rows a second and both ratios. Raises AssertionError for a lost row."""
    search.fill(BEFORE)
    data = make_list(options.clients, seed=1)
    bare = min(_seconds(lambda: _bare(data)) for _ in range(3))
    sheet = reading.read(data)
    salon, now = Salon.objects.get(), timezone.now()
    read = _seconds(lambda: reading.read(data))
    checked = _seconds(lambda: rows.read(sheet, columns.recognise(sheet.header), country=salon.country, today=now.date()))
    whole = _seconds(lambda: jobs.bring_in(data, "list.xlsx", by=None, now=now))
    assert Client.objects.count() == BEFORE + options.clients, "a row was lost"
    idle, busy, beside = _web(make_list(options.beside, seed=2))
    figures: dict[str, float | int | str] = {
        "clients": options.clients,
        "file_mb": round(len(data) / 1e6, 2),
        "bare_read_s": round(bare, 2),
        "safe_read_s": round(read, 2),
        "values_s": round(checked, 2),
        "import_s": round(whole, 2),
        "rows_per_s": round(options.clients / whole),
        "web_idle_p95_ms": round(percentile(idle, 0.95) * 1000, 1),
        "web_busy_p95_ms": round(percentile(busy, 0.95) * 1000, 1),
        "web_busy_requests": len(busy),
        "beside_s": round(beside, 2),
    }
    ratios = {
        "vs_bare_read": round(whole / bare, 1),
        "web_p95_vs_idle": round(percentile(busy, 0.95) / percentile(idle, 0.95), 2),
    }
    return Result("import", figures, ratios, {"vs_bare_read": "≤ 20", "web_p95_vs_idle": "≤ 2"})


def make_list(count: int, *, seed: int) -> bytes:
    """Return an Excel file with `count` clients, every third with a yes and every third with a no to the newsletter.

    It has the columns that the client list of a salon's program has, also those that no card keeps.
    """
    rng = Random(seed)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Kunden")
    sheet.append(HEADER)
    for number in range(count):
        sheet.append(
            [
                f"Anna{number % 977}",
                f"Berg{seed}{number}",
                dt.date(1950 + number % 50, 1 + number % 12, 1 + number % 28),
                f"+336{rng.choice('1245678')}{rng.randrange(10**7):07}",
                f"+33 4 72 {number % 90 + 10} 10 10" if number % 4 == 0 else None,
                f"anna.berg{seed}{number}@example.org",
                f"Hauptstraße {number % 90}",
                f"{10_000 + number % 80_000}",
                "Lyon",
                "Frankreich",
                "Deutsch",
                "Mag Tee" if number % 5 == 0 else None,
                ("ja", "nein", None)[number % 3],
                dt.date(2015 + number % 10, 1 + number % 12, 1 + number % 28),
                dt.date(2025, 1 + number % 12, 1 + number % 28),
                number % 60,
                ("Léa", "Marco", "Inès")[number % 3],
                "aktiv",
            ]
        )
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _bare(data: bytes) -> int:
    return len(CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python())


def _seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _web(data: bytes) -> tuple[list[float], list[float], float]:
    """Return how long each request took at rest and beside an import (seconds), and how long that import took."""
    user = User.objects.create_user("desk@example.org", None, name="Sofia Klein", role="reception")
    browser = Browser()
    browser.force_login(user)
    cookie = f"{settings.SESSION_COOKIE_NAME}={browser.cookies[settings.SESSION_COOKIE_NAME].value}"
    call_command("collectstatic", interactive=False, verbosity=0)
    connections.close_all()
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file, _server() as port:
        file.write(data)
        file.flush()
        ends_at = time.monotonic() + REST_S
        _ask(port, cookie)  # warm
        idle = []
        while time.monotonic() < ends_at:
            idle.append(_ask(port, cookie))
        began = time.perf_counter()
        command = [sys.executable, "manage.py", "import_clients", file.name, "--commit"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        busy = []
        while process.poll() is None:
            busy.append(_ask(port, cookie))
        took = time.perf_counter() - began
        assert process.returncode == 0, "the second list was not brought in"
    return idle, busy, took


def _ask(port: int, cookie: str) -> float:
    """Ask for the list of clients as a browser does, think for a moment, and return how long the answer took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.perf_counter()
    connection.request("GET", "/clients/", headers={"Cookie": cookie})
    answer = connection.getresponse()
    text = answer.read()
    took = time.perf_counter() - began
    connection.close()
    assert answer.status == 200, f"the web answered {answer.status}"
    assert b"<tr" in text, "the web did not show the list"
    time.sleep(0.05)
    return took


@contextmanager
def _server() -> Iterator[int]:
    """Run the web as an installation does, on this bench's database, and give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = str(Path(sys.executable).with_name("gunicorn"))
    process = subprocess.Popen(
        [program, "--config", "gunicorn.conf.py"], cwd=ROOT, env={**os.environ, "PORT": str(port)}, stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)
