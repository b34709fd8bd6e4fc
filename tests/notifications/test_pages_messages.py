"""The message pages: what stands on which tab, who may stop and send again, and the tab of a client's card."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import answers
from notifications import circuit, kinds, planner, sending, words
from notifications.models import Attempt, Message, State, Trigger
from salon.core import instance
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db

SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}


def message(**fields: Any) -> Message:
    """A reminder of a visit tomorrow that leaves in an hour."""
    now = timezone.now()
    if "appointment" not in fields and "client" not in fields:
        fields["appointment"] = factories.appointment()
    visit = fields.get("appointment")
    values: dict[str, Any] = {
        "kind": "reminder", "channel": "email", "occasion": uuid.uuid4().hex, "not_before": now + dt.timedelta(hours=1),
        "expires_at": now + dt.timedelta(days=1), "client": visit.client if visit else None,
        "time_version": visit.time_version if visit else None, "told_start_at": visit.start_at if visit else None,
    }  # fmt: skip
    return Message.objects.create(**{**values, **fields})


def lost(**fields: Any) -> Message:
    """A message of unknown fate, with the attempt that lost it."""
    now = timezone.now()
    row = message(
        **{"state": State.UNKNOWN, "reason": "dot_dropped", "handoff_at": now, "settled_at": now, "provider": "smtp", **fields}
    )
    Attempt.objects.create(message=row, lease_token=uuid.uuid4(), at=now, phase="dot", outcome="unknown", code="dropped")
    return row


def read(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


# --- the list -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "reason", "tab", "words"),
    [
        (State.PENDING, "", "waiting", "Leaves"),
        (State.PENDING, "quiet_hours", "waiting", "Waits for the end of the quiet hours."),
        (State.HELD, "", "waiting", "Held for review"),
        (State.ACCEPTED, "", "sent", "Sent"),
        (State.CANCELLED, "client_refused", "left-out", "Switched off for this client."),
        (State.SUPPRESSED, "no_address", "left-out", "No e-mail address on the card."),
        (State.EXPIRED, "expired", "left-out", "It is too late for this message."),
        (State.FAILED, "rcpt_550", "failed", "The server refused the recipient&#x27;s address (550)."),
        (State.QUARANTINED, "error", "failed", "Something could not be read"),
    ],
)
def test_each_message_stands_on_its_tab_with_its_reason(
    signed_in: SignIn, state: State, reason: str, tab: str, words: str
) -> None:
    row = message(state=state, reason=reason)
    browser = signed_in(Role.RECEPTION)
    for name in ("waiting", "sent", "left-out", "failed"):
        page = read(browser, f"/messages/?tab={name}")
        assert (f'id="message-{row.pk}"' in page) is (name == tab)
        if name == tab:
            assert words in page
            assert row.client is not None
            assert row.client.name in page


def test_every_state_has_a_tab() -> None:
    assert set(words.OF_STATE) == set(State.values)


def test_every_kind_has_a_name_and_a_when() -> None:
    assert set(words.KINDS) == set(kinds.TABLE)
    assert set(words.WHEN) == {name for name, kind in kinds.TABLE.items() if not kind.is_by_hand}


def test_the_list_can_be_narrowed_to_one_client(signed_in: SignIn) -> None:
    mine, other = message(), message()
    page = read(signed_in(Role.RECEPTION), f"/messages/?client={mine.client_id}")
    assert f'id="message-{mine.pk}"' in page
    assert f'id="message-{other.pk}"' not in page


def test_a_long_list_has_pages(signed_in: SignIn) -> None:
    visit = factories.appointment()
    for _ in range(51):
        message(appointment=visit)
    browser = signed_in(Role.RECEPTION)
    assert read(browser, "/messages/").count('<tr role="row" id="message-') == 50
    assert read(browser, "/messages/?page=2").count('<tr role="row" id="message-') == 1


def test_the_list_needs_the_same_number_of_queries_for_one_and_for_many(
    signed_in: SignIn, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        message()
    browser = signed_in(Role.RECEPTION)
    with django_assert_max_num_queries(17):
        browser.get("/messages/")


def test_the_fragment_is_the_part_of_the_page(signed_in: SignIn) -> None:
    message()
    browser = signed_in(Role.RECEPTION)
    fragment = browser.get("/messages/", headers=HTMX).content.decode().strip()
    assert fragment.startswith('<div id="messages">')
    assert "<html" not in fragment


def test_an_empty_waiting_tab_says_how_many_reminders_are_ahead(signed_in: SignIn, salon: Salon) -> None:
    noon = dt.datetime.combine(timezone.now().astimezone(salon.zone).date(), dt.time(12), salon.zone)
    factories.appointment(start_at=noon + dt.timedelta(days=3))
    browser = signed_in(Role.RECEPTION)
    page = read(browser, "/messages/")
    assert "No message waiting." in page
    assert "Reminders appear here when they are due. In the next 7 days: 1 client." in page
    assert "In the next 7 days" not in read(browser, "/messages/?tab=failed")
    Trigger.objects.filter(kind="reminder").update(is_on=False)
    assert "In the next 7 days" not in read(browser, "/messages/")


def test_a_stylist_does_not_see_the_lists(signed_in: SignIn) -> None:
    browser = signed_in(Role.STYLIST)
    assert browser.get("/messages/").status_code == 403
    assert browser.get("/messages/unknown/").status_code == 403


def test_a_mail_that_went_to_the_log_does_not_pass_for_sent(signed_in: SignIn) -> None:
    message(state=State.ACCEPTED, provider="console")
    page = read(signed_in(Role.RECEPTION), "/messages/?tab=sent")
    assert "Written to the log only." in page
    assert "s-ok" not in page


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("auth_535", "The server refused the password (535)."),
        ("connect_odd", "The mail server cannot be used at present. It is tried again."),
    ],
)
def test_what_keeps_mail_back_is_said_above_the_list_and_beside_each_mail(
    signed_in: SignIn, owner: User, reason: str, why: str
) -> None:
    sending.save(
        host="mail.example.org", port=587, security="starttls", user="", password="", sender="a@b.example", reply_to="", by=owner
    )
    message(not_before=timezone.now() - dt.timedelta(minutes=1))
    browser = signed_in(Role.RECEPTION)
    assert "No mail leaves at present." not in read(browser, "/messages/")
    circuit.fail("smtp", now=timezone.now(), reason=reason)
    page = read(browser, "/messages/")
    assert page.count(why) == 2, "above the list and beside the mail"
    assert "No mail leaves at present." in page


def test_a_message_without_its_client_is_still_shown(signed_in: SignIn) -> None:
    message(client=None, appointment=None, state=State.ACCEPTED)
    assert "Deleted client" in read(signed_in(Role.RECEPTION), "/messages/?tab=sent")


# --- stop ---------------------------------------------------------------------------------------------------------


def test_reception_stops_a_waiting_message_and_takes_it_back(signed_in: SignIn, reception: User) -> None:
    row = message()
    browser = signed_in(Role.RECEPTION)
    answer = browser.post(f"/messages/{row.pk}/stop/", {"next": f"/clients/{row.client_id}/messages/"})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/clients/{row.client_id}/messages/")
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.CANCELLED, "stopped")

    page = read(browser, "/messages/")
    assert f'action="/messages/{row.pk}/resume/"' in page
    browser.post(f"/messages/{row.pk}/resume/")
    row.refresh_from_db()
    assert row.state == State.PENDING
    actions = list(AuditEvent.objects.filter(by=reception).order_by("pk").values_list("action", flat=True))
    assert actions == ["message.stop", "message.resume"]


def test_a_stopped_message_is_not_revived_by_the_planner(signed_in: SignIn, salon: Salon) -> None:
    now = timezone.now()
    factories.appointment(start_at=now + dt.timedelta(days=5), time_set_at=now)
    planner.plan(now)
    row = Message.objects.get(kind="confirmation")
    signed_in(Role.RECEPTION).post(f"/messages/{row.pk}/stop/")
    planner.plan(now + dt.timedelta(minutes=5))
    row.refresh_from_db()
    assert row.state == State.CANCELLED
    assert Message.objects.filter(kind="confirmation").count() == 1


@pytest.mark.parametrize("state", [State.HANDOFF, State.ACCEPTED, State.UNKNOWN])
def test_what_is_on_its_way_cannot_be_stopped_and_says_so(signed_in: SignIn, state: State) -> None:
    row = message(state=state)
    browser = signed_in(Role.RECEPTION)
    browser.post(f"/messages/{row.pk}/stop/")
    row.refresh_from_db()
    assert row.state == state
    assert "It cannot be stopped." in read(browser, "/messages/")


def test_a_message_ended_by_a_rule_is_not_brought_back_by_undo(signed_in: SignIn) -> None:
    row = message(state=State.CANCELLED, reason="client_refused")
    browser = signed_in(Role.RECEPTION)
    browser.post(f"/messages/{row.pk}/resume/")
    row.refresh_from_db()
    assert row.state == State.CANCELLED
    assert "This cannot be undone any more." in read(browser, "/messages/")


def test_nothing_is_stopped_by_a_get_or_by_a_stylist(signed_in: SignIn) -> None:
    row = message()
    assert signed_in(Role.RECEPTION).get(f"/messages/{row.pk}/stop/").status_code == 405
    assert signed_in(Role.STYLIST).post(f"/messages/{row.pk}/stop/").status_code == 403
    row.refresh_from_db()
    assert row.state == State.PENDING


# --- unknown fate -------------------------------------------------------------------------------------------------


def test_a_lost_message_is_shown_with_what_is_known(signed_in: SignIn) -> None:
    lost()
    page = read(signed_in(Role.MANAGER), "/messages/unknown/")
    assert "It may have arrived." in page
    assert "Sent through: mail server" in page
    assert "last step: waiting for the answer" in page


def test_a_manager_sends_a_lost_message_again_for_a_reason(signed_in: SignIn) -> None:
    row = lost()
    browser = signed_in(Role.MANAGER)
    assert f'href="/messages/{row.pk}/resend/"' in read(browser, "/messages/unknown/")
    read(browser, f"/messages/{row.pk}/resend/")
    answer = browser.post(f"/messages/{row.pk}/resend/", {"reason": "not_arrived"})
    assert answer.status_code == 303
    again = Message.objects.get(resend_of=row)
    assert again.state == State.PENDING
    row.refresh_from_db()
    assert row.state == State.CLOSED_UNKNOWN
    event = AuditEvent.objects.get(action="message.resend")
    assert event.facts["reason"] == "not_arrived"
    assert "disabled" not in read(browser, "/messages/unknown/")


@pytest.mark.parametrize("reason", ["", "because I say so"])
def test_without_a_reason_nothing_is_sent_again(signed_in: SignIn, reason: str) -> None:
    row = lost()
    answer = signed_in(Role.MANAGER).post(f"/messages/{row.pk}/resend/", {"reason": reason})
    assert answer.status_code == 422
    assert not Message.objects.filter(resend_of=row).exists()


def test_a_message_that_was_sent_is_not_sent_again(signed_in: SignIn) -> None:
    row = message(state=State.ACCEPTED)
    answer = signed_in(Role.MANAGER).post(f"/messages/{row.pk}/resend/", {"reason": "important"})
    assert answer.status_code == 422
    assert "This message cannot be sent again." in answer.content.decode()
    assert Message.objects.count() == 1


def test_reception_sees_it_and_reads_whom_to_ask(signed_in: SignIn) -> None:
    row = lost()
    signed_in(Role.MANAGER)
    browser = signed_in(Role.RECEPTION)
    page = read(browser, "/messages/unknown/")
    assert "Only a manager can send it again. Ask Nadia Keller." in page
    assert f'href="/messages/{row.pk}/resend/"' not in page
    for method in (browser.get, browser.post):
        assert method(f"/messages/{row.pk}/resend/").status_code == 403
    assert not Message.objects.filter(resend_of=row).exists()


# --- the card -----------------------------------------------------------------------------------------------------


def test_the_card_lists_every_message_with_why(signed_in: SignIn) -> None:
    visit = factories.appointment()
    message(appointment=visit, kind="confirmation", state=State.ACCEPTED, handoff_at=timezone.now())
    message(appointment=visit, state=State.CANCELLED, reason="client_refused")
    other = message()
    page = read(signed_in(Role.RECEPTION), f"/clients/{visit.client_id}/messages/")
    assert "Confirmation" in page
    assert "Switched off for this client." in page
    assert f'id="message-{other.pk}"' not in page


def test_a_stylist_sees_a_clients_messages_but_no_address_and_no_button(signed_in: SignIn) -> None:
    row = message(recipient="amelie@example.org")
    assert row.client is not None
    page = read(signed_in(Role.STYLIST), f"/clients/{row.client_id}/messages/")
    assert f'id="message-{row.pk}"' in page
    assert row.client.email not in page
    assert "amelie@example.org" not in page
    assert f"/messages/{row.pk}/stop/" not in page


def test_a_card_without_messages_says_so(signed_in: SignIn) -> None:
    client = factories.client()
    assert "No message yet." in read(signed_in(Role.RECEPTION), f"/clients/{client.pk}/messages/")


def test_a_client_who_does_not_exist_has_no_messages(signed_in: SignIn) -> None:
    assert signed_in(Role.RECEPTION).get("/clients/999999/messages/").status_code == 404


def test_the_panel_of_the_card_comes_alone_and_leads_to_the_messages(signed_in: SignIn) -> None:
    visit = factories.appointment()
    for _ in range(7):
        message(appointment=visit, state=State.ACCEPTED)
    panel = signed_in(Role.RECEPTION).get(f"/clients/{visit.client_id}/messages/", headers=HTMX).content.decode()
    assert "<html" not in panel
    assert "<b>Reminder</b>" not in panel
    assert "Show all 7 messages" in panel


def test_the_card_promises_no_mail_where_no_mail_server_is_set(signed_in: SignIn, sending_salon: Salon, owner: User) -> None:
    client = factories.appointment().client
    assert client is not None
    browser = signed_in(Role.STYLIST)
    for path in (f"/clients/{client.pk}/messages/", f"/clients/{client.pk}/messages/?panel=1"):
        page = read(browser, path).split('id="answer-reminder-email"')
        assert "Messages are only written to the log" in page[0]
        assert "#note" in page[1].split("</li>")[0]
    sending.save(
        host="mail.example.org", port=587, security="starttls", user="", password="", sender="a@b.example", reply_to="", by=owner
    )
    page = read(browser, f"/clients/{client.pk}/messages/?panel=1").split('id="answer-reminder-email"')
    assert "Messages are only written to the log" not in page[0]
    assert "#check" in page[1].split("</li>")[0]


def test_the_card_says_who_switched_reminders_off_and_how(signed_in: SignIn, salon: Salon, reception: User) -> None:
    instance.claim(salon)
    client = factories.appointment().client
    assert client is not None
    browser = signed_in(Role.RECEPTION)
    assert "A reminder goes out on" in read(browser, f"/clients/{client.pk}/messages/")

    answers.set_reminders(client, is_on=False, how="in_person", by=reception)

    for path in (f"/clients/{client.pk}/messages/", f"/clients/{client.pk}/messages/?panel=1"):
        page = read(browser, path)
        assert "No reminder. Switched off since" in page
        assert "(In the salon, by Sofia Klein)" in page
