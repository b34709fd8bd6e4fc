"""The list of clients over HTTP: its page against a bare view of the same table and against Django's admin, near and deep.

The admin is asked for its list with the card's own columns, for one that says of each client what ours says (ADR 20), and
for its search.

Two gunicorn processes with one thread, one with the application and its middleware, one bare. The sides are asked in
turns over a connection that stays open, so that what the machine does meanwhile hits all of them alike.
"""

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

from django.db.models import Count
from django.test import Client as Browser

from bench import export
from bench.result import Result, percentile
from clients import lists
from clients.models import Client
from salon.core.models import Salon, User

ROOT = Path(__file__).resolve().parent.parent
DEPTHS = (0.25, 0.5, 0.75, 1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what this bench takes beyond --clients."""
    parser.add_argument("--runs", type=int, default=60, help="how often each page is asked for (default 60)")


def run(options: argparse.Namespace) -> Result:
    """Fill the database, ask each side for its pages, and return requests a second and the three ratios."""
    export.fill(options.clients)
    cookie, pages = _signed_in(), -(-Client.objects.active().count() // lists.PER_PAGE)
    deep = {f"page {max(2, round(pages * depth))}": max(2, round(pages * depth)) for depth in DEPTHS}
    names = Client.objects.active().exclude(last_name="").values("last_name").annotate(count=Count("pk")).order_by("-count")
    sought = quote(names[0]["last_name"])
    with ExitStack() as stack:
        ours = stack.enter_context(_server("ours"))
        bare = stack.enter_context(_server("bare"))
        asked = {
            "bare": (bare, "/bare/"), "admin": (ours, "/plain/clients/client/"), "alike": (ours, "/alike/clients/client/"),
            "ours": (ours, "/clients/"), "admin's search": (ours, f"/plain/clients/client/?q={sought}"),
            "our search": (ours, f"/clients/?q={sought}"),
        }  # fmt: skip
        asked |= {name: (ours, f"/clients/?page={number}") for name, number in deep.items()}
        times = _ask(asked, cookie, options.runs)
    middle = {name: percentile(found, 0.5) for name, found in times.items()}
    figures: dict[str, float | int | str] = {"clients": options.clients, "pages": pages}
    figures |= {f"{name} ms": round(1000 * took, 2) for name, took in middle.items()}
    figures |= {f"{name} req/s": round(1 / middle[name], 1) for name in ("bare", "ours", "admin")}
    slowest = max(middle[name] for name in deep)
    ratios = {
        "vs_bare_view": round(middle["bare"] / middle["ours"], 2),
        "vs_admin": round(middle["admin"] / middle["ours"], 2),
        "vs_admin_alike": round(middle["alike"] / middle["ours"], 2),
        "vs_admin_search": round(middle["admin's search"] / middle["our search"], 2),
        "deep_vs_first": round(slowest / middle["ours"], 2),
    }
    notes = [
        "bare: the same table with answers and visits, without sign-in, middleware and shell. Medians, one process a side.",
        "admin: the card's own columns; alike: with answers, visits and tags beside them, as ours (ADR 20).",
    ]
    targets = {
        "vs_bare_view": "≥ 0.6", "vs_admin": "≥ 10, of large books only: ADR 20", "vs_admin_alike": "≥ 3",
        "vs_admin_search": "≥ 30, of large books only: ADR 20", "deep_vs_first": "≤ 3",
    }  # fmt: skip
    return Result("list", figures, ratios, targets, notes)


def _signed_in() -> str:
    """Return the cookie of the owner's session."""
    Salon.objects.update(is_mfa_required=False)
    owner = User.objects.get(email="owner@example.org")
    User.objects.filter(pk=owner.pk).update(is_superuser=True)
    browser = Browser()
    browser.force_login(User.objects.get(pk=owner.pk))
    return "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())


def _ask(asked: Mapping[str, tuple[int, str]], cookie: str, runs: int) -> dict[str, list[float]]:
    """Return the seconds of each answer, the sides in turns, the first round left out."""
    lines = {port: HTTPConnection("127.0.0.1", port, timeout=60) for port, _path in asked.values()}
    times: dict[str, list[float]] = {name: [] for name in asked}
    for number in range(runs + 1):
        for name, (port, path) in asked.items():
            start = time.perf_counter()
            lines[port].request("GET", path, headers={"Cookie": cookie})
            answer = lines[port].getresponse()
            text = answer.read()
            took = time.perf_counter() - start
            if answer.status != 200 or b"<table" not in text:
                raise SystemExit(f"{name}: {path} answered {answer.status}")
            if number:
                times[name].append(took)
    for line in lines.values():
        line.close()
    return times


@contextmanager
def _server(side: str) -> Iterator[int]:
    """Serve the pages of a side and yield the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [
            sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}",
            "--keep-alive", "75", "salon.wsgi",
        ],
        cwd=ROOT,
        env={
            **os.environ, "BENCH_SIDE": side, "DJANGO_SETTINGS_MODULE": "bench.peers.pages_settings", "WEB_THREADS": "1",
            "PORT": str(port), "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit("the web server did not start")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the web server did not answer within 30 seconds")
