"""The line to another system: one POST over HTTPS to a public address that was looked up for this very request.

A name is resolved once, every address behind it must be public, and the connection goes to one of those and nowhere else:
a name that changes its mind between the look and the call gains nothing. No redirect is followed, no proxy is asked, little
of the answer is read, and all of it takes seconds at most. Plain HTTP to this machine itself is allowed under test only.
"""

import contextlib
import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import idna
from django.conf import settings
from django.utils.translation import gettext as _

from salon.core.errors import Refused

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0
ANSWER_MAX_BYTES = 64 * 1024
LONGEST = 500
PORT = 443
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Addresses that carry another one within them, which is what must be public: NAT64, 6to4, Teredo.
_NAT64, _6TO4, _TEREDO = (ipaddress.IPv6Network(net) for net in ("64:ff9b::/96", "2002::/16", "2001::/32"))
# A name server that hangs holds one of these threads, and no sender.
_askers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="names")

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Answer:
    """What came of a request. `status` is None without an answer; `code` is a word for what went wrong, "" for nothing."""

    status: int | None
    code: str = ""

    @property
    def is_taken(self) -> bool:
        """Return whether the other system took it."""
        return not self.code

    @property
    def is_about_the_system(self) -> bool:
        """Return whether the next request would meet the same: it is not there, or says that it cannot at present."""
        return self.status is None or self.status >= 500 or self.status in {408, 429}


class _Fault(Exception):
    """The request could not be made; its argument is the word for why."""


def read(text: str) -> str:
    """Return the address that somebody typed, its host in ASCII. Raises Refused for one that events cannot go to."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        host, port = idna.encode(parts.hostname or "", uts46=True).decode(), parts.port
    except ValueError:  # an idna.IDNAError is one
        host, port, parts = "", None, urlsplit("")
    if not host or len(text) > LONGEST or parts.username is not None or any(ord(char) < 33 or ord(char) > 126 for char in text):
        raise Refused(_("Enter the whole address, like https://system.example.com/hook"), "url")
    if _is_this_machine(parts.scheme, host):
        return text
    if parts.scheme != "https" or port not in {None, PORT}:
        raise Refused(_("The address has to begin with https:// and may name no port."), "url")
    if (address := _literal(host)) is not None and not is_public(address):
        raise Refused(_("Events go to public addresses only, not to a machine of your own network."), "url")
    return f"https://{host}{parts.path or '/'}{'?' + parts.query if parts.query else ''}"


def is_public(address: Ip) -> bool:
    """Return whether an address belongs to the internet at large, also that which it may carry within."""
    if isinstance(address, ipaddress.IPv6Address):
        if (inner := _carried(address)) is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    is_special = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    return address.is_global and not address.is_private and not address.is_loopback and not is_special


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send one request and return what came of it. Takes at most about 20 seconds, and raises nothing of the network."""
    parts = urlsplit(url)
    try:
        with contextlib.closing(_connect(parts)) as sock:
            return _talk(sock, parts, body, headers)
    except _Fault as fault:
        return Answer(None, str(fault))
    except ssl.SSLError:
        return Answer(None, "tls")
    except TimeoutError:
        return Answer(None, "timeout")
    except ConnectionRefusedError:
        return Answer(None, "refused")
    except (OSError, http.client.HTTPException, ValueError):
        return Answer(None, "dropped")


def _talk(sock: socket.socket, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> Answer:
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    connection.sock = _Limited(sock, READ_SECONDS)
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    connection.request("POST", path, body, {**headers, "Connection": "close", "Accept-Encoding": "identity"})
    response = connection.getresponse()
    status = response.status
    if 300 <= status < 400:
        return Answer(status, "redirect")
    if 200 <= status < 300:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            response.read(ANSWER_MAX_BYTES)  # it has said yes: what more it says is let by
        return Answer(status)
    return Answer(status, "status")


def _connect(parts: SplitResult) -> socket.socket:
    """Return a connection to one of the addresses that the name has now, every one of which was looked at."""
    host = parts.hostname or ""
    is_local = _is_this_machine(parts.scheme, host)
    if not is_local and (parts.scheme != "https" or parts.port not in {None, PORT}):
        raise _Fault("url")
    addresses = _addresses(host, parts.port or (PORT if parts.scheme == "https" else 80))
    if not is_local and not all(is_public(ipaddress.ip_address(place[0].partition("%")[0])) for _family, place in addresses):
        raise _Fault("private")
    error: OSError = ConnectionRefusedError()
    until = time.monotonic() + CONNECT_SECONDS
    for family, place in addresses:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(max(0.1, until - time.monotonic()))
            sock.connect(place)
            if parts.scheme == "https":
                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        except OSError as failed:
            sock.close()
            if isinstance(failed, ssl.SSLError):
                raise
            error = failed
        else:
            return sock
        if time.monotonic() > until:
            break
    raise error


def _addresses(host: str, port: int) -> list[tuple[int, Any]]:
    """Return family and address of everything the name stands for. Raises _Fault."""
    try:
        asked = _askers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = asked.result(timeout=CONNECT_SECONDS)
    except (OSError, UnicodeError, TooLate) as error:
        raise _Fault("dns") from error
    if not found:
        raise _Fault("dns")
    return [(family, place) for family, _kind, _protocol, _name, place in found]


def _is_this_machine(scheme: str, host: str) -> bool:
    return bool(settings.TESTING) and scheme == "http" and host in _LOOPBACK


def _literal(host: str) -> Ip | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the older address within a newer one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64 or int(address) < 1 << 32:  # also ::a.b.c.d, as it was written once
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _6TO4:
        return address.sixtofour
    return ipaddress.IPv4Address(0) if address in _TEREDO else None  # Teredo is a tunnel to anywhere


class _Limited(io.RawIOBase):
    """A socket as http.client uses it, which gives out only so long and so much in all, however slowly it drips."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._until = time.monotonic() + seconds
        self._left = ANSWER_MAX_BYTES

    def sendall(self, data: bytes) -> None:
        """Send within what is left of the time."""
        self._wait()
        self._sock.sendall(data)

    def makefile(self, *args: Any, **kwargs: Any) -> io.BufferedReader:
        """Return the reading side."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there, within what is left of time and size; the end, once there was too much."""
        self._wait()
        room = memoryview(buffer)[: min(len(buffer), self._left)]
        count = self._sock.recv_into(room) if len(room) else 0
        self._left -= count
        return count

    def _wait(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
