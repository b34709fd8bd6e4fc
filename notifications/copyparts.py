"""The messages in the copy of their data that a client gets. Registered when the app starts."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from clients import datacopy
from clients.datacopy import Part, Row
from clients.models import Client
from notifications import words
from notifications.models import Message, Reply


def register() -> None:
    """Add the part of the messages."""
    columns = {
        "at": _("When"), "kind": _("What"), "channel": _("Way"), "state": _("State"), "to": _("To"), "title": _("Subject"),
        "text": _("Text"),
    }  # fmt: skip
    datacopy.register(Part("messages", _("Messages"), columns, _messages))
    came = {"at": _("When"), "from": _("From"), "text": _("Text")}
    datacopy.register(Part("replies", _("Answers by SMS"), came, _replies))


def _messages(client: Client) -> Sequence[Row]:
    rows = Message.objects.filter(client=client).order_by("created_at", "pk")
    return [
        {
            "at": row.handoff_at or row.created_at, "kind": words.kind(row.kind), "channel": row.get_channel_display(),
            "state": row.get_state_display(), "to": row.recipient, "title": row.title, "text": row.body,
        }
        for row in rows
    ]  # fmt: skip


def _replies(client: Client) -> Sequence[Row]:
    rows = Reply.objects.filter(client=client).order_by("at", "pk")
    return [{"at": row.at, "from": row.sender, "text": row.body} for row in rows]
