"""The SMTP transport against a server that misbehaves on request: what was said, and what that means."""

import dataclasses
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from notifications.providers.base import Envelope, Outcome, Result
from notifications.providers.smtp import SmtpProvider
from notifications.providers.wire import Security, Server, TimeOuts, wire_format
from tests.fakes.smtp_sink import Sink

QUICK = TimeOuts(connect=1, command=0.4, block=0.5, dot=0.4, quit=0.2)


def envelope(number: int = 1, recipient: str = "amelie@example.org", text: str = "Bonjour\n") -> Envelope:
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = f"<m.{number}@salon.example>"
    message["Subject"] = "Rendez-vous"
    message["From"], message["To"] = "salon@example.org", recipient
    message.set_content(text)
    return Envelope(str(message["Message-ID"]), "salon@example.org", recipient, message.as_bytes())


def provider_for(sink: Sink, **changes: object) -> SmtpProvider:
    values: dict[str, object] = {"host": "127.0.0.1", "port": sink.port, "security": Security.NONE}
    return SmtpProvider(Server(**{**values, **changes}), timeouts=QUICK)  # type: ignore[arg-type]


def carry(provider: SmtpProvider, mail: Envelope) -> Result:
    ready = provider.prepare(mail)
    return ready if isinstance(ready, Result) else ready.deliver()


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


@pytest.mark.parametrize(
    ("script", "outcome", "phase", "kept"),
    [
        # No recipient was named yet: it is the server, or us. Another try is safe.
        ("banner:421", Outcome.DOWN, "connect", 0),
        ("banner:hang", Outcome.DOWN, "connect", 0),
        ("banner:drop", Outcome.DOWN, "connect", 0),
        ("ehlo:drop", Outcome.DOWN, "connect", 0),
        ("mail:drop", Outcome.DOWN, "mail", 0),
        ("mail:451", Outcome.DOWN, "mail", 0),
        ("mail:hang", Outcome.DOWN, "mail", 0),
        ("ehlo:451", Outcome.DOWN, "connect", 0),
        # This recipient was named, nothing was said yet.
        ("rcpt:drop", Outcome.RETRY, "rcpt", 0),
        ("rcpt:451", Outcome.RETRY, "rcpt", 0),
        ("data:drop", Outcome.RETRY, "data", 0),
        ("data:451", Outcome.RETRY, "data", 0),
        ("data:hang", Outcome.RETRY, "data", 0),
        # The dot was said and answered.
        ("dot:451", Outcome.RETRY, "reply", 0),
        ("dot:421", Outcome.RETRY, "reply", 0),
        ("dot:550", Outcome.FAILED, "reply", 0),
        ("", Outcome.ACCEPTED, "reply", 1),
        ("dot:slow=0.2", Outcome.ACCEPTED, "reply", 1),
        # The dot was said and not answered: the server may have it (the first two), or not (the third).
        ("dot:drop", Outcome.UNKNOWN, "dot", 1),
        ("dot:hang", Outcome.UNKNOWN, "dot", 1),
        ("dot:lose", Outcome.UNKNOWN, "dot", 0),
        # A permanent no to this recipient, to this message.
        ("rcpt:550", Outcome.FAILED, "rcpt", 0),
        ("data:554", Outcome.FAILED, "data", 0),
        # A no to us: the server cannot be used at all.
        ("banner:554", Outcome.DOWN, "connect", 0),
        ("mail:550", Outcome.DOWN, "mail", 0),
        ("rcpt:530", Outcome.DOWN, "rcpt", 0),
        ("rcpt:554 5.7.1 Relay access denied", Outcome.DOWN, "rcpt", 0),
        # Whatever comes after the yes is none of our business.
        ("quit:hang", Outcome.ACCEPTED, "reply", 1),
        ("quit:500", Outcome.ACCEPTED, "reply", 1),
        ("quit:drop", Outcome.ACCEPTED, "reply", 1),
    ],
)
def test_each_way_a_server_can_behave_has_one_meaning(sink: Sink, script: str, outcome: Outcome, phase: str, kept: int) -> None:
    sink.script = script
    provider = provider_for(sink)

    result = carry(provider, envelope())
    provider.close()

    assert (result.outcome, result.phase, len(sink.mails)) == (outcome, phase, kept)
    assert result.words
    assert len(result.code) <= 20


def test_a_drop_in_the_middle_of_the_text_is_safe_to_repeat(sink: Sink) -> None:
    sink.script = "body:drop"
    result = carry(provider_for(sink), envelope(text="x" * 70 + "\n" + ("y" * 70 + "\n") * 100_000))

    assert result.outcome is Outcome.RETRY
    assert sink.mails == []


