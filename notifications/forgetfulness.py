"""How long the texts of messages are kept, as a rule of the page Privacy. Registered when the app starts."""

import datetime as dt
from collections.abc import Collection

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as lazy

from clients.retention_rules import Rule
from notifications.models import Message, State

_OVER = (
    State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.FAILED, State.CANCELLED, State.SUPPRESSED, State.EXPIRED,
    State.QUARANTINED, State.CLOSED_UNKNOWN,
)  # fmt: skip


def _bodies(before: dt.datetime) -> "QuerySet[Message]":
    return Message.objects.filter(state__in=_OVER, expires_at__lt=before, created_at__lt=before).exclude(
        body="", title="", recipient=""
    )


def _end(ids: Collection[int]) -> int:
    return Message.objects.filter(pk__in=ids).update(body="", title="", recipient="")


BODIES = Rule(
    "bodies", lazy("Texts of messages and where they went"),
    lazy("From the message. That there was one, when, and what became of it stays on the card."), _bodies, _end,
)  # fmt: skip
