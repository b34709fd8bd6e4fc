"""The messages of a client as lines of the card's timeline. Reads only; registered when the app starts."""

import datetime as dt
from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients.models import Client
from clients.rooms import Entry, Room
from notifications import access, history
from salon.core.models import User


def entries(user: User, client: Client, now: dt.datetime, limit: int) -> Sequence[Entry]:
    """Return the newest messages to a client, never an address. What waits stands at the time at which it will leave."""
    rows = access.messages_of(user, client).order_by("-created_at", "-pk")[:limit]
    lines = sorted(history.lines(rows, now), key=lambda line: line.at, reverse=True)
    return [_entry(line, client) for line in lines]


def count(user: User, client: Client) -> int:
    """Return how many messages there are."""
    return access.messages_of(user, client).count()


ROOM = Room("messages", lazy("Messages"), entries, count)


def _entry(line: history.Line, client: Client) -> Entry:
    return Entry(
        at=line.at, icon="mail", title=line.kind, details=[line.why] if line.why else [],
        badge=line.group.badge, badge_text=line.state, badge_icon=line.group.icon,
        url=reverse("notifications:of_client", args=[client.pk]), act=_("Open"),
    )  # fmt: skip
