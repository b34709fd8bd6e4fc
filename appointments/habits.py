"""By what the list of clients can be narrowed that only the visits know. Registered with the list when the app starts.

All of them are habits: the list leaves out who has not said Yes to profiling.
"""

import calendar
import datetime as dt
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext, pgettext_lazy

from appointments.models import Appointment, Service, Staff, State
from clients import filters
from clients.filters import Filter
from salon.core import dates
from salon.core.models import Salon
from salon.core.templatetags.house import as_day

_YES_NO = (("yes", lazy("Yes")), ("no", lazy("No")))
_MONTHS = (3, 6, 9, 12, 24)


def register() -> None:
    """Tell the list which filters there are."""
    for found in (UNSEEN, SERVICE, STAFF, AHEAD):
        filters.register(found)


def _periods() -> list[tuple[str, str]]:
    # Translators: follows "No visit since:"
    return [(f"{count}m", ngettext("%(n)d month ago", "%(n)d months ago", count) % {"n": count}) for count in _MONTHS]


def _visits(**fields: Any) -> Exists:
    return Exists(Appointment.objects.filter(client=OuterRef("pk"), **fields))


def _read_since(text: str) -> str:
    on = dates.read(text)
    return on.isoformat() if on else text if text in dict(_periods()) else ""


def _since_words(value: str) -> str | Promise:
    return dict(_periods()).get(value) or as_day(dates.read(value))


def _unseen(value: str, now: dt.datetime) -> Q:
    """Return who came before and not since: somebody who never came is not missed."""
    zone = Salon.objects.current().zone
    on = dates.read(value) or _months_before(now.astimezone(zone).date(), int(value[:-1]))
    since = dt.datetime.combine(on, dt.time(), zone)
    return Q(_visits(state=State.DONE, start_at__lt=since), ~_visits(state=State.DONE, start_at__gte=since))


def _months_before(on: dt.date, count: int) -> dt.date:
    """Return the same day so many months ago, or the last day of that month."""
    year, month = divmod(on.year * 12 + on.month - 1 - count, 12)
    return dt.date(year, month + 1, min(on.day, calendar.monthrange(year, month + 1)[1]))


def _ahead(value: str, now: dt.datetime) -> Q:
    coming = Exists(Appointment.objects.upcoming(now).filter(client=OuterRef("pk")))
    return Q(coming) if value == "yes" else ~Q(coming)


UNSEEN = Filter("unseen", lazy("No visit since"), _periods, _read_since, _since_words, _unseen, is_habit=True, takes_day=True)
SERVICE = filters.row(
    "service", lazy("Service had"), Service.objects.all, lambda pk: Q(_visits(service=pk, state=State.DONE)), is_habit=True
)
STAFF = filters.row(
    "staff", pgettext_lazy("filter: who did a visit", "Was with"), Staff.objects.all,
    lambda pk: Q(_visits(staff=pk, state=State.DONE)), is_habit=True,
)  # fmt: skip
AHEAD = Filter(
    "ahead", lazy("Appointment ahead"), lambda: _YES_NO, lambda text: text if text in {"yes", "no"} else "",
    lambda value: dict(_YES_NO)[value], _ahead, is_habit=True,
)  # fmt: skip
