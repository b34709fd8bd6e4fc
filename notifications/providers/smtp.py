"""Carries mail by SMTP and knows whether the final dot was handed to the socket.

Before it nothing was said, after it only the server's answer tells; Django's and smtplib's own senders raise the same
error on both sides. One recipient a transaction; the connection is kept between the mails of a batch. Decides nothing.
"""

import base64
import ipaddress
import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass, field
from enum import StrEnum

from notifications.providers.base import Envelope, Outcome, Phase, Result, explain

_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOT = re.compile(rb"(?m)^\.")
_QUEUED = re.compile(r"queued as ([\w.-]{1,100})", re.IGNORECASE)
_RELAY = re.compile(r"relay", re.IGNORECASE)
_BLOCK = 64 * 1024


class Security(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True)
class TimeOuts:
    """How long to wait for what, in seconds (RFC 5321 4.5.3.2; the reply to the dot may really take 10 minutes)."""

    connect: float = 10
    command: float = 30
    block: float = 60
    dot: float = 600
    quit: float = 5


@dataclass(frozen=True)
class Server:
    """Where to carry mail to. A password without TLS is allowed to a server on this machine only."""

    host: str
    port: int
    security: Security = Security.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def is_local(self) -> bool:
        """Return whether the server is on this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class _StepError(Exception):
    """A step went wrong; what that means is decided."""

    def __init__(self, outcome: Outcome, code: str) -> None:
        super().__init__(code)
        self.outcome = outcome
        self.code = code


class _Line(smtplib.SMTP):
    """smtplib's commands and replies over a socket that we opened ourselves."""

    def __init__(self, sock: socket.socket, timeout: float) -> None:
        super().__init__(local_hostname=_own_name(), timeout=timeout)
        self.sock = sock
        self.file = None

    @property
    def open_sock(self) -> socket.socket:
        """Return the socket. Raises SMTPServerDisconnected when it was closed."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("closed")
        return self.sock

    def wait(self, seconds: float) -> None:
        """Set the longest wait of the next step."""
        if self.sock is not None:
            self.sock.settimeout(seconds)

    def hand_over_the_dot(self) -> bool:
        """Give the final dot to the socket. Return False if certainly not a byte of it was taken."""
        sock = self.open_sock
        try:
            taken = sock.send(b".\r\n")
        except OSError:
            return isinstance(sock, ssl.SSLSocket)  # TLS may have sent a part before it failed: count it as said
        if taken < 3:
            sock.sendall(b".\r\n"[taken:])
        return True


def _own_name() -> str:
    """Return how we introduce ourselves; never asks a name server, which may hang."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _error_code(error: BaseException) -> str:
    """Return a word for a network error."""
    causes = (error, error.__context__, error.__cause__)
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "timeout"
    return "dropped"


def _expect(reply: tuple[int, bytes], good: tuple[int, ...], never: Outcome) -> None:
    """Pass a `good` reply. Raise _StepError for any other: 4xx is RETRY, 5xx is `never`, nonsense is RETRY."""
    code = reply[0]
    if code in good:
        return
    if 500 <= code < 600:
        raise _StepError(never, str(code))
    raise _StepError(Outcome.RETRY, str(code) if 200 <= code < 500 else "garbage")


def wire_format(raw: bytes) -> bytes:
    """Return the text as it goes over the wire: CRLF at every line end, leading dots doubled, no final dot."""
    text = _LINE_END.sub(b"\r\n", raw)
    if not text.endswith(b"\r\n"):
        text += b"\r\n"
    return _DOT.sub(b"..", text)


