"""From the outbox to a Twilio that misbehaves, and back: what becomes of an SMS, of its number and of its client (D16–D22)."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from appointments.models import Appointment
from clients import addresses, consent
from clients.models import Address, ConsentEvent
from notifications import circuit, dispatch, invariants, planner, proofs, receipts, reconciling, smsaccount, ways
from notifications.channels import sms as channel
from notifications.models import Attempt, Message, Provider, ProviderEvent, SmsAccount, State, Trigger
from notifications.providers import twilio as carrier
from salon.core import instance
from salon.core.models import Notice, Salon, User
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.fakes.twilio_server import SECRET, TwilioServer
from tests.notifications import texting

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def now(salon: Salon) -> dt.datetime:
    """Tomorrow at eleven, so that no quiet hour and no wall clock matters."""
    tomorrow = timezone.now().astimezone(salon.zone).date() + dt.timedelta(days=1)
    return dt.datetime.combine(tomorrow, dt.time(11), salon.zone)


@pytest.fixture
def twilio(salon: Salon, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[TwilioServer]:
    instance.claim(salon)
    texting.lets_all_pass(salon)
    texting.account()
    monkeypatch.setattr(smsaccount, "CONNECT", 0.5)
    monkeypatch.setattr(smsaccount.provider, "__kwdefaults__", {"read": 0.3})
    with TwilioServer(hang_for=1) as server:
        settings.TWILIO_API_URL = server.url
        yield server


def booked(now: dt.datetime, **client: Any) -> Appointment:
    """A visit in three days, told to the client by a confirmation that is due."""
    visit = factories.appointment(
        client=texting.client(**client), start_at=now + dt.timedelta(days=3), time_set_at=now - MINUTE, staff=factories.staff()
    )
    planner.plan(now)
    return visit


def deliver(now: dt.datetime) -> Counter[str]:
    return dispatch.deliver_due(now=now)


def only() -> Message:
    return Message.objects.get(kind="confirmation")


def test_a_confirmation_leaves_by_sms_for_who_likes_it_so(twilio: TwilioServer, now: dt.datetime) -> None:
    booked(now)
    deliver(now)
    message = only()
    assert (message.channel, message.state, message.provider) == ("sms", State.ACCEPTED, "twilio")
    (sms,) = twilio.taken
    assert (sms.form["To"], sms.form["From"], sms.form["Body"]) == (texting.NUMBER, texting.OURS, message.body)
    assert message.provider_id == sms.sid
    assert (message.segments, message.cost) == (1, texting.PRICE)
    # Twilio's own queue gives up too: after ten hours at the latest.
    assert sms.form["ValidityPeriod"] == "36000"
    assert sms.form["StatusCallback"].startswith(f"{texting.SITE}/hooks/twilio/status/{message.pk}-")
    headers = twilio.headers[0]
    assert headers["connection"] == "close"
    assert Attempt.objects.get().decision["channel"] == "sms"


def test_twilio_gives_up_when_the_message_makes_no_sense_any_more(twilio: TwilioServer, now: dt.datetime) -> None:
    visit = factories.appointment(
        client=texting.client(), start_at=now + 90 * MINUTE, time_set_at=now - MINUTE, staff=factories.staff()
    )
    planner.plan(now)
    deliver(now)
    assert (visit.start_at - now).total_seconds() == 5400
    assert twilio.taken[0].form["ValidityPeriod"] == "5400"


@pytest.mark.parametrize("port", ["closed", "dropped"])
def test_what_was_certainly_not_said_is_tried_again_and_arrives_once(
    twilio: TwilioServer, now: dt.datetime, settings: Any, port: str
) -> None:
    booked(now)
    settings.TWILIO_API_URL = "http://127.0.0.1:9" if port == "closed" else "http://no-such-name.invalid"
    deliver(now)
    assert (only().state, only().reason, only().handoff_at) == (State.PENDING, "retry", None)
    settings.TWILIO_API_URL = twilio.url
    deliver(now + MINUTE)
    assert (only().state, len(twilio.taken)) == (State.ACCEPTED, 1)


def test_d16_too_many_waits_as_long_as_it_is_told(
    twilio: TwilioServer, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.outcomes.random.uniform", lambda low, high: 0.1)  # the house's own wait would be shorter
    booked(now)
    twilio.script = "429:30,ok"
    deliver(now)
    assert (only().state, only().not_before) == (State.PENDING, now + dt.timedelta(seconds=30))
    deliver(now + dt.timedelta(seconds=29))
    assert twilio.taken == []
    deliver(now + dt.timedelta(seconds=30))
    assert (only().state, len(twilio.taken)) == (State.ACCEPTED, 1)


def test_while_twilio_asks_for_a_pause_the_others_wait_too(twilio: TwilioServer, now: dt.datetime) -> None:
    for last in range(3):
        booked(now, phone=f"+3361234567{last}", first_name=f"N{last}")
    twilio.script = "429:30,ok"
    deliver(now)
    assert (len(twilio.requests), len(twilio.taken)) == (1, 0)
    deliver(now + MINUTE * 5)
    assert len(twilio.taken) == 3


@pytest.mark.parametrize("script", ["500_created", "timeout_created", "drop_created", "garbage"])
def test_d17_what_twilio_has_is_found_in_its_list_and_not_sent_again(twilio: TwilioServer, now: dt.datetime, script: str) -> None:
    booked(now)
    twilio.script = f"{script},ok"
    deliver(now)
    assert only().state == State.UNKNOWN
    for minutes in (2, 20, 60):
        deliver(now + minutes * MINUTE)
    message = only()
    assert (message.state, message.provider_id, len(twilio.taken)) == (State.ACCEPTED, twilio.taken[0].sid, 1)
    assert Attempt.objects.get().code == "listed"
    # It still waits in Twilio's queue: whoever asks for the day on which it was sent would not have found it.
    assert twilio.taken[0].as_json()["date_sent"] is None
    assert {"To", "PageSize"} == set(twilio.looks[0])


@pytest.mark.parametrize("script", ["500_not_created", "timeout_not_created", "drop"])
def test_d18_what_twilio_has_not_is_sent_once_after_a_quarter_of_an_hour(
    twilio: TwilioServer, now: dt.datetime, script: str
) -> None:
    booked(now)
    twilio.script = f"{script},ok"
    deliver(now)
    deliver(now + 14 * MINUTE)
    assert (only().state, twilio.taken) == (State.UNKNOWN, [])
    deliver(now + 15 * MINUTE)
    deliver(now + 16 * MINUTE)
    assert (only().state, len(twilio.taken)) == (State.ACCEPTED, 1)
    assert sorted(Attempt.objects.values_list("outcome", flat=True)) == ["absent", "accepted"]


def test_d18_a_second_time_it_stays_unknown_for_somebody_to_see(twilio: TwilioServer, now: dt.datetime) -> None:
    booked(now)
    twilio.script = "500_not_created"
    for minutes in (0, 16, 18, 40, 60):
        deliver(now + minutes * MINUTE)
    assert (only().state, len(twilio.requests)) == (State.UNKNOWN, 2)


def test_what_cannot_be_proved_any_more_does_not_stand_in_the_way_of_what_can(
    twilio: TwilioServer, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does one whose number is gone; and while Twilio is down it is not asked at all."""
    monkeypatch.setattr(reconciling, "_AT_ONCE", 1)
    booked(now)
    twilio.script = "500_not_created,500_not_created,500_created,500_created,ok"
    for minutes in (0, 16, 18):
        deliver(now + minutes * MINUTE)
    booked(now + 30 * MINUTE, phone="+33612345679", first_name="Nora")
    deliver(now + 30 * MINUTE)
    Message.objects.filter(client__first_name="Nora").update(recipient="")
    booked(now + 40 * MINUTE, phone="+33612345670", first_name="Léa")
    deliver(now + 40 * MINUTE)
    later = now + 60 * MINUTE
    circuit.fail("twilio", now=later, reason="auth_20003")
    looks = len(twilio.looks)
    deliver(later)
    assert len(twilio.looks) == looks
    deliver(later + 16 * MINUTE)
    assert Message.objects.get(client__first_name="Léa").state == State.ACCEPTED
    assert len(twilio.looks) == looks + 1


