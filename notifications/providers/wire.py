"""The line to a mail server: where to, how long to wait, and smtplib's commands over a socket that we opened ourselves.

Knows whether the final dot was given to the socket. Used by the SMTP provider alone; decides nothing but what a reply
code means.
"""

import functools
import ipaddress
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum

import idna

from notifications.providers.base import Envelope, Outcome, Phase

_UNSAYABLE = re.compile(r"[\s<>]|[^\x20-\x7e]")
_DOT_LINE = b".\r\n"
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


PATIENT = TimeOuts()


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


class StepError(Exception):
    """A step went wrong; what that means is decided."""

    def __init__(self, outcome: Outcome, code: str, status: str = "") -> None:
        super().__init__(code)
        self.outcome = outcome
        self.code = code
        self.status = status


class UnsaidError(Exception):
    """The text could not be given to the socket as far as its dot. Its argument is the word for why."""


class Line(smtplib.SMTP):
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
        if self.sock is not None and self.sock.gettimeout() != seconds:
            self.sock.settimeout(seconds)

    def say(self, *commands: str) -> None:
        """Give several commands to the socket at once (RFC 2920), each of them one line."""
        if any("\r" in command or "\n" in command for command in commands):
            raise ValueError("a command is one line")
        self.send("".join(f"{command}\r\n" for command in commands))

    def announcement(self, envelope: Envelope) -> list[str]:
        """Return the commands that name the sender and the recipient."""
        body = " BODY=8BITMIME" if not envelope.raw.isascii() and self.has_extn("8bitmime") else ""
        return [f"MAIL FROM:<{in_ascii(envelope.sender)}>{body}", f"RCPT TO:<{in_ascii(envelope.recipient)}>"]

    def hand_over(self, text: bytes, following: bytes = b"") -> None:
        """Give the text, the final dot and the commands `following` it to the socket, on a plain one together.

        Raises UnsaidError if that failed when certainly not a byte of the dot had been taken.
        """
        sock = self.open_sock
        # TLS may have sent a part before it fails: there the dot goes for itself, and counts as said.
        parts = [text, _DOT_LINE + following] if isinstance(sock, ssl.SSLSocket) else [text + _DOT_LINE + following]
        given = 0
        try:
            for part in parts:
                rest = memoryview(part)
                while rest:
                    if isinstance(sock, ssl.SSLSocket) and given == len(text):
                        given += 1
                    taken = sock.send(rest[:_BLOCK])
                    given, rest = given + taken, rest[taken:]
        except OSError as error:
            if given <= len(text):
                raise UnsaidError(error_code(error)) from error
            raise


def _own_name() -> str:
    """Return how we introduce ourselves; never asks a name server, which may hang."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def error_code(error: BaseException) -> str:
    """Return a word for a network error."""
    causes = (error, error.__context__, error.__cause__)
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "timeout"
    return "dropped"


def expect(reply: tuple[int, bytes], good: tuple[int, ...], never: Outcome) -> None:
    """Pass a `good` reply. Raise StepError for any other: 4xx is RETRY, 5xx is `never`, nonsense is RETRY."""
    code = reply[0]
    if code in good:
        return
    if 500 <= code < 600:
        raise StepError(never, str(code))
    raise StepError(Outcome.RETRY, str(code) if 200 <= code < 500 else "garbage")


def fault(envelope: Envelope) -> tuple[Phase, Outcome] | None:
    """Return where an envelope goes wrong that cannot be said, and what that means: the sender is ours."""
    if _UNSAYABLE.search(in_ascii(envelope.sender)):
        return Phase.MAIL, Outcome.DOWN
    if _UNSAYABLE.search(in_ascii(envelope.recipient)):
        return Phase.RCPT, Outcome.FAILED
    return None


def in_ascii(address: str) -> str:
    """Return an e-mail address as it is said to servers: its domain in ASCII (IDNA). What cannot be so stays as it is."""
    box, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{box}{at}{_idna(domain)}"
    except idna.IDNAError:
        return address


@functools.lru_cache(maxsize=1024)
def _idna(domain: str) -> str:
    return idna.encode(domain, uts46=True).decode()


def wire_format(raw: bytes) -> bytes:
    """Return the text as it goes over the wire: CRLF at every line end, leading dots doubled, no final dot."""
    if not raw.count(b"\r\n") == raw.count(b"\n") == raw.count(b"\r"):
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    text = raw.replace(b"\n.", b"\n..")
    if text.startswith(b"."):
        text = b"." + text
    return text if text.endswith(b"\n") else text + b"\r\n"
