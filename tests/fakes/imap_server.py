"""A mailbox on loopback, at IMAP's wire format: has the mails it is given, marks them, and misbehaves on request.

Used in a test (`with ImapServer(mails=[...]) as box`). A script is a comma-separated list of `phase:action`. Phases: banner
capability starttls auth select search heads text store. Actions: "no", "bye", "drop" (close), "hang" (say nothing), "drip"
(a byte now and then), "garbage" (a line that is no answer), "flood" (lines without end), "huge" (announce gigabytes).
"""

import base64
import contextlib
import datetime as dt
import re
import socket
import ssl
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.fakes.smtp_sink import self_signed

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class _Gone(Exception):
    """The connection is over."""


@dataclass
class Kept:
    """One mail in the inbox."""

    raw: bytes
    on: dt.date
    is_seen: bool = False


@dataclass
class ImapServer:
    """The server. `tls`: "" none, "starttls" offered, "implicit" from the first byte. `methods` are offered for signing in."""

    script: str = ""
    tls: str = ""
    user: str = "salon"
    password: str = "geheim"
    methods: str = "AUTH=PLAIN"
    numbering: int = 7
    mails: dict[int, Kept] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    connection_count: int = 0
    is_read_only: bool = False
    # Mails that it has and cannot give (RFC 3501: "NO, fetch error"), and whether it gives the whole where a part is asked for.
    withheld: set[int] = field(default_factory=set)
    gives_whole: bool = False
    port: int = 0
    certificate: Path | None = None

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._context: ssl.SSLContext | None = None
        if self.tls:
            self.certificate, key = self_signed(Path(tempfile.mkdtemp(prefix="imap-")))
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(self.certificate, key)

    def put(self, raw: bytes, *, on: dt.date | None = None) -> int:
        """Let a mail arrive, and return its number."""
        number = max(self.mails, default=0) + 1
        self.mails[number] = Kept(raw, on or dt.datetime.now(dt.UTC).date())
        return number

    @property
    def seen(self) -> list[int]:
        """Return the numbers of the mails that are marked as seen."""
        return [number for number, mail in self.mails.items() if mail.is_seen]

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.settimeout(0.1)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stopping.set()
        self._acceptor.join(5)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except (TimeoutError, OSError):
                continue
            self.connection_count += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        talk = _Talk(self, connection)
        with contextlib.suppress(_Gone, OSError, ValueError):
            talk.run()
        for opened in (talk.file, talk.connection):
            with contextlib.suppress(OSError):
                opened.close()

    def wait(self, seconds: float = 0.05) -> bool:
        """Wait a little; return False once the server is stopping."""
        return not self._stopping.wait(seconds)


