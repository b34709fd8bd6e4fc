"""What dispatch relies on, asked of every provider alike: the real ones against local servers, the log and the fakes."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from notifications.providers import twilio
from notifications.providers.base import Carrier, Envelope, Outcome, Result, Text
from notifications.providers.console import ConsoleProvider
from notifications.providers.smtp import SmtpProvider
from notifications.providers.unusable import UnusableProvider
from notifications.providers.wire import Security, Server
from tests.fakes.provider import FakeProvider
from tests.fakes.smtp_sink import Sink
from tests.fakes.texts import FakeTexts
from tests.fakes.twilio_server import ACCOUNT, KEY, SECRET, TwilioServer
from tests.notifications.test_smtp_transport import QUICK, envelope


def text(number: int = 1) -> Text:
    return Text("+33757000000", f"+3361234567{number}", f"Bonjour {number}", 600, "https://salon.example/hooks/")


@dataclass
class Case:
    """A provider, what it carries, and how its other side is told to misbehave."""

    provider: Carrier[Any]
    mail: Callable[[int], Any]
    taken: Callable[[], int]
    lose_the_answer: Callable[[], None]
    refuse: Callable[[], None]


@pytest.fixture(params=["smtp", "twilio", "fake", "fake-texts"])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    match request.param:
        case "smtp":
            with Sink() as sink:
                carrier = SmtpProvider(Server("127.0.0.1", sink.port, Security.NONE), timeouts=QUICK)
                yield Case(
                    carrier, envelope, lambda: len(sink.mails), lambda: setattr(sink, "script", "dot:drop"),
                    lambda: setattr(sink, "script", "dot:550"),
                )  # fmt: skip
                carrier.close()
        case "twilio":
            with TwilioServer(hang_for=0.5) as server:
                yield Case(
                    twilio.TwilioProvider(twilio.Account(ACCOUNT, KEY, SECRET, server.url), connect=0.5, read=0.3), text,
                    lambda: len(server.taken), lambda: setattr(server, "script", "timeout_created"),
                    lambda: setattr(server, "script", "400:21211"),
                )  # fmt: skip
        case "fake":
            fake = FakeProvider()
            yield Case(
                fake, envelope, lambda: len(fake.delivered),
                lambda: fake.at_dot.append(Result(Outcome.UNKNOWN, "dropped", "dot")),
                lambda: fake.at_dot.append(Result(Outcome.FAILED, "550", "reply")),
            )  # fmt: skip
        case _:
            texts = FakeTexts()
            yield Case(
                texts, text, lambda: len(texts.delivered),
                lambda: texts.answers.append(Result(Outcome.UNKNOWN, "timeout", "dot")),
                lambda: texts.answers.append(Result(Outcome.FAILED, "21211", "reply")),
            )  # fmt: skip


class TestEveryProvider:
    def test_takes_a_message_in_two_steps_and_says_nothing_in_the_first(self, case: Case) -> None:
        ready = case.provider.prepare(case.mail(1))
        assert not isinstance(ready, Result)
        assert case.taken() == 0
        result = ready.deliver()
        assert (result.outcome, result.phase, case.taken()) == (Outcome.ACCEPTED, "reply", 1)
        assert result.words
        assert result.provider_id
        assert result.duration_ms >= 0

    def test_takes_a_batch_can_be_closed_twice_and_used_again(self, case: Case) -> None:
        for number in range(3):
            ready = case.provider.prepare(case.mail(number))
            assert not isinstance(ready, Result)
            assert ready.deliver().outcome is Outcome.ACCEPTED
        case.provider.close()
        case.provider.close()
        ready = case.provider.prepare(case.mail(4))
        assert not isinstance(ready, Result)
        assert (ready.deliver().outcome, case.taken()) == (Outcome.ACCEPTED, 4)

    def test_goes_on_after_a_message_was_abandoned(self, case: Case) -> None:
        ready = case.provider.prepare(case.mail(1))
        assert not isinstance(ready, Result)
        ready.abandon()
        again = case.provider.prepare(case.mail(2))
        assert not isinstance(again, Result)
        assert (again.deliver().outcome, case.taken()) == (Outcome.ACCEPTED, 1)

    def test_a_lost_answer_is_unknown_and_a_no_is_a_no(self, case: Case) -> None:
        """Never raised, and never a retry: the other side may have it."""
        case.lose_the_answer()
        ready = case.provider.prepare(case.mail(1))
        assert not isinstance(ready, Result)
        assert ready.deliver().outcome is Outcome.UNKNOWN
        case.refuse()
        ready = case.provider.prepare(case.mail(2))
        assert not isinstance(ready, Result)
        assert ready.deliver().outcome is Outcome.FAILED

    def test_has_a_name_that_fits_its_column(self, case: Case) -> None:
        assert 0 < len(case.provider.name) <= 20


def test_the_log_takes_a_mail_as_the_others_do(caplog: pytest.LogCaptureFixture) -> None:
    """As long as no server is set, the mail is in the log, and not before it is delivered."""
    with caplog.at_level(logging.INFO, logger="carnet.mail"):
        ready = ConsoleProvider().prepare(envelope(text="Bonjour Amélie\n"))
        assert not isinstance(ready, Result)
        assert "Bonjour" not in caplog.text
        assert ready.deliver().outcome is Outcome.ACCEPTED
    assert "Subject: Rendez-vous" in caplog.text
    assert "Bonjour" in caplog.text


def test_settings_that_cannot_be_used_hold_messages_back_and_say_why() -> None:
    result = UnusableProvider("secret").prepare(Envelope("<1@x>", "a@example.org", "b@example.org", b"x"))
    assert isinstance(result, Result)
    assert result.outcome is Outcome.DOWN
    assert result.words == "The saved password cannot be read. Enter it again."
    result = UnusableProvider("no_account", "twilio").prepare(text())
    assert (result.outcome, result.words) == (Outcome.DOWN, "No SMS account is entered yet.")


# --- Twilio's own ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "outcome", "phase"),
    [
        (400, "21211", Outcome.FAILED, "reply"), (400, "21614", Outcome.FAILED, "reply"), (400, "21610", Outcome.FAILED, "reply"),
        (403, "21408", Outcome.FAILED, "reply"), (400, "21606", Outcome.FAILED, "reply"), (404, "21612", Outcome.FAILED, "reply"),
        (400, "99999", Outcome.FAILED, "reply"), (400, "", Outcome.FAILED, "reply"), (401, "20003", Outcome.DOWN, "auth"),
        (403, "", Outcome.DOWN, "auth"), (404, "20404", Outcome.DOWN, "auth"), (429, "", Outcome.RETRY, "reply"),
        (400, "20429", Outcome.RETRY, "reply"), (408, "", Outcome.UNKNOWN, "reply"), (500, "20500", Outcome.UNKNOWN, "reply"),
        (503, "20503", Outcome.UNKNOWN, "reply"), (307, "", Outcome.UNKNOWN, "reply"), (0, "", Outcome.UNKNOWN, "reply"),
    ],
)  # fmt: skip
def test_what_an_answer_means(status: int, code: str, outcome: Outcome, phase: str) -> None:
    found = twilio.classify(status, code, {"retry-after": "30"})
    assert (found.outcome, found.phase, found.retry_after) == (outcome, phase, 30 if outcome is Outcome.RETRY else 0)


@pytest.mark.parametrize("script", ["redirect", "500_not_created", "drop"])
def test_nothing_is_repeated_redirected_or_sent_on_an_old_line(script: str) -> None:
    """One request, one connection, whatever comes back."""
    with TwilioServer(script=script) as server:
        carrier = twilio.TwilioProvider(twilio.Account(ACCOUNT, KEY, SECRET, server.url), connect=0.5, read=0.3)
        for number in range(2):
            ready = carrier.prepare(text(number))
            assert not isinstance(ready, Result)
            assert ready.deliver().outcome is Outcome.UNKNOWN
        assert (len(server.requests), server.connection_count) == (2, 2)


def test_a_provider_that_cannot_be_reached_is_tried_once_more_and_then_left_alone() -> None:
    carrier = twilio.TwilioProvider(twilio.Account(ACCOUNT, KEY, SECRET, "http://127.0.0.1:9"), connect=0.5, read=0.3)
    found = [carrier.prepare(text()) for _ in range(3)]
    assert [one.outcome for one in found if isinstance(one, Result)] == [Outcome.RETRY, Outcome.DOWN, Outcome.DOWN]


def test_a_certificate_that_is_not_twilios_is_refused_before_a_word_is_said() -> None:
    """A plain server behind an https address: the line is not secured, so nothing goes over it."""
    with TwilioServer() as server:
        secured = server.url.replace("http://", "https://")
        carrier = twilio.TwilioProvider(twilio.Account(ACCOUNT, KEY, SECRET, secured), connect=0.5, read=0.3)
        result = carrier.prepare(text())
    assert isinstance(result, Result)
    assert (result.outcome, result.phase, server.requests) == (Outcome.RETRY, "connect", [])


def test_a_message_can_be_deleted_at_the_provider_and_twice_does_no_harm() -> None:
    with TwilioServer() as server:
        carrier = twilio.TwilioProvider(twilio.Account(ACCOUNT, KEY, SECRET, server.url), connect=0.5, read=0.3)
        ready = carrier.prepare(text())
        assert not isinstance(ready, Result)
        sid = ready.deliver().provider_id
        assert [carrier.forget(sid).outcome, carrier.forget(sid).outcome] == [Outcome.ACCEPTED, Outcome.ACCEPTED]
        assert server.deleted == [sid]
        server.secret = "rotated"
        assert carrier.forget(sid).outcome is Outcome.DOWN