def test_what_certainly_was_not_taken_is_always_delivered_once_by_another_try(sink: Sink) -> None:
    for script in ("banner:421", "ehlo:drop", "mail:451", "rcpt:drop", "data:drop", "dot:451"):
        sink.script = script
        provider = provider_for(sink)
        mail = envelope(hash(script) % 10_000)
        assert carry(provider, mail).outcome in {Outcome.RETRY, Outcome.DOWN}
        sink.script = ""
        assert carry(provider, mail).outcome is Outcome.ACCEPTED
        provider.close()
        assert sink.message_ids.count(mail.message_id) == 1


def test_one_refused_recipient_does_not_touch_the_others(sink: Sink) -> None:
    sink.refuse = {"gone@example.org": "550"}
    provider = provider_for(sink)

    outcomes = [
        carry(provider, envelope(number, to)).outcome
        for number, to in enumerate(["a@example.org", "gone@example.org", "b@example.org"])
    ]
    provider.close()

    assert outcomes == [Outcome.ACCEPTED, Outcome.FAILED, Outcome.ACCEPTED]
    assert sink.connection_count == 1
    assert [mail.recipients for mail in sink.mails] == [("a@example.org",), ("b@example.org",)]


def test_a_batch_goes_over_one_connection_with_one_recipient_each(sink: Sink) -> None:
    provider = provider_for(sink)
    for number in range(5):
        assert carry(provider, envelope(number)).outcome is Outcome.ACCEPTED
    provider.close()

    assert sink.connection_count == 1
    assert sink.commands.count("RSET") == 4
    assert all(len(mail.recipients) == 1 for mail in sink.mails)
    assert len(set(sink.message_ids)) == 5


def test_a_connection_that_died_between_two_mails_is_opened_anew_at_once(sink: Sink) -> None:
    provider = provider_for(sink)
    assert carry(provider, envelope(1)).outcome is Outcome.ACCEPTED
    sink.drop_all()

    assert carry(provider, envelope(2)).outcome is Outcome.ACCEPTED
    provider.close()
    assert sink.message_ids == ["<m.1@salon.example>", "<m.2@salon.example>"]
    assert sink.connection_count == 2


def test_a_server_that_has_had_enough_mails_is_called_again(sink: Sink) -> None:
    provider = provider_for(sink)
    assert carry(provider, envelope(1)).outcome is Outcome.ACCEPTED
    sink.script = "rset:421"

    assert carry(provider, envelope(2)).outcome is Outcome.ACCEPTED
    provider.close()


def test_an_abandoned_mail_leaves_nothing_behind_and_the_connection_usable(sink: Sink) -> None:
    provider = provider_for(sink)
    ready = provider.prepare(envelope(1, "never@example.org"))
    assert not isinstance(ready, Result)
    ready.abandon()

    assert carry(provider, envelope(2)).outcome is Outcome.ACCEPTED
    provider.close()
    assert [mail.recipients for mail in sink.mails] == [("amelie@example.org",)]


def test_preparing_says_no_word_of_the_text(sink: Sink) -> None:
    provider = provider_for(sink)
    provider.prepare(envelope())
    provider.close()

    assert "DATA" not in sink.commands
    assert sink.mails == []


def test_nobody_at_the_port_means_down() -> None:
    with Sink() as gone:
        port = gone.port
    result = SmtpProvider(Server("127.0.0.1", port, Security.NONE), timeouts=QUICK).prepare(envelope())

    assert isinstance(result, Result)
    assert (result.outcome, result.code) == (Outcome.DOWN, "refused")


def test_a_name_that_cannot_be_means_down() -> None:
    result = SmtpProvider(Server("a" * 70 + ".example", 25), timeouts=QUICK).prepare(envelope())

    assert isinstance(result, Result)
    assert (result.outcome, result.code) == (Outcome.DOWN, "dns")


def test_the_text_arrives_as_it_was_written(sink: Sink) -> None:
    text = ".a line that begins with a dot\n..two\n.\nçà et là\n"
    provider = provider_for(sink)
    carry(provider, envelope(text=text))
    provider.close()

    assert sink.mails[0].text.replace("\r\n", "\n") == text


def test_no_line_of_a_text_can_end_the_message_early() -> None:
    assert wire_format(b"a\n.\nb\r.\rc\r\n.") == b"a\r\n..\r\nb\r\n..\r\nc\r\n..\r\n"


