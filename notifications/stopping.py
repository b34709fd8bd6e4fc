"""A person stops a waiting message, takes that back, lets a held one go. For the message pages; the rows are the outbox's."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from notifications import outbox
from notifications.models import Message, State
from salon.core import audit, bell
from salon.core.errors import Refused
from salon.core.models import User

# What `outbox.stop` writes; the second of a message that was held, which nobody takes back.
REASON, REASON_HELD = "stopped", "stopped_held"


def stop(message: Message, *, by: User, now: dt.datetime) -> Message:
    """Stop a waiting message. Raises Refused when it is on its way or has ended."""
    return outbox.stop(message, by=by, now=now)


@transaction.atomic
def resume(message: Message, *, by: User) -> None:
    """Let a message wait again that a person stopped. Raises Refused when that is not how it stands."""
    stopped = Message.objects.filter(pk=message.pk, state=State.CANCELLED, reason=REASON)
    if not outbox.revive(stopped):
        raise Refused(_("This cannot be undone any more."))
    audit.record("message.resume", message, by=by, kind=message.kind)


@transaction.atomic
def let_go(message: Message, *, by: User) -> None:
    """Send a message that was held for review, if the gate agrees. Raises Refused when it is not held any more."""
    if not outbox.revive(Message.objects.filter(pk=message.pk, state=State.HELD)):
        raise Refused(_("This message is on its way already, or has ended."))
    audit.record("message.let_go", message, by=by, kind=message.kind)
    bell.ring()
