"""What dispatch relies on, asked of every provider alike: the real one, the log and the fake of other tests."""

import logging
from collections.abc import Iterator

import pytest

from notifications.providers.base import Envelope, Outcome, Provider, Result
from notifications.providers.console import ConsoleProvider
from notifications.providers.smtp import SmtpProvider
from notifications.providers.unusable import UnusableProvider
from notifications.providers.wire import Security, Server
from tests.fakes.provider import FakeProvider
from tests.fakes.smtp_sink import Sink
from tests.notifications.test_smtp_transport import QUICK, envelope


@pytest.fixture(params=["smtp", "console", "fake"])
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    match request.param:
        case "smtp":
            with Sink() as sink:
                carrier = SmtpProvider(Server("127.0.0.1", sink.port, Security.NONE), timeouts=QUICK)
                yield carrier
                carrier.close()
        case "console":
            yield ConsoleProvider()
        case _:
            yield FakeProvider()


class TestEveryProvider:
    def test_takes_a_mail_in_two_steps(self, provider: Provider) -> None:
        ready = provider.prepare(envelope())
        assert not isinstance(ready, Result)
        result = ready.deliver()
        assert result.outcome is Outcome.ACCEPTED
        assert result.words
        assert result.phase == "reply"
        assert result.duration_ms >= 0

    def test_takes_a_batch_and_can_be_closed_twice(self, provider: Provider) -> None:
        for number in range(3):
            ready = provider.prepare(envelope(number))
            assert not isinstance(ready, Result)
            assert ready.deliver().outcome is Outcome.ACCEPTED
        provider.close()
        provider.close()

    def test_goes_on_after_a_mail_was_abandoned(self, provider: Provider) -> None:
        ready = provider.prepare(envelope(1))
        assert not isinstance(ready, Result)
        ready.abandon()
        again = provider.prepare(envelope(2))
        assert not isinstance(again, Result)
        assert again.deliver().outcome is Outcome.ACCEPTED

    def test_can_be_used_again_after_closing(self, provider: Provider) -> None:
        provider.close()
        ready = provider.prepare(envelope())
        assert not isinstance(ready, Result)
        assert ready.deliver().outcome is Outcome.ACCEPTED

    def test_has_a_name_that_fits_its_column(self, provider: Provider) -> None:
        assert 0 < len(provider.name) <= 20


def test_the_log_holds_the_mail_as_long_as_no_server_is_set(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="carnet.mail"):
        ready = ConsoleProvider().prepare(envelope(text="Bonjour Amélie\n"))
        assert not isinstance(ready, Result)
        assert "Bonjour" not in caplog.text
        ready.deliver()
    assert "Subject: Rendez-vous" in caplog.text
    assert "Bonjour" in caplog.text


def test_settings_that_cannot_be_used_hold_mail_back_and_say_why() -> None:
    result = UnusableProvider("secret").prepare(Envelope("<1@x>", "a@example.org", "b@example.org", b"x"))
    assert isinstance(result, Result)
    assert result.outcome is Outcome.DOWN
    assert result.words == "The saved password cannot be read. Enter it again."
