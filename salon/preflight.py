"""What must hold before anything is started: place to write, room on the disk, a free port. Called by ./run.

Runs before the first install, so it needs the standard library only. Prints the data folder, the address and the
port, one a line, or one clear sentence on the error output.
"""

import os
import shutil
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA_MB = 100
INSTALL_MB = 600


class Unready(Exception):
    """Carnet cannot start here; the text says why and what to do."""


def setting(name: str, default: str) -> str:
    """Return `name` from the environment, else from the file .env, else `default`."""
    if value := os.environ.get(name):
        return value
    lines = (ROOT / ".env").read_text(encoding="utf-8").splitlines() if (ROOT / ".env").is_file() else []
    for line in lines:
        key, equals, value = line.removeprefix("export ").partition("=")
        if equals and key.strip() == name:
            return value.strip().strip("'\"") or default
    return default


def check_folder(folder: Path, megabytes: int) -> None:
    """Raise Unready unless `folder` can be made, written to, and has `megabytes` free."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"carnet")
        probe.unlink()
    except OSError as error:
        raise Unready(f"Carnet cannot write to {folder} ({error.strerror}): choose a folder of yours with DATA_DIR.") from error
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < megabytes:
        raise Unready(f"Only {free} MB are free for {folder}, and Carnet needs {megabytes} MB: make room first.")


def read_port(text: str) -> int:
    """Return `text` as a port number. Raises Unready for anything else."""
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise Unready(f"PORT is {text!r}, which is no port: give a number from 1 to 65535.")
    return int(text)


def check_port(address: str, port: int) -> None:
    """Raise Unready if something listens on `port` already, or we may not."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except PermissionError as error:
            raise Unready(f"Port {port} may be opened by the administrator only: try PORT=8000 ./run") from error
        except OSError as error:
            raise Unready(f"Port {port} is in use by another program: stop that, or try PORT={port % 65535 + 1} ./run") from error


def main() -> int:
    """Check everything, and print what ./run goes on with."""
    data_dir = (ROOT / setting("DATA_DIR", "var")).resolve()
    address = setting("BIND", "127.0.0.1")
    try:
        port = read_port(setting("PORT", "8000"))
        check_folder(data_dir, DATA_MB)
        if "--install" in sys.argv:
            check_folder(ROOT, INSTALL_MB)
        check_port(address, port)
    except Unready as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(data_dir, address, port, sep="\n")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
