"""A scripted mail server on loopback: keeps what it accepts and misbehaves on request. Never sends anything on.

Used in a test (`with Sink() as sink`) or as a process: `python -m tests.fakes.smtp_sink --port 2525 --log mails.jsonl`.

A script is a comma-separated list of `phase:action`. Phases: banner ehlo starttls auth mail rcpt data body dot quit rset.
Actions: a reply code ("451"), "drop" (close the connection), "hang" (say nothing until closed), "slow=0.5" (then go on).
At `dot`, drop and hang happen AFTER the message was accepted and kept; "lose" drops without keeping it.
`body:drop` closes after the first block of the text.
"""

import argparse
import base64
import contextlib
import datetime as dt
import email
import email.policy
import ipaddress
import json
import socket
import ssl
import tempfile
import threading
import time
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Mail:
    """One message the server accepted."""

    at: dt.datetime
    message_id: str
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        """Return the message with its headers and parts."""
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    @property
    def text(self) -> str:
        """Return the plain text part."""
        part = self.parsed.get_body(("plain",))
        return "" if part is None else str(part.get_content())

    def as_json(self) -> str:
        """Return one line for the log file."""
        subject = str(self.parsed["Subject"] or "")
        return json.dumps(
            {
                "at": self.at.isoformat(),
                "message_id": self.message_id,
                "from": self.sender,
                "to": list(self.recipients),
                "subject": subject,
                "text": self.text,
                "raw": base64.b64encode(self.raw).decode(),
            },
            ensure_ascii=False,
        )


class _DropError(Exception):
    """The script closes this connection."""


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for localhost and 127.0.0.1 with its key, and return both paths."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "sink.pem", folder / "sink.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return certificate_path, key_path


