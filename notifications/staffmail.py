"""Django's mail backend for mail to the team (password reset, invitations): through the server in force, at once.

Never writes to the outbox and never speaks to clients: that is dispatch's, behind the gate.
"""

import logging
from collections.abc import Sequence
from email.utils import make_msgid, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from notifications import sending
from notifications.providers.base import Envelope, Outcome
from salon.core.models import Salon

log = logging.getLogger(__name__)


class EmailBackend(BaseEmailBackend):
    """Sends mail to the team."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send each mail to each of its recipients, and return how many mails went out.

        A mail that does not go is logged by code and not raised: a password reset must answer the same for a known
        and an unknown address, also while the mail server is away. Who needs to know looks at the count.
        """
        from_ = sending.sender(Salon.objects.filter(pk=1).first())
        return sum(self._send(message, from_) for message in email_messages)

    def _send(self, message: EmailMessage, from_: sending.Sender) -> bool:
        if message.from_email in {"", settings.DEFAULT_FROM_EMAIL}:
            message.from_email = from_.header
        address = parseaddr(message.from_email)[1]
        message.extra_headers.setdefault("Message-ID", make_msgid("staff", domain=address.rpartition("@")[2] or "localhost"))
        message_id = str(message.extra_headers["Message-ID"])
        raw = message.message().as_bytes()
        is_sent = bool(message.recipients())
        for recipient in message.recipients():
            result = sending.hand_over(Envelope(message_id, address, parseaddr(recipient)[1], raw))
            if result.outcome is not Outcome.ACCEPTED:
                log.error("staff mail not sent: %s %s at %s", result.outcome, result.code, result.phase)
                is_sent = False
        return is_sent
