"""Signatures of the Standard Webhooks form (standardwebhooks.com): made and checked. Pure: standard library only.

What is signed is "id.timestamp.body", by HMAC-SHA256 with the bytes behind "whsec_". During a change of secrets a header
holds one signature for each, with a space between them.
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
BYTES = 32
# A request is taken so long before and after the moment that it names.
TOLERANCE = dt.timedelta(minutes=5)


def new_secret() -> str:
    """Return a new secret, as the other system enters it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def sign(keys: Sequence[str], event_id: str, timestamp: int, body: bytes) -> str:
    """Return the header webhook-signature, with a signature for each secret."""
    return " ".join(_signature(key, event_id, timestamp, body) for key in keys)


def is_signed(header: str, keys: Sequence[str], event_id: str, timestamp: int, body: bytes) -> bool:
    """Return whether one of the signatures in the header is by one of the secrets. Takes as long for every wrong one."""
    given = header.split(" ")[:10]
    good = [_signature(key, event_id, timestamp, body).encode() for key in keys]
    return any([hmac.compare_digest(one.encode(errors="replace"), other) for one in given for other in good])  # noqa: C419


def is_timely(timestamp: int, now: dt.datetime) -> bool:
    """Return whether the moment (seconds of Unix) lies within the tolerance of now."""
    return abs(now.timestamp() - timestamp) <= TOLERANCE.total_seconds()


def _signature(key: str, event_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{event_id}.{timestamp}.".encode() + body
    digest = hmac.new(base64.b64decode(key.removeprefix(PREFIX)), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
