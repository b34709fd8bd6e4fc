"""Several commands at once (RFC 2920): each answer belongs to its own command, and to its own mail."""

import socket
import ssl
from collections.abc import Iterator

import pytest

from notifications.providers.base import Envelope, Outcome, Phase, Ready, Result
from notifications.providers.smtp import SmtpProvider
from notifications.providers.wire import Line, Security, Server, UnsaidError
from tests.fakes.smtp_sink import Sink
from tests.notifications import workers
from tests.notifications.test_smtp_transport import QUICK, carry, envelope, provider_for


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink(pipelining=True) as server:
        yield server


def ready_for(provider: SmtpProvider, mail: Envelope) -> Ready:
    ready = provider.prepare(mail)
    assert not isinstance(ready, Result), ready
    return ready


def pair(to: str = "bea@example.org") -> tuple[Envelope, Envelope]:
    return envelope(1, "amelie@example.org"), envelope(2, to)


def test_the_next_mail_is_announced_behind_the_dot_and_each_arrives_once(sink: Sink) -> None:
    provider = provider_for(sink)
    mails = [envelope(number, f"a{number}@example.org") for number in range(5)]
    for mail, following in zip(mails, [*mails[1:], None], strict=True):
        assert ready_for(provider, mail).deliver(following).outcome is Outcome.ACCEPTED
    provider.close()
    assert sink.message_ids == [mail.message_id for mail in mails]
    assert [mail.recipients for mail in sink.mails] == [(mail.recipient,) for mail in mails]
    assert (sink.connection_count, sink.commands.count("RSET")) == (1, 0)


def test_a_server_that_does_not_offer_it_is_told_one_thing_at_a_time(sink: Sink) -> None:
    sink.pipelining = False
    provider = provider_for(sink)
    first, second = pair()
    assert ready_for(provider, first).deliver(second).outcome is Outcome.ACCEPTED
    assert sink.commands == ["EHLO", "MAIL", "RCPT", "DATA"]
    assert carry(provider, second).outcome is Outcome.ACCEPTED
    assert sink.commands[4:] == ["RSET", "MAIL", "RCPT", "DATA"]
    provider.close()


def test_a_refused_recipient_of_the_next_mail_is_not_the_answer_to_this_one(sink: Sink) -> None:
    """550 on RCPT while MAIL went through: the first is taken, the second refused, DATA is not said for it."""
    sink.refuse = {"gone@example.org": "550"}
    provider = provider_for(sink)
    first, second = pair("gone@example.org")
    third = envelope(3, "carla@example.org")
    assert ready_for(provider, first).deliver(second).outcome is Outcome.ACCEPTED
    refused = provider.prepare(second)
    assert isinstance(refused, Result)
    assert (refused.outcome, refused.phase, refused.code) == (Outcome.FAILED, Phase.RCPT, "550")
    assert carry(provider, third).outcome is Outcome.ACCEPTED
    provider.close()
    assert sink.commands.count("DATA") == 2
    assert [mail.recipients for mail in sink.mails] == [("amelie@example.org",), ("carla@example.org",)]
    assert sink.connection_count == 1


@pytest.mark.parametrize(
    ("script", "outcome", "phase", "kept"),
    [
        ("dot:451", Outcome.RETRY, Phase.REPLY, 0),
        ("dot:550", Outcome.FAILED, Phase.REPLY, 0),
        ("dot:421", Outcome.RETRY, Phase.REPLY, 0),
        ("dot:drop", Outcome.UNKNOWN, Phase.DOT, 1),
        ("dot:lose", Outcome.UNKNOWN, Phase.DOT, 0),
        ("dot:hang", Outcome.UNKNOWN, Phase.DOT, 1),
        ("body:drop", Outcome.UNKNOWN, Phase.DOT, 0),
    ],
)
def test_the_answer_to_the_dot_is_that_of_the_mail_before_it(
    sink: Sink, script: str, outcome: Outcome, phase: str, kept: int
) -> None:
    """Whatever becomes of the first, the yes to the sender and recipient of the second is not taken for it."""
    provider = provider_for(sink)
    first, second = pair()
    ready = ready_for(provider, first)
    sink.script = script
    result = ready.deliver(second)
    assert (result.outcome, result.phase, len(sink.mails)) == (outcome, phase, kept)
    sink.script = ""
    assert carry(provider, second).outcome is Outcome.ACCEPTED
    provider.close()
    assert sink.message_ids.count(second.message_id) == 1
    assert sink.connection_count == 2


@pytest.mark.parametrize("script", ["mail:drop", "rcpt:drop", "mail:421", "rcpt:421"])
def test_a_server_that_hangs_up_on_the_next_mail_is_called_again(sink: Sink, script: str) -> None:
    provider = provider_for(sink)
    first, second = pair()
    ready = ready_for(provider, first)
    sink.script = script
    assert ready.deliver(second).outcome is Outcome.ACCEPTED
    workers.wait_for(lambda: not sink._open)
    sink.script = ""
    assert carry(provider, second).outcome is Outcome.ACCEPTED
    provider.close()
    assert sink.message_ids == [first.message_id, second.message_id]
    assert sink.connection_count == 2


