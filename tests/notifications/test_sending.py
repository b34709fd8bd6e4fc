"""Which server carries the salon's mail, what is kept about it, and mail to the team."""

import logging
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import translation

from notifications import sending, staffmail
from notifications.models import MailServer
from notifications.providers.base import Outcome
from notifications.providers.console import ConsoleProvider
from notifications.providers.smtp import SmtpProvider
from notifications.providers.unusable import UnusableProvider
from notifications.providers.wire import Security, TimeOuts
from notifications.sending import Origin
from notifications.staffmail import EmailBackend
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from tests.fakes.smtp_sink import Sink

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_environment(settings: Any) -> None:
    settings.EMAIL_URL = ""
    settings.DEFAULT_FROM_EMAIL = "carnet@localhost"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


def saved(owner: User, **changes: Any) -> MailServer:
    values: dict[str, Any] = {
        "host": "mail.example.org", "port": 587, "security": "starttls", "user": "salon", "password": "geheim 42",
        "sender": "bonjour@atelier-nord.example", "reply_to": "",
    }  # fmt: skip
    return sending.save(**{**values, **changes}, by=owner)


# --- EMAIL_URL ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://127.0.0.1:2525", ("127.0.0.1", 2525, Security.NONE, "", "")),
        ("smtp://localhost", ("localhost", 25, Security.NONE, "", "")),
        ("smtp://[::1]:25", ("::1", 25, Security.NONE, "", "")),
        ("smtp://u:p@mail.example.org", ("mail.example.org", 587, Security.STARTTLS, "u", "p")),
        ("smtp+tls://u:p@localhost:2525", ("localhost", 2525, Security.STARTTLS, "u", "p")),
        ("smtps://u:p@mail.example.org", ("mail.example.org", 465, Security.TLS, "u", "p")),
        ("smtp+ssl://mail.example.org:4465", ("mail.example.org", 4465, Security.TLS, "", "")),
        (
            "smtps://a%40b.example:p%3A%2F%40%23%C3%A9@mail.example.org",
            ("mail.example.org", 465, Security.TLS, "a@b.example", "p:/@#é"),
        ),
    ],
)
def test_an_email_url_is_read(url: str, expected: tuple[Any, ...]) -> None:
    server = sending.parse(url)
    assert (server.host, server.port, server.security, server.user, server.password) == expected


@pytest.mark.parametrize(
    "url", ["mail.example.org", "http://mail.example.org", "smtp://", "smtp://host:notaport", "smtp://host:99999"]
)
def test_an_email_url_that_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        sending.parse(url)


def test_a_password_never_leaves_for_another_machine_in_the_open() -> None:
    assert sending.parse("smtp://u:p@mail.example.org:25").security is Security.STARTTLS


# --- which provider -----------------------------------------------------------------------------------------------


def test_without_a_server_mail_goes_to_the_log(salon: Salon) -> None:
    assert isinstance(sending.provider(), ConsoleProvider)
    assert sending.describe(salon).origin is Origin.NOBODY
    assert not sending.describe(salon).is_live


def test_the_salons_server_carries_mail_with_its_password(salon: Salon, owner: User) -> None:
    saved(owner)
    provider = sending.provider()
    assert isinstance(provider, SmtpProvider)
    assert (provider.server.host, provider.server.user, provider.server.password) == ("mail.example.org", "salon", "geheim 42")
    assert sending.describe(salon).origin is Origin.SALON


def test_the_environment_stands_above_the_salons_server(salon: Salon, owner: User, settings: Any) -> None:
    saved(owner)
    settings.EMAIL_URL = "smtps://other:word@elsewhere.example"
    provider = sending.provider()
    assert isinstance(provider, SmtpProvider)
    assert provider.server.host == "elsewhere.example"
    described = sending.describe(salon)
    assert (described.origin, described.host) == (Origin.ENVIRONMENT, "elsewhere.example")
    assert "word" not in repr(described)


def test_a_garbled_email_url_holds_mail_back_instead_of_using_another_server(salon: Salon, owner: User, settings: Any) -> None:
    saved(owner)
    settings.EMAIL_URL = "mail.example.org"
    assert isinstance(sending.provider(), UnusableProvider)
    assert sending.describe(salon).problem == "settings"


def test_a_password_that_cannot_be_read_holds_mail_back(salon: Salon, owner: User, settings: Any) -> None:
    saved(owner)
    settings.FIELD_KEYS = ["3Lu5V1mGrUgB0bgHQTtgD1dYq6M5cUPwTm4lPZbFBqA="]
    provider = sending.provider()
    assert isinstance(provider, UnusableProvider)
    assert provider.code == "secret"
    assert sending.describe(salon).problem == "secret"


# --- what is kept -------------------------------------------------------------------------------------------------


def test_the_password_is_nowhere_in_the_database_in_the_open(salon: Salon, owner: User) -> None:
    saved(owner)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM notifications_mailserver")
        row = repr(cursor.fetchall())
        cursor.execute("SELECT facts FROM core_auditevent")
        audit = repr(cursor.fetchall())
    assert "mail.example.org" in row
    assert "geheim" not in row + audit


def test_an_empty_password_keeps_the_saved_one(salon: Salon, owner: User) -> None:
    saved(owner)
    saved(owner, sender="new@example.org", password="")
    row = MailServer.objects.get()
    assert (row.sender, row.password) == ("new@example.org", "geheim 42")


@pytest.mark.parametrize("changes", [{"host": "evil.example"}, {"port": 2525}, {"user": "other"}, {"security": "tls"}])
def test_a_saved_password_never_goes_to_another_server_unasked(salon: Salon, owner: User, changes: dict[str, Any]) -> None:
    saved(owner)
    with pytest.raises(Refused) as refused:
        saved(owner, **changes, password="")
    assert refused.value.field == "password"
    assert MailServer.objects.get().host == "mail.example.org"
    saved(owner, **changes, password="the new one")


