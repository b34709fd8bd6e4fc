"""The Message-ID of a mail: which message it is, of which installation, with a proof that nobody else can make.

Written by the e-mail channel, read when a mail comes back. Whoever got one mail cannot name another one by it.
"""

import hmac
import re
import uuid

from salon.core import secrets

_PROOF = 16
_OURS = re.compile(r"<?m\.(\d{1,18})\.([0-9a-f]{32})\.([0-9a-f]{16})@[^<>\s@]{1,253}>?", re.ASCII)


def write(message_id: int | None, instance: uuid.UUID, domain: str) -> str:
    """Return the Message-ID of a message: the same for every attempt, so that two copies of one mail can be told."""
    return f"<{_name(message_id or 0, instance)}@{domain}>"


def read(text: str, instance: uuid.UUID) -> int | None:
    """Return the id of the message that a Message-ID names, None for one that this installation did not make."""
    found = _OURS.fullmatch(text.strip())
    if found is None or found[2] != instance.hex:
        return None
    pk = int(found[1])
    return pk if hmac.compare_digest(found[3], _proof(pk, instance)) else None


def _name(pk: int, instance: uuid.UUID) -> str:
    return f"m.{pk}.{instance.hex}.{_proof(pk, instance)}"


def _proof(pk: int, instance: uuid.UUID) -> str:
    return hmac.digest(secrets.key("message-ids"), f"{pk}.{instance.hex}".encode(), "sha256").hex()[:_PROOF]
