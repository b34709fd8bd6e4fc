"""Promotions to many: who gets one is asked for all at once, written down some at a time, stopped and taken up again."""

import datetime as dt
import random
from typing import Any

import pytest
from django.http import QueryDict

from clients import consent, lists, selection
from clients.models import Address, Client, ConsentEvent
from notifications import audience, campaigns, carrying, chosen, composing, dispatch, facts, gate, planner, results, tally
from notifications.models import Campaign, Message, State
from salon.core.errors import Refused
from salon.core.models import Notice, Salon, User
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications.marketing import AFTER_UNDO, WORDS, says, send, willing

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few are many: written down by the planner, four at a time."""
    monkeypatch.setattr(campaigns, "HERE_MOST", 3)
    monkeypatch.setattr(chosen, "CHUNK", 4)


def tick(now: dt.datetime) -> None:
    planner.plan(now)
    dispatch.deliver_due(now=now)


def some_of_all(now: dt.datetime, by: User) -> list[Client]:
    """Return clients of every sort the gate tells apart, thrown together by a fixed seed."""
    rng, found = random.Random(7), []
    for number in range(60):
        client = factories.client(email=rng.choice(["", *(f"c{n}@example.org" for n in range(45))]))
        for event in rng.choice([(), ("grant",), ("grant",), ("grant", "withdraw"), ("deny",), ("pending",)]):
            says(client, event, now - (20 - number % 5) * DAY, by=by, source="in_person")
            now += dt.timedelta(seconds=1)
        stops: dict[str, Any] = rng.choice(
            [{}, {}, {}, {"inactive_at": now}, {"blacklisted_at": now}, {"restricted_at": now}, {"birth_year": 2015}]
        )
        stops |= rng.choice([{}, {}, {"marketing_paused_until": now + 3 * DAY}]) if not stops else {}
        Client.objects.filter(pk=client.pk).update(**stops)
        found.append(Client.objects.get(pk=client.pk))
    told = [one for one in found if one.email][:6]
    for one in told:
        hmac = consent.address_hash(one, "email")
        Message.objects.create(
            kind="welcome", channel="email", client=one, occasion="w", state=State.ACCEPTED, not_before=now, expires_at=now,
            address_hmac=hmac, handoff_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=3),
        )  # fmt: skip
    for one, scope in zip([one for one in found if one.email][6:12], ["all", "marketing", "delivery"] * 2, strict=True):
        hmac = consent.address_hash(one, "email")
        Address.objects.update_or_create(channel="email", hmac=hmac, defaults={"scope": scope, "reason": "stop"})
    return found


def by_the_gate(client: Client, salon: Salon, now: dt.datetime) -> str:
    """The oracle: the rows of this client alone, read as for a hand-over, and the gate's first reason."""
    message = Message(kind="promotion", channel="email", client=client, not_before=now, expires_at=now + 10 * DAY)
    decision = gate.decide(facts.gather(message, facts.look(message)), now)
    return decision.reasons[0] if isinstance(decision, gate.Refuse) else ""


def test_who_gets_it_is_what_the_gate_says_client_by_client(sending_salon: Salon, owner: User, now: dt.datetime) -> None:
    people = some_of_all(now, owner)
    seats = audience.look(people, WORDS.draft(), sending_salon, now)
    expected, taken = [], set[str]()
    for client in people:
        reason, address = by_the_gate(client, sending_salon, now), client.email.lower()
        expected.append(reason or ("same_address" if address in taken else ""))
        taken |= set() if reason else {address}
    assert [seat.reason for seat in seats] == expected
    assert len(set(expected)) >= 9, "or there is nothing to tell apart"


