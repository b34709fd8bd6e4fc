"""Write Standing anew from the ledger: for an installation that was cut off while its country changed."""

from typing import Any

from django.core.management.base import BaseCommand

from clients import standings


class Command(BaseCommand):
    help = "Write what every client agreed to anew from the consent ledger."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{standings.rebuild()} clients")
