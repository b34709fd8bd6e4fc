"""Senders as processes of their own, on the database of the test: to be killed, stopped and raced."""

import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from notifications.models import Message, State
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def database_url() -> str:
    """Return the database of this test as another process would name it."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    return f"postgres://{values['USER']}:{values['PASSWORD'] or ''}@{values['HOST']}:{values['PORT']}/{values['NAME']}"


def environment(port: int, **more: str) -> dict[str, str]:
    """Return the environment of a sender that delivers to the mail server on `port`."""
    known = {name: value for name, value in os.environ.items() if name not in {"FAILPOINT", "OUTBOX_POLICY"}}
    return known | {
        "DATABASE_URL": database_url(), "DATA_DIR": str(settings.DATA_DIR), "CARNET_TESTING": "1",
        "EMAIL_URL": f"smtp://127.0.0.1:{port}", "DJANGO_SETTINGS_MODULE": "salon.settings", "PYTHONWARNINGS": "ignore",
        "SECRET_KEY": settings.SECRET_KEY, "FIELD_KEY": settings.FIELD_KEYS[0], "ADDRESS_KEY": settings.ADDRESS_KEY,
        **more,
    }  # fmt: skip


def start(port: int, *arguments: str, **more: str) -> "subprocess.Popen[str]":
    """Start `manage.py deliver` with these arguments and environment variables."""
    return subprocess.Popen(
        [sys.executable, "manage.py", "deliver", *(arguments or ("--once",))],
        cwd=ROOT, env=environment(port, **more), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def start_worker(port: int, *, concurrency: int, broker: str = "filesystem://") -> "subprocess.Popen[str]":
    """Start the worker as `./run` does, delivering to the mail server on `port`. The queue in a folder is emptied before."""
    shutil.rmtree(settings.DATA_DIR / "queue", ignore_errors=True)
    for name in ("messages", "control"):
        (settings.DATA_DIR / "queue" / name).mkdir(parents=True)
    arguments = f"worker --pool threads --concurrency {concurrency} --without-gossip --without-mingle --without-heartbeat"
    return _celery(arguments, environment(port, CELERY_BROKER_URL=broker, WORKER_CONCURRENCY=str(concurrency)))


def start_clock(broker: str) -> "subprocess.Popen[str]":
    """Start the clock as `./run` does."""
    return _celery("beat --scheduler celery.beat:Scheduler --pidfile=", environment(1, CELERY_BROKER_URL=broker))


def _celery(arguments: str, environ: dict[str, str]) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "salon", *arguments.split(), "--loglevel", "warning"]
    # Nobody reads along: a full pipe would stop what is tested.
    return subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ring(*tasks: str, broker: str = "filesystem://") -> None:
    """Put these tasks into the queue, as the clock does."""
    script = "import sys; from salon.celery import app; [app.send_task(name) for name in sys.argv[1:]]"
    environ = environment(1, CELERY_BROKER_URL=broker)
    subprocess.run([sys.executable, "-c", script, *tasks], cwd=ROOT, env=environ, check=True, timeout=60)


def deliver(port: int, **more: str) -> int:
    """Deliver once in a process of its own and return its exit code: −9 for one that was killed."""
    process = start(port, "--once", **more)
    out, err = process.communicate(timeout=120)
    assert process.returncode in {0, -signal.SIGKILL}, f"{out}\n{err}"
    return process.returncode


def kill(process: "subprocess.Popen[str]") -> None:
    """End a process that we started, at once, and wait until it is gone."""
    process.kill()
    process.communicate(timeout=30)


def let_leases_end() -> None:
    """Make it as if every lease had run out."""
    Message.objects.filter(state__in=[State.CLAIMED, State.HANDOFF]).update(lease_until=LONG_AGO)


def reminders(count: int, **fields: Any) -> list[Message]:
    """Return `count` reminders that are due, each for a client of its own."""
    now = dt.datetime.now(dt.UTC)
    start_at = now + dt.timedelta(hours=30)
    service, staff = factories.service(), factories.staff()
    rows = []
    for _ in range(count):
        visit = factories.appointment(
            start_at=start_at,
            service=service,
            staff=staff,
            time_set_at=now - dt.timedelta(days=3),
            is_notice_wanted=False,
            is_overbooked=True,
        )
        rows.append(
            Message(
                kind="reminder", channel="email", client=visit.client, appointment=visit, occasion=f"{visit.pk}:1:1",
                time_version=1, told_start_at=start_at, not_before=now - dt.timedelta(minutes=1), expires_at=start_at, **fields,
            )
        )  # fmt: skip
    return Message.objects.bulk_create(rows)


def midday_zone() -> str:
    """Return a zone in which it is about noon now, so that no quiet hours fall into the test."""
    offset = 12 - dt.datetime.now(dt.UTC).hour
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


def states() -> Counter[str]:
    """Return how many messages stand where."""
    return Counter(Message.objects.values_list("state", flat=True))


def wait_for(condition: Any, seconds: float = 100.0) -> None:
    """Wait until `condition()` holds. Raises AssertionError after `seconds`."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
