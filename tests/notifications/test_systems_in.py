"""What another system tells us: only restricts, once, signed and timely; and never ends in a crash."""

import base64
import datetime as dt
import hashlib
import hmac
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import addresses, consent
from clients.models import Client, ConsentEvent, Standing
from notifications import dispatch, planner
from notifications.models import Message, ProviderEvent, State
from notifications.systems import managing, planning, signing
from notifications.systems.models import Delivery, OtherSystem, Received
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications import workers

pytestmark = pytest.mark.django_db
SECRET = signing.new_secret()
_numbers = itertools.count()


@pytest.fixture
def system(sending_salon: Salon) -> OtherSystem:
    return factories.other_system(secret=SECRET)


def signature(event_id: str, moment: int | str, body: bytes, secret: str = SECRET) -> str:
    """Return a signature as the other system makes it: from the specification, not from our code."""
    key = base64.b64decode(secret.partition("_")[2])
    return "v1," + base64.b64encode(hmac.new(key, f"{event_id}.{moment}.".encode() + body, hashlib.sha256).digest()).decode()


def send(system: OtherSystem, event: Any, **changes: Any) -> Any:
    """Send an event as that system does, but for `changes` of what it sends."""
    body = changes.pop("body", None) or (event if isinstance(event, bytes) else json.dumps(event).encode())
    event_id = changes.pop("event_id", f"evt_{next(_numbers)}")
    moment = changes.pop("moment", int(time.time()))
    said = changes.pop("signature", signature(event_id, moment, body))
    headers = {"webhook-id": event_id, "webhook-timestamp": str(moment), "webhook-signature": said} | changes.pop("headers", {})
    browser = Browser(enforce_csrf_checks=True, headers=headers, raise_request_exception=not changes.pop("is_calm", False))
    return browser.post(
        f"/hooks/preferences/{changes.pop('public_id', system.public_id)}/", changes.pop("sent", body),
        content_type=changes.pop("content_type", "application/json"),
    )  # fmt: skip


def no(client: dict[str, Any], kind: str = "marketing", channel: str = "email", word: str = "no") -> dict[str, Any]:
    return {"type": "client.preferences.changed", "data": {"client": client, "preferences": {kind: {channel: word}}}}


def state(client: Client, purpose: str = "mkt.promotion", channel: str = "email") -> str:
    return consent.standing(client, purpose, channel)


def said_yes(client: Client) -> Client:
    consent.record(client, purpose="mkt.promotion", channel="email", event="grant", source="preference_page")
    return client


def test_a_no_counts_at_once_for_every_card_at_the_address(system: OtherSystem) -> None:
    mother, child = (said_yes(factories.client(email=email)) for email in ("home@example.org", "HOME@example.org"))
    other = said_yes(factories.client())
    assert {state(card) for card in (mother, child, other)} == {"granted"}
    answer = send(system, no({"email": "Home@example.org"}))
    assert (answer.status_code, answer.json()) == (200, {"result": "recorded"})
    assert [state(card) for card in (mother, child, other)] == ["withdrawn", "withdrawn", "granted"]
    line = ConsentEvent.objects.filter(subject__client=mother).latest("pk")
    assert (line.event, line.source, line.actor_type, line.evidence_level) == ("object", "api", "client", 0)
    assert addresses.is_shut("email", addresses.hash_of("email", "home@example.org"))
    # A tick by somebody at the desk does not open it again: the client said it.
    consent.record(mother, purpose="mkt.promotion", channel="email", event="grant", source="in_person")
    assert state(mother) == "withdrawn"


