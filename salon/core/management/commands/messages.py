"""`manage.py messages`: brings the translations up to date, or says what is wrong with them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from salon.core import catalogues


class Command(BaseCommand):
    help = "Collect the texts of code and templates into locale/, keep what is translated and compile it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; fail if anything is missing or stale")

    def handle(self, *args: Any, **options: Any) -> None:
        template = catalogues.template_catalog(settings.BASE_DIR)
        faults: list[catalogues.Fault] = []
        for language in catalogues.LANGUAGES:
            if not options["check"]:
                catalogues.refresh(settings.BASE_DIR, language, template)
            found = catalogues.faults(settings.BASE_DIR, language, template)
            faults += found
            self.stdout.write(f"{language}: {len(template)} texts, {len(found)} to mend")
        for fault in faults:
            self.stdout.write(str(fault))
        if faults and options["check"]:
            raise CommandError(
                f"{len(faults)} texts need a translator. Edit locale/*/LC_MESSAGES/django.po, then run manage.py messages."
            )
