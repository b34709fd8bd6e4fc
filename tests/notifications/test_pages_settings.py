"""Settings → Notifications, and the health page: who sees what, who changes it, and what is refused."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from notifications import ahead, circuit, dispatch, facts, health, heartbeats, remindertimes, sending, triggers
from notifications.models import MailServer, Message, State, Trigger
from notifications.plans import ReminderException, ReminderTime
from salon.core import instance
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes.smtp_sink import Sink
from tests.notifications import marketing

pytestmark = pytest.mark.django_db

SignIn = Callable[[Role], Browser]
SENDING, TEST = "/settings/notifications/sending/", "/settings/notifications/sending/test/"
REMOVE = "/settings/notifications/sending/remove/"
TRIGGERS, HEALTH = "/settings/notifications/triggers/", "/settings/health/"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _no_environment(settings: Any) -> None:
    settings.EMAIL_URL = ""


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


def entered(**changes: Any) -> dict[str, Any]:
    return {
        "host": "mail.example.org", "port": "587", "security": "starttls", "user": "salon", "password": "geheim 42",
        "sender": "rdv@atelier-nord.example", "reply_to": "",
    } | changes  # fmt: skip


# --- sending ------------------------------------------------------------------------------------------------------


def test_the_page_says_that_nothing_is_set(signed_in: SignIn) -> None:
    page = signed_in(Role.OWNER).get(SENDING)
    assert "Messages are only written to the log" in page.content.decode()
    assert 'value="bonjour@atelier-nord.example"' in page.content.decode()


def test_the_owner_enters_the_mail_server(signed_in: SignIn) -> None:
    answer = signed_in(Role.OWNER).post(SENDING, entered())
    assert (answer.status_code, answer.headers["Location"]) == (303, SENDING)
    row = MailServer.objects.get()
    assert (row.host, row.port, row.password) == ("mail.example.org", 587, "geheim 42")


def test_the_saved_password_is_never_shown_again(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(SENDING, entered())
    page = browser.get(SENDING).content.decode()
    assert "mail.example.org" in page
    assert "geheim" not in page
    assert "Leave empty to keep it" in page
    refused = browser.post(SENDING, entered(port="0"))
    assert refused.status_code == 422
    assert "geheim" not in refused.content.decode()


def test_an_empty_password_in_the_form_keeps_the_saved_one(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(SENDING, entered())
    browser.post(SENDING, entered(password="", reply_to="desk@example.org"))
    assert (MailServer.objects.get().password, MailServer.objects.get().reply_to) == ("geheim 42", "desk@example.org")


def test_another_server_asks_for_the_password_again(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(SENDING, entered())
    answer = browser.post(SENDING, entered(password="", host="other.example.org"))
    assert answer.status_code == 422
    assert "Enter the password again" in answer.content.decode()
    assert MailServer.objects.get().host == "mail.example.org"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": "smtp://mail.example.org"}, "Enter the name of a server"),
        ({"host": "mail example"}, "Enter the name of a server"),
        ({"security": "none"}, "Without security only a server on this machine"),
        ({"sender": "nobody"}, "sender"),
        ({"port": "70000"}, "65535"),
    ],
)
def test_what_cannot_work_is_refused_and_stays_in_the_form(signed_in: SignIn, changes: dict[str, str], words: str) -> None:
    answer = signed_in(Role.OWNER).post(SENDING, entered(**changes))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not MailServer.objects.exists()


@pytest.mark.parametrize(("security", "port"), [("starttls", 587), ("tls", 465)])
def test_an_empty_port_is_the_usual_one_of_the_security(signed_in: SignIn, security: str, port: int) -> None:
    assert signed_in(Role.OWNER).post(SENDING, entered(security=security, port="")).status_code == 303
    assert MailServer.objects.get().port == port


def test_the_owner_takes_the_mail_server_away_and_what_waits_is_kept(signed_in: SignIn, salon: Salon) -> None:
    instance.claim(salon)
    browser, now = signed_in(Role.OWNER), timezone.now()
    browser.post(SENDING, entered())
    Message.objects.create(
        kind="choices", channel="email", client=factories.client(), occasion="x", not_before=now, expires_at=now + dt.timedelta(1)
    )
    page = browser.get(SENDING).content.decode()
    assert "At present 1 e-mail waits." in page
    assert 'name="pause" checked' in page
    assert browser.post(REMOVE, {"pause": "on"}).status_code == 303
    assert not MailServer.objects.exists()
    dispatch.deliver_due()
    assert Message.objects.get().state == State.PENDING, "not written to the log as if it had been sent"
    page = browser.get(SENDING).content.decode()
    assert "No mail server is set." in page
    assert "All sending is paused" in page
    assert "Remove the mail server" not in page
    assert AuditEvent.objects.filter(action="sending.removed", by__role=Role.OWNER).count() == 1


def test_without_the_tick_sending_goes_on_into_the_log(signed_in: SignIn, salon: Salon) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(SENDING, entered())
    circuit.fail("smtp", now=timezone.now(), reason="connect_timeout")
    browser.post(REMOVE)
    assert not MailServer.objects.exists()
    assert Salon.objects.get().delivery == Salon.Delivery.LIVE
    assert circuit.failure("smtp") == "", "what the removed server did counts no more"
    assert browser.post(REMOVE).status_code == 303, "twice does no harm"
    assert AuditEvent.objects.filter(action="sending.removed").count() == 1


def test_a_manager_cannot_take_the_mail_server_away(signed_in: SignIn) -> None:
    signed_in(Role.OWNER).post(SENDING, entered())
    browser = signed_in(Role.MANAGER)
    assert browser.post(REMOVE, {"pause": "on"}).status_code == 403
    assert "Remove the mail server" not in browser.get(SENDING).content.decode()
    assert MailServer.objects.exists()
    assert Salon.objects.get().delivery == Salon.Delivery.LIVE


def test_a_saved_server_that_the_environment_overrides_can_be_forgotten(signed_in: SignIn, settings: Any) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(SENDING, entered())
    settings.EMAIL_URL = "smtp+tls://mail.example.com"
    assert "mail.example.org was entered here and is not in use" in browser.get(SENDING).content.decode()
    browser.post(REMOVE, {"pause": "on"})
    assert not MailServer.objects.exists()
    assert Salon.objects.get().delivery == Salon.Delivery.LIVE, "mail goes on leaving: nothing is paused for it"


def test_a_server_on_this_machine_needs_no_security(signed_in: SignIn) -> None:
    assert signed_in(Role.OWNER).post(SENDING, entered(host="127.0.0.1", security="none")).status_code == 303


@pytest.mark.parametrize("role", [Role.MANAGER, Role.RECEPTION])
def test_others_read_whom_to_ask_and_cannot_change_anything(signed_in: SignIn, owner: User, role: Role) -> None:
    signed_in(Role.OWNER).post(SENDING, entered())
    browser = signed_in(role)
    page = browser.get(SENDING).content.decode()
    assert "Only the owner can change this. Ask Olivia Moreau." in page
    assert "mail.example.org:587" in page
    assert 'name="password"' not in page
    assert browser.post(SENDING, entered(host="evil.example")).status_code == 403
    assert browser.post(TEST).status_code == 403
    assert MailServer.objects.get().host == "mail.example.org"


def test_a_stylist_does_not_see_the_page(signed_in: SignIn) -> None:
    assert signed_in(Role.STYLIST).get(SENDING).status_code == 403


def test_email_url_makes_the_page_read_only(signed_in: SignIn, settings: Any) -> None:
    settings.EMAIL_URL = "smtps://bot:secretword@relay.example"
    browser = signed_in(Role.OWNER)
    page = browser.get(SENDING).content.decode()
    assert "EMAIL_URL" in page
    assert "relay.example:465" in page
    assert "secretword" not in page
    assert 'name="password"' not in page
    assert browser.post(SENDING, entered()).status_code == 422
    assert not MailServer.objects.exists()


def test_a_test_mail_goes_to_the_owner_and_its_answer_is_shown(signed_in: SignIn, owner: User, sink: Sink) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(SENDING, entered(host="127.0.0.1", port=str(sink.port), security="none", user="", password=""))
    answer = browser.post(TEST, headers=HTMX)
    assert "The server took the message (250)." in answer.content.decode()
    assert 'id="test-result"' in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert sink.mails[0].recipients == (owner.email,)


def test_a_refused_test_says_why_also_without_javascript(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    with Sink(user="salon", password="right") as sink:
        browser.post(SENDING, entered(host="127.0.0.1", port=str(sink.port), security="none"))
        browser.get(SENDING)
        answer = browser.post(TEST)
    assert (answer.status_code, answer.headers["Location"]) == (303, SENDING)
    assert "The server refused the password (535)." in browser.get(SENDING).content.decode()


def test_new_settings_close_the_circuit_that_the_old_ones_opened(signed_in: SignIn) -> None:
    circuit.fail("smtp", now=timezone.now(), reason="auth_535")
    signed_in(Role.OWNER).post(SENDING, entered())
    assert not circuit.is_open("smtp", timezone.now())


# --- triggers -----------------------------------------------------------------------------------------------------


TIMES = "/settings/notifications/reminders/"


def wanted(**changes: str) -> dict[str, str]:
    return {
        "confirmation-is_on": "on", "change-is_on": "on", "cancellation-is_on": "on", "reminder-is_on": "on",
        "birthday-at": "09:00", "welcome-delay": "0", "rebook-delay": "6", "rebook-at": "10:00", "review-delay": "1",
        "review-at": "10:00", "review-target": "",
    } | changes  # fmt: skip


def times(**changes: str) -> dict[str, str]:
    return {
        "time1-way": "days", "time1-days_before": "1", "time1-at": "10:00", "time2-way": "off", "time3-way": "off",
    } | changes  # fmt: skip


def test_a_manager_sets_when_a_kind_leaves(signed_in: SignIn) -> None:
    changes = {"rebook-is_on": "on", "rebook-delay": "8", "rebook-at": "17:30"}
    assert signed_in(Role.MANAGER).post(TRIGGERS, wanted(**changes)).status_code == 303
    row = Trigger.objects.get(pk="rebook")
    assert (row.is_on, row.delay, row.at) == (True, 8, dt.time(17, 30))


def test_a_manager_sets_up_to_three_reminders(signed_in: SignIn) -> None:
    changes = {"time1-days_before": "2", "time1-at": "17:30", "time3-way": "hours", "time3-hours_before": "3"}
    assert signed_in(Role.MANAGER).post(TIMES, times(**changes)).status_code == 303
    found = [(row.slot, row.is_on, row.days_before, row.at, row.hours_before) for row in ReminderTime.objects.all()]
    assert found == [(1, True, 2, dt.time(17, 30), None), (3, True, None, None, 3)]


def test_a_reminder_can_be_off_for_a_service(signed_in: SignIn) -> None:
    service = factories.service()
    browser = signed_in(Role.MANAGER)
    browser.post(TIMES, times(service=str(service.pk)))
    assert remindertimes.chosen_of(service=service) == {1: False}
    browser.post(TIMES, times(service=str(service.pk), holds=f"{service.pk}:1"))
    assert remindertimes.chosen_of(service=service) == {1: True}
    assert not ReminderException.objects.exists()


def test_a_trigger_switched_off_and_on_again_remembers_since_when(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    off = wanted()
    del off["reminder-is_on"]
    browser.post(TRIGGERS, off)
    assert facts.switches()["reminder"].is_on is False
    browser.post(TRIGGERS, wanted())
    row = facts.switches()["reminder"]
    assert row.is_on
    assert row.switched_on_at is not None
    assert timezone.now() - row.switched_on_at < dt.timedelta(minutes=1)


def opened(browser: Browser) -> dict[str, str]:
    """What a browser has in the form of the triggers as it stands, with what the page showed."""
    return _fields(browser.get(TRIGGERS).content.decode())


def _fields(html: str) -> dict[str, str]:
    found = {}
    for tag in re.findall(r"<input[^>]*>", html[html.index('id="triggers-form"') :]):
        name, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and "csrf" not in name[1] and ('type="checkbox"' not in tag or " checked" in tag):
            found[name[1]] = value[1] if value else "on" if 'type="checkbox"' in tag else ""
    return found


def test_the_second_of_two_tabs_sees_both_values_and_overwrites_nothing(signed_in: SignIn) -> None:
    mine, theirs = signed_in(Role.OWNER), signed_in(Role.MANAGER)
    first, second = opened(mine), opened(theirs)
    assert first == second
    assert theirs.post(TRIGGERS, second | {"rebook-delay": "9", "birthday-is_on": "on"}).status_code == 303
    answer = mine.post(TRIGGERS, first | {"rebook-delay": "4", "review-at": "11:15"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody changed the triggers meanwhile" in page
    assert Trigger.objects.get(pk="rebook").delay == 9
    assert facts.switches()["review"].at is None, "nothing of it is saved yet"
    picks = dict(re.findall(r'name="pick_([a-z_-]+)" value="(mine|theirs)" checked', page))
    assert picks == {"rebook-delay": "mine", "birthday-is_on": "theirs", "review-at": "mine"}
    again = {name: value for name, value in _fields(page).items() if not name.startswith("pick_")}
    assert again["rebook-delay"] == "4", "what I typed is still there"
    sent = again | {"pick_rebook-delay": "theirs", "pick_birthday-is_on": "theirs", "pick_review-at": "mine"}
    assert mine.post(TRIGGERS, sent).status_code == 303
    found = {kind: triggers.of(row) for kind, row in facts.switches().items()}
    assert (found["rebook"].delay, found["birthday"].is_on, found["review"].at) == (9, True, dt.time(11, 15))


def test_mine_can_be_chosen_over_theirs(signed_in: SignIn) -> None:
    mine, theirs = signed_in(Role.OWNER), signed_in(Role.MANAGER)
    first, second = opened(mine), opened(theirs)
    second.pop("reminder-is_on")
    assert theirs.post(TRIGGERS, second).status_code == 303
    page = mine.post(TRIGGERS, first | {"rebook-delay": "4"}).content.decode()
    again = _fields(page) | {"pick_rebook-delay": "mine", "pick_reminder-is_on": "mine"}
    assert mine.post(TRIGGERS, again).status_code == 303
    assert facts.switches()["reminder"].is_on
    assert Trigger.objects.get(pk="rebook").delay == 4


def test_the_same_choice_in_two_tabs_is_no_conflict(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    first, second = opened(browser), opened(browser)
    assert browser.post(TRIGGERS, first | {"rebook-delay": "9"}).status_code == 303
    assert browser.post(TRIGGERS, second | {"rebook-delay": "9"}).status_code == 303
    assert AuditEvent.objects.filter(action="trigger.changed").count() == 1


def test_a_way_that_cannot_be_chosen_now_stays_as_it_was(signed_in: SignIn) -> None:
    """Without an SMS account the page has no choice of ways: saving it forgets none."""
    Trigger.objects.filter(pk="reminder").update(ways=Trigger.Ways.SMS_EMAIL)
    browser = signed_in(Role.OWNER)
    assert browser.post(TRIGGERS, opened(browser) | {"rebook-delay": "9"}).status_code == 303
    assert Trigger.objects.get(pk="reminder").ways == Trigger.Ways.SMS_EMAIL


def test_time_to_come_back_can_follow_the_clients_rhythm_and_be_said_once_more(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(TRIGGERS, wanted(**{"rebook-is_by_rhythm": "on", "rebook-again": "4"}))
    row = facts.switches()["rebook"]
    assert (row.is_by_rhythm, row.again) == (True, 4)
    page = browser.get(TRIGGERS).content.decode()
    assert "By the client&#x27;s own rhythm" in page
    assert 'name="rebook-again" value="4"' in page
    reads = signed_in(Role.RECEPTION).get(TRIGGERS).content.decode()
    assert "once more after 4 weeks" in reads
    browser.post(TRIGGERS, wanted(**{"rebook-again": ""}))
    row = facts.switches()["rebook"]
    assert (row.is_by_rhythm, row.again) == (False, None)
    assert facts.switches()["birthday"].again is None


def test_only_what_changed_is_written_down(signed_in: SignIn, owner: User) -> None:
    browser = signed_in(Role.OWNER)
    browser.post(TRIGGERS, wanted())
    browser.post(TIMES, times())
    assert not AuditEvent.objects.filter(action__in=["trigger.changed", "reminder.times_set"]).exists()
    browser.post(TRIGGERS, wanted(**{"rebook-delay": "7"}))
    browser.post(TIMES, times(**{"time1-days_before": "3"}))
    said = {"kind": "rebook", "is_on": False, "delay": 7, "again": None, "is_by_rhythm": False}
    assert AuditEvent.objects.get(action="trigger.changed").facts == said
    assert AuditEvent.objects.get(action="reminder.times_set").facts == {"slots": [1], "count": 1}


@pytest.mark.parametrize(
    ("page", "changes"),
    [
        (TIMES, {"time1-days_before": "31"}),
        (TIMES, {"time1-days_before": ""}),
        (TIMES, {"time1-at": "25:00"}),
        (TIMES, {"time2-way": "hours", "time2-hours_before": "0"}),
        (TIMES, {"time2-way": "days", "time2-days_before": "1", "time2-at": "10:00"}),
        (TRIGGERS, {"rebook-delay": "0"}),
        (TRIGGERS, {"rebook-again": "0"}),
        (TRIGGERS, {"rebook-again": "53"}),
        (TRIGGERS, {"birthday-at": "x"}),
        (TRIGGERS, {"review-target": "http://reviews.example.org/"}),
    ],
)
def test_a_time_or_an_address_that_cannot_be_is_refused(signed_in: SignIn, page: str, changes: dict[str, str]) -> None:
    answer = signed_in(Role.OWNER).post(page, (times if page == TIMES else wanted)(**changes))
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    assert not AuditEvent.objects.filter(action__in=["trigger.changed", "reminder.times_set"]).exists()


def test_reception_reads_the_triggers_and_cannot_change_them(signed_in: SignIn) -> None:
    signed_in(Role.MANAGER)
    browser = signed_in(Role.RECEPTION)
    page = browser.get(TRIGGERS).content.decode()
    assert "Only a manager can change this. Ask Nadia Keller." in page
    assert "1 day before, at 10:00" in page
    assert browser.post(TIMES, times(**{"time1-days_before": "5"})).status_code == 403
    assert browser.post(TRIGGERS, wanted(**{"rebook-delay": "5"})).status_code == 403
    assert triggers.of(facts.switches()["rebook"]).delay == 6


def test_the_page_counts_the_clients_of_the_next_seven_days_and_lists_them(signed_in: SignIn, salon: Salon) -> None:
    now = timezone.now()
    noon = dt.datetime.combine(now.astimezone(salon.zone).date(), dt.time(12), salon.zone)
    service, staff, amelie = factories.service(), factories.staff(), factories.client()
    for days in (2, 3):
        factories.appointment(client=amelie, service=service, staff=staff, start_at=noon + dt.timedelta(days=days))
    factories.appointment(service=service, staff=staff, start_at=noon + dt.timedelta(days=4))
    factories.appointment(service=service, staff=staff, start_at=noon + dt.timedelta(days=9))
    factories.appointment(client=factories.client(email=""), service=service, staff=staff, start_at=noon + dt.timedelta(days=5))
    assert ahead.count(facts.switches()["reminder"], salon, now) == 2
    browser = signed_in(Role.OWNER)
    assert "2 clients" in browser.get(TRIGGERS).content.decode()
    listed = browser.get(f"{TRIGGERS}reminder/").context["lines"]
    assert [line.client.pk == amelie.pk for line in listed] == [True, True, False]


def test_a_trigger_that_reaches_nobody_says_why_in_words(signed_in: SignIn, salon: Salon, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = ""
    for kind in ("birthday", "review"):
        Trigger.objects.update_or_create(kind=kind, defaults={"is_on": True})
    browser = signed_in(Role.OWNER)
    assert browser.get(TRIGGERS).content.decode().count("the salon has no public address") == 2
    Salon.objects.update(public_url="https://carnet.example.org")
    page = browser.get(TRIGGERS).content.decode()
    assert "nobody said Yes to it yet" in page
    assert "no address of a page for reviews" in page
    marketing.says(factories.client(), "grant", timezone.now(), purpose="mkt.birthday")
    assert "nobody said Yes" not in browser.get(TRIGGERS).content.decode()


# --- health -------------------------------------------------------------------------------------------------------


def message(**fields: Any) -> Message:
    now = timezone.now()
    values: dict[str, Any] = {
        "kind": "reminder", "channel": "email", "occasion": f"t{Message.objects.count()}", "not_before": now,
        "expires_at": now + dt.timedelta(days=1),
    }  # fmt: skip
    return Message.objects.create(**{**values, **fields})


def states(salon: Salon) -> dict[str, bool]:
    return {line.name: line.is_ok for line in health.report(salon, timezone.now())}


@pytest.mark.parametrize("role", [Role.MANAGER, Role.RECEPTION, Role.STYLIST])
def test_only_the_owner_sees_the_health_page(signed_in: SignIn, role: Role) -> None:
    assert signed_in(role).get(HEALTH).status_code == 403


def test_a_new_installation_says_what_is_missing(signed_in: SignIn, salon: Salon) -> None:
    page = signed_in(Role.OWNER).get(HEALTH).content.decode()
    assert "Something needs a look." in page
    assert "Has never run." in page


def test_all_is_green_when_everything_runs(signed_in: SignIn, salon: Salon, owner: User) -> None:
    instance.claim(salon)
    for name in ("planner", "sender"):
        heartbeats.beat(name, timezone.now())
    browser = signed_in(Role.OWNER)
    browser.post(SENDING, entered())
    page = browser.get(HEALTH).content.decode()
    assert "All is well." in page
    assert all(states(salon).values())


@pytest.mark.parametrize(
    ("break_it", "line"),
    [
        (lambda now: message(not_before=now - dt.timedelta(minutes=6)), "Oldest due message"),
        (lambda now: message(state=State.UNKNOWN), "Messages of unknown fate"),
        (lambda now: heartbeats.beat("planner", now - dt.timedelta(minutes=6)), "Planner"),
        (lambda now: heartbeats.beat("sender", now - dt.timedelta(hours=6)), "Sender"),
        (lambda now: circuit.fail("smtp", now=now, reason="auth_535"), "Mail server"),
        (lambda now: Salon.objects.update(delivery="hold"), "Delivery"),
    ],
)
def test_each_trouble_turns_its_own_line_red(
    salon: Salon, owner: User, break_it: Callable[[dt.datetime], Any], line: str
) -> None:
    instance.claim(salon)
    sending.save(**{**entered(), "port": 587}, by=owner)
    for name in ("planner", "sender"):
        heartbeats.beat(name, timezone.now())
    assert all(states(salon).values())

    break_it(timezone.now())

    salon.refresh_from_db()
    assert [name for name, is_ok in states(salon).items() if not is_ok] == [line]


def test_a_future_message_is_not_late(salon: Salon) -> None:
    message(not_before=timezone.now() + dt.timedelta(hours=1))
    assert states(salon)["Oldest due message"]


def test_the_health_fragment_equals_the_part_of_the_page(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    fragment = browser.get(reverse("notifications:health"), headers=HTMX).content.decode()
    assert fragment.startswith('<div class="s-stack" id="health"')
    assert "<html" not in fragment
