"""`manage.py prepare`: everything between the install and the start. Called by ./run; safe to call again."""

import hashlib
import logging
import shutil
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from salon.core import setup


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)


def _fingerprint() -> str:
    """Return a mark of every static file by path, size and time: what a change of any of them changes."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = Path(storage.path(path)).stat()
            digest.update(f"{path}:{facts.st_size}:{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _collect_static() -> None:
    root = Path(settings.STATIC_ROOT)
    mark, now = root / ".collected", _fingerprint()
    if mark.exists() and mark.read_text(encoding="utf-8") == now:
        return
    shutil.rmtree(root, ignore_errors=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.write_text(now, encoding="utf-8")


def _empty_queue() -> None:
    """Make the folder broker anew: a wake-up from before the stop wakes nobody, the outbox table lost nothing."""
    folder: Path | None = getattr(settings, "QUEUE_DIR", None)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("messages", "control"):
            (folder / name).mkdir(parents=True)


class Command(BaseCommand):
    help = "Bring the database and the static files up to date, and print the set-up link of a new installation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo", nargs="?", const="", metavar="COUNTRY",
            help="fill an empty installation with a demo salon, in France or in COUNTRY (FR, DE, GB), in its language",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        logging.captureWarnings(capture=True)
        try:
            _migrate()
        except DatabaseError as error:
            raise CommandError(f"The database cannot be used: {str(error).strip().splitlines()[0]}") from error
        _collect_static()
        _empty_queue()
        if options["demo"] is not None:
            if "demo" not in get_commands():
                raise CommandError("There is no demo salon in this version.")
            country = options["demo"].upper()
            call_command("demo", *(["--country", country] if country else []), stdout=self.stdout)
        link = setup.link(settings.PUBLIC_BASE_URL)
        if link:
            self.stdout.write("\nA new installation. When Carnet is ready, open this link: it works once, for you alone.\n")
            self.stdout.write(f"\n    {link}\n\n")
