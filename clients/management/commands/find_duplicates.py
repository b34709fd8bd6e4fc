"""`manage.py find_duplicates`: compares all cards now, as the worker does at night, and says what it found."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from clients.duplicates import pairs, scan
from clients.models import DuplicatePair


class Command(BaseCommand):
    help = "Look for cards that may be one person."

    def handle(self, *args: Any, **options: Any) -> None:
        row = scan.all_cards(timezone.now())
        waiting = DuplicatePair.objects.filter(state=pairs.State.OPEN)
        counts = ", ".join(f"{waiting.filter(band=band).count()} {band}" for band in pairs.Band.values)
        self.stdout.write(f"{row.cards_count} cards compared: {counts}.")
        for kind, count in row.skipped.items():
            self.stdout.write(f"{count} cards share a key ({kind}) with too many others: compared by their other keys only.")
