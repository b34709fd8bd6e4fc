"""The line to a mailbox: imaplib over a socket of our own, which takes only so long and so much in all.

A server that hangs, drips, floods or talks nonsense ends in one `Fault` with a word for why. Reads without a trace (PEEK); the
only thing it ever changes is the mark "seen". Decides nothing.
"""

import contextlib
import datetime as dt
import imaplib
import io
import re
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import Any, Self

from notifications.providers.base import Phase
from notifications.providers.wire import Security, Server

# Of one mail: a report says what counts at its beginning. No Content-Type of one is as long as the second.
TEXT_MAX_BYTES, HEAD_MAX_BYTES = 256 * 1024, 2048
_MAX_BYTES = 32 * 1024 * 1024
_LITERAL_MAX_BYTES = 2 * TEXT_MAX_BYTES
_LINE_MAX_BYTES = 1_000_000
_STEP_SECONDS = 10.0
_UID = re.compile(rb"\bUID (\d{1,10})\b")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Fault(Exception):
    """The mailbox cannot be used: a word of `providers.base.explain`, and how far it came."""

    def __init__(self, code: str, phase: str = Phase.CONNECT) -> None:
        super().__init__(code)
        self.code, self.phase = code, phase

    @property
    def reason(self) -> str:
        """Return phase and code as one word, by which the circuit remembers it."""
        return f"{self.phase}_{self.code}"


class Unread(Exception):
    """The server does not give out this one mail; the others may be asked for."""


