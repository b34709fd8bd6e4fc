"""A real installation for a journey: ./run in a folder of its own on a free port, and its console."""

import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL", "EMAIL_URL", "CARNET_TESTING", "PYTEST_XDIST_WORKER", "FAILPOINT")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: str, look: Callable[[], T], *, seconds: float = 60) -> T:
    """Return the first true thing that `look` returns. Fails with `what` when it does not come."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.25)
    raise AssertionError(f"waited {seconds:.0f} s for {what}")


class Installation:
    """./run as a salon starts it: its own data folder and port, embedded database and broker."""

    def __init__(self, data_dir: Path, *arguments: str, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {name: value for name, value in os.environ.items() if name not in OURS}
        self.environment = {**kept, "DATA_DIR": str(data_dir), "PORT": str(self.port), **environment}
        self.arguments = arguments
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [ROOT / "run", *self.arguments], env=self.environment, cwd=ROOT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(90)
        finally:
            if self.process.poll() is None:
                self._kill()
            self.reader.join(10)
            if self.process.stdout:
                self.process.stdout.close()

    def _kill(self) -> None:
        """End supervisor and its children, each of which has a process group of its own."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in (self.process.pid, *map(int, children)):
            os.killpg(pid, signal.SIGKILL)

    def _read(self) -> None:
        assert self.process.stdout
        self.lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def console(self) -> str:
        """Return what the console says so far."""
        return "".join(self.lines)

    def printed(self, pattern: str, *, seconds: float = 180) -> str:
        """Return what the console prints for `pattern` as soon as it does."""

        def look() -> str:
            found = re.search(pattern, self.console)
            assert found or self.process.poll() is None, self.console
            return found.group(0) if found else ""

        return wait_for(pattern, look, seconds=seconds)

    def manage(self, *arguments: str) -> str:
        """Run manage.py beside the installation, as somebody at its console does, and return what it prints."""
        command: list[str | Path] = [ROOT / ".venv/bin/python", "manage.py", *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
