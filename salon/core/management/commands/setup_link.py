"""`manage.py setup_link`: a new one-time link to take an installation that nobody owns yet."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from salon.core import setup


class Command(BaseCommand):
    help = "Print a new one-time set-up link. The link printed before is void."

    def handle(self, *args: Any, **options: Any) -> None:
        link = setup.link(settings.PUBLIC_BASE_URL)
        if not link:
            raise CommandError("This installation has an owner: sign in, or ask for a new password on the sign-in page.")
        self.stdout.write(link)
