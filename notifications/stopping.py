"""A person stops a waiting message, and takes that back. Called by the message pages; the rows are the outbox's."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from notifications import outbox
from notifications.models import Message, State
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User

# What `outbox.stop` writes.
REASON = "stopped"


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