def test_the_statements_do_not_grow_with_the_people(
    sending_salon: Salon, owner: User, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    people = [willing(now) for _ in range(40)]
    with django_assert_max_num_queries(10):
        assert all(seat.is_in for seat in audience.look(people, WORDS.draft(), sending_salon, now))


def test_many_are_written_down_by_the_planner_and_get_it_once(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [willing(now, email=f"c{n % 9}@example.org") for n in range(10)] + [factories.client() for _ in range(3)]
    campaign = send(*people, by=owner, now=now, expected=9)
    assert (campaign.recipients.count(), len(campaign.todo), campaign.meant_count) == (0, 13, 9)
    (summary,) = results.summaries([campaign])
    assert (summary.waiting, summary.left_out, summary.chosen) == (9, 4, 13)
    write = chosen.write
    monkeypatch.setattr(chosen, "write", lambda *args: (write(*args), 1 / 0))
    with pytest.raises(ZeroDivisionError):  # killed in the middle of the first part
        planner.plan(now)
    assert campaign.recipients.count() == 0
    monkeypatch.setattr(chosen, "write", write)
    assert chosen.write_some(campaign.pk, now) == 4
    for _ in range(3):
        tick(now + AFTER_UNDO)
    assert sorted(fake.recipients) == [f"c{n}@example.org" for n in range(9)]
    campaign.refresh_from_db()
    assert (campaign.state, campaign.todo, campaign.recipients.count()) == (Campaign.State.DONE, [], 13)
    assert [(part.state, part.why, part.count) for part in tally.parts(campaign)] == [
        ("Sent", "", 9), ("Left out", "Not asked.", 3), ("Left out", "Another of them has the same address and gets it.", 1),
    ]  # fmt: skip
    assert Notice.objects.get(user=owner).facts == {"count": 9}


def test_stopped_and_taken_up_again_nobody_gets_it_twice(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime, small: None
) -> None:
    people = [willing(now, email=f"c{n}@example.org") for n in range(12)]
    campaign = send(*people, by=owner, now=now)

    def stop_after_three(_envelope: Any) -> None:
        if len(fake.delivered) == 2:
            campaigns.stop(campaign, by=owner, now=now)

    fake.before_deliver = stop_after_three
    tick(now + AFTER_UNDO)
    assert len(fake.delivered) == 3
    fake.before_deliver = lambda _envelope: None
    by_hand = Message.objects.filter(campaign=campaign, state=State.CANCELLED).first()
    assert by_hand is not None
    Message.objects.filter(pk=by_hand.pk).update(reason="stopped")  # somebody stopped this one for itself, before
    had_it, refuses = people[0], people[11]
    Client.objects.filter(pk=people[10].pk).update(email=had_it.email)  # a card that has the address of one who had it
    says(refuses, "withdraw", now + AFTER_UNDO, source="one_click_post")
    tick(now + AFTER_UNDO)
    assert len(fake.delivered) == 3, "while it is stopped nothing leaves"
    assert campaigns.resume(campaign, by=owner, now=now + AFTER_UNDO) > 0
    with pytest.raises(Refused):
        campaigns.resume(campaign, by=owner, now=now + AFTER_UNDO)
    for _ in range(3):
        tick(now + AFTER_UNDO)
    left_out = {by_hand.client.email if by_hand.client else "", "c10@example.org", "c11@example.org"}
    assert sorted(fake.recipients) == sorted({f"c{n}@example.org" for n in range(12)} - left_out)
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.DONE
    with pytest.raises(Refused):
        campaigns.resume(campaign, by=owner, now=now + AFTER_UNDO)


def test_stopped_before_it_was_written_down_it_waits_and_too_late_it_does_not_go_on(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime, small: None
) -> None:
    people = [willing(now) for _ in range(5)]
    campaign = send(*people, by=owner, now=now)
    assert campaigns.stop(campaign, by=owner, now=now) == 5
    tick(now + AFTER_UNDO)
    assert (campaign.recipients.count(), fake.delivered) == (0, [])
    with pytest.raises(Refused, match="too late"):
        campaigns.resume(campaign, by=owner, now=now + 3 * DAY)
    assert campaigns.resume(campaign, by=owner, now=now + AFTER_UNDO) == 5
    tick(now + AFTER_UNDO)
    assert len(fake.delivered) == 5


def test_later_means_later_within_the_hours_of_advertising(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    client, other = willing(now), willing(now)
    at = (now + 2 * DAY).replace(hour=9, minute=30)
    Message.objects.create(  # had one today: by then that is long enough ago
        kind="welcome", channel="email", client=other, occasion="w", state=State.ACCEPTED, not_before=now, expires_at=now,
        address_hmac=consent.address_hash(other, "email"), handoff_at=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    for wrong, words in (
        (at.replace(hour=22), "No advertising leaves"),
        (now - DAY, "time to come"),
        (now + 91 * DAY, "90 days"),
    ):
        with pytest.raises(Refused, match=words):
            send(client, by=owner, now=now, at=wrong)
    campaign = send(client, by=owner, now=now, at=at)
    tick(now + DAY)
    tick(at - dt.timedelta(minutes=1))
    assert fake.delivered == []
    campaign.refresh_from_db()
    assert (campaign.state, campaign.expires_at) == (Campaign.State.WAITING, at + campaigns.LASTS)
    tick(at)
    assert len(fake.delivered) == 1


def test_who_was_found_by_habit_needs_a_yes_to_that_until_it_leaves(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    yes, changed, never = (willing(now, email=f"{name}@example.org") for name in ("yes", "changed", "never"))
    for one in (yes, changed, never):
        factories.appointment(client=one, start_at=now - 100 * DAY, time_set_at=now - 101 * DAY, state="done")
    for one in (yes, changed):
        consent.record(one, event="grant", purpose="profiling", channel="", source="in_person", now=now - DAY, by=owner)
    wanted = lists.wanted(QueryDict("unseen=3m"))
    assert wanted["filters"], "a filter by habit"
    ticked = selection.read(QueryDict(f"all={selection.seal(wanted, owner)}"), owner)
    assert composing.is_by_habit(ticked)
    assert not composing.is_by_habit(selection.Selection((yes.pk,)))
    found = composing.chosen(owner, sending_salon, QueryDict(f"all={ticked.every}"), now=now)
    assert {one.pk for one in found} == {yes.pk, changed.pk}
    campaign = send(yes, changed, never, by=owner, now=now, is_by_habit=True, expected=2)
    assert campaign.recipients.get(client=never).reason == "profiling_missing"
    control = send(never, by=owner, now=now, key="control")
    assert control.meant_count == 1, "the same client, not found by habit"
    campaigns.stop(control, by=owner, now=now)
    planner.plan(now)
    consent.record(changed, event="withdraw", purpose="profiling", channel="", source="in_person", now=now, by=owner)
    for _ in range(2):
        tick(now + AFTER_UNDO)
    assert fake.recipients == ["yes@example.org"]
    assert Message.objects.get(client=changed).reason == "profiling_missing"


def test_who_stopped_the_offers_after_it_is_counted_once_and_for_the_newest(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    people = [willing(now) for _ in range(4)]
    campaign = send(*people, by=owner, now=now)
    tick(now + AFTER_UNDO)
    handed = Message.objects.filter(campaign=campaign).earliest("handoff_at").handoff_at
    assert handed is not None
    at = handed + dt.timedelta(hours=1)
    says(people[0], "withdraw", at, source="one_click_post")
    says(people[1], "object", at, purpose="*", source="preference_page")
    says(people[2], "withdraw", at, source="phone", by=owner)
    Message.objects.create(
        kind="birthday", channel="email", client=people[3], occasion="b", state=State.ACCEPTED, not_before=now, expires_at=now,
        handoff_at=at, address_hmac="b" * 64,
    )  # fmt: skip
    says(people[3], "withdraw", at + DAY, source="one_click_post")
    assert ConsentEvent.objects.filter(event__in=["withdraw", "object"]).count() == 4
    assert tally.stopped_after(campaign) == 2


def test_two_planners_write_everybody_down_once(sending_salon: Salon, owner: User, now: dt.datetime, small: None) -> None:
    campaign = send(*[willing(now) for _ in range(9)], by=owner, now=now)
    for _ in range(2):
        carrying.plan(now)
    assert (campaign.recipients.count(), campaign.messages.count()) == (9, 9)
