"""`send`: our sender with all its guarantees, against django-post-office and against one Celery task a message.

All deliver the same number of mails to the same kind of local mail server, a process of its own that takes whatever it is
given and offers PIPELINING, as Postfix and Exim do: whoever can may use it. `bare_statements` is the limit of one thread:
our own statements and lines with nothing between them. django-post-office does the same work on one thread, putting each
mail into words when it is sent (`vs_post_office`), and what it is set to as it comes: five threads, with mails that were
written beforehand. It comes from requirements-bench.txt: `--peer-python` names a Python that has it.

Both put the same words together: a name for each client, the salon's address, and a link to the client's choices, which
ours has to make and the peer is given. Without them what is the same for every mail would be most of it, and no salon is
like that.
"""

import argparse
import datetime as dt
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.db import connections
from django.utils import timezone

from appointments.models import Appointment, Service, Staff
from bench.peers.bare import rate
from bench.result import Result
from clients.models import Client, Subject
from notifications import dispatch
from notifications.models import Message, State
from salon.core import instance
from salon.core.models import Salon

ROOT = Path(__file__).resolve().parent.parent
RELAY_DELAY = 0.010
HOST = "salon.example.org"
REQUIREMENTS = "requirements-bench.txt"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the number of mails and the Python of the peer."""
    parser.add_argument("--mails", type=int, default=1000, metavar="N", help="mails for each side (default 1000)")
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="a Python with requirements-bench.txt")


def run(options: argparse.Namespace) -> Result:
    """Let each side deliver `options.mails` mails, and return rates (mails a second) and ratios."""
    _salon()
    count = options.mails
    figures: dict[str, float | int | str] = {"mails": count}
    ratios: dict[str, float] = {}
    notes: list[str] = []
    with mail_server() as port:
        _ours(port, max(count // 10, 20))  # warm
        ours = figures["ours_per_s"] = round(_ours(port, count), 1)
        if connections["default"].vendor == "postgresql":
            _write(count)
            bare = figures["bare_statements_per_s"] = round(rate(port, count), 1)
            ratios["vs_bare_statements"] = round(bare / ours, 2)
        for threads, ratio in (("one", "vs_post_office"), ("five", "vs_post_office_five_threads")):
            peer = _peer(options.peer_python, "post_office", port, threads, str(count))
            if peer is None:
                notes.append(f"django-post-office is NOT INSTALLED in {options.peer_python}: no {ratio}. See {REQUIREMENTS}.")
            else:
                figures[f"post_office_{threads}_per_s"] = round(peer, 1)
                ratios[ratio] = round(ours / peer, 2)
        task = _peer(sys.executable, "celery", port, str(max(count // 4, 50)))
        if task is not None:
            figures["celery_task_per_s"] = round(task, 1)
            ratios["vs_celery_task"] = round(ours / task, 2)
    with mail_server(RELAY_DELAY) as port:
        one = figures["relay_10ms_1_connection_per_s"] = round(_ours(port, max(count // 4, 100)), 1)
        eight = figures["relay_10ms_8_connections_per_s"] = round(_ours(port, count, threads=8), 1)
        ratios["connections_8"] = round(eight / one, 2)
    targets = {"vs_post_office": "≥ 1", "vs_celery_task": "≥ 5", "connections_8": "≥ 5 (on PostgreSQL)"}
    return Result("send", figures, ratios, targets, notes)


# --- ours ---------------------------------------------------------------------------------------------------------


def _salon() -> None:
    # A zone where it is noon, so that no quiet hours fall into the measurement.
    offset = 12 - dt.datetime.now(dt.UTC).hour
    zone = f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"
    salon, _ = Salon.objects.update_or_create(
        pk=1, defaults={"name": "Bench", "country": "FR", "time_zone": zone, "language": "en", "currency": "EUR",
                        "phone": "+33472000000", "email": "bench@example.org", "street": "12 rue des Lilas",
                        "postcode": "69003", "city": "Lyon", "public_url": f"https://{HOST}"},
    )  # fmt: skip
    settings.ALLOWED_HOSTS = [HOST]
    instance.claim(salon)


def _write(count: int) -> None:
    """Write `count` reminders that are due, each for a client and a visit of its own."""
    now = timezone.now()
    start_at = now + dt.timedelta(hours=30)
    service, _ = Service.objects.get_or_create(name="Cut", duration_minutes=45, price=Decimal(40))
    staff, _ = Staff.objects.get_or_create(name="Léa")
    clients = Client.objects.bulk_create(
        [
            Client(first_name=f"Amélie {number}", last_name=f"B{number}", email=f"a{number}@example.org", language="en")
            for number in range(count)
        ],
        batch_size=500,
    )
    Subject.objects.bulk_create([Subject(client=client) for client in clients], batch_size=500)
    visits = Appointment.objects.bulk_create(
        [
            Appointment(
                client=client, staff=staff, service=service, start_at=start_at, end_at=start_at + dt.timedelta(minutes=45),
                price=Decimal(40), is_overbooked=True, time_set_at=now - dt.timedelta(days=3),
            )
            for client in clients
        ],
        batch_size=500,
    )  # fmt: skip
    Message.objects.bulk_create(
        [
            Message(
                kind="reminder", channel="email", client_id=visit.client_id, appointment=visit, occasion=f"{visit.pk}:1:1",
                time_version=1, told_start_at=start_at, not_before=now - dt.timedelta(minutes=1), expires_at=start_at,
            )
            for visit in visits
        ],
        batch_size=500,
    )  # fmt: skip


def _ours(port: int, count: int, threads: int = 1) -> float:
    settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
    _write(count)
    before = Message.objects.filter(state=State.ACCEPTED).count()
    began = time.perf_counter()
    dispatch.deliver_due(limit=count, budget_s=600, threads=threads)
    while Message.objects.filter(state=State.PENDING).exists():  # what several threads left to each other
        dispatch.deliver_due(limit=count, budget_s=600, threads=threads)
    took = time.perf_counter() - began
    sent = Message.objects.filter(state=State.ACCEPTED).count() - before
    assert sent == count, f"{sent} of {count} were sent"
    return count / took


# --- the peers, each in a process of its own ----------------------------------------------------------------------


def _peer(python: str, name: str, port: int, *arguments: str) -> float | None:
    """Return the peer's mails a second, None if it is not installed."""
    known = subprocess.run(
        [python, "-c", f"import importlib.util, sys; sys.exit(importlib.util.find_spec('{name}') is None)"],
        capture_output=True,
        check=False,
    )
    if known.returncode:
        return None
    connections.close_all()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "bench.peers.settings", "BENCH_PORT": str(port)}
    done = subprocess.run(
        [python, "-m", f"bench.peers.{name}", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr[-2000:]}")
    return float(done.stdout.split()[-1])


# --- the mail server ----------------------------------------------------------------------------------------------


@contextmanager
def mail_server(delay: float = 0.0) -> Iterator[int]:
    """Run a mail server that takes everything, `delay` seconds after each text, and give its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", f"from bench.peers.sink import main; main({port}, {delay})"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)