def test_a_no_finds_every_spelling_and_hashes_no_card_of_others(system: OtherSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    spellings = ["Zoé@müller.example", "zoé@xn--mller-kva.example", "ZOÉ@MÜLLER.example"]
    cards = [said_yes(factories.client(email=email)) for email in spellings]
    monkeypatch.setattr(addresses, "holders", None)
    for email in ("zoé@müller.example", "Zoé@xn--mller-kva.example"):
        assert {card.pk for card in cards} == set(addresses.cards_at("email", email).values_list("pk", flat=True))
    send(system, no({"email": "anna@xn--mller-kva.example", "phone": "+33612345678"}))
    assert {state(card) for card in cards} == {"granted"}


def test_a_client_is_found_by_number_phone_and_the_card_that_took_theirs_in(system: OtherSystem) -> None:
    ann, ben, taken = factories.client(phone="+33612345678"), factories.client(), factories.client(first_name="T")
    Client.objects.filter(pk=taken.pk).update(erased_at=timezone.now(), merged_into=ben)
    assert send(system, no({"phone": "06 12 34 56 78"}, "promotion", "sms")).json() == {"result": "recorded"}
    assert send(system, no({"id": str(taken.pk)}, "reminder")).json() == {"result": "recorded"}
    assert (state(ann, channel="sms"), state(ben, "svc.reminder"), state(ann)) == ("withdrawn", "withdrawn", "unknown")


def test_a_no_to_an_address_that_no_card_has_yet_holds_for_the_one_that_gets_it(system: OtherSystem) -> None:
    assert send(system, no({"email": "later@example.org"})).json() == {"result": "recorded"}
    assert addresses.is_shut("email", addresses.hash_of("email", "later@example.org"))


def test_a_yes_opens_nothing_and_the_answer_says_so(system: OtherSystem) -> None:
    client = factories.client(email="ann@example.org")
    answer = send(system, no({"email": "ann@example.org"}, "promotion", word="yes"))
    assert (answer.status_code, answer.json()["result"], answer.json()["ignored"]) == (200, "nothing_to_do", 1)
    assert (state(client), ConsentEvent.objects.count()) == ("unknown", 0)
    both = no({"email": "ann@example.org"}, "promotion", word="yes")
    both["data"]["preferences"]["review"] = {"email": "no", "sms": "not_asked"}
    assert send(system, both).json()["result"] == "recorded"
    assert (state(client), state(client, "mkt.review")) == ("unknown", "withdrawn")


def test_the_sender_is_not_told_its_own_news_and_no_loop_begins(system: OtherSystem) -> None:
    other, by_hand = factories.other_system(name="Shop"), factories.other_system(way="by_hand")
    client = said_yes(factories.client(email="ann@example.org"))
    planning.plan(timezone.now())
    Delivery.objects.all().delete()
    send(system, no({"email": "ann@example.org"}))
    planning.plan(timezone.now())
    assert sorted(Delivery.objects.values_list("system", flat=True)) == sorted([other.pk, by_hand.pk])
    assert Delivery.objects.get(system=other).origin_id == system.pk
    # The shop says the same back, and the first once more: nothing changes, so nobody is told and the ledger does not grow.
    lines = ConsentEvent.objects.count()
    Delivery.objects.all().delete()
    for one in (other, system):
        OtherSystem.objects.filter(pk=one.pk).update(secret=OtherSystem.objects.get(pk=system.pk).secret)
        assert send(one, no({"email": "ann@example.org"})).json() == {"result": "recorded"}
    planning.plan(timezone.now())
    assert (Delivery.objects.count(), ConsentEvent.objects.count(), state(client)) == (0, lines, "withdrawn")


def test_what_comes_twice_counts_once_and_each_system_has_ids_of_its_own(system: OtherSystem) -> None:
    client = factories.client(email="ann@example.org")
    body = no({"email": "ann@example.org"}, "promotion")
    assert send(system, body, event_id="evt_same").json() == {"result": "recorded"}
    consent.record(client, purpose="mkt.promotion", channel="email", event="grant", source="paper_form")
    assert send(system, body, event_id="evt_same").json() == {"result": "duplicate"}
    assert (state(client), Received.objects.count()) == ("granted", 1)
    second = factories.other_system(name="Shop", secret=SECRET)
    assert send(second, body, event_id="evt_same").json() == {"result": "recorded"}
    assert state(client) == "withdrawn"


def test_forged_stale_and_foreign_requests_change_nothing(system: OtherSystem) -> None:
    client = factories.client(email="ann@example.org")
    event, now = no({"email": "ann@example.org"}), int(time.time())
    body = json.dumps(event).encode()
    cases: list[tuple[int, str, dict[str, Any]]] = [
        (401, "bad_signature", {"signature": signature("evt", now, body, signing.new_secret()), "event_id": "evt"}),
        (401, "bad_signature", {"signature": signature("evt_other", now, body), "event_id": "evt"}),
        (401, "bad_signature", {"sent": body + b" "}),
        (401, "bad_signature", {"signature": "v1a," + signature("x", now, body)[3:]}),
        (401, "bad_signature", {"signature": "é"}),
        (401, "stale", {"moment": now - 302}),
        (401, "stale", {"moment": now + 310}),
        (400, "bad_timestamp", {"moment": "1e9"}),
        (400, "bad_timestamp", {"moment": "-5"}),
        (400, "bad_id", {"event_id": "x" * 101}),
        (400, "missing_header", {"headers": {"webhook-id": ""}}),
        (400, "missing_header", {"headers": {"webhook-signature": ""}}),
        (404, "unknown_address", {"public_id": "nobody"}),
        (415, "content_type", {"content_type": "text/xml"}),
    ]
    for status, code, changes in cases:
        answer = send(system, event, **changes)
        assert (answer.status_code, answer.json()["error"]) == (status, code), changes
    assert (state(client), Received.objects.count(), ConsentEvent.objects.count()) == ("unknown", 0, 0)
    assert send(system, event, moment=now - 290).status_code == 200  # control
    assert state(client) == "withdrawn"
    assert Browser().get(f"/hooks/preferences/{system.public_id}/").status_code == 405


def test_nonsense_is_answered_as_nonsense_and_too_much_is_not_read(system: OtherSystem) -> None:
    good = {"email": "ann@example.org"}
    hostile: list[Any] = [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 9000, b'{"type": 1}', b'{"a": ' * 2500,
        {"type": "client.preferences.changed"},
        {"type": "client.preferences.changed", "data": []}, no({}), no({"email": 7}), no({"email": "ann"}), no({"email": ["a"]}),
        no({"phone": "1"}), no({"phone": "\u0000"}), no({"id": "-1"}), no({"id": "²"}), no({"id": "9" * 30}), no({"id": 12}),
        no({"email": "a\ud800@example.org"}), no({"email": "ann@example.org\u0000"}), no({"email": "x" * 300 + "@example.org"}),
        no(good, "everything"), no(good, "health_notes"), no(good, channel="*"), no(good, word="NO"), no(good, word=None),  # type: ignore[arg-type]
    ]  # fmt: skip
    for event in hostile:
        answer = send(system, event)
        assert answer.status_code in {400, 401, 422}, event
        assert set(answer.json()) == {"error", "message"}
    assert send(system, no({"id": "999999999999999999"})).json() == {"result": "recorded"}  # nobody: and that is not told
    assert (ConsentEvent.objects.count(), Received.objects.count()) == (0, 1)
    large = no({**good, "x": "y" * 17_000})
    assert send(system, large).status_code == 413
    for body in (b"{}", b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb", b"--x--", b"--x\r\n\xff\xff: a\r\n\r\n"):
        for content_type in ("multipart/form-data; boundary=x", "multipart/form-data; boundary=\u00e9", "multipart/form-data"):
            assert send(system, body, content_type=content_type).status_code in {400, 415, 422}


def test_a_system_that_is_switched_off_is_still_heard_and_both_secrets_are_taken_for_a_day(
    system: OtherSystem, owner: User
) -> None:
    client = factories.client(email="ann@example.org")
    managing.switch(system, is_on=False, by=owner, now=timezone.now())
    managing.rotate(system, by=owner, now=timezone.now())
    assert send(system, no({"email": "ann@example.org"}, "promotion")).status_code == 200
    assert state(client) == "withdrawn"
    OtherSystem.objects.update(old_until=timezone.now() - dt.timedelta(seconds=1))
    assert send(system, no({"email": "ann@example.org"})).json()["error"] == "bad_signature"
    facts = AuditEvent.objects.get(action="system.told_us").facts
    assert facts == {"count": 1, "ignored_count": 0}


def test_a_failure_of_ours_asks_for_another_try_and_leaves_nothing_half_done(
    system: OtherSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = factories.client(email="ann@example.org")

    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    event = no({"email": "ann@example.org"})
    with monkeypatch.context() as patch:
        patch.setattr(addresses, "stop", broken)
        answer = send(system, event, event_id="evt_1", is_calm=True)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "120")
    assert (Received.objects.count(), Standing.objects.count()) == (0, 0)
    assert send(system, event, event_id="evt_1").json() == {"result": "recorded"}
    assert state(client) == "withdrawn"


def test_a_no_from_another_system_stops_a_waiting_message(system: OtherSystem, fake: FakeProvider, salon: Salon) -> None:
    salon.time_zone = workers.midday_zone()
    salon.save()
    kept, stopped = workers.reminders(2)
    assert stopped.client is not None
    answer = send(system, no({"email": stopped.client.email}, "reminder"))
    assert answer.json() == {"result": "recorded"}
    dispatch.deliver_due()  # before any planner had time to look
    states = {row.pk: row.state for row in Message.objects.all()}
    assert states == {kept.pk: State.ACCEPTED, stopped.pk: State.SUPPRESSED}


# --- what the mail provider reports, told by a system of the salon --------------------------------------------------


def a_mail(fake: FakeProvider) -> tuple[Message, str]:
    """Return a confirmation that left, and its Message-ID."""
    now = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
    factories.appointment(
        client=factories.client(email="ann@example.org"), start_at=now + dt.timedelta(hours=25), is_notice_wanted=False,
        time_set_at=now - dt.timedelta(days=9),
    )  # fmt: skip
    planner.plan(now)
    dispatch.deliver_due(now=now)
    return Message.objects.get(), fake.delivered[0].message_id


def mail(kind: str, message_id: str, recipient: str = "ann@example.org", **more: Any) -> dict[str, Any]:
    return {"type": kind, "data": {"message_id": message_id, "recipient": recipient, **more}}


def test_a_mail_that_came_back_is_told_by_a_system_once(system: OtherSystem, fake: FakeProvider) -> None:
    message, known = a_mail(fake)
    for _ in range(2):
        answer = send(system, mail("mail.bounced", known, status="5.1.1"))
        assert (answer.status_code, answer.json()) == (200, {"result": "recorded"})
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.BOUNCED, "returned_5.1.1")
    assert addresses.is_undeliverable("email", "ann@example.org")
    assert ProviderEvent.objects.count() == 1


def test_a_complaint_is_told_by_a_system_and_not_told_back(system: OtherSystem, fake: FakeProvider) -> None:
    _message, known = a_mail(fake)
    assert send(system, mail("mail.complained", known)).json() == {"result": "recorded"}
    assert ConsentEvent.objects.get().event == "complaint"
    assert addresses.is_shut("email", addresses.hash_of("email", "ann@example.org"))
    planning.plan(timezone.now())
    assert not Delivery.objects.filter(system=system).exists()


def test_what_a_system_told_of_a_mail_stands_in_the_activity(
    system: OtherSystem, fake: FakeProvider, signed_in: Callable[[Role], Browser]
) -> None:
    """Like a No that it told; what is not ours is nobody's act here."""
    _message, known = a_mail(fake)
    send(system, mail("mail.bounced", "<m.1.a@b>", status="5.1.1"))
    assert not AuditEvent.objects.filter(action="system.told_us").exists()
    send(system, mail("mail.bounced", known, status="5.1.1"))
    send(system, mail("mail.complained", known))
    lines = AuditEvent.objects.filter(action="system.told_us").order_by("pk")
    assert [(one.subject_id, one.by, one.facts) for one in lines] == [
        (system.pk, None, {"event": "mail.bounced"}), (system.pk, None, {"event": "mail.complained"}),
    ]  # fmt: skip
    page = signed_in(Role.OWNER).get("/settings/activity/").content.decode()
    assert "heard from another system that an e-mail came back" in page
    assert "heard from another system that somebody called an e-mail spam" in page


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"recipient": "ben@example.org"}, 200), ({"message_id": "<m.1.a@b>"}, 200), ({"status": "2.0.0"}, 422),
        ({"status": None}, 422), ({"message_id": 7}, 422), ({"recipient": ""}, 422), ({"recipient": ["a"]}, 422),
    ],
)  # fmt: skip
def test_what_is_not_about_a_mail_of_ours_changes_nothing(
    system: OtherSystem, fake: FakeProvider, change: dict[str, Any], status: int
) -> None:
    message, known = a_mail(fake)
    event = mail("mail.bounced", known, status="5.1.1")
    event["data"] |= change
    answer = send(system, event)
    assert (answer.status_code, answer.json().get("result")) == (status, "nothing_to_do" if status == 200 else None)
    message.refresh_from_db()
    assert (message.state, ProviderEvent.objects.count()) == (State.ACCEPTED, 0)
    assert not addresses.is_undeliverable("email", "ann@example.org")
    unsigned = send(system, mail("mail.bounced", known, status="5.1.1"), signature="v1,AAAA")
    assert unsigned.status_code == 401
