"""Promotions from the button to the mail: who gets it, who does not and why, and how it is stopped."""

import datetime as dt
import re

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from clients import addresses
from clients.models import Client
from notifications import audience, campaigns, composing, dispatch, facts, filling, gate, outbox, planner, results, why
from notifications.campaigns import Words
from notifications.models import MARKETING, TOLD, Attempt, Campaign, Message, State
from notifications.models import Campaign as Row
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories, people
from tests.fakes.provider import FakeProvider
from tests.notifications import gate_oracle
from tests.notifications.marketing import AFTER_UNDO, WORDS, says, send, waiting, willing

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


def tick(now: dt.datetime) -> None:
    planner.plan(now)
    dispatch.deliver_due(now=now)


def reasons(campaign: Row) -> dict[int | None, str]:
    return dict(campaign.recipients.values_list("client_id", "reason"))


def test_only_those_who_said_yes_get_it_once_and_the_rest_is_told_why(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    yes, other = willing(now, email="yes@example.org"), willing(now, email="other@example.org")
    no, unasked, bare = factories.client(), factories.client(), willing(now, email="")
    says(no, "withdraw", now - DAY, source="phone", by=owner)
    campaign = send(yes, other, no, unasked, bare, by=owner, now=now)
    assert reasons(campaign) == {
        yes.pk: "", other.pk: "", no.pk: "consent_missing", unasked.pk: "consent_missing", bare.pk: "no_address",
    }  # fmt: skip
    tick(now + dt.timedelta(seconds=5))
    assert fake.delivered == [], "within the wait for Undo"
    for _ in range(3):
        tick(now + AFTER_UNDO)
    assert sorted(fake.recipients) == ["other@example.org", "yes@example.org"]
    campaign.refresh_from_db()
    assert campaign.state == Row.State.DONE
    rows = {row.client.pk: row for row in results.rows_of(campaign, now) if row.client}
    assert rows[no.pk].why == "No since 23 Nov 2026 (By phone, by Olivia Moreau)."
    assert rows[unasked.pk].why == "Not asked."
    assert rows[yes.pk].badge == "ok"
    summary = results.summaries([campaign])[0]
    assert (summary.sent, summary.waiting, summary.left_out, summary.trouble) == (2, 0, 3, 0)
    assert [event.facts for event in AuditEvent.objects.filter(action="campaign.sent")] == [
        {"kind": "promotion", "clients_count": 5, "chosen_count": 2}
    ]


def test_the_decision_is_stored_with_the_hand_over_and_can_be_taken_again(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    """I-16."""
    send(willing(now), by=owner, now=now)
    tick(now + AFTER_UNDO)
    stored = Attempt.objects.get().decision
    assert (stored["kind"], stored["consent"], stored["marketing_day_count"]) == ("promotion", "granted", 0)
    assert len(stored["event_ids"]) == 1
    assert stored["is_automatic"] is False, "no switch of the salon opens or shuts it"


def test_the_same_form_twice_is_one_campaign(sending_salon: Salon, owner: User, reception: User, now: dt.datetime) -> None:
    client = willing(now)
    first = send(client, by=owner, now=now)
    assert send(client, by=owner, now=now) == first
    assert Row.objects.count() == 1
    with pytest.raises(Refused):
        send(client, by=reception, now=now)


def test_undo_within_the_wait_sends_nothing_before_and_after_the_planners_turn(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    clients = [willing(now) for _ in range(3)]
    early, late = send(*clients, by=owner, now=now, key="a"), send(*clients, by=owner, now=now, key="b")
    assert campaigns.stop(early, by=owner, now=now) == 3
    planner.plan(now)
    assert campaigns.stop(late, by=owner, now=now) == 3
    tick(now + AFTER_UNDO)
    assert fake.delivered == []
    assert set(Message.objects.values_list("state", "reason")) == {(State.CANCELLED, "halted")}
    assert Message.objects.filter(campaign=early).count() == 0
    for campaign in (early, late):
        assert results.summaries([campaign])[0].left_out == 3
        assert {row.why for row in results.rows_of(campaign, now)} == {"The promotion was stopped."}
        with pytest.raises(Refused):
            campaigns.stop(campaign, by=owner, now=now)


def test_stop_reaches_what_a_sender_has_claimed_already(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    campaign = send(*[willing(now) for _ in range(4)], by=owner, now=now)
    planner.plan(now + AFTER_UNDO)
    fake.before_deliver = lambda envelope: stop_once()

    def stop_once() -> None:
        if Row.objects.get().state != Row.State.STOPPED:
            campaigns.stop(campaign, by=owner, now=now)

    dispatch.deliver_due(now=now + AFTER_UNDO)
    assert len(fake.delivered) == 1, "the one that was on its way"
    states = sorted(Message.objects.values_list("state", "reason"))
    assert states == [(State.ACCEPTED, ""), *[(State.CANCELLED, "halted")] * 3]


def test_a_no_between_the_button_and_the_hand_over_counts(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    """I-03."""
    before, meanwhile = willing(now), willing(now)
    campaign = send(before, meanwhile, by=owner, now=now)
    says(before, "withdraw", now + dt.timedelta(seconds=1), source="one_click_post")
    planner.plan(now + dt.timedelta(seconds=2))
    assert list(Message.objects.values_list("client", flat=True)) == [meanwhile.pk]
    says(meanwhile, "withdraw", now + dt.timedelta(seconds=3), source="one_click_post")
    dispatch.deliver_due(now=now + AFTER_UNDO)
    assert fake.delivered == []
    planner.plan(now + AFTER_UNDO)
    campaign.refresh_from_db()
    assert campaign.state == Row.State.DONE
    assert reasons(campaign)[before.pk] == "consent_missing", "nobody is left without a word"
    assert Message.objects.get().reason == "consent_missing"


def test_the_planner_takes_back_what_waits_and_lets_it_wait_again_once_that_is_undone(
    sending_salon: Salon, owner: User, now: dt.datetime
) -> None:
    client = willing(now)
    send(client, by=owner, now=now)
    planner.plan(now)
    Client.objects.update(inactive_at=now)
    planner.plan(now)
    assert Message.objects.get().reason == "inactive"
    Client.objects.update(inactive_at=None)
    planner.plan(now)
    assert Message.objects.get().state == State.PENDING


def test_one_address_gets_a_campaign_once_however_many_cards_have_it(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    """I-29, at the page, at the hand-over, and in the database."""
    mother, child = (willing(now, email=address) for address in ("Family@example.org", "family@EXAMPLE.org"))
    campaign = send(mother, child, by=owner, now=now)
    assert sorted(reasons(campaign).values()) == ["", "same_address"]
    for client in (mother, child):  # as if the planner had forgotten
        waiting(client, campaign, now)
    for _ in range(2):
        tick(now + AFTER_UNDO)
    assert len(fake.delivered) == 1
    told, forced = Message.objects.get(state=State.ACCEPTED), Message.objects.get(state=State.CANCELLED)
    assert forced.reason == "duplicate"
    Message.objects.filter(pk=forced.pk).update(state=State.PENDING, reason="")
    Message.objects.filter(pk=forced.pk).update(state=State.CLAIMED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=forced.pk).update(state=State.HANDOFF, address_hmac=told.address_hmac)


def test_two_cards_share_an_address_and_one_objected_to_advertising(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    """C12, I-24: the stop is the address's, also for a card that comes after it."""
    angry, other = (willing(now, email="both@example.org") for _ in range(2))
    says(angry, "object", now - DAY, purpose="*", source="preference_page")
    late = willing(now, email="both@example.org")
    with pytest.raises(Refused):
        send(angry, other, late, by=owner, now=now)
    seats = audience.look([angry, other, late], WORDS.draft(), sending_salon, now)
    assert {seat.reason for seat in seats} == {"marketing_objection"}
    assert seats[0].sentence == "No since 23 Nov 2026 (Preference page)."
    campaign = send(willing(now), by=owner, now=now)
    for client in (angry, other, late):
        waiting(client, campaign, now)
    dispatch.deliver_due(now=now)
    assert fake.recipients == []


def test_a_second_promotion_within_a_day_and_a_fifth_within_a_month_are_too_many(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    client = willing(now)
    send(client, by=owner, now=now)
    tick(now + AFTER_UNDO)
    with pytest.raises(Refused):
        send(client, by=owner, now=now, key="again")
    assert "less than 24 hours ago" in why.answers(client, now)[-1].sentence
    first = Message.objects.get()
    real = dt.datetime.now(dt.UTC)
    for days, is_open in ((2, True), (7, True), (14, True), (29, False)):
        Message.objects.filter(pk=first.pk).update(handoff_at=real - days * DAY)
        assert send(client, by=owner, now=now, key=f"n{days}").state == Row.State.WAITING if is_open else True
        if not is_open:
            with pytest.raises(Refused):
                send(client, by=owner, now=now, key="fifth")
            break
        Message.objects.create(
            kind="welcome", channel="email", client=client, occasion=f"w{days}", state=State.ACCEPTED, not_before=now,
            expires_at=now, address_hmac=first.address_hmac, handoff_at=real - (days + 1) * DAY,
        )  # fmt: skip
    assert why.answers(client, now)[-1].sentence == "No promotion. Had 4 advertising messages in 30 days."


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"blacklisted_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "blacklisted"),
        ({"inactive_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}, "inactive"),
        ({"birth_year": 2014, "birth_month": 5, "birth_day": 1}, "minor"),
        ({"first_name": ""}, "no_first_name"),
    ],
)
def test_each_is_left_out_for_the_gates_own_reason(
    sending_salon: Salon, now: dt.datetime, fields: dict[str, object], reason: str
) -> None:
    (seat,) = audience.look([willing(now, **fields)], WORDS.draft(), sending_salon, now)
    assert (seat.reason, bool(seat.sentence)) == (reason, True)


def test_without_a_public_address_nothing_is_sent_and_the_reason_is_that(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    client = willing(now)
    campaign = send(client, by=owner, now=now)
    planner.plan(now)
    Salon.objects.update(public_url="http://salon.example")
    assert why.answers(client, now)[-1].reasons == ("no_public_address",)
    dispatch.deliver_due(now=now + AFTER_UNDO)
    assert Message.objects.get(campaign=campaign).reason == "no_public_address"
    with pytest.raises(Refused):
        send(client, by=owner, now=now, key="again")


def test_messages_about_visits_do_not_read_what_only_advertising_needs(
    sending_salon: Salon, fake: FakeProvider, now: dt.datetime, django_assert_max_num_queries: object
) -> None:
    factories.appointment(start_at=now + 3 * DAY, time_set_at=now - dt.timedelta(hours=1))
    planner.plan(now)
    dispatch.deliver_due(now=now)
    stored = Attempt.objects.get().decision
    assert (stored["has_public_address"], stored["is_minor"]) == (False, False), "never asked"


@pytest.mark.parametrize("text", ["{service}", "{first_name.x}", "{0}", "{", "}", "{{salon}}", "{first_name!r}"])
def test_a_brace_that_stands_for_nothing_is_refused(sending_salon: Salon, owner: User, now: dt.datetime, text: str) -> None:
    for words in (Words(text, "x"), Words("x", text), Words("x", "x", None, text)):
        with pytest.raises(Refused) as refused:
            send(willing(now), by=owner, now=now, words=words)
        assert "{first_name}" in refused.value.message


def test_what_a_client_is_called_is_never_read_as_a_placeholder(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    client = willing(now, first_name="{salon} [a|b] {offer_text}")
    words = Words("Hi {first_name}\r\nBcc: all@example.org", "Dear [you|me], {first_name}\r\n.\r\nBye\x0b")
    send(client, by=owner, now=now, words=words)
    tick(now + AFTER_UNDO)
    row = Message.objects.get()
    assert row.title == "Hi {salon} [a|b] {offer_text} Bcc: all@example.org"
    assert "Dear [you|me], {salon} [a|b] {offer_text}\n.\nBye" in row.body
    head = fake.delivered[0].raw.split(b"\r\n\r\n")[0]
    assert b"\r\nBcc" not in head


def test_nobody_too_many_and_another_number_than_was_shown_are_refused(
    sending_salon: Salon, owner: User, now: dt.datetime
) -> None:
    client = willing(now)
    for clients in ([], [client] * (campaigns.LIMIT + 1), [factories.client()]):
        with pytest.raises(Refused):
            send(*clients, by=owner, now=now)
    with pytest.raises(Refused) as refused:
        send(client, factories.client(), by=owner, now=now, expected=2)
    assert "1 client would get it now" in refused.value.message
    assert not Row.objects.exists()


def test_an_offer_that_is_over_is_not_sent_any_more(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    campaign = send(willing(now), by=owner, now=now, words=Words("x", "x", now.date()))
    midnight = dt.datetime(2026, 11, 24, 23, tzinfo=dt.UTC)
    assert campaign.expires_at == midnight
    tick(midnight)
    campaign.refresh_from_db()
    assert (fake.delivered, campaign.state, list(reasons(campaign).values())) == ([], "done", ["expired"])


def test_at_night_it_waits_for_the_morning_and_the_page_says_so(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    night, morning = now.replace(hour=21), dt.datetime(2026, 11, 25, 6, tzinfo=dt.UTC)
    client = willing(now)
    with timezone.override(sending_salon.zone):
        shown = composing.compose([client], sending_salon, WORDS, night).context()
    assert (shown["night_until"], shown["send_label"]) == (morning, "Send 1 e-mail on Wed 25 Nov, 07:00")
    campaign = send(client, by=owner, now=night)
    assert campaign.not_before == morning, "what the page said is what is written down"
    tick(night + AFTER_UNDO)
    assert fake.delivered == []
    tick(morning)
    assert len(fake.delivered) == 1


def test_by_day_the_button_names_no_time_and_a_chosen_time_is_named(sending_salon: Salon, now: dt.datetime) -> None:
    client, later = willing(now), now + DAY
    with timezone.override(sending_salon.zone):
        by_day = composing.compose([client], sending_salon, WORDS, now).context()
        chosen = composing.compose([client], sending_salon, WORDS, now, at=later).context()
    assert (by_day["night_until"], by_day["send_label"]) == (None, "Send 1 e-mail")
    assert (chosen["night_until"], chosen["send_label"]) == (None, "Send 1 e-mail on Wed 25 Nov, 10:00")


def test_an_offer_that_ends_before_the_morning_is_refused(sending_salon: Salon, owner: User, now: dt.datetime) -> None:
    night = now.replace(hour=21)
    with pytest.raises(Refused) as refused:
        send(willing(now), by=owner, now=night, words=Words("x", "x", now.date()))
    assert refused.value.field == "valid_until"


def test_sms_wait_for_the_end_of_a_holiday(sending_salon: Salon, now: dt.datetime) -> None:
    """Christmas is a Friday; on Saturday morning in Paris SMS leave again."""
    eve = dt.datetime(2026, 12, 24, 20, tzinfo=dt.UTC)
    draft = Words("", "x", channel="sms").draft()
    assert campaigns.begins(draft, sending_salon, eve) == dt.datetime(2026, 12, 26, 7, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "with_name", "without"),
    [
        ("Hello[ {first_name}|], come.", "Hello Zoé, come.", "Hello, come."),
        ("[Dear {first_name}|Dear guest],\n{salon}", "Dear Zoé,\nAtelier Nord", "Dear guest,\nAtelier Nord"),
        ("[Tue|Wed] at {salon} [sic]", "[Tue|Wed] at Atelier Nord [sic]", "[Tue|Wed] at Atelier Nord [sic]"),
        ("For {first_name}", "For Zoé", None),
    ],
)
def test_placeholders_are_written_as_in_texts_and_old_words_still_read(text: str, with_name: str, without: str | None) -> None:
    assert filling.own(text, {"first_name": "Zoé", "salon": "Atelier Nord"}) == with_name
    if without is not None:
        assert filling.own(text, {"first_name": "", "salon": "Atelier Nord"}) == without
        return
    with pytest.raises(filling.TemplateError):
        filling.own(text, {"first_name": "", "salon": "Atelier Nord"})


def test_nobody_is_left_out_of_a_promotion_that_names_them_where_they_have_a_name(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    """What the button inserts leaves the name out; the bare placeholder of an old text still leaves the client out."""
    named, nameless = willing(now, first_name="Zoé"), willing(now, first_name="")
    words = Words("News", f"Hello{filling.inserted('first_name')}, come and see us.")
    send(named, nameless, by=owner, now=now, words=words)
    tick(now + AFTER_UNDO)
    assert sorted(re.findall(r"Hello.*", "\n".join(Message.objects.values_list("body", flat=True)))) == [
        "Hello Zoé, come and see us.", "Hello, come and see us.",
    ]  # fmt: skip
    old = audience.look([named, nameless], Words("News", "Hello {first_name}, hi.").draft(), sending_salon, now + 40 * DAY)
    assert [seat.reason for seat in old] == ["", "no_first_name"]


def test_on_hold_it_waits_and_nobody_is_left_out_for_it(salon: Salon, owner: User, now: dt.datetime) -> None:
    Salon.objects.update(delivery="hold")
    campaign = send(willing(now), by=owner, now=now)
    planner.plan(now)
    assert list(reasons(campaign).values()) == [""]
    assert Message.objects.get().state == State.PENDING


def test_what_counts_as_advertising_is_said_once() -> None:
    assert set(MARKETING) == gate_oracle.MARKETING
    assert set(outbox.TOLD) == set(TOLD)
    assert (gate.DAY, gate.MONTH) == (DAY, 30 * DAY)
    assert campaigns.TABLE.is_final(Campaign.State.DONE)


def test_what_an_address_had_lately_is_counted_to_the_minute(sending_salon: Salon, now: dt.datetime) -> None:
    """I-23: sliding windows of 24 hours and 30 days, by the clock of the database that hand-overs are stamped with."""
    client, real = willing(now), dt.datetime.now(dt.UTC)
    message = waiting(client, send(client, by=people.user_with(Role.OWNER), now=now), now)
    for minutes in (10, 23 * 60 + 58, 24 * 60 + 1, 29 * 24 * 60, 30 * 24 * 60 + 1):
        Message.objects.create(
            kind="welcome", channel="email", occasion=str(minutes), state=State.ACCEPTED, not_before=now, expires_at=now,
            address_hmac=addresses.hash_of("email", client.email), handoff_at=real - dt.timedelta(minutes=minutes),
        )  # fmt: skip
    read = facts.look(message).advertising
    assert read is not None
    assert (read.day_count, read.month_count, read.same_count) == (2, 4, 0)
