"""`manage.py demo`: fills an empty installation with a believable salon and prints a sign-in for each role.

From 5,000 clients on it is a large one for measuring, with the same sign-ins.
"""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from notifications.demo import large, words
from notifications.demo import salon as demo
from salon.core.errors import Refused


class Command(BaseCommand):
    help = "Fill an empty installation with a demo salon."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clients", type=int, default=400, metavar="N", help="how many clients (default 400)")
        parser.add_argument("--country", choices=list(words.SALONS), default="FR", help="where the salon is (default FR)")
        codes = [code for code, _name in settings.LANGUAGES]
        parser.add_argument("--language", choices=codes, help="what the team reads (default that of the country)")
        parser.add_argument("--seed", type=int, default=1, help="another number gives other people")

    def handle(self, *args: Any, **options: Any) -> None:
        country = options["country"]
        language = options["language"] or words.SALONS[country][0]
        with translation.override(language):
            if options["clients"] < 1:
                raise CommandError(_("A demo needs at least one client."))
            try:
                wanted = {"client_count": options["clients"], "language": language, "seed": options["seed"], "country": country}
                if options["clients"] < large.FROM:
                    opened = demo.fill(**wanted, now=timezone.now())
                else:
                    opened = large.fill(**wanted, now=timezone.now(), say=self.stdout.write)
            except Refused as refused:
                raise CommandError(str(refused)) from refused
            self.stdout.write(
                _("Atelier Nord is open: %(clients)s clients, %(visits)s visits.")
                % {"clients": opened.client_count, "visits": opened.visit_count}
            )
            rows = [(_("Role"), _("E-mail"), _("Password")), *((one.role, one.email, one.password) for one in opened.logins)]
            widths = [max(len(row[column]) for row in rows) for column in range(3)]
            self.stdout.write("")
            for row in rows:
                self.stdout.write("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
            self.stdout.write("")
            self.stdout.write(_("The passwords are shown this once. No mail leaves until you enter a mail server."))