class Inbox:
    """The inbox of a mailbox, open for as long as the block lasts: `with Inbox(server, seconds=30) as inbox`. Raises Fault."""

    def __init__(self, server: Server, *, seconds: float, context: ssl.SSLContext | None = None) -> None:
        self._server, self._seconds, self._context = server, seconds, context
        self.count = 0
        # Mails keep their numbers as long as this one stays the same.
        self.numbering = 0

    def __enter__(self) -> Self:
        server, context = self._server, self._context or ssl.create_default_context()
        if server.security is Security.NONE and not server.is_local:
            raise Fault("not_local")
        with _faults():
            self._line = _Line(server, self._seconds, context)
        try:
            with _faults():
                if server.security is Security.STARTTLS:
                    self._secure(context)
                self._sign_in()
                self._open()
        except BaseException:
            self._line.shutdown()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(OSError, ValueError, imaplib.IMAP4.error):
            self._line.logout()
        self._line.shutdown()

    @property
    def seconds_left(self) -> float:
        """Return for how long it can still be read, 0 where the line is of no more use."""
        return self._line.seconds_left()

    def numbers(self, *, after: int, since: dt.date | None = None) -> list[int]:
        """Return the numbers of the mails above `after`, lowest first; with `since` of those only that came from that day on."""
        asked = ["UID", f"{after + 1}:*"]
        if since is not None:
            asked += ["SINCE", f"{since.day}-{_MONTHS[since.month - 1]}-{since.year}"]
        with _faults():
            found = self._done(self._line.uid("SEARCH", *asked))
        words = b" ".join(one for one in found if isinstance(one, bytes)).split()
        return sorted({number for word in words if word.isdigit() and (number := int(word)) > after})

    def heads(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Return what each mail says it is (its Content-Type), by number. One that the server does not give out is missing."""
        try:
            return self._fetch(numbers, f"BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE)]<0.{HEAD_MAX_BYTES}>")
        except Unread:
            half = len(numbers) // 2
            return self.heads(numbers[:half]) | self.heads(numbers[half:]) if half else {}

    def text(self, number: int) -> bytes:
        """Return the beginning of a mail, b"" for one that is not there any more. Raises Unread."""
        return self._fetch([number], f"BODY.PEEK[]<0.{TEXT_MAX_BYTES}>").get(number, b"")

    def mark(self, number: int) -> None:
        """Mark a mail as seen. A server that does not let us is let be."""
        with _faults():
            try:
                self._line.uid("STORE", str(number), "+FLAGS.SILENT", r"(\Seen)")
            except imaplib.IMAP4.abort as error:
                if not isinstance(error, imaplib.IMAP4.readonly):
                    raise
            except imaplib.IMAP4.error:
                pass

    def _fetch(self, numbers: Sequence[int], what: str) -> dict[int, bytes]:
        with _faults():
            try:
                kind, found = self._line.uid("FETCH", ",".join(map(str, numbers)), f"(UID {what})")
            except imaplib.IMAP4.abort:
                if not self._line.is_oversize:
                    raise
                self._line.give_up()  # the rest of the text would be taken for answers
                raise Unread from None
        if kind != "OK":
            raise Unread
        texts = {}
        for place, one in enumerate(found):
            if isinstance(one, tuple):
                tail = found[place + 1] if place + 1 < len(found) else b""
                uid = _UID.search(one[0]) or (_UID.search(tail) if isinstance(tail, bytes) else None)
                if uid:
                    texts[int(uid[1])] = one[1]
        return {number: texts[number] for number in numbers if number in texts}

    def _secure(self, context: ssl.SSLContext) -> None:
        if "STARTTLS" not in self._line.capabilities:
            raise Fault("no_starttls_here")
        self._line.starttls(context)

    def _sign_in(self) -> None:
        """AUTHENTICATE PLAIN in UTF-8, else LOGIN, which knows ASCII alone."""
        user, password = self._server.user, self._server.password
        if self._line.state == "AUTH":
            return
        if "AUTH=PLAIN" not in self._line.capabilities and "LOGINDISABLED" in self._line.capabilities:
            raise Fault("no_auth", Phase.AUTH)
        if not (user + password).isprintable():
            raise Fault("sign_in", Phase.AUTH)
        try:
            if "AUTH=PLAIN" in self._line.capabilities:
                self._line.authenticate("PLAIN", lambda _challenge: f"\0{user}\0{password}".encode())
            elif (user + password).isascii():
                quoted = user.replace("\\", r"\\").replace('"', r"\"")
                self._line.login(f'"{quoted}"', password)
            else:
                raise Fault("no_auth", Phase.AUTH)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raise Fault("sign_in", Phase.AUTH) from None

    def _open(self) -> None:
        try:
            kind, found = self._line.select("INBOX")
        except imaplib.IMAP4.readonly:
            raise Fault("read_only", Phase.AUTH) from None
        if kind != "OK":
            raise Fault("no_inbox", Phase.AUTH)
        self.count = _whole(found)
        self.numbering = _whole(self._line.response("UIDVALIDITY")[1])

    def _done(self, answer: tuple[str, list[Any]]) -> list[Any]:
        if answer[0] != "OK":
            raise Fault("inbox_garbage")
        return answer[1]


def _whole(found: Sequence[Any] | None) -> int:
    last = found[-1] if found else None
    return int(last) if isinstance(last, bytes) and last.isdigit() and len(last) < 12 else 0


class _Line(imaplib.IMAP4):
    """imaplib's commands and answers. What it says of a socket is ours: for how long, and how much."""

    def __init__(self, server: Server, seconds: float, context: ssl.SSLContext) -> None:
        self._context = context if server.security is Security.TLS else None
        self._until, self._left = time.monotonic() + seconds, _MAX_BYTES
        # A text is longer than what was asked for.
        self.is_oversize = False
        self._reader: io.BufferedReader | None = None
        self._read_from: socket.socket | None = None
        super().__init__(server.host, server.port)

    def open(self, host: str = "", port: int = 0, timeout: float | None = None) -> None:
        """Connect, secured from the first byte where that is asked for."""
        self.host, self.port = host, port
        try:
            self.sock = socket.create_connection((host, port), min(_STEP_SECONDS, self._seconds()))
        except UnicodeError:  # a name that cannot be one
            raise socket.gaierror from None
        if self._context is not None:
            try:
                self.sock = self._context.wrap_socket(self.sock, server_hostname=host, do_handshake_on_connect=False)
                self.sock.settimeout(min(_STEP_SECONDS, self._seconds()))  # of all its steps together
                self.sock.do_handshake()
            except BaseException:
                self.sock.close()
                raise

    def read(self, size: int) -> bytes:
        """Read a text of so many bytes, none that is too long."""
        if size > _LITERAL_MAX_BYTES:
            self.is_oversize = True
            raise self.abort("unexpected size")
        return self._in().read(size)

    def readline(self) -> bytes:
        """Read one line."""
        line = self._in().readline(_LINE_MAX_BYTES)
        if not line:
            raise ConnectionResetError
        return line

    def send(self, data: Any) -> None:
        """Send within what is left of the time."""
        self.sock.settimeout(min(_STEP_SECONDS, self._seconds()))
        self.sock.sendall(data)

    def shutdown(self) -> None:
        """Hang up. Never raises. STARTTLS of imaplib opens a file of its own, which would keep the socket."""
        for name in ("file", "_file", "sock"):
            with contextlib.suppress(OSError):
                if (opened := self.__dict__.get(name)) is not None:
                    opened.close()

    def take(self, buffer: Any) -> int:
        """Read what is there, within what is left of time and size."""
        if self._left <= 0:
            raise self.abort("unexpected size")
        self.sock.settimeout(min(_STEP_SECONDS, self._seconds()))
        count = self.sock.recv_into(memoryview(buffer)[: self._left])
        self._left -= count
        return count

    def give_up(self) -> None:
        """Hang up before the time is over: what would come next makes no sense."""
        self._until = 0.0
        self.shutdown()

    def seconds_left(self) -> float:
        """Return for how long the line may still be used."""
        return max(0.0, self._until - time.monotonic())

    def _seconds(self) -> float:
        if not (left := self.seconds_left()):
            raise TimeoutError
        return left

    def _in(self) -> io.BufferedReader:
        """Return the reading side. What came in the open before STARTTLS is thrown away: anybody on the way may have said it."""
        if self._reader is None or self._read_from is not self.sock:
            self._reader, self._read_from = io.BufferedReader(_Reading(self)), self.sock
        return self._reader


class _Reading(io.RawIOBase):
    """A line as the standard library reads from it."""

    def __init__(self, line: _Line) -> None:
        self._line = line

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there."""
        return self._line.take(buffer)


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """Turn whatever goes wrong inside the block into a Fault."""
    try:
        yield
    except TimeoutError:
        raise Fault("timeout") from None
    except ssl.SSLCertVerificationError:
        raise Fault("certificate") from None
    except ssl.SSLError as error:
        raise Fault("dropped" if isinstance(error, ssl.SSLEOFError) else "tls") from None
    except socket.gaierror:
        raise Fault("dns") from None
    except ConnectionRefusedError:
        raise Fault("refused") from None
    except OSError as error:
        raise Fault("dropped" if isinstance(error, ConnectionError) else "unreachable") from None
    except imaplib.IMAP4.error as error:
        # "abort" is a line that broke, or a good-bye; but for what imaplib did not expect to read.
        is_broken = isinstance(error, imaplib.IMAP4.abort) and "unexpected" not in str(error)
        raise Fault("dropped" if is_broken else "inbox_garbage") from None
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        raise Fault("inbox_garbage") from None
