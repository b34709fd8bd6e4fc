"""`manage.py erase_due`: what the worker does: erase whose day has come, ask providers, write the database's file anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clients import clearing, deletions, growing_up, retention_rules
from clients.erasure import act
from clients.models import Deletion


class Command(BaseCommand):
    help = "Erase the clients whose day has come, and what is left to do of erasures before."
    requires_migrations_checks = True

    def handle(self, *args: Any, **options: Any) -> None:
        clearing.work()
        now = timezone.now()
        count = deletions.work(now)
        kept = sum(retention_rules.run(now).values())
        growing_up.expire(now)
        is_done = act.finish(now)
        self.stdout.write(f"Erased: {count}. Waiting for their day: {Deletion.objects.count()}. Ended by retention: {kept}.")
        if not is_done:
            raise CommandError("The database is in use and could not be written anew. Call it again.")
