"""The address under which clients reach this installation, and whether links to it work on their phones.

Asked by whoever writes a link into a message. The salon enters it under Settings → Salon; until then PUBLIC_BASE_URL.
"""

import functools
import re
from urllib.parse import urlsplit

import idna
from django.conf import settings
from django.http.request import validate_host
from django.utils.translation import gettext as _

from salon.core.errors import Refused
from salon.core.models import Salon

# A name, in ASCII letters as the network writes it.
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


LONGEST = 200
# Stands behind what counts in an address, so that the link works all the same.
DEMO_MARK = "#demo-link"


def read(text: str, *, is_demo: bool) -> str:
    """Return the address that somebody typed in the form it is kept in: scheme, host and port, nothing behind them.

    Raises Refused for one that would not work on a client's phone. An empty text stays empty.
    """
    text = text.strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        host, port = idna.encode(parts.hostname or "", uts46=True).decode(), parts.port
    except ValueError:  # an idna.IDNAError is one
        host, port, parts = "", None, urlsplit("")
    is_reachable = "." in host or host in _LOOPBACK
    if not is_reachable or parts.username is not None or not _HOST.fullmatch(host) or len(text) > LONGEST:
        raise Refused(_("Enter the whole address, like https://book.example.com"), "public_url")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise Refused(_("Enter the address alone, without anything after the name: https://book.example.com"), "public_url")
    if not _works(parts.scheme, host, is_demo=is_demo):
        raise Refused(_("The address has to begin with https: links in messages are opened on phones, anywhere."), "public_url")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}"


def answers_to(address: str) -> bool:
    """Return whether this installation takes requests for the host of an address (ALLOWED_HOSTS)."""
    return _answers_to(address, tuple(settings.ALLOWED_HOSTS))


@functools.lru_cache(maxsize=16)
def _answers_to(address: str, hosts: tuple[str, ...]) -> bool:
    return validate_host(urlsplit(address).hostname or "", list(hosts))


def _works(scheme: str, host: str, *, is_demo: bool) -> bool:
    return scheme == "https" or (scheme == "http" and host in _LOOPBACK and (is_demo or settings.TESTING))


def base(salon: Salon) -> str:
    """Return the public address without a slash at its end, or an empty text while there is none that works.

    It works with https. Plain http to this machine itself is enough in the demo and under test.
    """
    return _base((salon.public_url or settings.PUBLIC_BASE_URL).rstrip("/"), salon.is_demo, settings.TESTING)


@functools.lru_cache(maxsize=16)
def _base(address: str, is_demo: bool, _is_testing: bool) -> str:
    parts = urlsplit(address)
    return address if parts.hostname and _works(parts.scheme, parts.hostname, is_demo=is_demo) else ""


def link(salon: Salon, path: str) -> str:
    """Return the whole address of a page for clients, an empty text while there is no address that works.

    In a demo that only this machine can open, the link says so itself, wherever it is read or printed.
    """
    address = base(salon)
    return f"{address}{path}{DEMO_MARK if is_of_demo(salon) else ''}" if address else ""


def is_of_demo(salon: Salon) -> bool:
    """Return whether the address is that of a demo which only this machine reaches: no phone, no other system."""
    return salon.is_demo and urlsplit(base(salon)).hostname in _LOOPBACK


def has_address(salon: Salon) -> bool:
    """Return whether links in a message would work: what marketing waits for."""
    address = base(salon)
    return bool(address) and answers_to(address)
