"""`manage.py undo_import NUMBER`: takes an import back within 7 days, as the page does, and says what stays and why."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients.importing import jobs, undoing
from clients.models import Import
from salon.core.errors import Refused
from salon.core.models import Salon


class Command(BaseCommand):
    help = "Take an import back: its new cards go, its filled fields are emptied, unless they were used or changed since."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", type=int, help="the number that import_clients said")

    def handle(self, *args: Any, **options: Any) -> None:
        salon = Salon.objects.filter(pk=1).first()
        with translation.override(salon.language if salon else "en"):
            row = Import.objects.filter(pk=options["number"]).first()
            if row is None:
                raise CommandError(_("There is no import %(number)s.") % {"number": options["number"]})
            try:
                row = jobs.finish(jobs.undo(row, by=None, now=timezone.now()))
            except Refused as refused:
                raise CommandError(str(refused)) from refused
            self.stdout.write(_("Taken back: %(count)s.") % {"count": row.taken_back_count})
            left = Counter(row.cards.exclude(outcome=undoing.EMPTIED).values_list("outcome", flat=True))
            for code, count in left.most_common():
                self.stdout.write(_("Not taken back: %(count)s. %(reason)s") % {"count": count, "reason": undoing.reason(code)})
