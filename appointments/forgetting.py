"""What the page that asks before a client is deleted says about their visits. Registered when the app starts.

The rows themselves are emptied by the erasure, which walks every table: the visit stays a figure, without name and note.
"""

from collections.abc import Collection, Sequence

from django.utils.functional import Promise
from django.utils.translation import ngettext

from appointments.models import STANDS, Appointment
from clients.erasure.above import Room


def kept(ids: Collection[int]) -> Sequence[str | Promise]:
    """Return what stays without the name."""
    count = Appointment.objects.filter(client__in=ids).exclude(state__in=STANDS).count()
    words = ngettext(
        "%(count)d past visit, for statistics and takings", "%(count)d past visits, for statistics and takings", count
    )
    return [words % {"count": count}] if count else []


ROOM = Room("visits", kept=kept)
