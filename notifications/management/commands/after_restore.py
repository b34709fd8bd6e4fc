"""`manage.py after_restore`: make a restored database safe before Carnet starts on it; `--release` lets messages leave again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clients import deletions
from clients.erasure import again
from notifications import restoring
from salon.core.models import Salon


class Command(BaseCommand):
    help = "Hold what the lost hours may have said already, so that nobody is told twice. Nothing leaves until --release."
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--release", action="store_true", help="let messages leave from this installation again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._release() if options["release"] else self._settle()
        except Salon.DoesNotExist as error:
            raise CommandError("There is no salon in this database.") from error

    def _settle(self) -> None:
        now = timezone.now()
        Salon.objects.current()
        found = again.erase(now)  # before anything is planned for them
        self.stdout.write(f"Erased again, as the journal says: {found.again} (of {found.known} that were ever erased).")
        if not found.is_whole:
            self.stderr.write("The journal of erasures is not whole: a line is missing or was changed. Look for a copy of it.")
        self.stdout.write(f"Deletions put off for a week: {deletions.put_off(now)} (Clients, Deleted).")
        counts = restoring.settle(now)
        self.stdout.write(f"Held for review: {counts['held']} (Messages, Waiting). Advertising that ended: {counts['expired']}.")
        self.stdout.write("Nothing leaves now. When the lost hours are entered again: manage.py after_restore --release")

    def _release(self) -> None:
        if not restoring.release():
            wanted = Salon.objects.current().instance
            raise CommandError(f"INSTANCE_ID in the environment is that of another database. Set it to {wanted}, or remove it.")
        self.stdout.write("Messages leave again. What is held waits for you under Messages, Waiting.")