class _Talk:
    """One connection."""

    def __init__(self, server: ImapServer, connection: socket.socket) -> None:
        self.server, self.connection = server, connection
        self.file = connection.makefile("rb")
        self.tag = "*"
        self.is_known = False

    def say(self, text: str) -> None:
        self.connection.sendall(text.encode() + b"\r\n")

    def done(self, text: str = "OK done") -> None:
        self.say(f"{self.tag} {text}")

    def play(self, phase: str) -> bool:
        """Do what the script says; return True when it has answered already."""
        steps = dict(step.split(":") for step in self.server.script.split(",") if step)
        action = steps.get(phase, "")
        if action == "no":
            self.done("NO [AUTHENTICATIONFAILED] not like this")
            return True
        if action == "bye":
            self.say("* BYE too many connections")
            raise _Gone
        if action == "drop":
            raise _Gone
        if action == "garbage":
            self.say("HTTP/1.1 400 Bad Request")
        if action == "huge":
            self.say("* 1 FETCH (UID 1 BODY[] {4000000000}")
        while action in {"hang", "drip", "flood", "huge", "garbage"} and self.server.wait(0.3 if action == "drip" else 0.05):
            if action == "drip":
                self.connection.sendall(b"*")
            elif action == "flood":
                self.connection.sendall(b"* 1 EXISTS\r\n" * 20_000)
        if action in {"hang", "drip", "flood", "huge", "garbage"}:
            raise _Gone
        return False

    def secure(self) -> None:
        assert self.server._context is not None
        self.file.close()
        self.connection = self.server._context.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rb")

    def run(self) -> None:
        if self.server.tls == "implicit":
            self.secure()
        self.play("banner")
        self.say("* OK ready")
        while line := self.file.readline(8192):
            self.tag, _, rest = line.decode().rstrip("\r\n").partition(" ")
            word, _, rest = rest.partition(" ")
            if word.upper() == "UID":
                verb, _, rest = rest.partition(" ")
                word = f"UID_{verb}"
            self.server.commands.append(f"{word.upper()} {rest}".strip() if word.upper() not in {"LOGIN"} else "LOGIN")
            getattr(self, f"on_{word.lower()}")(rest)

    def on_capability(self, rest: str) -> None:
        if not self.play("capability"):
            more = " STARTTLS" if self.server.tls == "starttls" else ""
            self.say(f"* CAPABILITY IMAP4rev1 {self.server.methods}{more}".rstrip())
            self.done()

    def on_starttls(self, rest: str) -> None:
        if not self.play("starttls"):
            # What somebody on the way may slip in before the secured line: it must not be taken for an answer.
            self.connection.sendall(f"{self.tag} OK go on\r\n* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n".encode())
            self.secure()

    def on_authenticate(self, rest: str) -> None:
        if self.play("auth"):
            return
        self.say("+ ")
        _, user, password = base64.b64decode(self.file.readline()).decode().split("\0")
        self.sign_in(user, password)

    def on_login(self, rest: str) -> None:
        if self.play("auth"):
            return
        words = [re.sub(r"\\(.)", r"\1", word) for word in re.findall(r'"((?:[^"\\]|\\.)*)"', rest)]
        self.sign_in(words[0], words[1])

    def sign_in(self, user: str, password: str) -> None:
        self.is_known = (user, password) == (self.server.user, self.server.password)
        self.done("OK welcome" if self.is_known else "NO [AUTHENTICATIONFAILED] wrong")

    def on_select(self, rest: str) -> None:
        assert self.is_known
        if not self.play("select"):
            self.say(f"* {len(self.server.mails)} EXISTS")
            self.say(f"* OK [UIDVALIDITY {self.server.numbering}] numbers")
            self.done("OK [READ-ONLY] open" if self.server.is_read_only else "OK [READ-WRITE] open")

    def on_uid_search(self, rest: str) -> None:
        if self.play("search"):
            return
        asked = re.fullmatch(r"UID (\d+):\*(?: SINCE (\d+)-(\w+)-(\d+))?", rest)
        assert asked, rest
        found = [number for number in self.server.mails if number >= int(asked[1])]
        if self.server.mails and not found:
            found = [max(self.server.mails)]  # as RFC 3501 has it: "*" is always in the range
        if asked[2]:
            since = dt.date(int(asked[4]), MONTHS.index(asked[3]) + 1, int(asked[2]))
            found = [number for number in found if self.server.mails[number].on >= since]
        self.say("* SEARCH " + " ".join(map(str, found)))
        self.done()

    def on_uid_fetch(self, rest: str) -> None:
        numbers, _, what = rest.partition(" ")
        is_text = "HEADER" not in what
        if self.play("text" if is_text else "heads"):
            return
        is_withheld = False
        for number in map(int, numbers.split(",")):
            mail = self.server.mails.get(number)
            if number in self.server.withheld:
                is_withheld = True
            if mail is None or number in self.server.withheld:
                continue
            most = int(re.search(r"<0\.(\d+)>", what)[1])  # type: ignore[index]
            if is_text:
                text, name = mail.raw if self.server.gives_whole else mail.raw[:most], "BODY[]<0>"
            else:
                found = re.search(rb"(?im)^Content-Type:.*(?:\r\n[ \t].*)*", mail.raw.partition(b"\r\n\r\n")[0])
                text, name = (found[0] if found else b"")[:most] + b"\r\n\r\n", "BODY[HEADER.FIELDS (CONTENT-TYPE)]<0>"
            assert "PEEK" in what
            self.connection.sendall(f"* 1 FETCH (UID {number} {name} {{{len(text)}}}\r\n".encode() + text + b")\r\n")
        self.done("NO fetch error" if is_withheld else "OK done")

    def on_uid_store(self, rest: str) -> None:
        if not self.play("store"):
            number = rest.split(" ")[0]
            assert rest.split(" ", 1)[1] == r"+FLAGS.SILENT (\Seen)"
            self.server.mails[int(number)].is_seen = True
            self.done()

    def on_logout(self, rest: str) -> None:
        self.say("* BYE see you")
        self.done()
        raise _Gone
