"""`python -m bench NAME`: runs bench/NAME.py on a database of its own and prints a table and, last, one JSON line.

The database is a file in a temporary folder, or with DATABASE_URL a new one on that server; it is dropped afterwards.
A bench is a module with `run(options) -> Result`, and `add_arguments(parser)` where it takes more than --clients.
"""

import argparse
import importlib
import os
import pkgutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import bench
from bench.result import Result


def names() -> list[str]:
    """Return the names of the benches there are."""
    return sorted(
        name for _finder, name, _is_package in pkgutil.iter_modules(bench.__path__) if name not in {"__main__", "result", "peers"}
    )


def main(arguments: list[str]) -> int:
    """Run the bench that `arguments` names and return the exit code."""
    if not arguments or arguments[0] not in names():
        print(f"usage: python -m bench NAME [options]\nNAME: {', '.join(names())}", file=sys.stderr)
        return 2
    name = arguments[0]
    with own_database() as where:
        importlib.import_module("django").setup()
        module = importlib.import_module(f"bench.{name}")
        parser = argparse.ArgumentParser(prog=f"python -m bench {name}")
        parser.add_argument("--clients", type=int, default=100_000, metavar="N", help="how many clients (default 100,000)")
        if hasattr(module, "add_arguments"):
            module.add_arguments(parser)
        options = parser.parse_args(arguments[1:])
        importlib.import_module("django.core.management").call_command("migrate", verbosity=0, skip_checks=True)
        print(f"{name} on {where}")
        result: Result = module.run(options)
        print(result.table())
        print(result.line(), flush=True)
    return 0


@contextmanager
def own_database() -> Iterator[str]:
    """Point this process, and those it starts, to a new data folder and database; drop both at the end."""
    url = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ["DATA_DIR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "salon.settings")
        os.environ.setdefault("LOG_LEVEL", "WARNING")
        if not url or url.startswith("sqlite"):
            os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
            yield "SQLite"
            return
        name = f"bench_{os.getpid()}"
        parts = urlsplit(url)
        with _server(parts._replace(path="/postgres").geturl()) as execute:
            execute(f"CREATE DATABASE {name}")
        os.environ["DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{name}"))
        # A measurement may load for longer than a page may ask.
        os.environ["DATABASE_OPTIONS"] = "-c statement_timeout=0 -c lock_timeout=0 -c jit=off"
        try:
            yield f"PostgreSQL, database {name}"
        finally:
            _disconnect()
            with _server(parts._replace(path="/postgres").geturl()) as execute:
                execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def _server(url: str) -> Iterator[Callable[[str], object]]:
    psycopg = importlib.import_module("psycopg")
    with psycopg.connect(url.replace("postgres://", "postgresql://", 1), autocommit=True) as connection:
        yield connection.execute


def _disconnect() -> None:
    if "django" in sys.modules and importlib.import_module("django.apps").apps.ready:
        importlib.import_module("django.db").connections.close_all()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
