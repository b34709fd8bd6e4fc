"""How the acts of the calendar are told on the activity page. Registered when the app starts."""

import datetime as dt
from collections.abc import Collection, Mapping

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from appointments import access
from appointments.models import Appointment, Service, Staff, State
from clients.access import Contacts
from salon.core import activity
from salon.core.activity import Facts, Kind, Named, Telling, Text
from salon.core.deeds import fields_of
from salon.core.models import Salon, User
from salon.core.templatetags.house import as_day, as_time

STAFF, SERVICE = Staff._meta.label_lower, Service._meta.label_lower


def _states(facts: Facts) -> Mapping[str, Text]:
    names: Mapping[str, Text] = dict(State.choices)
    return {fact: names.get(facts[fact], facts[fact]) for fact in ("before", "after") if fact in facts}


def _booked(facts: Facts) -> Text:
    if facts.get("overbooked"):
        return _("%(who)s booked with %(staff)s: %(service)s, over another appointment")
    return _("%(who)s booked with %(staff)s: %(service)s")


def _moved(facts: Facts) -> Text:
    if facts.get("overbooked"):
        return _("%(who)s moved to %(staff)s: %(service)s, over another appointment")
    return _("%(who)s moved to %(staff)s: %(service)s")


def _client(facts: Facts) -> Text:
    return _("The client")


_REFS = {"staff": STAFF, "service": SERVICE}
TELLINGS: Mapping[str, Telling] = {
    "appointment.book": Telling(Kind.VISITS, "calendar-plus", _booked, refs=_REFS, nobody=_client),
    "appointment.move": Telling(Kind.VISITS, "calendar-time", _moved, refs=_REFS, nobody=_client),
    "appointment.cancel": Telling(Kind.VISITS, "calendar-x", lazy("%(who)s cancelled the appointment"), nobody=_client),
    "appointment.state": Telling(
        Kind.VISITS, "calendar-check", lazy("%(who)s changed the state: %(before)s, now %(after)s"), _states
    ),
    "appointment.note": Telling(Kind.VISITS, "note", lazy("%(who)s wrote the note for this visit")),
    "appointment.undo": Telling(Kind.VISITS, "arrow-back-up", lazy("%(who)s undid the last step, now: %(after)s"), _states),
    "client.rhythm_set": Telling(
        Kind.CARDS, "calendar-repeat", lazy("%(who)s set after how many weeks the client likes to come again")
    ),
    "service.add": Telling(Kind.SETTINGS, "scissors", lazy("%(who)s added a service")),
    "service.edit": Telling(Kind.SETTINGS, "scissors", lazy("%(who)s changed a service: %(fields)s"), fields_of(Service)),
    "service.retire": Telling(Kind.SETTINGS, "scissors", lazy("%(who)s no longer offers a service")),
    "service.offer": Telling(Kind.SETTINGS, "scissors", lazy("%(who)s offers a service again")),
    "staff.add": Telling(Kind.SETTINGS, "user-plus", lazy("%(who)s added somebody to the calendar")),
    "staff.edit": Telling(Kind.SETTINGS, "clock", lazy("%(who)s changed somebody in the calendar: %(fields)s"), fields_of(Staff)),
    "staff.deactivate": Telling(Kind.SETTINGS, "user-off", lazy("%(who)s took somebody out of the calendar")),
    "staff.reactivate": Telling(Kind.SETTINGS, "user-check", lazy("%(who)s put somebody back into the calendar")),
}  # fmt: skip


def _visits(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    """Whose visit it is and when, so that one is told from the other."""
    rows = list(access.appointments_for(user).filter(pk__in=ids))
    names = access.contacts_of(user, rows, Salon.objects.current(), now=now)
    return {row.pk: Named(_visit(row, names), reverse("appointments:detail", args=[row.pk])) for row in rows}


def _visit(row: Appointment, names: Mapping[int, Contacts]) -> str:
    when = f"{as_day(row.start_at)}, {as_time(row.start_at)}"
    return f"{names[row.pk].name} · {when}" if row.pk in names else when


def _services(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    rows = Service.objects.filter(pk__in=ids).values_list("pk", "name")
    return {pk: Named(name, reverse("appointments:service_edit", args=[pk])) for pk, name in rows}


def _staff(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    rows = Staff.objects.filter(pk__in=ids).values_list("pk", "name")
    return {pk: Named(name, reverse("appointments:staff_edit", args=[pk])) for pk, name in rows}


def register() -> None:
    """Say how the codes of the calendar are told."""
    activity.register(TELLINGS, {Appointment._meta.label_lower: _visits, SERVICE: _services, STAFF: _staff})