@dataclass
class _Ready:
    """A mail whose recipient the server has taken; DATA was not said."""

    line: _Line
    envelope: Envelope
    timeouts: TimeOuts

    def deliver(self) -> Result:
        """Say the text and the dot, and wait for the answer."""
        began = time.monotonic()
        is_said = False
        phase = Phase.DATA
        code, provider_id = "", ""
        try:
            self.line.wait(self.timeouts.command)
            _expect(self.line.docmd("DATA"), (354,), Outcome.FAILED)
            self._say_text()
            phase = Phase.DOT
            is_said = True  # from here on a doubt counts as said
            is_said = self.line.hand_over_the_dot()
            if not is_said:
                raise _StepError(Outcome.RETRY, "dropped")
            self.line.wait(self.timeouts.dot)
            reply = self.line.getreply()
            phase = Phase.REPLY
            outcome, code = _verdict(reply[0])
            if outcome is Outcome.ACCEPTED and (match := _QUEUED.search(reply[1].decode("utf-8", "replace"))):
                provider_id = match[1]
        except _StepError as trouble:
            outcome, code = trouble.outcome, trouble.code
        except (OSError, smtplib.SMTPException) as error:
            outcome, code = (Outcome.UNKNOWN if is_said else Outcome.RETRY), _error_code(error)
        if outcome is not Outcome.ACCEPTED:
            self.line.close()
        words = explain(outcome, phase, code)
        return Result(outcome, code, phase, provider_id, words, _elapsed(began))

    def _say_text(self) -> None:
        text = wire_format(self.envelope.raw)
        self.line.wait(self.timeouts.block)
        for start in range(0, len(text), _BLOCK):
            self.line.open_sock.sendall(text[start : start + _BLOCK])

    def abandon(self) -> None:
        """Leave it: the next mail's RSET, or QUIT, ends the transaction."""


def _verdict(code: int) -> tuple[Outcome, str]:
    """Return what the reply to the dot means. A reply that is no reply leaves the fate open."""
    if 200 <= code < 300:
        return Outcome.ACCEPTED, str(code)
    if 400 <= code < 500:
        return Outcome.RETRY, str(code)
    if 500 <= code < 600:
        return Outcome.FAILED, str(code)
    return Outcome.UNKNOWN, "garbage"


