"""Carries SMS through Twilio: the official client over a wire of our own, which knows whether a request was said.

An API key signs in; the account's auth token is never used here. Decides nothing but what an answer means: what cannot be
proved is unknown. `find` looks for a message whose answer was lost, `forget` deletes one at the provider.
"""

import datetime as dt
import http.client
import logging
import socket
import ssl
import time
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from notifications import segments
from notifications.providers import codes
from notifications.providers.base import Outcome, Phase, Result, Text
from notifications.providers.https import Wire

log = logging.getLogger("carnet.sms")
API = "https://api.twilio.com"
CONNECT, READ = 5.0, 30.0
# Twilio's own queue gives up after this at the latest.
LONGEST = 36_000
# Of the messages to one number, the newest so many are looked through.
_LOOK_AT = 50
_AWAY = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Account:
    """What signs in: an account (AC…), an API key of it (SK…) with its secret, and the address of the API."""

    sid: str
    key: str
    secret: str = field(repr=False)
    api: str = API


@dataclass(frozen=True)
class Found:
    """A message that the provider has."""

    provider_id: str
    status: str


@dataclass
class _Ready:
    """An SMS with an open line; not a word of it was said."""

    provider: "TwilioProvider"
    text: Text

    def deliver(self, following: Text | None = None) -> Result:
        """Post it. Before the first byte a fault means that it was not taken; after it only an answer tells."""
        began, wire = time.monotonic(), self.provider.wire
        try:
            made = self.provider.client.messages.create(**_form(self.text))
            found = Result(Outcome.ACCEPTED, "201", Phase.REPLY, str(made.sid or ""), segments=_whole(made.num_segments))
            if not found.provider_id:
                found = Result(Outcome.UNKNOWN, "garbage", Phase.REPLY)
            elif found.segments not in {0, segments.measure(self.text.body).segments}:
                log.warning("SMS %s: the provider counts %s parts, other than we", found.provider_id, found.segments)
        except TwilioException as error:
            found = classify(getattr(error, "status", 0), str(getattr(error, "code", "") or ""), wire.headers)
        except (*_AWAY, ValueError, TypeError, KeyError) as error:
            is_network = isinstance(error, _AWAY)
            outcome = Outcome.UNKNOWN if wire.is_said else Outcome.RETRY
            phase = Phase.DOT if wire.is_said else Phase.CONNECT
            found = Result(outcome, _word(error) if is_network else "garbage", phase)
        finally:
            wire.close()
        return _timed(found, began)

    def abandon(self) -> None:
        """Hang up."""
        self.provider.wire.close()


class TwilioProvider:
    """Twilio as a provider of SMS."""

    name = "twilio"

    def __init__(
        self, account: Account, *, connect: float = CONNECT, read: float = READ, context: ssl.SSLContext | None = None
    ) -> None:
        self.wire = Wire(account.api, connect=connect, read=read, context=context)
        self.client = Client(account.key, account.secret, account.sid, http_client=self.wire)
        self._missed = 0

    def prepare(self, text: Text) -> _Ready | Result:
        """Open a line. That it cannot be opened may pass; twice in a row the provider itself is away."""
        began = time.monotonic()
        try:
            self.wire.connect()
        except OSError as error:
            self._missed += 1
            outcome = Outcome.RETRY if self._missed == 1 else Outcome.DOWN
            return _timed(Result(outcome, _word(error), Phase.CONNECT), began)
        self._missed = 0
        return _Ready(self, text)

    def find(
        self, recipient: str, body: str, *, between: tuple[dt.datetime, dt.datetime], known: Collection[str]
    ) -> Found | None:
        """Return the message to `recipient` with this text that was made between two instants, None if there is none.

        `known` are the ids of other messages. Asks by the number alone: a message that still waits in the provider's queue
        has no day on which it was sent, and asking for one would miss it. Raises LookupError if the provider does not say.
        """
        try:
            rows = self.client.messages.list(to=recipient, limit=_LOOK_AT, page_size=_LOOK_AT)
        except (TwilioException, *_AWAY, ValueError, TypeError, KeyError) as error:
            raise LookupError(type(error).__name__) from error
        finally:
            self.wire.close()
        since, until = between
        for row in rows:
            is_ours = str(row.direction or "").startswith("outbound") and row.sid not in known
            if is_ours and row.date_created and since <= row.date_created <= until and _same(str(row.body or ""), body):
                return Found(str(row.sid), str(row.status or ""))
        return None

    def forget(self, provider_id: str) -> Result:
        """Delete a message at the provider. One that it has not any more counts as deleted."""
        began = time.monotonic()
        try:
            is_gone = self.client.messages(provider_id).delete()
            found = Result(Outcome.ACCEPTED if is_gone else Outcome.RETRY, "204" if is_gone else "garbage", Phase.REPLY)
        except TwilioException as error:
            status, code = getattr(error, "status", 0), str(getattr(error, "code", "") or "")
            gone = Result(Outcome.ACCEPTED, "404", Phase.REPLY)
            found = gone if status == 404 else classify(status, code, self.wire.headers)
            if found.outcome in {Outcome.UNKNOWN, Outcome.FAILED}:  # to delete twice does no harm; one on its way cannot be yet
                found = Result(Outcome.RETRY, found.code, found.phase)
        except (*_AWAY, ValueError) as error:
            found = Result(Outcome.RETRY, _word(error), Phase.CONNECT)
        finally:
            self.wire.close()
        return _timed(found, began)

    def close(self) -> None:
        """Hang up."""
        self.wire.close()


def classify(status: int, code: str, headers: dict[str, str] | None = None) -> Result:
    """Return what an answer other than a yes means, by its HTTP status and Twilio's own code."""
    wait = (headers or {}).get("retry-after", "")
    said = code or str(status)
    if status == 429 or code in codes.TOO_MANY:
        return Result(Outcome.RETRY, said, Phase.REPLY, retry_after=int(wait) if wait.isascii() and wait.isdigit() else 0)
    if not 400 <= status < 500 or status == 408:
        return Result(Outcome.UNKNOWN, said if status else "garbage", Phase.REPLY)
    is_of_message = code in codes.NO_SUCH_NUMBER | codes.STOPPED | codes.OURS
    if not is_of_message and (code in codes.SHUT or status in {401, 403, 404}):
        return Result(Outcome.DOWN, said, Phase.AUTH)
    return Result(Outcome.FAILED, said, Phase.REPLY)


def _form(text: Text) -> dict[str, Any]:
    of = "messaging_service_sid" if text.sender.startswith("MG") and len(text.sender) == 34 else "from_"
    form: dict[str, Any] = {"to": text.recipient, of: text.sender, "body": text.body}
    form["validity_period"] = max(1, min(text.valid_for, LONGEST))
    return form | ({"status_callback": text.callback} if text.callback else {})


def _word(error: BaseException) -> str:
    """Return a word of `base.explain` for what went wrong on the network."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, ssl.SSLError):
        return "tls"
    return "unreachable" if isinstance(error, socket.gaierror | ConnectionRefusedError) else "dropped"


def _timed(found: Result, began: float) -> Result:
    return replace(found, duration_ms=int((time.monotonic() - began) * 1000))


def _same(theirs: str, ours: str) -> bool:
    """Return whether two texts are one: the provider may trim it and write its ends of line another way."""
    return " ".join(theirs.split()) == " ".join(ours.split())


def _whole(text: object) -> int:
    return int(str(text)) if str(text).isdigit() else 0
