"""The addresses at which a provider reports what became of a message: which message it was is in them, with a proof."""

import hashlib
import hmac

from django.urls import reverse

from notifications.models import Message
from salon.core import public, secrets
from salon.core.models import Salon

_PROOF = 20


def url(salon: Salon, message: Message) -> str:
    """Return where to report about a message, an empty text without a public address."""
    base = public.base(salon)
    return f"{base}{reverse('notifications:twilio_status', args=[token(message.pk)])}" if base and message.pk else ""


def token(message_id: int) -> str:
    """Return what names a message in such an address."""
    return f"{message_id}-{_proof(message_id)}"


def read(text: str) -> int | None:
    """Return the id of the message that a token names, None for one that we did not make."""
    number, _dash, proof = text.partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    return int(number) if hmac.compare_digest(proof.encode(), _proof(int(number)).encode()) else None


def _proof(message_id: int) -> str:
    return hmac.new(secrets.key("callbacks"), str(message_id).encode(), hashlib.sha256).hexdigest()[:_PROOF]
