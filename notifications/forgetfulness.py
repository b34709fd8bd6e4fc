"""How long the texts of messages and of answers are kept, as rules of the page Privacy. Registered when the app starts."""

import datetime as dt
from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as lazy

from clients.retention_rules import Rule
from notifications import outcomes
from notifications.models import Message, Reply, State

_UNDER_WAY = (State.PENDING, State.CLAIMED, State.HELD, State.HANDOFF, State.UNKNOWN)


def since(moment: dt.datetime) -> Q:
    """Return who answered by SMS at or after a moment."""
    return Q(Exists(Reply.objects.filter(client=OuterRef("pk"), at__gte=moment)))


def _bodies(before: dt.datetime) -> "QuerySet[Message]":
    rows = Message.objects.filter(expires_at__lt=before, created_at__lt=before).exclude(state__in=_UNDER_WAY)
    return rows.exclude(body="", title="", recipient="")


def _end(ids: Collection[int]) -> int:
    return outcomes.forget_words(Message.objects.filter(pk__in=ids))


BODIES = Rule(
    "bodies", lazy("Texts of messages and where they went"),
    lazy("From the message. That there was one, when, and what became of it stays on the card."), _bodies, _end,
)  # fmt: skip


def _replies(before: dt.datetime) -> "QuerySet[Reply]":
    return Reply.objects.filter(at__lt=before, handled_at__isnull=False).exclude(body="", sender="")


def _end_replies(ids: Collection[int]) -> int:
    return Reply.objects.filter(pk__in=ids).update(body="", sender="")


REPLIES = Rule(
    "replies", lazy("Texts of SMS that clients sent"),
    lazy("From the day it came, once somebody has read it. That there was one stays on the card."), _replies, _end_replies,
)  # fmt: skip
