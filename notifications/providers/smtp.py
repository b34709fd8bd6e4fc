"""Carries mail by SMTP and knows whether the final dot was handed to the socket.

Before it nothing was said, after it only the server's answer tells; Django's and smtplib's own senders raise the same
error on both sides. One recipient a transaction; the connection is kept between the mails of a batch. Decides nothing.
"""

import base64
import re
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass

from notifications.providers.base import Envelope, Outcome, Phase, Result
from notifications.providers.replies import at_rcpt, status_of
from notifications.providers.wire import (
    PATIENT,
    Line,
    Security,
    Server,
    StepError,
    TimeOuts,
    UnsaidError,
    error_code,
    expect,
    fault,
    wire_format,
)

_QUEUED = re.compile(r"queued as ([\w.-]{1,100})", re.IGNORECASE)


@dataclass
class _Ready:
    """A mail whose recipient the server has taken; DATA was not said."""

    provider: "SmtpProvider"
    line: Line
    envelope: Envelope
    timeouts: TimeOuts

    def deliver(self, following: Envelope | None = None) -> Result:
        """Say the text and the dot, and wait for the answer. A server that pipelines is told of the `following` mail with it."""
        began = time.monotonic()
        is_said = False
        phase = Phase.DATA
        code, provider_id = "", ""
        try:
            text = wire_format(self.envelope.raw)
            self.line.wait(self.timeouts.command)
            expect(self.line.docmd("DATA"), (354,), Outcome.FAILED)
            self.line.wait(self.timeouts.block)
            is_said = True  # from here on a doubt counts as said
            self.line.hand_over(text, self.provider.announcement(self.line, following))
            phase = Phase.DOT
            self.line.wait(self.timeouts.dot)
            reply = self.line.getreply()
            phase = Phase.REPLY
            outcome, code = _verdict(reply[0])
            if outcome is Outcome.ACCEPTED and (match := _QUEUED.search(reply[1].decode("utf-8", "replace"))):
                provider_id = match[1]
        except UnsaidError as error:
            outcome, code = Outcome.RETRY, str(error)
        except StepError as trouble:
            outcome, code = trouble.outcome, trouble.code
        except (OSError, smtplib.SMTPException) as error:
            outcome, code = (Outcome.UNKNOWN if is_said else Outcome.RETRY), error_code(error)
            phase = Phase.DOT if is_said else phase
        if outcome is not Outcome.ACCEPTED:
            self.line.close()
        return Result(outcome, code, phase, provider_id, _elapsed(began))

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
        timeouts: TimeOuts = PATIENT,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.server = server
        self.timeouts = timeouts
        self._context = context
        self._line: Line | None = None
        self._phase = Phase.CONNECT
        # The mail that was announced behind the dot of the one before; the answers are still to be read.
        self._announced: Envelope | None = None
        self._may_pipeline = True

    def prepare(self, envelope: Envelope) -> _Ready | Result:
        """Connect, secure, sign in and announce the mail; return it ready, or what went wrong.

        A kept connection that turns out to be dead is opened anew at once: nothing had been said.
        """
        began = time.monotonic()
        status = ""
        try:
            if self._line is not None and self._line.sock is None:
                self._drop()
            if self._line is not None:
                try:
                    return self._announce(self._line, envelope, is_reused=True)
                except (OSError, smtplib.SMTPException) as error:
                    # What was said in one go and stays without an answer may have been thrown away: one by one then.
                    self._may_pipeline &= error_code(error) != "timeout"
                    self._drop()
                except StepError as trouble:
                    if self._phase is Phase.RCPT and trouble.code != "421":
                        raise
                    self._drop()
            self._line = self._open()
            return self._announce(self._line, envelope, is_reused=False)
        except StepError as trouble:
            outcome, code, status = trouble.outcome, trouble.code, trouble.status
        except (OSError, smtplib.SMTPException) as error:
            outcome, code = Outcome.RETRY, error_code(error)
        if self._phase is not Phase.RCPT:
            outcome = Outcome.DOWN  # no recipient was named yet: it is the server, or us
        if outcome is not Outcome.FAILED:
            self._drop()
        return Result(outcome, code, self._phase, duration_ms=_elapsed(began), status=status)

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

    def announcement(self, line: Line, envelope: Envelope | None) -> bytes:
        """Return the commands that announce `envelope` behind the dot of the mail before it, or nothing."""
        if envelope is None or not self._does_pipeline(line) or fault(envelope) is not None:
            return b""
        self._announced = envelope
        return "".join(f"{command}\r\n" for command in line.announcement(envelope)).encode("ascii")

    # --- steps, each raising StepError or a network error ----------------------------------------------------------

    def _drop(self) -> None:
        self._announced = None
        if self._line is not None:
            self._line.close()
            self._line = None

    def _does_pipeline(self, line: Line) -> bool:
        return self._may_pipeline and line.has_extn("pipelining")

    def _announce(self, line: Line, envelope: Envelope, *, is_reused: bool) -> _Ready:
        """Name sender and recipient and read what the server says to each, in the order in which they were named.

        At once only on a line that has carried a mail: where that goes wrong, it is opened anew and they are named one by
        one, so that a server which hangs up says at which of them.
        """
        self._phase = Phase.MAIL
        announced, self._announced = self._announced, None
        if wrong := fault(envelope):
            self._phase, outcome = wrong
            raise StepError(outcome, "address")
        line.wait(self.timeouts.command)
        commands = line.announcement(envelope)
        if is_reused and announced is not envelope:
            if announced is not None:  # it is not its turn after all: the answers are not ours
                line.getreply()
                line.getreply()
            commands = ["RSET", *commands]
        does_pipeline = is_reused and self._does_pipeline(line)
        if does_pipeline and announced is not envelope:
            line.say(*commands)
        for command in commands:
            self._phase = Phase.RCPT if command.startswith("RCPT") else Phase.MAIL
            reply = line.getreply() if does_pipeline else line.docmd(command)
            if command == "RSET":
                expect(reply, (250,), Outcome.RETRY)
            elif self._phase is Phase.MAIL:
                expect(reply, (250,), Outcome.DOWN)
            else:
                _expect_recipient(reply)
        return _Ready(self, line, envelope, self.timeouts)

    def _open(self) -> Line:
        server = self.server
        self._phase = Phase.CONNECT
        if server.security is Security.NONE and not server.is_local:
            raise StepError(Outcome.DOWN, "not_local")
        sock = self._connect()
        try:
            if server.security is Security.TLS:
                sock = self._secure(sock)
            line = Line(sock, self.timeouts.command)
        except BaseException:
            sock.close()
            raise
        try:
            line.wait(self.timeouts.command)
            expect(line.getreply(), (220,), Outcome.DOWN)
            self._greet(line)
            if server.security is Security.STARTTLS:
                if not line.has_extn("starttls"):
                    raise StepError(Outcome.DOWN, "no_starttls")
                expect(line.docmd("STARTTLS"), (220,), Outcome.DOWN)
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
            raise StepError(Outcome.DOWN, "dns") from None
        except ConnectionRefusedError:
            raise StepError(Outcome.DOWN, "refused") from None
        except OSError:
            raise StepError(Outcome.DOWN, "unreachable") from None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the dot waits for the text's ACK
        return sock

    def _secure(self, sock: socket.socket) -> socket.socket:
        context = self._context or ssl.create_default_context()
        sock.settimeout(self.timeouts.command)
        try:
            return context.wrap_socket(sock, server_hostname=self.server.host)
        except ssl.SSLCertVerificationError:
            raise StepError(Outcome.DOWN, "certificate") from None
        except ssl.SSLEOFError:
            raise StepError(Outcome.RETRY, "dropped") from None
        except (ssl.SSLError, ValueError):
            raise StepError(Outcome.DOWN, "tls") from None

    def _greet(self, line: Line) -> None:
        reply = line.ehlo()
        if 500 <= reply[0] < 600:
            reply = line.helo()
        expect(reply, (250,), Outcome.DOWN)

    def _sign_in(self, line: Line) -> None:
        """AUTH PLAIN, else LOGIN, in UTF-8 (smtplib's own login breaks on a password with an accent)."""
        self._phase = Phase.AUTH
        user, password = self.server.user, self.server.password
        methods = str(line.esmtp_features.get("auth", "")).upper().split()
        if "PLAIN" in methods:
            reply = line.docmd("AUTH", "PLAIN " + _base64(f"\0{user}\0{password}"))
        elif "LOGIN" in methods:
            reply = line.docmd("AUTH", "LOGIN")
            for answer in (user, password):
                expect(reply, (334,), Outcome.DOWN)
                reply = line.docmd(_base64(answer))
        else:
            raise StepError(Outcome.DOWN, "no_auth")
        expect(reply, (235, 503), Outcome.DOWN)


def _expect_recipient(reply: tuple[int, bytes]) -> None:
    if 500 <= reply[0] < 600:
        text = reply[1].decode("utf-8", "replace")
        raise StepError(*at_rcpt(reply[0], text), status_of(text))
    expect(reply, (250, 251, 252), Outcome.FAILED)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
