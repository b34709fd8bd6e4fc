"""`manage.py export_clients FILE`: writes clients to an Excel file, as the owner may see them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients import lists
from clients.exporting import columns, exports, people
from clients.exporting.people import Wanted
from clients.models import Channel
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role


class Command(BaseCommand):
    help = "Write clients to an Excel file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.xlsx")
        parser.add_argument("--preset", choices=list(columns.PRESETS), default=columns.EVERYTHING, help="which columns")
        parser.add_argument("--who", choices=[people.ALL, *Channel.values], default=people.ALL, help="only who said Yes to it")
        parser.add_argument("--status", choices=list(lists.STATUSES), default="active", help="which list")
        parser.add_argument("--q", default="", metavar="TEXT", help="only who is found by it")
        parser.add_argument("--purpose", default="", help="what for, in one line: stands in the file and in the log")

    def handle(self, *args: Any, **options: Any) -> None:
        salon = Salon.objects.filter(pk=1).first()
        owner = User.objects.filter(role=Role.OWNER, is_active=True).order_by("pk").first()
        with translation.override(salon.language if salon else "en"):
            if salon is None or owner is None:
                raise CommandError(_("The salon is not set up yet. Open the set-up link first."))
            wanted = Wanted(options["preset"], options["who"], options["q"].strip()[:200], options["status"])
            count = _write(Path(options["file"]), wanted, options["purpose"].strip()[:200], owner, salon)
            words = ngettext("%(count)s client is in %(path)s.", "%(count)s clients are in %(path)s.", count)
            self.stdout.write(words % {"count": count, "path": options["file"]})


def _write(path: Path, wanted: Wanted, purpose: str, owner: User, salon: Salon) -> int:
    """Write a new file that only its owner may read, whole or not at all, and return how many are in it."""
    try:
        with path.open("xb") as target:
            path.chmod(0o600)
            try:
                return exports.write_to(target, wanted, purpose, reader=owner, salon=salon, now=timezone.now())
            except BaseException:
                path.unlink()
                raise
    except Refused as refused:
        raise CommandError(refused.message) from refused
    except FileExistsError as error:
        raise CommandError(_("%(path)s exists already. Name a new file.") % {"path": path}) from error
    except OSError as error:
        raise CommandError(_("%(path)s cannot be written.") % {"path": path}) from error
