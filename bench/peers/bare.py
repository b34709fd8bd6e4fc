"""The limit of one thread: the very statements and lines of our sender, all made beforehand, and nothing between them.

Two round trips to the database with one durable commit, and two to the mail server, for each message. What our own
sender takes longer is its Python: claiming, reading rows as facts, deciding, writing words.
"""

import socket
import time
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from notifications import facts, gate, grounds, outbox, outcomes, rendering
from notifications.channels import email
from notifications.drafts import Desk
from notifications.models import Message
from notifications.providers.base import Envelope, Outcome, Phase, Result
from notifications.providers.wire import wire_format
from salon.core import pipeline
from salon.core.models import Salon

_TAKEN = Result(Outcome.ACCEPTED, "250", Phase.REPLY)


def rate(port: int, count: int) -> float:
    """Hand over `count` waiting messages at the mail server on `port`, and return mails a second. PostgreSQL only."""
    batch = [message for _ in range(-(-count // outbox.CLAIM_MAX)) for message in outbox.claim(timezone.now())]
    facts.prepare(batch)
    ready = _prepared(batch)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk = sock.makefile("rb")
        talk.readline()
        sock.sendall(b"EHLO bench\r\n" + ready[0][2])
        while not talk.readline().startswith(b"250 "):
            pass
        began = time.perf_counter()
        for place, (reads, writes, _announcement, text) in enumerate(ready):
            with transaction.atomic():
                pipeline.run(connection, reads)
                pipeline.run(connection, writes, is_last=True)
            talk.readline()
            talk.readline()
            sock.sendall(b"DATA\r\n")
            talk.readline()
            sock.sendall(text + (ready[place + 1][2] if place + 1 < len(ready) else b""))
            talk.readline()
        took = time.perf_counter() - began
        talk.close()
    outcomes.settle(batch[-1], _TAKEN, now=timezone.now())
    return len(batch) / took


def _prepared(batch: list[Message]) -> list[tuple[list[pipeline.Statement], list[pipeline.Statement], bytes, bytes]]:
    """Return for each message its reads, its writes with those of the one before, and both halves of its mail."""
    salon = Salon.objects.get(pk=1)
    line = email.open_line(salon)
    rendering.load(batch, salon)
    desk = Desk(line)
    with transaction.atomic():
        reader = facts.Reader(is_locking=True)
        decided = [gate.decide(facts.gather(message, reader.read(message)), timezone.now()) for message in batch]
    found: list[tuple[list[pipeline.Statement], list[pipeline.Statement], bytes, bytes]] = []
    before: list[pipeline.Statement] = []
    for message, decision in zip(batch, decided, strict=True):
        assert isinstance(decision, gate.Send)
        draft = desk.take(message)
        assert draft.words is not None
        assert isinstance(draft.mail, Envelope)
        rows = facts.look(message)
        snapshot: dict[str, Any] = {
            "recipient": draft.words.recipient, "address_hmac": rows.hmac, "language": draft.words.language,
            "title": draft.words.title, "body": draft.words.body, "provider": "smtp",
        }  # fmt: skip
        stored = grounds.as_json(facts.gather(message, rows))
        writes = [*before, *outbox.crossing(message, decision, facts=stored, **snapshot)]
        announcement = f"MAIL FROM:<{draft.mail.sender}>\r\nRCPT TO:<{draft.mail.recipient}>\r\n".encode()
        found.append((reader.statements(message), writes, announcement, wire_format(draft.mail.raw) + b".\r\n"))
        before = [*outcomes.accepted(message, _TAKEN, now=timezone.now())]
    return found
