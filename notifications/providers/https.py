"""The wire under the official client of an HTTP provider: one request, one connection, and the knowledge whether it was said.

Used by the Twilio provider alone. Until the first byte of a request was given to the socket nothing was said; after it only
the answer tells. `requests`, the client's own transport, raises one error on both sides of that line.
"""

import base64
import contextlib
import http.client
import logging
import ssl
from typing import Any
from urllib.parse import urlencode, urlsplit

from twilio.http import HttpClient
from twilio.http.response import Response

_log = logging.getLogger("carnet.sms")
_MOST_BYTES = 2_000_000


class Wire(HttpClient):  # type: ignore[misc]
    """An HTTP client that connects beforehand and never repeats, redirects or reuses. One instance belongs to one thread."""

    def __init__(self, base: str, *, connect: float, read: float, context: ssl.SSLContext | None = None) -> None:
        super().__init__(_log, is_async=False)
        self._base = urlsplit(base)
        self._connect, self._read, self._context = connect, read, context
        self._open: http.client.HTTPConnection | None = None
        self.is_said = False
        self.headers: dict[str, str] = {}

    def connect(self) -> None:
        """Open a connection for the next request, secured, unless one is open. Raises OSError; nothing was said then."""
        if self._open is not None:
            return
        host, port = self._base.hostname or "", self._base.port
        if self._base.scheme == "https":
            context = self._context or ssl.create_default_context()
            found: http.client.HTTPConnection = http.client.HTTPSConnection(host, port, timeout=self._connect, context=context)
        else:
            found = http.client.HTTPConnection(host, port, timeout=self._connect)
        try:
            found.connect()
        except BaseException:
            found.close()
            raise
        found.sock.settimeout(self._read)
        self._open = found

    def request(self, method: str, uri: str, **given: Any) -> Response:
        """Send one request and return its answer. Raises OSError or HTTPException; `is_said` tells on which side of the line."""
        self.is_said, self.headers = False, {}
        self.connect()
        line, self._open = self._open, None  # each connection serves one request
        if line is None:
            raise ConnectionError("closed")
        try:
            path = urlsplit(uri).path + (f"?{urlencode(given['params'], doseq=True)}" if given.get("params") else "")
            body = urlencode(given["data"], doseq=True).encode() if given.get("data") else None
            self.is_said = True  # from here on a doubt counts as said
            line.request(method.upper(), path, body, _headers(given, has_body=body is not None))
            answer = line.getresponse()
            text = answer.read(_MOST_BYTES).decode("utf-8", "replace")
            self.headers = {name.lower(): value for name, value in answer.getheaders()}
            return Response(answer.status, text, self.headers)
        finally:
            line.close()

    def close(self) -> None:
        """Hang up, if a connection is open that served nothing. Never raises."""
        line, self._open = self._open, None
        if line is not None:
            with contextlib.suppress(OSError):
                line.close()


def _headers(given: dict[str, Any], *, has_body: bool) -> dict[str, str]:
    headers = {**(given.get("headers") or {}), "Connection": "close"}
    if given.get("auth"):
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(given["auth"]).encode()).decode()
    if has_body:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    return headers
