"""Stands in for Twilio at its wire format, on loopback: keeps what it takes, answers as told, sends nothing on.

Used in a test (`with TwilioServer() as twilio`) or as a process: `python -m tests.fakes.twilio_server --port 2600 --log
sms.jsonl`. `script` says what becomes of each POST of a message, one word after the other; the last stays in force:

- "ok"; "400:21211" and the like; "401"; "429:30" (Retry-After: 30);
- "500_created", "500_not_created", "502_not_created";
- "timeout_created", "timeout_not_created": nothing is ever answered; "timeout_then_callback": the callback comes meanwhile;
- "drop": closes once it has read the request, and keeps nothing; "drop_created": the same, but it was taken;
- "garbage": 201 with a body that is none; "redirect": 307 to another place.

Signatures are made here anew, apart from the validator of the official client.
"""

import argparse
import base64
import datetime as dt
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

ACCOUNT, KEY, SECRET, TOKEN = "AC" + "a" * 32, "SK" + "b" * 32, "key-secret", "auth-token"
WORDS = {"21211": "Invalid 'To' Phone Number", "21610": "Attempt to send to unsubscribed recipient"}


def sign(url: str, form: Mapping[str, str], token: str = TOKEN) -> str:
    """Return X-Twilio-Signature: HMAC-SHA1 of the address with every field, sorted, name and value together."""
    text = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


