"""Messages that could not go to an address, and come back once the card has another one or the address is open again.

Asked by the planner and by `why`. Reads only; the rows are the outbox's.
"""

import datetime as dt
import re

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from clients.models import Address
from notifications import outbox, precedence
from notifications.models import Message, State

# A mail server would not have the recipient, and nothing was handed over.
_REFUSED = Q(state=State.FAILED, channel="email", reason__startswith="rcpt_", handoff_at=None) & ~Q(recipient="")
_ANOTHER_ADDRESS = (Q(channel="email") & ~Q(client__email=F("recipient"))) | (Q(channel="sms") & ~Q(client__phone=F("recipient")))
# What lies in the number itself ends with another one alone.
_OF_THE_NUMBER = "not_a_mobile"
# What is hung on an occasion when its thing is said again.
_AGAIN = re.compile(r":(to|again).*$")


def suppressed() -> Q:
    """Return the condition for messages that the gate stopped because of an address that is no obstacle any more."""
    is_open_again = Q(~Exists(_stop_of_address())) & ~Q(reason=_OF_THE_NUMBER)
    return Q(_ANOTHER_ADDRESS | is_open_again, reason__in=precedence.OF_ADDRESS)


def failed(now: dt.datetime) -> "QuerySet[Message]":
    """Return what a mail server refused and what may be said again, if the client was not told of this visit and start.

    A row that failed stays so: the next one gets the occasion of `next_occasion`.
    """
    same = Message.objects.filter(
        kind=OuterRef("kind"), appointment=OuterRef("appointment"), told_start_at=OuterRef("told_start_at")
    )
    open_again = ~Q(address_hmac="") & ~Exists(_stop_of_address())
    rows = Message.objects.filter(_REFUSED, _ANOTHER_ADDRESS | open_again, expires_at__gt=now)
    return rows.filter(~Exists(same.filter(state__in=outbox.TOLD)), ~Exists(same.filter(pk__gt=OuterRef("pk"))))


def occasion_of(message: Message) -> str:
    """Return the occasion as the planner knows it, whatever was said of it again."""
    return _AGAIN.sub("", message.occasion)


def next_occasion(message: Message) -> str:
    """Return the occasion of the message that stands in for this one. It names this one, so that it is said once."""
    return f"{occasion_of(message)}:to{message.pk}"


def comes_back(message: Message, email: str) -> bool:
    """Return whether it is said again, now that `email` is on the card and the gate has nothing against it."""
    if message.state == State.SUPPRESSED:
        return message.reason in precedence.OF_ADDRESS
    is_refused = message.state == State.FAILED and message.reason.startswith("rcpt_") and message.handoff_at is None
    return is_refused and message.recipient != "" and (message.recipient != email or message.address_hmac != "")


def _stop_of_address() -> "QuerySet[Address]":
    """Return, beside a message, the stop of the address it could not go to."""
    shut = (Address.Scope.DELIVERY, Address.Scope.ALL)
    return Address.objects.filter(channel=OuterRef("channel"), hmac=OuterRef("address_hmac"), scope__in=shut)
