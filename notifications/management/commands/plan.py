"""`manage.py plan`: fill the outbox once with what is due now."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from notifications import planner


class Command(BaseCommand):
    help = "Write down the messages that are due now. Running it twice changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        counts = planner.plan(timezone.now())
        self.stdout.write(", ".join(f"{name}: {count}" for name, count in counts.items()) or "Nothing new.")
