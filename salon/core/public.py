"""The address under which clients reach this installation, and whether links to it work on their phones.

Asked by whoever writes a link into a message. The salon enters it under Settings → Salon; until then PUBLIC_BASE_URL.
"""

from urllib.parse import urlsplit

from django.conf import settings

from salon.core.models import Salon

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def base(salon: Salon) -> str:
    """Return the public address without a slash at its end, or an empty text while there is none that works.

    It works with https. Plain http to this machine itself is enough in the demo and under test.
    """
    address = (salon.public_url or settings.PUBLIC_BASE_URL).rstrip("/")
    parts = urlsplit(address)
    is_own_machine = parts.scheme == "http" and parts.hostname in _LOOPBACK and (salon.is_demo or settings.TESTING)
    return address if (parts.scheme == "https" and parts.hostname) or is_own_machine else ""


def has_address(salon: Salon) -> bool:
    """Return whether links in a message would work: what marketing waits for."""
    return bool(base(salon))
