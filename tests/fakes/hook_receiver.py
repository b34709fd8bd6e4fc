"""Another system, on this machine: takes events over HTTP, checks their signatures by code of its own, answers as told."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    """One request: when it came, its id, how many of its signatures are good, and what it said."""

    at: float
    event_id: str
    good_count: int
    event: dict[str, Any]
    path: str

    @property
    def sequence(self) -> int:
        return int(self.event["data"]["sequence"])


class Receiver:
    """A server with a secret. `answer` decides what it says, by the number of the request and the request: a status, or
    a status and headers. It may sleep.
    """

    def __init__(self, secret: str = "") -> None:
        self.secrets = [secret]
        self.requests: list[Request] = []
        self.answer: Callable[[int, Request], int | tuple[int, dict[str, str]]] = lambda number, request: 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = Request(
                    time.monotonic(), self.headers["webhook-id"], receiver.good(self.headers, body), json.loads(body), self.path
                )
                receiver.requests.append(request)
                said = receiver.answer(len(receiver.requests), request)
                status, headers = said if isinstance(said, tuple) else (said, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                raise AssertionError("nobody follows a redirect")

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook"

    def good(self, headers: Any, body: bytes) -> int:
        """Count the signatures of a request that are right by one of our secrets. Written from the specification."""
        moment = int(headers["webhook-timestamp"])
        signed = headers["webhook-id"].encode() + b"." + str(moment).encode() + b"." + body
        right = 0
        for part in headers["webhook-signature"].split():
            version, _, value = part.partition(",")
            for secret in self.secrets:
                assert secret.startswith("whsec_")
                digest = hmac.new(base64.b64decode(secret[6:]), signed, hashlib.sha256).digest()
                right += version == "v1" and hmac.compare_digest(base64.b64encode(digest).decode(), value)
        return right

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