@dataclass
class Sms:
    """A message that the server took."""

    sid: str
    form: dict[str, str]
    at: dt.datetime
    status: str = "queued"

    def as_json(self) -> dict[str, Any]:
        """Return the resource as Twilio writes it; one that still waits has no day on which it was sent."""
        is_sent = self.status not in {"queued", "accepted", "scheduled"}
        return {
            "sid": self.sid, "account_sid": ACCOUNT, "to": self.form["To"], "from": self.form.get("From"),
            "messaging_service_sid": self.form.get("MessagingServiceSid"), "body": self.form["Body"], "status": self.status,
            "direction": "outbound-api", "num_segments": str(-(-len(self.form["Body"]) // 153)), "num_media": "0",
            "date_created": format_datetime(self.at), "date_updated": format_datetime(self.at),
            "date_sent": format_datetime(self.at) if is_sent else None, "error_code": None, "error_message": None,
            "price": None, "price_unit": "USD", "api_version": "2010-04-01", "subresource_uris": {},
            "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{self.sid}.json",
        }  # fmt: skip


@dataclass
class TwilioServer:
    """The server. `taken` is what it took, `requests` every POST of a message, `answers` how it reported by callback."""

    script: str = "ok"
    delay: float = 0
    hang_for: float = 20
    log: Path | None = None
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    on_callback: Callable[[str, dict[str, str], str], None] | None = None
    taken: list[Sms] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    looks: list[dict[str, str]] = field(default_factory=list)
    list_status: int = 200
    connection_count: int = 0
    wanted_port: int = 0
    secret: str = SECRET

    def __enter__(self) -> Self:
        self._lock, self._stop = threading.Lock(), threading.Event()

        handler = type("Handler", (_Handler,), {"twilio": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", self.wanted_port), handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        """Return the address of its API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def bodies(self) -> list[str]:
        """Return the texts it took."""
        return [sms.form["Body"] for sms in self.taken]

    def next_step(self) -> str:
        """Return what becomes of the next POST."""
        with self._lock:
            first, comma, rest = self.script.partition(",")
            if comma:
                self.script = rest
            return first

    def keep(self, form: dict[str, str]) -> Sms:
        """Take a message."""
        with self._lock:
            sms = Sms(f"SM{len(self.taken) + 1:032x}", form, self.clock().replace(microsecond=0))
            self.taken.append(sms)
            if self.log:
                with self.log.open("a") as file:
                    file.write(json.dumps({"sid": sms.sid, "to": form["To"], "body": form["Body"]}) + "\n")
        return sms

    def callback(self, sms: Sms, status: str = "sent", **more: str) -> tuple[str, dict[str, str], str]:
        """Return address, form and signature of a report about a message, as Twilio would post them."""
        sms.status = status
        form = {
            "MessageSid": sms.sid, "SmsSid": sms.sid, "AccountSid": ACCOUNT, "MessageStatus": status, "SmsStatus": status,
            "To": sms.form["To"], "From": sms.form.get("From", ""), "ApiVersion": "2010-04-01", **more,
        }  # fmt: skip
        url = sms.form["StatusCallback"]
        return url, form, sign(url, form)

    def wait(self, seconds: float) -> None:
        """Say nothing for a while, or until the server is closed."""
        self._stop.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    twilio: TwilioServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.twilio.connection_count += 1

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        form = {name: values[0] for name, values in parse_qs(self._body(), keep_blank_values=True).items()}
        if self.twilio.delay:
            self.twilio.wait(self.twilio.delay)
        if not self._is_known():
            return
        if urlsplit(self.path).path != f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json":
            self._error(404, 20404, "not found")
            return
        self.twilio.requests.append(form)
        self.twilio.headers.append({name.lower(): value for name, value in self.headers.items()})
        self._answer(self.twilio.next_step(), form)

    def _answer(self, step: str, form: dict[str, str]) -> None:
        twilio, (word, _colon, more) = self.twilio, step.partition(":")
        is_taken = word in {"ok", "garbage"} or (word.endswith(("_created", "_then_callback")) and "_not_" not in word)
        sms = twilio.keep(form) if is_taken else None
        if word == "ok" and sms:
            self._json(201, sms.as_json())
        elif word == "400":
            self._error(400, int(more), WORDS.get(more, "no"))
        elif word in {"401", "403"}:
            self._error(int(word), 20003, "Authenticate")
        elif word == "429":
            self._error(429, 20429, "Too Many Requests", {"Retry-After": more or "1"})
        elif word.startswith("50"):
            self._error(int(word[:3]), 20500, "Internal Server Error")
        elif word == "garbage":
            self._raw(201, b"<html>")
        elif word == "redirect":
            self._raw(307, b"", {"Location": f"{twilio.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"})
        elif word.startswith("drop"):
            self.close_connection = True
        else:
            if word == "timeout_then_callback" and sms and twilio.on_callback:
                time.sleep(0.05)
                twilio.on_callback(*twilio.callback(sms))
            twilio.wait(twilio.hang_for)
            self.close_connection = True

    def do_GET(self) -> None:
        if not self._is_known():
            return
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.twilio.looks.append(query)
        if self.twilio.list_status != 200:
            self._error(self.twilio.list_status, 20500, "no")
            return
        rows = [sms for sms in reversed(self.twilio.taken) if query.get("To") in {None, sms.form["To"]}]
        if any(name.startswith("DateSent") for name in query):
            rows = [sms for sms in rows if sms.as_json()["date_sent"]]
        page = {"messages": [sms.as_json() for sms in rows[: int(query.get("PageSize", 50))]], "page": 0, "page_size": 50}
        self._json(200, {**page, "next_page_uri": None, "uri": self.path, "first_page_uri": self.path})

    def do_DELETE(self) -> None:
        if not self._is_known():
            return
        sid = urlsplit(self.path).path.rpartition("/")[2].removesuffix(".json")
        known = [sms for sms in self.twilio.taken if sms.sid == sid]
        if not known or sid in self.twilio.deleted:
            self._error(404, 20404, "not found")
            return
        self.twilio.deleted.append(sid)
        self._raw(204, b"")

    def _body(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()

    def _is_known(self) -> bool:
        given = self.headers.get("Authorization", "")
        if given == "Basic " + base64.b64encode(f"{KEY}:{self.twilio.secret}".encode()).decode():
            return True
        self._error(401, 20003, "Authenticate")
        return False

    def _error(self, status: int, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        more = f"https://www.twilio.com/docs/errors/{code}"
        self._json(status, {"code": code, "message": message, "more_info": more, "status": status}, headers)

    def _json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self._raw(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _raw(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until killed."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, default=2600)
    arguments.add_argument("--log", type=Path)
    arguments.add_argument("--script", default="ok")
    given = arguments.parse_args()
    with TwilioServer(script=given.script, log=given.log, wanted_port=given.port) as twilio:
        print(twilio.url, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