def test_the_control_whoever_looks_too_early_or_takes_silence_for_absence_sends_twice(
    twilio: TwilioServer, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of D17: with the look at the list blinded, the same story sends two."""
    monkeypatch.setattr(carrier.TwilioProvider, "find", lambda *args, **kwargs: None)
    booked(now)
    twilio.script = "500_created,ok"
    for minutes in (0, 16, 18):
        deliver(now + minutes * MINUTE)
    assert len(twilio.taken) == 2


def test_what_another_account_may_have_is_never_proved_absent_nor_gone(
    twilio: TwilioServer, now: dt.datetime, owner: User
) -> None:
    booked(now)
    twilio.script = "500_created"
    deliver(now)
    form: dict[str, Any] = {
        "key_sid": "SK" + "1" * 32, "key_secret": "s", "auth_token": "t", "sender_kind": "number", "sender": texting.OURS,
        "can_answer": True, "prices": {}, "monthly_budget": None, "campaign_cap": None, "may_tidy_names": False,
    }  # fmt: skip
    smsaccount.save(by=owner, now=now, account_sid=SmsAccount.objects.get().account_sid, **form)
    assert SmsAccount.objects.get().account_since is None
    smsaccount.save(by=owner, now=now, account_sid="AC" + "1" * 32, **form)
    deliver(now + 20 * MINUTE)
    assert (only().state, twilio.looks) == (State.UNKNOWN, [])
    assert smsaccount.forget("SM" + "0" * 32) is False


def test_while_the_list_cannot_be_read_nothing_is_proved(twilio: TwilioServer, now: dt.datetime) -> None:
    booked(now)
    twilio.script, twilio.list_status = "500_not_created,ok", 503
    for minutes in (0, 16, 30):
        deliver(now + minutes * MINUTE)
    assert (only().state, twilio.taken) == (State.UNKNOWN, [])


def test_d19_a_report_proves_a_message_whose_answer_never_came(twilio: TwilioServer, now: dt.datetime) -> None:
    booked(now)
    twilio.script = "timeout_created"
    deliver(now)
    assert only().state == State.UNKNOWN
    assert texting.reports(twilio, only(), "sent").status_code == 204
    message = only()
    assert (message.state, message.provider_id) == (State.ACCEPTED, twilio.taken[0].sid)
    assert Attempt.objects.get().outcome == "accepted"


def test_w8_a_report_that_comes_before_our_own_note_is_kept_and_the_note_harms_nothing(
    twilio: TwilioServer, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked(now)
    send = channel.Line.send

    def send_and_hear(line: Any, *given: Any) -> Any:
        result = send(line, *given)
        texting.reports(twilio, only(), "delivered")
        return result

    monkeypatch.setattr(channel.Line, "send", send_and_hear)
    deliver(now)
    assert (only().state, only().provider_id) == (State.DELIVERED, twilio.taken[0].sid)
    assert Attempt.objects.get().outcome == "accepted"


def test_d20_reports_come_twice_late_and_in_any_order(twilio: TwilioServer, now: dt.datetime) -> None:
    booked(now)
    deliver(now)
    story = ["delivered", "sent", "delivered", "queued", "sending", "sent", "undelivered", "delivered", "some-new-status"]
    answers = [texting.reports(twilio, only(), status, RawDlrDoneDate="2611281100", Something="new") for status in story]
    assert {answer.status_code for answer in answers} == {204}
    assert only().state == State.DELIVERED
    assert ProviderEvent.objects.count() == len(set(story))


ENDS = [
    ("waits again", {}),
    ("cancelled", {"state": State.CANCELLED, "reason": "cancelled"}),
    ("stopped by hand", {"state": State.CANCELLED, "reason": "stopped"}),
    ("refused", {"state": State.SUPPRESSED, "reason": "channel_stop"}),
    ("too late", {"state": State.EXPIRED, "reason": "expired"}),
]


@pytest.mark.parametrize(("name", "end"), ENDS)
@pytest.mark.parametrize("status", ["sent", "delivered", "undelivered"])
def test_what_arrived_after_all_says_so_whatever_ended_it_meanwhile(
    twilio: TwilioServer, now: dt.datetime, name: str, end: dict[str, str], status: str
) -> None:
    """The list had not shown it for a quarter of an hour, so it waited again; then the report comes."""
    booked(now)
    twilio.script = "500_created"
    deliver(now)
    row = only()
    proofs.absent(row, now=now + 15 * MINUTE)
    Message.objects.filter(pk=row.pk).update(**end)
    texting.reports(twilio, row, status, ErrorCode="30007" if status == "undelivered" else "")
    row = only()
    expected = {"sent": State.ACCEPTED, "delivered": State.DELIVERED, "undelivered": State.BOUNCED}[status]
    assert (row.state, row.handoff_at is not None, row.cost > 0) == (expected, True, True), name
    assert Attempt.objects.get().outcome == "accepted"
    assert list(invariants.faults()) == []
    taken = len(twilio.requests)
    for minutes in (20, 40):
        deliver(now + minutes * MINUTE)
    assert len(twilio.requests) == taken, "it is not said again"
    assert only().state == expected


ENDED = [
    (State.CANCELLED, "stopped"),
    (State.CANCELLED, "stopped_held"),
    (State.CANCELLED, "merged_duplicate"),
    (State.SUPPRESSED, "client_refused"),
    (State.HELD, "restored"),
]


def unlisted(twilio: TwilioServer, now: dt.datetime) -> Message:
    """Return a message that waits again: Twilio has it, but its list had not shown it for a quarter of an hour."""
    booked(now, email="amelie@example.org")
    twilio.script = "500_created"
    deliver(now)
    proofs.absent(only(), now=now + 15 * MINUTE)
    return only()


@pytest.mark.parametrize(("state", "reason"), ENDED)
@pytest.mark.parametrize("story", [("undelivered",), ("sent", "undelivered")])
def test_what_was_stopped_is_said_by_no_other_way_when_a_late_report_says_it_is_lost(
    twilio: TwilioServer, now: dt.datetime, fake: FakeProvider, state: State, reason: str, story: tuple[str, ...]
) -> None:
    row = unlisted(twilio, now)
    Message.objects.filter(pk=row.pk).update(state=state, reason=reason)
    for status in story:
        texting.reports(twilio, row, status, ErrorCode="30003" if status == "undelivered" else "")
    row.refresh_from_db()
    assert (row.state, row.reason) == (State.BOUNCED, reason), "whoever stopped it is not wiped out"
    for minutes in (20, 40):
        planner.plan(now + minutes * MINUTE)
        deliver(now + minutes * MINUTE)
    assert (Message.objects.count(), fake.delivered) == (1, [])


@pytest.mark.parametrize("state", [State.PENDING, State.CLAIMED])
def test_the_control_what_still_waited_is_said_by_email_when_it_is_lost(
    twilio: TwilioServer, now: dt.datetime, fake: FakeProvider, state: State
) -> None:
    row = unlisted(twilio, now)
    Message.objects.filter(pk=row.pk).update(state=state)
    for status in ("sent", "undelivered"):
        texting.reports(twilio, row, status, ErrorCode="30003" if status == "undelivered" else "")
    deliver(now + 20 * MINUTE)
    assert (first().state, first().reason, fake.recipients) == (State.BOUNCED, "reply_30003", ["amelie@example.org"])


def turned(twilio: TwilioServer, now: dt.datetime) -> Message:
    """Return a message that was tried again after that, refused, and waits as an e-mail."""
    row = unlisted(twilio, now)
    twilio.script = "400:21614"
    dispatch.deliver_due(1, now=now + 15 * MINUTE)
    row.refresh_from_db()
    assert (row.channel, row.turned_from, row.state) == ("email", "sms", State.PENDING)
    return row


@pytest.mark.parametrize("is_out", [False, True])
def test_what_turned_to_email_is_not_lost_with_its_first_sms(
    twilio: TwilioServer, now: dt.datetime, fake: FakeProvider, is_out: bool
) -> None:
    row = turned(twilio, now)
    if is_out:
        deliver(now + 16 * MINUTE)
    for status in ("sent", "undelivered"):
        texting.reports(twilio, row, status, ErrorCode="30003" if status == "undelivered" else "")
    deliver(now + 17 * MINUTE)
    assert (only().state, only().channel, fake.recipients) == (State.ACCEPTED, "email", ["amelie@example.org"])


def test_what_turned_to_email_and_had_arrived_as_an_sms_is_not_said_again(
    twilio: TwilioServer, now: dt.datetime, fake: FakeProvider
) -> None:
    texting.reports(twilio, turned(twilio, now), "delivered")
    deliver(now + 17 * MINUTE)
    assert (only().state, only().channel, only().turned_from, fake.delivered) == (State.DELIVERED, "sms", "", [])
    assert list(invariants.faults()) == []


def test_the_control_what_was_cancelled_before_it_left_stays_cancelled(twilio: TwilioServer, now: dt.datetime) -> None:
    booked(now)
    row = only()
    Message.objects.filter(pk=row.pk).update(state=State.CANCELLED, reason="stopped")
    receipts.report(row.pk, provider_id="SM1", status="delivered", code="", now=now)
    assert (only().state, only().handoff_at) == (State.CANCELLED, None)


def test_d20_the_control_a_report_that_twilio_has_not_signed_changes_nothing(twilio: TwilioServer, now: dt.datetime) -> None:
    booked(now)
    deliver(now)
    SmsAccount.objects.update(auth_token="another")
    assert texting.reports(twilio, only(), "delivered").status_code == 403
    SmsAccount.objects.update(auth_token="")
    assert texting.reports(twilio, only(), "delivered").status_code == 403
    assert only().state == State.ACCEPTED
    assert {(row.status, row.message_id) for row in ProviderEvent.objects.all()} == {("refused", None)}, "counted, and no more"


def test_what_was_taken_and_did_not_arrive_says_so(twilio: TwilioServer, now: dt.datetime) -> None:
    booked(now)
    deliver(now)
    texting.reports(twilio, only(), "undelivered", ErrorCode="30006")
    assert (only().state, only().reason) == (State.BOUNCED, "reply_30006")
    assert addresses.is_undeliverable("sms", texting.NUMBER)


@pytest.mark.parametrize("code", ["30007", "30003", "30008", "30042"])
def test_a_report_about_the_way_or_the_text_is_not_held_against_the_number(
    twilio: TwilioServer, now: dt.datetime, code: str
) -> None:
    booked(now)
    deliver(now)
    texting.reports(twilio, only(), "undelivered", ErrorCode=code)
    assert only().state == State.BOUNCED
    assert not Address.objects.exclude(scope="").exists()


def test_a_phone_that_cannot_be_reached_counts_only_after_three_days(twilio: TwilioServer, now: dt.datetime) -> None:
    """I-28: soft failures on fewer than three days never mark a number; a second "unknown handset" does."""
    said = []
    for day, code in enumerate(["30003", "30003", "30008"]):
        visit = booked(now + dt.timedelta(days=day), phone="+33612345670")
        deliver(now + dt.timedelta(days=day))
        message = Message.objects.get(appointment=visit)
        sid = next(sms.sid for sms in twilio.taken if f"/{message.pk}-" in sms.form["StatusCallback"])
        at = now + dt.timedelta(days=day)
        assert receipts.report(message.pk, provider_id=sid, status="undelivered", code=code, now=at)
        assert not receipts.report(message.pk, provider_id=sid, status="undelivered", code=code, now=at), "the same again"
        said.append(addresses.is_undeliverable("sms", "+33612345670"))
    assert said == [False, False, True]
    for expected in (False, True):
        visit = booked(now, phone="+33612345671")
        deliver(now)
        message = Message.objects.get(appointment=visit)
        receipts.report(message.pk, provider_id=message.provider_id, status="undelivered", code="30005", now=now)
        assert addresses.is_undeliverable("sms", "+33612345671") is expected


@pytest.mark.parametrize("code", ["21211", "21614", "30006"])
def test_a_number_that_takes_no_sms_is_marked_and_not_tried_again(twilio: TwilioServer, now: dt.datetime, code: str) -> None:
    """I-28."""
    booked(now)
    twilio.script = f"400:{code},ok"
    deliver(now)
    assert (only().state, only().reason) == (State.FAILED, f"reply_{code}")
    row = Address.objects.get(channel="sms", scope="delivery")
    assert (row.hmac, row.reason) == (addresses.hash_of("sms", texting.NUMBER), "invalid")
    factories.appointment(client=only().client, start_at=now + dt.timedelta(days=4), time_set_at=now, staff=factories.staff())
    for minutes in (2, 4):
        planner.plan(now + minutes * MINUTE)
        deliver(now + minutes * MINUTE)
    assert twilio.taken == []


def test_d21_a_stop_that_twilio_tells_of_stands_in_the_ledger_of_every_card(
    twilio: TwilioServer, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I-26: one event a card, however often it is said; what waits for the number is taken back."""
    mother, child = booked(now).client, texting.client(first_name="Zoé")
    twilio.script = "400:21610"
    deliver(now)
    assert (only().state, only().reason) == (State.SUPPRESSED, "channel_stop")
    events = ConsentEvent.objects.filter(event="provider_stop")
    assert {(one.subject.client, one.purpose, one.channel) for one in events} == {(mother, "**", "sms"), (child, "**", "sms")}
    later = factories.appointment(client=child, start_at=now + dt.timedelta(days=5), time_set_at=now, staff=factories.staff())
    Message.objects.create(
        kind="reminder", channel="sms", client=child, appointment=later, occasion="x", time_version=1,
        told_start_at=later.start_at, not_before=now, expires_at=later.start_at,
    )  # fmt: skip
    planner.plan(now + MINUTE)
    assert Message.objects.get(occasion="x").reason == "client_refused"
    receipts.take(only(), carrier.classify(400, "21610"), now=now)
    assert ConsentEvent.objects.filter(event="provider_stop").count() == 2
    assert len(twilio.requests) == 1


def test_d22_a_key_that_is_refused_burns_nothing_and_calls_the_owner(twilio: TwilioServer, now: dt.datetime, owner: User) -> None:
    booked(now)
    booked(now, phone="+33612345679", first_name="Nora")
    twilio.secret = "rotated"
    deliver(now)
    assert set(Message.objects.values_list("state", "attempt_count")) == {(State.PENDING, 0)}
    assert circuit.failure("twilio") == "auth_20003"
    assert Notice.objects.get(user=owner).facts == {"error": 20003}
    assert twilio.requests == []
    deliver(now + dt.timedelta(seconds=10))
    assert Provider.objects.get(pk="twilio").failure_count == 1, "left alone for a minute"
    twilio.secret = SECRET
    deliver(now + 2 * MINUTE)
    assert (len(twilio.taken), circuit.failure("twilio")) == (2, "")


@pytest.mark.parametrize("code", ["21408", "21606", "21612", "21657", "30042"])
def test_a_fault_of_ours_calls_the_owner_and_leaves_number_and_consent_alone(
    twilio: TwilioServer, now: dt.datetime, owner: User, code: str
) -> None:
    """I-27."""
    booked(now)
    twilio.script = f"400:{code}"
    deliver(now)
    assert (only().state, only().reason) == (State.FAILED, f"reply_{code}")
    assert Notice.objects.get(user=owner).facts == {"error": int(code)}
    assert not Address.objects.exclude(scope="").exists()
    assert not ConsentEvent.objects.exists()


def test_a_wrong_sender_stops_the_line_at_the_third_and_burns_no_more(twilio: TwilioServer, now: dt.datetime) -> None:
    for last in range(5):
        booked(now, phone=f"+3361234567{last}", first_name=f"N{last}")
    twilio.script = "400:21606"
    deliver(now)
    assert Counter(Message.objects.values_list("state", flat=True)) == {State.FAILED: 2, State.PENDING: 3}
    assert circuit.failure("twilio") == "reply_21606"
    twilio.script = "ok"
    deliver(now + 16 * MINUTE)
    assert (len(twilio.taken), circuit.failure("twilio")) == (3, "")


def test_three_bad_numbers_in_a_row_do_not_stop_the_fourth(twilio: TwilioServer, now: dt.datetime) -> None:
    """What counts against an SMTP server after three refusals says nothing here: the code names the number."""
    for last in range(4):
        booked(now, phone=f"+3361234567{last}", first_name=f"N{last}")
    twilio.script = "400:21211,400:21211,400:21211,ok"
    deliver(now)
    assert Counter(Message.objects.values_list("state", flat=True)) == {State.FAILED: 3, State.ACCEPTED: 1}


# --- the other channel --------------------------------------------------------------------------------------------


def test_a_definite_no_by_sms_goes_by_email_once(twilio: TwilioServer, now: dt.datetime, fake: FakeProvider) -> None:
    booked(now, email="amelie@example.org")
    twilio.script = "400:21614"
    deliver(now)
    deliver(now + MINUTE)
    message = only()
    assert (message.channel, message.turned_from, message.state) == ("email", "sms", State.ACCEPTED)
    assert fake.recipients == ["amelie@example.org"]
    assert message.cost == 0
    planner.plan(now + 2 * MINUTE)
    deliver(now + 2 * MINUTE)
    assert (len(fake.delivered), Message.objects.count()) == (1, 1)


def test_what_turned_once_and_was_taken_back_may_turn_again(twilio: TwilioServer, now: dt.datetime, fake: FakeProvider) -> None:
    visit = booked(now, email="amelie@example.org")
    twilio.script = "400:21614"
    dispatch.deliver_due(1, now=now)
    Appointment.objects.filter(pk=visit.pk).update(is_notice_wanted=False)
    planner.plan(now + MINUTE)
    Appointment.objects.filter(pk=visit.pk).update(is_notice_wanted=True)
    planner.plan(now + 2 * MINUTE)
    assert (only().channel, only().turned_from) == ("sms", "")
    for minutes in (2, 3):
        deliver(now + minutes * MINUTE)
    assert (only().state, fake.recipients) == (State.ACCEPTED, ["amelie@example.org"])


def test_it_turns_only_to_what_the_salon_chose_and_what_can_take_it(
    twilio: TwilioServer, now: dt.datetime, fake: FakeProvider
) -> None:
    Trigger.objects.update_or_create(pk="confirmation", defaults={"is_on": True, "ways": "sms"})
    booked(now, email="amelie@example.org", phone="+33472000001")
    deliver(now)
    assert (only().state, only().channel, fake.delivered) == (State.SUPPRESSED, "sms", [])
    Trigger.objects.update(ways="email sms")
    message = only()
    assert ways.other(message) == "email"
    addresses.stop("email", "amelie@example.org", scope="delivery", reason="hard_bounce", now=now)
    assert ways.other(message) == ""
    message.channel = "email"
    assert ways.other(message) == "", "a landline"


def test_an_sms_of_unknown_fate_never_goes_by_email_too(twilio: TwilioServer, now: dt.datetime, fake: FakeProvider) -> None:
    booked(now, email="amelie@example.org")
    twilio.script, twilio.list_status = "500_created", 500
    for minutes in (0, 1, 20, 300):
        planner.plan(now + minutes * MINUTE)
        deliver(now + minutes * MINUTE)
    assert (only().state, only().channel, fake.delivered) == (State.UNKNOWN, "sms", [])


@pytest.mark.parametrize(("code", "count"), [("30006", 1), ("30003", 1), ("30008", 0), ("", 0)])
def test_what_surely_did_not_arrive_is_said_by_email_once(
    twilio: TwilioServer, now: dt.datetime, fake: FakeProvider, code: str, count: int
) -> None:
    """Where the report leaves it open that it arrives after all, nothing more is said."""
    booked(now, email="amelie@example.org")
    deliver(now)
    for status in ("undelivered", "failed"):
        texting.reports(twilio, first(), status, ErrorCode=code)
    for minutes in (1, 2):
        planner.plan(now + minutes * MINUTE)
        deliver(now + minutes * MINUTE)
    assert (len(fake.delivered), len(twilio.taken), first().state) == (count, 1, State.BOUNCED)


def first() -> Message:
    return Message.objects.earliest("pk")


def test_a_landline_turns_to_email_without_a_word_to_twilio(twilio: TwilioServer, now: dt.datetime, fake: FakeProvider) -> None:
    booked(now, email="amelie@example.org", phone="+33472000001")
    deliver(now)
    deliver(now + MINUTE)
    assert (only().channel, only().state, twilio.connection_count) == ("email", State.ACCEPTED, 1)
    assert twilio.requests == []


def test_a_landline_without_an_email_says_what_it_is(twilio: TwilioServer, now: dt.datetime) -> None:
    booked(now, phone="+33472000001")
    deliver(now)
    assert (only().state, only().reason, twilio.requests) == (State.SUPPRESSED, "not_a_mobile", [])
    for minutes in (1, 2):
        planner.plan(now + minutes * MINUTE)
    assert only().state == State.SUPPRESSED, "it does not come back by itself"


def test_who_switched_sms_reminders_off_gets_them_by_email(twilio: TwilioServer, now: dt.datetime, fake: FakeProvider) -> None:
    client = texting.client(email="amelie@example.org")
    consent.record(client, purpose="svc.confirmation", channel="sms", event="withdraw", source="phone", now=now)
    factories.appointment(client=client, start_at=now + dt.timedelta(days=3), time_set_at=now - MINUTE, staff=factories.staff())
    planner.plan(now)
    assert only().channel == "email"


def test_with_the_switch_off_everything_goes_by_email_and_what_waits_stays(
    twilio: TwilioServer, now: dt.datetime, owner: User
) -> None:
    booked(now)
    smsaccount.switch(is_on=False, by=owner, now=now)
    deliver(now)
    assert (only().state, only().channel, twilio.requests) == (State.PENDING, "sms", [])
    smsaccount.switch(is_on=True, by=owner, now=now)
    deliver(now + MINUTE)
    assert only().state == State.ACCEPTED


def test_with_the_switch_off_the_planner_brings_what_waits_by_email_and_back_where_there_is_none(
    twilio: TwilioServer, now: dt.datetime, owner: User, fake: FakeProvider
) -> None:
    booked(now, email="amelie@example.org")
    booked(now, first_name="Zoé", phone="+33612345679")
    held = Message.objects.get(client__first_name="Zoé")
    smsaccount.switch(is_on=False, by=owner, now=now)
    planner.plan(now)
    deliver(now + MINUTE)
    assert fake.recipients == ["amelie@example.org"]
    held.refresh_from_db()
    assert (held.state, held.reason) == (State.CANCELLED, "channel_off")
    smsaccount.switch(is_on=True, by=owner, now=now)
    planner.plan(now + 2 * MINUTE)
    deliver(now + 2 * MINUTE)
    held.refresh_from_db()
    assert (held.state, held.channel, len(fake.delivered)) == (State.ACCEPTED, "sms", 1)


def test_what_is_said_instead_heeds_the_salons_switch(twilio: TwilioServer, now: dt.datetime, fake: FakeProvider) -> None:
    """It is no message that somebody sends by hand."""
    booked(now, email="amelie@example.org")
    deliver(now)
    texting.reports(twilio, first(), "undelivered", ErrorCode="30006")
    Trigger.objects.update_or_create(pk="confirmation", defaults={"is_on": False})
    instead = Message.objects.latest("pk")
    assert instead.resend_of == first()
    deliver(now + MINUTE)
    instead.refresh_from_db()
    assert (instead.reason, fake.delivered) == ("automation_off", [])
    Message.objects.filter(pk=instead.pk).update(state=State.PENDING)
    planner.plan(now + MINUTE)
    instead.refresh_from_db()
    assert (instead.state, instead.reason) == (State.CANCELLED, "automation_off")


def test_a_switch_thrown_between_claim_and_hand_over_holds_it_too(
    twilio: TwilioServer, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked(now)
    prepare = carrier.TwilioProvider.prepare

    def prepare_and_switch(line: Any, text: Any) -> Any:
        SmsAccount.objects.update(is_on=False)
        return prepare(line, text)

    monkeypatch.setattr(carrier.TwilioProvider, "prepare", prepare_and_switch)
    deliver(now)
    assert (only().state, only().reason, twilio.requests) == (State.PENDING, "channel_off", [])
