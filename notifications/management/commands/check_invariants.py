"""`manage.py check_invariants`: say what ought not to be in the ledger and in the outbox. Mends nothing."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clients import invariants as of_clients
from notifications import invariants as of_notifications

CHECKS: Mapping[str, Callable[[], Iterator[str]]] = {
    "clients": of_clients.faults,
    "notifications": of_notifications.faults,
}


class Command(BaseCommand):
    help = "Check what must hold of the ledger and the messages at any time: ids and codes only. Exit code 1 on a finding."
    requires_migrations_checks = True

    def handle(self, *args: Any, **options: Any) -> None:
        total = 0
        for app, faults in CHECKS.items():
            found = list(faults())
            for fault in found:
                self.stdout.write(f"{app}: {fault}")
            self.stdout.write(f"{app}: {len(found)} found" if found else f"{app}: in order")
            total += len(found)
        if total:
            raise CommandError(f"{total} things ought not to be.", returncode=1)