@pytest.mark.parametrize("name", ["Chez\nLéa", "Chez\r\nBcc: x@example.org", "Chez\u2028Léa"])
def test_a_line_break_in_the_salons_name_stops_no_mail(salon: Salon, owner: User, sink: Sink, name: str) -> None:
    saved(owner, host="127.0.0.1", port=sink.port, security="none", user="", password="")
    salon.name = name
    assert sending.test(to="anna@münchen.example", salon=salon, by=owner).outcome == "accepted"
    assert sink.mails[0].recipients == ("anna@xn--mnchen-3ya.example",)
    assert sink.mails[0].parsed["Bcc"] is None
    assert "\n" not in sending.sender(salon).header


def test_a_server_without_a_user_keeps_no_password(salon: Salon, owner: User) -> None:
    saved(owner)
    saved(owner, user="", password="")
    assert MailServer.objects.get().password == ""


def test_who_changed_sending_is_written_down_without_values(salon: Salon, owner: User) -> None:
    saved(owner, user="", password="", reply_to="", sender="")
    event = AuditEvent.objects.filter(action="sending.changed").latest("pk")
    assert event.facts == {"fields": ["host", "port", "security"]}, "what was and stays empty did not change"
    saved(owner)
    saved(owner, port=465, security="tls", password="another one")
    event = AuditEvent.objects.filter(action="sending.changed").latest("pk")
    assert event.by == owner
    assert event.facts == {"fields": ["port", "security", "password"]}


def test_mails_are_from_the_salon(salon: Salon, owner: User, settings: Any) -> None:
    assert sending.sender(salon).header == "Atelier Nord <bonjour@atelier-nord.example>"
    saved(owner, sender="rdv@atelier-nord.example", reply_to="hello@atelier-nord.example")
    assert (sending.sender(salon).address, sending.sender(salon).reply_to) == (
        "rdv@atelier-nord.example",
        "hello@atelier-nord.example",
    )
    settings.EMAIL_URL = "smtp://localhost"
    settings.DEFAULT_FROM_EMAIL = "Nord <post@nord.example>"
    assert sending.sender(salon).header == "Nord <post@nord.example>"
    assert sending.sender(salon).reply_to == "bonjour@atelier-nord.example"


# --- a test mail, mail to the team ---------------------------------------------------------------------------------


def test_a_test_mail_arrives(salon: Salon, owner: User, sink: Sink) -> None:
    saved(owner, host="127.0.0.1", port=sink.port, security="none", user="")
    result = sending.test(to=owner.email, salon=salon, by=owner)
    assert result.outcome is Outcome.ACCEPTED
    assert sink.mails[0].recipients == (owner.email,)
    assert "Atelier Nord" in sink.mails[0].text


def test_a_test_mail_brings_the_servers_answer_in_the_readers_words(salon: Salon, owner: User) -> None:
    with Sink(user="salon", password="right") as sink:
        saved(owner, host="127.0.0.1", port=sink.port, security="none", password="wrong")
        with translation.override("en"):
            result = sending.test(to=owner.email, salon=salon, by=owner)
    assert result.words == "The server refused the password (535)."


def test_mail_to_the_team_goes_through_the_salons_server(salon: Salon, owner: User, sink: Sink) -> None:
    saved(owner, host="127.0.0.1", port=sink.port, security="none", user="")
    count = EmailBackend().send_messages([EmailMessage("Password", "A link", None, [owner.email])])
    assert count == 1
    assert staffmail.finish(10)
    assert sink.mails[0].recipients == (owner.email,)
    assert sink.mails[0].sender == "bonjour@atelier-nord.example"
    assert sink.mails[0].parsed["From"] == "Atelier Nord <bonjour@atelier-nord.example>"


def test_a_dead_mail_server_gives_no_hint_to_who_asks_for_a_password(
    salon: Salon, owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    saved(owner, host="127.0.0.1", port=9, security="none", user="")
    with caplog.at_level(logging.ERROR):
        assert EmailBackend().send_messages([EmailMessage("Password", "A link", None, [owner.email])]) == 1
        assert staffmail.finish(10)
    assert "staff mail not sent" in caplog.text
    assert owner.email not in caplog.text


def test_a_hanging_mail_server_holds_up_nobody(salon: Salon, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(sending, "IN_A_REQUEST", TimeOuts(connect=2, command=2, block=2, dot=2, quit=1))
        saved(owner, host="127.0.0.1", port=silent.getsockname()[1], security="none", user="")
        began = time.monotonic()
        assert EmailBackend().send_messages([EmailMessage("Password", "A link", None, [owner.email])]) == 1
        assert time.monotonic() - began < 1
        assert not staffmail.finish(0)
        assert staffmail.finish(10)


def test_no_more_team_mail_waits_than_can_leave(
    salon: Salon, owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(staffmail, "LIMIT", 0)
    assert EmailBackend().send_messages([EmailMessage("Password", "A link", None, [owner.email])]) == 0
    assert "too many are waiting" in caplog.text


def test_a_certificate_of_a_private_authority_can_be_trusted(salon: Salon, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with Sink(tls="required") as sink:
        saved(owner, host="127.0.0.1", port=sink.port, security="starttls", user="")
        assert sending.test(to=owner.email, salon=salon, by=owner).code == "certificate"
        monkeypatch.setenv(ssl.get_default_verify_paths().openssl_cafile_env, str(sink.certificate))
        assert sending.test(to=owner.email, salon=salon, by=owner).outcome is Outcome.ACCEPTED