def test_an_address_with_a_line_break_is_refused_before_it_is_said(sink: Sink) -> None:
    provider = provider_for(sink)
    result = carry(provider, dataclasses.replace(envelope(), recipient="a@example.org>\r\nRCPT TO:<b@example.org"))
    provider.close()

    assert result.outcome is Outcome.FAILED
    assert "RCPT" not in sink.commands


# --- password and encryption --------------------------------------------------------------------------------------


def test_a_wrong_password_means_down_in_words_and_burns_nothing() -> None:
    with Sink(user="salon", password="right") as sink:
        provider = provider_for(sink, user="salon", password="wrong")
        result = provider.prepare(envelope())

    assert isinstance(result, Result)
    assert (result.outcome, result.code, result.phase) == (Outcome.DOWN, "535", "auth")
    assert result.words == "The server refused the password (535)."


def test_a_password_with_accents_signs_in() -> None:
    with Sink(user="sålon", password="pâsswörd") as sink:
        provider = provider_for(sink, user="sålon", password="pâsswörd")
        assert carry(provider, envelope()).outcome is Outcome.ACCEPTED
        provider.close()


def test_a_password_for_a_server_that_takes_none_means_down(sink: Sink) -> None:
    result = provider_for(sink, user="salon", password="secret").prepare(envelope())

    assert isinstance(result, Result)
    assert (result.outcome, result.code) == (Outcome.DOWN, "no_auth")


def test_starttls_is_never_silently_left_out(sink: Sink) -> None:
    result = provider_for(sink, security=Security.STARTTLS, user="salon", password="secret").prepare(envelope())

    assert isinstance(result, Result)
    assert (result.outcome, result.code) == (Outcome.DOWN, "no_starttls")
    assert "AUTH" not in sink.commands


@pytest.mark.parametrize(("offer", "security"), [("required", Security.STARTTLS), ("implicit", Security.TLS)])
def test_a_certificate_nobody_vouches_for_is_refused(offer: str, security: Security) -> None:
    with Sink(tls=offer) as sink:
        result = provider_for(sink, security=security).prepare(envelope())

    assert isinstance(result, Result)
    assert (result.outcome, result.code) == (Outcome.DOWN, "certificate")


@pytest.mark.parametrize(("offer", "security"), [("required", Security.STARTTLS), ("implicit", Security.TLS)])
def test_mail_goes_through_a_secure_connection(offer: str, security: Security) -> None:
    with Sink(tls=offer, user="salon", password="secret") as sink:
        context = ssl.create_default_context(cafile=str(sink.certificate))
        server = Server("127.0.0.1", sink.port, security, "salon", "secret")
        provider = SmtpProvider(server, timeouts=QUICK, context=context)
        assert [carry(provider, envelope(number)).outcome for number in (1, 2)] == [Outcome.ACCEPTED] * 2
        provider.close()
        assert len(sink.mails) == 2


def test_a_fate_lost_inside_a_secure_connection_is_unknown() -> None:
    with Sink(tls="implicit", script="dot:drop") as sink:
        context = ssl.create_default_context(cafile=str(sink.certificate))
        provider = SmtpProvider(Server("127.0.0.1", sink.port, Security.TLS), timeouts=QUICK, context=context)
        assert carry(provider, envelope()).outcome is Outcome.UNKNOWN
        provider.close()


def test_speaking_tls_to_a_plain_port_means_down_or_try_again(sink: Sink) -> None:
    result = provider_for(sink, security=Security.TLS).prepare(envelope())

    assert isinstance(result, Result)
    assert (result.outcome, result.code) == (Outcome.DOWN, "tls")


def test_a_server_elsewhere_is_never_spoken_to_without_security() -> None:
    result = SmtpProvider(Server("192.0.2.1", 25, Security.NONE), timeouts=QUICK).prepare(envelope())

    assert isinstance(result, Result)
    assert (result.outcome, result.code) == (Outcome.DOWN, "not_local")


def test_the_password_shows_in_no_representation_of_the_server() -> None:
    assert "geheim" not in repr(Server("mail.example", 587, user="salon", password="geheim"))


def test_control_djangos_own_backend_cannot_tell_before_from_after_the_dot(sink: Sink) -> None:
    """Why this transport exists: the same error for a mail that was kept and for one that was not."""
    errors = []
    for script in ("data:drop", "dot:drop"):
        sink.script = script
        with pytest.raises(smtplib.SMTPServerDisconnected) as raised:
            smtplib.SMTP("127.0.0.1", sink.port, local_hostname="x", timeout=2).sendmail("a@b.example", ["c@d.example"], b"text")
        errors.append(raised.type)
    assert errors[0] is errors[1]
    assert len(sink.mails) == 1
