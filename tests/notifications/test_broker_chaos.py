"""A broker that hangs, dies or was never there: slower, never wrong, and nobody who books waits for it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest

from notifications.models import State
from salon.core.models import Salon
from tests.fakes.smtp_sink import Sink
from tests.journeys.installation import free_port
from tests.notifications import workers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos]

RING = """
import time, django
django.setup()
from django.db import transaction
from salon.core import bell
worst = 0
for _ in range(20):
    began = time.monotonic()
    with transaction.atomic():
        bell.ring()
    worst = max(worst, time.monotonic() - began)
    time.sleep(0.05)
print(worst, flush=True)
import os; os._exit(0)
"""


@dataclass
class Redis:
    """A Redis of our own that keeps nothing on disk: it can be ended, stopped and started on the same port."""

    program: str
    port: int
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        workers.wait_for(lambda: _answers(self.port))

    def send(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """A Redis that has not been started."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server")
    server = Redis(program, free_port(), tmp_path)
    yield server
    server.kill()


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


@contextlib.contextmanager
def _worker_and_clock(sink: Sink, redis: Redis) -> Iterator[list["subprocess.Popen[str]"]]:
    """Run both as `./run` does, woken through the Redis and delivering to the sink."""
    running = [workers.start_worker(sink.port, concurrency=4, broker=redis.url), workers.start_clock(redis.url)]
    try:
        yield running
    finally:
        for process in running:
            workers.kill(process)


def _all_sent_once(sink: Sink, count: int) -> bool:
    return workers.states() == Counter({State.ACCEPTED: count}) and set(Counter(sink.message_ids).values()) == {1}


def test_a_broker_that_hangs_holds_up_nobody_who_books(committed: Salon, redis: Redis) -> None:
    """D6. One second is the promise; the wait of a blocked connection would be two and more."""
    redis.start()
    redis.send(signal.SIGSTOP)
    environment = workers.environment(1, CELERY_BROKER_URL=redis.url, CARNET_TESTING="0")
    process = subprocess.run(
        [sys.executable, "-c", RING], cwd=workers.ROOT, env=environment, text=True, capture_output=True, timeout=120, check=True
    )
    assert float(process.stdout.split()[-1]) < 1.0


def test_a_broker_that_dies_with_all_it_held_loses_no_message(committed: Salon, redis: Redis, sink: Sink) -> None:
    """D5: worker and clock outlive it, and the rows are still there when it comes back empty."""
    workers.reminders(60)
    redis.start()
    sink.delay = 0.05
    with _worker_and_clock(sink, redis) as running:
        workers.wait_for(lambda: sink.mails)
        redis.kill()
        workers.reminders(20)
        time.sleep(3)
        assert [process.poll() for process in running] == [None, None], "neither worker nor clock ended"
        redis.start()
        workers.wait_for(lambda: _all_sent_once(sink, 80))


def test_without_a_broker_at_the_start_the_web_serves_and_the_rest_begins_when_it_comes(
    committed: Salon, redis: Redis, sink: Sink
) -> None:
    """D7."""
    workers.reminders(5)
    port = free_port()
    environ = workers.environment(sink.port, CELERY_BROKER_URL=redis.url, PORT=str(port))
    web = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"], cwd=workers.ROOT, env=environ,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with _worker_and_clock(sink, redis):
            workers.wait_for(lambda: _answers(port))
            for path in ("/healthz", "/accounts/login/"):
                with contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=20)) as line:
                    line.request("GET", path)
                    assert line.getresponse().status == 200, path
            assert sink.mails == [], "nobody rang"
            redis.start()
            workers.wait_for(lambda: _all_sent_once(sink, 5))
    finally:
        web.kill()
        web.wait(10)


def test_where_the_worker_stands_still_the_loop_takes_over_and_nothing_goes_twice(
    committed: Salon, redis: Redis, sink: Sink
) -> None:
    """D8: a worker that is alive and does nothing, then wakes."""
    workers.reminders(30)
    redis.start()
    sink.delay = 0.2
    worker = workers.start_worker(sink.port, concurrency=4, broker=redis.url)
    try:
        workers.ring("notifications.deliver", broker=redis.url)
        workers.wait_for(lambda: sink.mails)
        os.kill(worker.pid, signal.SIGSTOP)
        sink.delay = 0
        workers.let_leases_end()
        loop = workers.start(sink.port, "--loop", "--every", "0.2")
        workers.wait_for(lambda: not workers.states()[State.PENDING] and not workers.states()[State.CLAIMED])
        os.kill(worker.pid, signal.SIGCONT)
        time.sleep(2)
        workers.kill(loop)
    finally:
        worker.send_signal(signal.SIGCONT)
        workers.kill(worker)
    counts = Counter(sink.message_ids)
    assert set(counts.values()) == {1}
    # The one in hand when the worker stood still: handed over, and perhaps nobody's any more to say whether it arrived.
    assert len(counts) >= 29
    assert workers.states()[State.ACCEPTED] + workers.states()[State.UNKNOWN] + workers.states()[State.HANDOFF] == 30