def _elapsed(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


class SmtpProvider:
    """An SMTP server as a provider."""

    name = "smtp"

    def __init__(
        self,
        server: Server,
        *,
        timeouts: TimeOuts = TimeOuts(),
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.server = server
        self.timeouts = timeouts
        self._context = context
        self._line: _Line | None = None
        self._phase = Phase.CONNECT

    def prepare(self, envelope: Envelope) -> _Ready | Result:
        """Connect, secure, sign in and announce the mail; return it ready, or what went wrong.

        A kept connection that turns out to be dead is opened anew at once: nothing had been said.
        """
        began = time.monotonic()
        try:
            if self._line is not None and self._line.sock is None:
                self._line = None
            if self._line is not None:
                try:
                    return self._announce(self._line, envelope, is_reused=True)
                except (OSError, smtplib.SMTPException):
                    self._drop()
                except _StepError as trouble:
                    if trouble.code != "421":
                        raise
                    self._drop()
            self._line = self._open()
            return self._announce(self._line, envelope, is_reused=False)
        except _StepError as trouble:
            outcome, code = trouble.outcome, trouble.code
        except (OSError, smtplib.SMTPException) as error:
            outcome, code = Outcome.RETRY, _error_code(error)
        if self._phase is not Phase.RCPT or outcome is not Outcome.FAILED:
            self._drop()
        return Result(outcome, code, self._phase, words=explain(outcome, self._phase, code), duration_ms=_elapsed(began))

    def close(self) -> None:
        """Say good-bye; whatever comes back no longer matters."""
        line, self._line = self._line, None
        if line is None:
            return
        try:
            if line.sock is not None:
                line.wait(self.timeouts.quit)
                line.docmd("QUIT")
        except (OSError, smtplib.SMTPException):
            pass
        finally:
            line.close()

    # --- steps, each raising _StepError or a network error ----------------------------------------------------------

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _announce(self, line: _Line, envelope: Envelope, *, is_reused: bool) -> _Ready:
        self._phase = Phase.MAIL
        if not (envelope.sender.isascii() and envelope.recipient.isascii()) or re.search(
            r"[\s<>]", envelope.sender + envelope.recipient
        ):
            self._phase = Phase.RCPT
            raise _StepError(Outcome.FAILED, "address")
        line.wait(self.timeouts.command)
        if is_reused:
            _expect(line.rset(), (250,), Outcome.RETRY)
        options = ["BODY=8BITMIME"] if not envelope.raw.isascii() and line.has_extn("8bitmime") else []
        _expect(line.mail(envelope.sender, options), (250,), Outcome.DOWN)
        self._phase = Phase.RCPT
        reply = line.rcpt(envelope.recipient)
        if reply[0] in {530, 535, 538}:
            raise _StepError(Outcome.DOWN, str(reply[0]))
        if reply[0] in range(500, 600) and _RELAY.search(reply[1].decode("utf-8", "replace")):
            # "Relay access denied" is about us, not about the recipient: it must not brand every client's address.
            raise _StepError(Outcome.DOWN, "relay")
        _expect(reply, (250, 251, 252), Outcome.FAILED)
        return _Ready(line, envelope, self.timeouts)

    def _open(self) -> _Line:
        server = self.server
        self._phase = Phase.CONNECT
        if server.security is Security.NONE and not server.is_local:
            raise _StepError(Outcome.DOWN, "not_local")
        sock = self._connect()
        try:
            if server.security is Security.TLS:
                sock = self._secure(sock)
            line = _Line(sock, self.timeouts.command)
        except BaseException:
            sock.close()
            raise
        try:
            line.wait(self.timeouts.command)
            _expect(line.getreply(), (220,), Outcome.DOWN)
            self._greet(line)
            if server.security is Security.STARTTLS:
                if not line.has_extn("starttls"):
                    raise _StepError(Outcome.DOWN, "no_starttls")
                _expect(line.docmd("STARTTLS"), (220,), Outcome.DOWN)
                line.sock = self._secure(line.open_sock)
                line.file = None
                self._greet(line)
            if server.user:
                self._sign_in(line)
        except BaseException:
            line.close()
            raise
        return line

    def _connect(self) -> socket.socket:
        try:
            sock = socket.create_connection((self.server.host, self.server.port), self.timeouts.connect)
        except (socket.gaierror, ValueError):  # ValueError: a name that cannot be one
            raise _StepError(Outcome.DOWN, "dns") from None
        except ConnectionRefusedError:
            raise _StepError(Outcome.DOWN, "refused") from None
        except OSError:
            raise _StepError(Outcome.DOWN, "unreachable") from None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the dot waits for the text's ACK
        return sock

    def _secure(self, sock: socket.socket) -> socket.socket:
        context = self._context or ssl.create_default_context()
        sock.settimeout(self.timeouts.command)
        try:
            return context.wrap_socket(sock, server_hostname=self.server.host)
        except ssl.SSLCertVerificationError:
            raise _StepError(Outcome.DOWN, "certificate") from None
        except ssl.SSLEOFError:
            raise _StepError(Outcome.RETRY, "dropped") from None
        except (ssl.SSLError, ValueError):
            raise _StepError(Outcome.DOWN, "tls") from None

    def _greet(self, line: _Line) -> None:
        reply = line.ehlo()
        if 500 <= reply[0] < 600:
            reply = line.helo()
        _expect(reply, (250,), Outcome.DOWN)

    def _sign_in(self, line: _Line) -> None:
        """AUTH PLAIN, else LOGIN, in UTF-8 (smtplib's own login breaks on a password with an accent)."""
        self._phase = Phase.AUTH
        user, password = self.server.user, self.server.password
        methods = str(line.esmtp_features.get("auth", "")).upper().split()
        if "PLAIN" in methods:
            reply = line.docmd("AUTH", "PLAIN " + _base64(f"\0{user}\0{password}"))
        elif "LOGIN" in methods:
            reply = line.docmd("AUTH", "LOGIN")
            for answer in (user, password):
                _expect(reply, (334,), Outcome.DOWN)
                reply = line.docmd(_base64(answer))
        else:
            raise _StepError(Outcome.DOWN, "no_auth")
        _expect(reply, (235, 503), Outcome.DOWN)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
