"""Reads a file from standard input within limits and writes its rows as JSON: what a hostile file can reach is this process."""

import sys

if __name__ == "__main__":
    # Isolated from the environment (-I), Python does not look beside the script.
    sys.path.insert(0, __file__.rpartition("/clients/")[0])

import json
import resource

from clients.importing.reader import formats
from clients.importing.reader.table import Unreadable

MEMORY = 400_000_000
CPU_SECONDS = 8


def main() -> None:
    """Read, parse and answer. A failed allocation is the file's doing, so it is told like any other reason."""
    confine()
    data = sys.stdin.buffer.read()
    try:
        answer = formats.read(data)
        written = json.dumps(vars(answer), ensure_ascii=True, separators=(",", ":"))
    except Unreadable as fault:
        written = json.dumps({"unreadable": fault.reason, "row": fault.row})
    except (MemoryError, RecursionError):
        written = json.dumps({"unreadable": "too_large", "row": 0})
    sys.stdout.write(written)


def confine() -> None:
    """Give up memory, time, and whatever needs a file descriptor: files, sockets and new processes with pipes."""
    for name, limit in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 3),
    ):
        resource.setrlimit(name, (limit, limit))


if __name__ == "__main__":
    main()
