"""What must hold before anything is started: place to write, room on the disk, a free port. Called by ./run and manage.py.

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


def data_folder() -> Path:
    """Return the folder of the installation, as the settings read it."""
    return (ROOT / setting("DATA_DIR", "var")).resolve()


def check_installed() -> None:
    """Raise Unready unless an installation is in the data folder: its keys, and the database unless that is elsewhere.

    Looks and makes nothing: the settings would make new keys, and the connection an empty database.
    """
    folder = data_folder()
    has_keys = (folder / "keys.json").is_file() or all(
        setting(name, "") or setting(f"{name}_FILE", "") for name in ("SECRET_KEY", "FIELD_KEY", "ADDRESS_KEY")
    )
    has_database = bool(setting("DATABASE_URL", "")) or (folder / "carnet.sqlite3").is_file()
    if not (has_keys and has_database):
        raise Unready(f"There is no Carnet in {folder}: is DATA_DIR right?")


def check_folder(folder: Path, megabytes: int) -> None:
    """Raise Unready unless `folder` can be made, written to, and has `megabytes` free."""
    if folder.exists() and not folder.is_dir():
        raise Unready(f"{folder} is a file: give a folder with DATA_DIR.")
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
    data_dir = data_folder()
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
