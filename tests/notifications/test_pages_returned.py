"""Settings → Sending, Returned mail: who sees and changes the mailbox, what is tried, and what the reader is told."""

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from notifications import circuit, health
from notifications.bounces import mailbox
from notifications.models import Mailbox
from salon.core.models import AuditEvent, Salon
from salon.core.roles import Role
from tests.fakes.imap_server import ImapServer

pytestmark = pytest.mark.django_db

SignIn = Callable[[Role], Browser]
PAGE, TEST, FORGET = (f"/settings/notifications/returned/{rest}" for rest in ("", "test/", "forget/"))
HTMX = {"HX-Request": "true"}


@pytest.fixture
def box() -> Iterator[ImapServer]:
    with ImapServer() as server:
        yield server


def entered(**changes: Any) -> dict[str, Any]:
    return {"host": "imap.example.org", "port": "993", "security": "tls", "user": "salon", "password": "geheim 42"} | changes


def text(browser: Browser) -> str:
    return browser.get(PAGE).content.decode()


def test_the_page_says_what_a_mailbox_is_good_for(signed_in: SignIn) -> None:
    page = text(signed_in(Role.OWNER))
    assert "Returned mail is not read." in page
    assert "bonjour@atelier-nord.example" in page
    assert "Try the mailbox" not in page


def test_the_owner_enters_the_mailbox_and_the_password_is_never_shown(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    assert browser.post(PAGE, entered()).status_code == 303
    row = Mailbox.objects.get()
    assert (row.host, row.port, row.security, row.password) == ("imap.example.org", 993, "tls", "geheim 42")
    page = text(browser)
    assert "imap.example.org" in page
    assert "geheim" not in page
    assert "Leave empty to keep it" in page
    assert "geheim" not in browser.post(PAGE, entered(port="0")).content.decode()
    assert AuditEvent.objects.filter(action="mailbox.changed").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"password": ""}, "This field is required."),
        ({"host": "imap example"}, "Enter the name of a server"),
        ({"security": "none"}, "Without security only a server on this machine can be used."),
        ({"user": ""}, "This field is required."),
        ({"port": "70000"}, "less than or equal to 65535"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(signed_in: SignIn, change: Any, sentence: str) -> None:
    answer = signed_in(Role.OWNER).post(PAGE, entered(**change))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Mailbox.objects.exists()


def test_the_saved_password_goes_to_no_other_server(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(PAGE, entered())
    answer = browser.post(PAGE, entered(password="", host="evil.example.org"))
    assert (answer.status_code, Mailbox.objects.get().host) == (422, "imap.example.org")
    assert "Enter the password again" in answer.content.decode()
    assert browser.post(PAGE, entered(password="")).status_code == 303
    assert Mailbox.objects.get().password == "geheim 42"


def test_another_mailbox_is_read_from_its_own_beginning(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(PAGE, entered())
    Mailbox.objects.update(numbering=5, last_number=99)
    circuit.fail(mailbox.NAME, now=timezone.now(), reason="auth_sign_in")
    browser.post(PAGE, entered(password="new"))
    assert (Mailbox.objects.get().last_number, circuit.failure(mailbox.NAME)) == (99, "")
    browser.post(PAGE, entered(user="desk"))
    assert (Mailbox.objects.get().numbering, Mailbox.objects.get().last_number) == (0, 0)


def test_a_try_says_in_one_sentence_what_came_of_it(signed_in: SignIn, box: ImapServer) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(PAGE, entered(host="127.0.0.1", port=str(box.port), security="none", password=box.password))
    good = browser.post(TEST, headers=HTMX).content.decode()
    assert "Signed in, and the inbox is open." in good
    box.script = "auth:no"
    bad = browser.post(TEST, headers=HTMX).content.decode()
    assert "The mailbox refused the user name or the password." in bad
    assert browser.post(TEST).status_code == 303
    assert not any("FETCH" in one or "STORE" in one for one in box.commands)


def test_the_state_of_the_reader_stands_on_the_page_and_among_the_health(signed_in: SignIn, salon: Salon) -> None:
    browser, now = signed_in(Role.OWNER), timezone.now()
    assert health.mailbox_line(now) is None
    browser.post(PAGE, entered())
    assert "read within a minute" in text(browser)
    Mailbox.objects.update(looked_at=now)
    assert "The mailbox was read" in text(browser)
    later = now + dt.timedelta(hours=1)
    line = health.mailbox_line(later)
    assert line is not None
    assert (line.is_ok, line.words) == (False, "The mailbox is not being read at present.")
    circuit.fail(mailbox.NAME, now=now, reason="connect_timeout")
    page = browser.get("/settings/health/").content.decode()
    assert "The server did not answer in time." in page
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_mailbox SET password = 'gAAAA-of-another-key'")
    assert "The saved password cannot be read. Enter it again." in text(browser)


def test_the_owner_stops_the_reading_and_the_password_goes(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(PAGE, entered())
    assert browser.post(FORGET).status_code == 303
    assert not Mailbox.objects.exists()
    assert browser.post(FORGET, follow=True).status_code == 200
    assert "Returned mail is not read." in text(browser)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.RECEPTION])
def test_the_desk_sees_it_and_changes_nothing(signed_in: SignIn, role: Role, owner: Any) -> None:
    mailbox.save(host="imap.example.org", port=993, security="tls", user="salon", password="x", by=owner)
    browser = signed_in(role)
    page = text(browser)
    assert "imap.example.org:993" in page
    assert "mailbox-save" not in page
    assert "mailbox-forget" not in page
    for address in (PAGE, TEST, FORGET):
        assert browser.post(address, entered(host="evil.example.org")).status_code == 403
    assert Mailbox.objects.get().host == "imap.example.org"
