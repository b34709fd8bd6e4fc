"""The messages of a client as lines of the card's timeline. Reads only; registered when the app starts."""

import datetime as dt
from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients.models import Client
from clients.rooms import Entry, Room
from notifications import access, history
from notifications.models import Reply
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


def replies(user: User, client: Client, now: dt.datetime, limit: int) -> Sequence[Entry]:
    """Return the newest SMS from a client."""
    return [_reply(row, client) for row in access.replies_of(user, client)[:limit]]


def replies_count(user: User, client: Client) -> int:
    """Return how many there are."""
    return access.replies_of(user, client).count()


REPLIES = Room("replies", lazy("Answers by SMS"), replies, replies_count, is_rare=True)


def _reply(row: Reply, client: Client) -> Entry:
    is_stop = row.meaning == Reply.Meaning.STOP
    is_open = row.handled_at is None
    return Entry(
        at=row.at, icon="message", title=_("SMS from the client"), details=[row.body] if row.body else [],
        badge="no" if is_stop else "warn" if is_open else "", badge_text=row.get_meaning_display() if is_stop or is_open else "",
        badge_icon="ban" if is_stop else "alert-triangle" if is_open else "",
        url=reverse("notifications:replies"), act=_("Open"),
    )  # fmt: skip


def _entry(line: history.Line, client: Client) -> Entry:
    return Entry(
        at=line.at, icon="mail", title=line.kind, details=[line.why] if line.why else [],
        badge=line.group.badge, badge_text=line.state, badge_icon=line.group.icon,
        url=reverse("notifications:of_client", args=[client.pk]), act=_("Open"),
    )  # fmt: skip