@dataclass
class Sink:
    """The server. Give it a script and change it at any time; it holds from the next command on.

    `tls`: "" none, "starttls" offered, "required" (MAIL before STARTTLS is refused), "implicit" from the first byte.
    `refuse`: recipient -> code at RCPT. `user`/`password`: AUTH is offered, and needed before MAIL, when set.
    `pipelining`: is offered; several commands at once are taken anyway.
    """

    script: str = ""
    port: int = 0
    log: Path | None = None
    script_file: Path | None = None
    tls: str = ""
    user: str = ""
    password: str = ""
    refuse: dict[str, str] = field(default_factory=dict)
    pipelining: bool = False
    delay: float = 0.0
    mails: list[Mail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    connection_count: int = 0
    is_hanging: bool = False
    certificate: Path | None = None

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._context: ssl.SSLContext | None = None
        if self.tls:
            folder = Path(tempfile.mkdtemp(prefix="sink-"))
            self.certificate, key = self_signed(folder)
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(self.certificate, key)

    # --- life ---------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen, and return once the port is open."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.settimeout(0.2)
        self.port = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True, name="smtp-sink")
        self._acceptor.start()
        return self

    def stop(self) -> None:
        """Close every connection and wait for the threads."""
        self._stopping.set()
        self._acceptor.join(5)
        self._listener.close()
        with self._lock:
            open_ = list(self._open)
        for connection in open_:
            _close(connection)
        for thread in self._threads:
            thread.join(5)

    def drop_all(self) -> None:
        """Close every open connection, as a server does that was restarted."""
        with self._lock:
            open_ = list(self._open)
        for connection in open_:
            _close(connection)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    @property
    def message_ids(self) -> list[str]:
        """Return the Message-ID of every mail kept, in the order of arrival."""
        return [mail.message_id for mail in self.mails]

    # --- the conversation ---------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except (TimeoutError, OSError):
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
                self.connection_count += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        talk = _Talk(self, connection)
        try:
            talk.run()
        except (_DropError, OSError, ValueError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            _close(talk.connection)

    def action(self, phase: str) -> str:
        """Return what the script says about `phase`: "" for nothing special."""
        script = self.script
        if self.script_file is not None and self.script_file.exists():
            script = self.script_file.read_text(encoding="utf-8").strip()
        for step in filter(None, (part.strip() for part in script.split(","))):
            name, _, action = step.partition(":")
            if name == phase:
                return action
        return ""

    def keep(self, mail: Mail) -> None:
        """Take the mail into custody: in memory, and as one line in the log file."""
        with self._lock:
            self.mails.append(mail)
            if self.log is not None:
                with self.log.open("a", encoding="utf-8") as file:
                    file.write(mail.as_json() + "\n")

    def swap(self, old: socket.socket, new: socket.socket) -> None:
        """Note that a connection is now spoken to through TLS."""
        with self._lock:
            self._open.discard(old)
            self._open.add(new)

    def wait(self) -> bool:
        """Hang a little; return False once the server is stopping."""
        return not self._stopping.wait(0.05)


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


class _Talk:
    """One connection."""

    def __init__(self, sink: Sink, connection: socket.socket) -> None:
        self.sink = sink
        self.connection = connection
        self.file = connection.makefile("rb")
        self.is_secure = False
        self.is_known = False
        self.sender = ""
        self.recipients: list[str] = []

    def say(self, line: str) -> None:
        self.connection.sendall(line.encode() + b"\r\n")

    def play(self, phase: str) -> bool:
        """Do what the script says; return True when it has answered already."""
        action = self.sink.action(phase)
        if action.startswith("slow="):
            time.sleep(float(action.removeprefix("slow=")))
            return False
        if action == "drop":
            raise _DropError
        if action == "hang":
            self.hang()
        if action[:1].isdigit():
            self.say(f"{action[:3]} {action[3:].strip() or 'scripted'}")
            if action.startswith("421"):
                raise _DropError
            return True
        return False

    def hang(self) -> None:
        """Say nothing until the other side or the test has had enough."""
        self.sink.is_hanging = True
        self.connection.settimeout(0.1)
        while self.sink.wait():
            try:
                if self.connection.recv(1024) == b"":
                    break
            except TimeoutError:
                continue
        raise _DropError

    def start_tls(self) -> None:
        assert self.sink._context is not None
        old = self.connection
        self.connection = self.sink._context.wrap_socket(old, server_side=True)
        self.sink.swap(old, self.connection)
        self.file = self.connection.makefile("rb")
        self.is_secure = True

    def run(self) -> None:
        if self.sink.tls == "implicit":
            self.start_tls()
        if not self.play("banner"):
            self.say("220 sink ready")
        while line := self.file.readline(4096):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            word = text.split(" ", 1)[0].upper()
            self.sink.commands.append(word)
            handler = getattr(self, f"on_{word.lower()}", None)
            if handler is None:
                self.say("502 unknown command")
            elif handler(text) is False:
                return

    def on_ehlo(self, text: str) -> None:
        if self.play("ehlo"):
            return
        extensions = ["sink", "8BITMIME", *(["PIPELINING"] if self.sink.pipelining else [])]
        if self.sink.tls in {"starttls", "required"} and not self.is_secure:
            extensions.append("STARTTLS")
        if self.sink.user:
            extensions.append("AUTH PLAIN LOGIN")
        for extension in extensions[:-1]:
            self.say(f"250-{extension}")
        self.say(f"250 {extensions[-1]}")

    def on_helo(self, text: str) -> None:
        if not self.play("ehlo"):
            self.say("250 sink")

    def on_starttls(self, text: str) -> None:
        if self.play("starttls"):
            return
        self.say("220 go on")
        self.start_tls()

    def on_auth(self, text: str) -> None:
        if self.play("auth"):
            return
        _, method, *initial = text.split(" ")
        if method.upper() == "PLAIN":
            _, user, password = base64.b64decode(initial[0]).decode().split("\0")
        else:
            answers = []
            for question in ("Username:", "Password:"):
                self.say(f"334 {base64.b64encode(question.encode()).decode()}")
                answers.append(base64.b64decode(self.file.readline()).decode())
            user, password = answers
        self.is_known = (user, password) == (self.sink.user, self.sink.password)
        self.say("235 known" if self.is_known else "535 5.7.8 wrong user name or password")

    def on_mail(self, text: str) -> None:
        if self.play("mail"):
            return
        if self.sink.tls == "required" and not self.is_secure:
            self.say("530 5.7.0 STARTTLS first")
        elif self.sink.user and not self.is_known:
            self.say("530 5.7.0 authentication required")
        else:
            self.sender, self.recipients = _address(text), []
            self.say("250 ok")

    def on_rcpt(self, text: str) -> None:
        address = _address(text)
        if address in self.sink.refuse:
            self.say(f"{self.sink.refuse[address]} scripted for this recipient")
            return
        if self.play("rcpt"):
            return
        self.recipients.append(address)
        self.say("250 ok")

    def on_data(self, text: str) -> None:
        if self.play("data"):
            return
        if not self.recipients:
            self.say("503 no recipient")
            return
        self.say("354 go on")
        raw = self.read_text()
        if time_ := self.sink.delay:
            time.sleep(time_)
        action = self.sink.action("dot")
        if action == "lose":
            raise _DropError
        if not action[:1].isdigit():
            parsed = email.message_from_bytes(raw, policy=email.policy.default)
            message_id = str(parsed["Message-ID"] or "")
            self.sink.keep(Mail(dt.datetime.now(dt.UTC), message_id, self.sender, tuple(self.recipients), raw))
        if not self.play("dot"):
            self.say(f"250 2.0.0 Ok: queued as S{len(self.sink.mails)}")

    def read_text(self) -> bytes:
        lines: list[bytes] = []
        while True:
            line = self.file.readline()
            if not line or self.sink.action("body") == "drop":
                raise _DropError
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)

    def on_rset(self, text: str) -> None:
        if not self.play("rset"):
            self.sender, self.recipients = "", []
            self.say("250 ok")

    def on_noop(self, text: str) -> None:
        self.say("250 ok")

    def on_quit(self, text: str) -> bool:
        if not self.play("quit"):
            self.say("221 bye")
        return False


def _address(text: str) -> str:
    return text[text.find("<") + 1 : text.find(">")]


def main() -> None:
    """Run until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--log", type=Path, default=None, help="append one JSON line for each mail")
    parser.add_argument("--script", default="")
    parser.add_argument("--script-file", type=Path, default=None, help="read the script from here before each step")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before the answer to each message")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    arguments = parser.parse_args()
    with Sink(**vars(arguments)) as sink:
        print(f"smtp sink on 127.0.0.1:{sink.port}", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
