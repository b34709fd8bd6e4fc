"""Runs a small program of ours on bytes that somebody sent, in a process of its own: what they can reach is that process.

The program sets its own limits. It gets no environment, so none of the installation's secrets.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def program(path: Path) -> tuple[str, ...]:
    """Return the command that runs a Python file isolated: from the environment and from the folder it is started in."""
    return (sys.executable, "-I", str(path))


def run(command: Sequence[str], data: bytes, *, seconds: float) -> tuple[int, bytes]:
    """Return the exit code of a command for `data` on its standard input, and what it wrote; killed after `seconds`.

    A negative code is the signal of a limit.
    """
    # No fork: the web runs threads.
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, start_new_session=True,
    )  # fmt: skip
    with process:
        try:
            written, _nothing = process.communicate(data, timeout=seconds)
        except subprocess.TimeoutExpired:
            # The whole session: a program that was taken over may have started others.
            os.killpg(process.pid, signal.SIGKILL)
            written = b""
    return process.returncode, written
