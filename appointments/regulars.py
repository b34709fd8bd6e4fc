"""What a client's card shows of their visits: the timeline's lines, their number, and with whom the client usually books.

Registered with the card when the app starts. Of all this only the usual stylist is written here.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from appointments import access
from appointments.models import Appointment, OwnRhythm, Staff, State, UsualStaff
from clients.models import Client
from clients.rooms import Entry, Fact, Room
from salon.core import audit, money
from salon.core.errors import Refused
from salon.core.models import Salon, User

WEEKS_MAX = 104
_ICONS = {State.DONE: "scissors", State.NO_SHOW: "user-x", State.CANCELLED: "calendar-x"}
_BADGES = {State.NO_SHOW: "trouble", State.CANCELLED: "no", State.DONE: ""}


def entries(user: User, client: Client, now: dt.datetime, limit: int) -> Sequence[Entry]:
    """Return the newest visits of a client as lines of the timeline, those ahead first."""
    currency = Salon.objects.current().currency
    rows = access.appointments_for(user).filter(client=client).order_by("-start_at", "-pk")[:limit]
    return [_entry(visit, currency) for visit in rows]


def count(user: User, client: Client) -> int:
    """Return how many visits a client has, past and to come."""
    return access.appointments_for(user).filter(client=client).count()


def facts(user: User, client: Client, now: dt.datetime) -> Sequence[Fact]:
    """Return the usual stylist, and how often the client came or stayed away."""
    usual = UsualStaff.objects.filter(client=client).values_list("staff__name", flat=True).first()
    found = [Fact(_("Usual stylist"), usual)] if usual else []
    counts = access.appointments_for(user).filter(client=client).aggregate(
        done=Count("pk", filter=Q(state=State.DONE)), missed=Count("pk", filter=Q(state=State.NO_SHOW))
    )  # fmt: skip
    if counts["done"] or counts["missed"]:
        done = ngettext("%(count)d visit", "%(count)d visits", counts["done"]) % {"count": counts["done"]}
        missed = ngettext("%(count)d no-show", "%(count)d no-shows", counts["missed"]) % {"count": counts["missed"]}
        found.append(Fact(_("So far"), f"{done} · {missed}" if counts["missed"] else done))
    return found


@transaction.atomic
def set_usual(client: Client, staff: Staff | None, *, by: User) -> Staff | None:
    """Write down with whom a client usually books (None: nobody in particular) and return who it was before."""
    Client.objects.select_for_update().get(pk=client.pk, erased_at=None)
    row = UsualStaff.objects.select_related("staff").filter(client=client).first()
    before = row.staff if row else None
    if before == staff:
        return before
    if staff is None:
        UsualStaff.objects.filter(client=client).delete()
    else:
        UsualStaff.objects.update_or_create(client=client, defaults={"staff": staff})
    audit.record("client.usual_staff_set", client, by=by, staff=staff.pk if staff else None)
    return before


@transaction.atomic
def set_rhythm(client: Client, weeks: int | None, *, by: User) -> int | None:
    """Write down after how many weeks a client likes to come again (None: as the service says), and return what it was.

    Raises Refused for fewer than 1 or more than 104.
    """
    Client.objects.select_for_update().get(pk=client.pk)
    before = OwnRhythm.objects.filter(client=client).values_list("weeks", flat=True).first()
    if before == weeks:
        return before
    if weeks is None:
        OwnRhythm.objects.filter(client=client).delete()
    elif 1 <= weeks <= WEEKS_MAX:
        OwnRhythm.objects.update_or_create(client=client, defaults={"weeks": weeks})
    else:
        raise Refused(_("Enter 1 to %(most)s weeks.") % {"most": WEEKS_MAX}, "weeks")
    audit.record("client.rhythm_set", client, by=by, weeks=weeks)
    return before


ROOM = Room("visits", lazy("Visits"), entries, count, tab="appointments", facts_of=facts)


def _entry(visit: Appointment, currency: str) -> Entry:
    state = State(visit.state)
    return Entry(
        at=visit.start_at,
        icon=_ICONS.get(state, "calendar-event"),
        title=_("%(service)s with %(name)s") % {"service": visit.service.name, "name": visit.staff.name},
        details=[money.show(visit.price, currency), *([visit.note] if visit.note else [])],
        badge=_BADGES.get(state, "info"),
        badge_text=state.label if state is not State.DONE else "",
        badge_icon=_ICONS.get(state, "calendar-event"),
        url=reverse("appointments:detail", args=[visit.pk]),
        act=_("Open"),
    )
