"""The file of those who said No in a span of days, for a system that takes a list: Excel, by `salon.core.workbook`.

Called by the page Other systems to tell. Only for roles that may export; each file leaves a line in the activity.
"""

import datetime as dt
from collections.abc import Iterator
from io import BytesIO
from typing import IO

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clients import access, addresses, fold
from clients.models import Address, Client, Standing
from notifications.systems import preferences, words
from salon.core import audit, workbook
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.workbook import Cell

CHUNK = 500
# As with an export while somebody waits.
MOST = 20_000


@transaction.atomic
def write(*, first: dt.date, last: dt.date, by: User, salon: Salon, now: dt.datetime) -> tuple[IO[bytes], int]:
    """Return the file of the clients who refuse something since a day of that span, at its beginning, and their count.

    `first` and `last` are days of the salon, both included. Raises Refused for nobody, and for too many.
    """
    since, until = (_midnight(day, salon) for day in (first, last + dt.timedelta(days=1)))
    ids = sorted(_ids(since, until, by))
    if not ids:
        raise Refused(_("Nobody said No in these days."))
    if len(ids) > MOST:
        raise Refused(_("These are more than 20,000 clients. Choose fewer days."))
    target = BytesIO()
    sheet = workbook.Sheet(
        title=_("Refusals"),
        columns=[workbook.Column(title, width) for title, width in _columns()],
        about_title=_("About this file"),
        about=lambda count: [*_about(count, by, salon, now), (_("From"), first), (_("To"), last)],
        author=salon.name,
    )
    count = workbook.write(target, sheet, _rows(ids, salon))
    target.seek(0)
    audit.record("refusals.exported", by=by, rows_count=count)
    return target, count


def name_of(first: dt.date, last: dt.date) -> str:
    """Return the name under which the file is saved, in the language that is active."""
    # Translators: name of an Excel file, before the dates: short, without spaces
    return pgettext("file name", "refusals") + f"-{first.isoformat()}-{last.isoformat()}.xlsx"


def _ids(since: dt.datetime, until: dt.datetime, user: User) -> set[int]:
    """Return the clients with a No of that span that stands: their own, or one that stopped their address."""
    refused = Standing.objects.filter(
        purpose__in=preferences.KINDS.values(), state=Standing.State.WITHDRAWN,
        event__recorded_at__gte=since, event__recorded_at__lt=until,
    )  # fmt: skip
    stops = Address.objects.filter(
        scope__in=[Address.Scope.MARKETING, Address.Scope.ALL], stopped_at__gte=since, stopped_at__lt=until
    )
    stopped = set(stops.values_list("channel", "hmac"))
    holders = {pk for found in addresses.holders(stopped).values() for pk in found} if stopped else set()
    ids = holders | set(refused.values_list("client_id", flat=True))
    return set(access.clients_for(user).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()


def _columns() -> list[tuple[str, int]]:
    ways = [(words.of_refusals(channel), 40) for channel in fold.CHANNELS]
    return [(_("Name"), 28), (_("E-mail"), 32), (_("Phone"), 20), *ways, (_("Since"), 16)]


def _rows(ids: list[int], salon: Salon) -> Iterator[list[Cell]]:
    for start in range(0, len(ids), CHUNK):
        clients = list(Client.objects.filter(pk__in=ids[start : start + CHUNK]).order_by("sort_name", "pk"))
        answers, since = preferences.of(clients), _since(clients)
        for client in clients:
            said = preferences.refused(answers[client.pk])
            by_channel = [words.kinds(kind for kind, way in said if way == channel) for channel in fold.CHANNELS]
            at = since.get(client.pk)
            day = at.astimezone(salon.zone).date() if at else None
            yield [client.name, client.email, str(client.phone or ""), *by_channel, day]


def _since(clients: list[Client]) -> dict[int, dt.datetime]:
    """Return when each client last said a No that stands."""
    rows: QuerySet[Standing] = Standing.objects.filter(
        client__in=clients, purpose__in=preferences.KINDS.values(), state=Standing.State.WITHDRAWN, event__isnull=False
    )
    return dict(rows.order_by("event__recorded_at").values_list("client_id", "event__recorded_at"))


def _midnight(day: dt.date, salon: Salon) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day, dt.time()), salon.zone)


def _about(count: int, by: User, salon: Salon, now: dt.datetime) -> Iterator[tuple[str, Cell]]:
    yield _("Salon"), salon.name
    yield _("Clients"), count
    yield _("Made on"), now.astimezone(salon.zone).replace(tzinfo=None, microsecond=0)
    yield _("Made by"), by.name
    yield _("Purpose"), _("To stop messages from your other systems to the people in this file. For nothing else.")
    yield _("Personal data"), _("Share this file with nobody who need not have it, and delete it after use.")