@pytest.mark.parametrize(
    ("script", "outcome", "phase"),
    [
        ("mail:drop", Outcome.DOWN, Phase.MAIL),
        ("rcpt:drop", Outcome.RETRY, Phase.RCPT),
        ("mail:550", Outcome.DOWN, Phase.MAIL),
        ("rcpt:451", Outcome.RETRY, Phase.RCPT),
    ],
)
@pytest.mark.parametrize("is_announced", [True, False])
def test_trouble_is_laid_at_the_door_of_the_command_that_met_it(
    sink: Sink, script: str, outcome: Outcome, phase: str, is_announced: bool
) -> None:
    provider = provider_for(sink)
    first, second = pair()
    ready = ready_for(provider, first)
    sink.script = script
    assert ready.deliver(second if is_announced else None).outcome is Outcome.ACCEPTED
    result = provider.prepare(second)
    assert isinstance(result, Result)
    assert (result.outcome, result.phase) == (outcome, phase)
    provider.close()
    assert len(sink.mails) == 1


def test_a_server_that_answers_slowly_is_waited_for(sink: Sink) -> None:
    provider = provider_for(sink)
    first, second = pair()
    ready = ready_for(provider, first)
    sink.script = "mail:slow=0.2,rcpt:slow=0.2"
    assert ready.deliver(second).outcome is Outcome.ACCEPTED
    assert carry(provider, second).outcome is Outcome.ACCEPTED
    provider.close()
    assert (len(sink.mails), sink.connection_count) == (2, 1)


def test_a_server_that_loses_what_is_said_at_once_is_told_one_by_one_from_then_on(sink: Sink) -> None:
    provider = provider_for(sink)
    first, second = pair()
    third = envelope(3)
    ready = ready_for(provider, first)
    sink.script = "mail:hang"
    assert ready.deliver(second).outcome is Outcome.ACCEPTED
    workers.wait_for(lambda: sink.is_hanging)
    sink.script = ""
    sink.commands.clear()
    assert ready_for(provider, second).deliver(third).outcome is Outcome.ACCEPTED
    assert sink.commands == ["EHLO", "MAIL", "RCPT", "DATA"], "the third was not announced"
    assert carry(provider, third).outcome is Outcome.ACCEPTED
    provider.close()
    assert len(sink.mails) == 3


def test_a_mail_that_was_announced_and_then_not_wanted_leaves_nothing_behind(sink: Sink) -> None:
    provider = provider_for(sink)
    first, second = pair("never@example.org")
    third = envelope(3, "carla@example.org")
    assert ready_for(provider, first).deliver(second).outcome is Outcome.ACCEPTED
    assert carry(provider, third).outcome is Outcome.ACCEPTED
    fourth = envelope(4, "dora@example.org")
    assert ready_for(provider, fourth).deliver(second).outcome is Outcome.ACCEPTED
    ready_for(provider, second).abandon()
    assert carry(provider, third).outcome is Outcome.ACCEPTED
    provider.close()
    assert [mail.recipients for mail in sink.mails] == [
        ("amelie@example.org",), ("carla@example.org",), ("dora@example.org",), ("carla@example.org",),
    ]  # fmt: skip


def test_an_address_with_a_line_break_is_not_announced_either(sink: Sink) -> None:
    provider = provider_for(sink)
    evil = envelope(2)
    evil = Envelope(evil.message_id, evil.sender, "a@example.org>\r\nDATA\r\n", evil.raw)
    assert ready_for(provider, envelope(1)).deliver(evil).outcome is Outcome.ACCEPTED
    provider.close()
    assert sink.commands == ["EHLO", "MAIL", "RCPT", "DATA", "QUIT"]
    with socket.socket() as sock, pytest.raises(ValueError, match="one line"):
        Line(sock, 1).say("RCPT TO:<a@example.org>\r\nDATA")


def test_it_goes_through_a_secure_connection_too() -> None:
    with Sink(tls="required", pipelining=True) as sink:
        context = ssl.create_default_context(cafile=str(sink.certificate))
        provider = SmtpProvider(Server("127.0.0.1", sink.port, Security.STARTTLS), timeouts=QUICK, context=context)
        first, second = pair()
        assert ready_for(provider, first).deliver(second).outcome is Outcome.ACCEPTED
        assert carry(provider, second).outcome is Outcome.ACCEPTED
        provider.close()
        assert sink.message_ids == [first.message_id, second.message_id]
        assert sink.connection_count == 1


# --- what was certainly not said ----------------------------------------------------------------------------------


class Narrow(socket.socket):
    """A socket that takes so many bytes and then fails."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def send(self, data: object, flags: int = 0) -> int:
        taken = min(len(memoryview(data)), self.room, 7)  # type: ignore[arg-type]
        if not taken:
            raise TimeoutError("full")
        self.room -= taken
        return taken


TEXT = b"Subject: x\r\n\r\nBonjour\r\n"


@pytest.mark.parametrize("room", [0, 1, len(TEXT) - 1, len(TEXT)])
def test_without_a_byte_of_the_dot_nothing_was_said(room: int) -> None:
    with Narrow(room) as sock, pytest.raises(UnsaidError, match="timeout"):
        Line(sock, 1).hand_over(TEXT, b"MAIL FROM:<a@b.example>\r\n")


@pytest.mark.parametrize("room", [len(TEXT) + 1, len(TEXT) + 3, len(TEXT) + 9])
def test_with_a_byte_of_the_dot_it_counts_as_said(room: int) -> None:
    with Narrow(room) as sock, pytest.raises(TimeoutError):
        Line(sock, 1).hand_over(TEXT, b"MAIL FROM:<a@b.example>\r\n")
