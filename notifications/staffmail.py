"""Django's mail backend for mail to the team (password reset, invitations): through the server in force, beside the request.

A mail server that hangs must hold up no page, and how long a page takes must not tell who is in the team. Never writes
to the outbox and never speaks to clients: that is dispatch's, behind the gate.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from email.utils import make_msgid, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from notifications import sending
from notifications.providers.base import Envelope, Outcome, Provider
from salon.core.models import Salon

log = logging.getLogger(__name__)
# Beyond this many mails in waiting the server is as good as dead, and whoever waits asks again.
LIMIT = 50
_postmen = ThreadPoolExecutor(max_workers=2, thread_name_prefix="staffmail")
_waiting: set[Future[None]] = set()


def finish(seconds: float) -> bool:
    """Wait until the mails handed in so far are carried, at most `seconds`, and return whether they are."""
    return not wait_for(set(_waiting), timeout=seconds).not_done


def _carry(carrier: Provider, envelopes: Sequence[Envelope]) -> None:
    """Hand the mails over, in a thread: nothing here may touch the database."""
    try:
        for envelope in envelopes:
            result = sending.hand_over(envelope, carrier)
            if result.outcome is not Outcome.ACCEPTED:
                log.error("staff mail not sent: %s %s at %s", result.outcome, result.code, result.phase)
    except Exception as error:  # noqa: BLE001 (nobody looks at what a thread raises)
        log.error("staff mail not sent: %s", type(error).__name__)


class EmailBackend(BaseEmailBackend):
    """Sends mail to the team."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Take each mail for each of its recipients, and return how many leave, in the background: none without a server.

        A mail that does not go is logged by code and not raised: a password reset must answer the same for a known
        and an unknown address, also while the mail server is away.
        """
        salon = Salon.objects.filter(pk=1).first()
        from_ = sending.sender(salon)
        taken_count = sum(self._take(message, from_) for message in email_messages)
        return taken_count if sending.describe(salon).is_live else 0

    def _take(self, message: EmailMessage, from_: sending.Sender) -> bool:
        if not message.recipients():
            return False
        if len(_waiting) >= LIMIT:
            log.error("staff mail not sent: too many are waiting")
            return False
        if message.from_email in {"", settings.DEFAULT_FROM_EMAIL}:
            message.from_email = from_.header
        address = parseaddr(message.from_email)[1]
        message.extra_headers.setdefault("Message-ID", make_msgid("staff", domain=address.rpartition("@")[2] or "localhost"))
        message_id = str(message.extra_headers["Message-ID"])
        raw = message.message().as_bytes()
        envelopes = [Envelope(message_id, address, parseaddr(recipient)[1], raw) for recipient in message.recipients()]
        carried = _postmen.submit(_carry, sending.provider(sending.IN_A_REQUEST), envelopes)
        _waiting.add(carried)
        carried.add_done_callback(_waiting.discard)
        return True
