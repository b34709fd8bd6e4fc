"""The messages of two cards that become one: nobody is told twice, nothing is lost, an undo gives back what may be said yet."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from clients import consent, records
from clients.merging import merges, undoing
from clients.models import Client, Merge
from notifications import dispatch, invariants, joining, outbox, planner, writing
from notifications.models import Campaign, CampaignRecipient, Message, State
from salon.core.models import User
from tests import factories
from tests.clients import merging_world
from tests.fakes.provider import FakeProvider
from tests.notifications import workers
from tests.notifications.cast import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(owner: User) -> tuple[Client, Client]:
    names = [{"first_name": "Ann", "email": "ann@example.org", "phone": ""}, {"first_name": "Anna", "email": "anna@example.org"}]
    one, other = factories.cards(names, by=owner)
    return one, other


def message(client: Client, *, state: str = State.PENDING, occasion: str = "2026", **fields: Any) -> Message:
    now = timezone.now()
    values = {"kind": "birthday", "channel": "email", "not_before": now, "expires_at": now + dt.timedelta(days=2), **fields}
    if state in outbox.TOLD:
        values.setdefault("handoff_at", now)
    return Message.objects.create(client=client, state=state, occasion=occasion, **values)


def join(one: Client, other: Client) -> Merge:
    return merges.merge([one.pk, other.pk], main=one.pk, by=None, now=timezone.now())


def stands(row: Message) -> tuple[str, str, str]:
    row.refresh_from_db()
    return row.state, row.reason, row.occasion


@pytest.mark.parametrize("is_turned", [False, True])
def test_of_two_that_wait_one_leaves(two: tuple[Client, Client], is_turned: bool) -> None:
    """C11."""
    one, other = two[::-1] if is_turned else two
    mine, theirs = message(one), message(other)
    join(one, other)
    assert stands(mine) == (State.PENDING, "", "2026")
    assert stands(theirs) == (State.CANCELLED, "merged_duplicate", f"2026:merged{theirs.pk}")
    assert {row.client_id for row in (mine, theirs)} == {one.pk}


@pytest.mark.parametrize("is_turned", [False, True])
def test_what_one_card_was_told_the_other_does_not_hear_again(two: tuple[Client, Client], is_turned: bool) -> None:
    told, waiting = message(two[0], state=State.ACCEPTED), message(two[1])
    join(*(two[::-1] if is_turned else two))
    assert stands(told) == (State.ACCEPTED, "", "2026"), "by the plain occasion the planner knows that it is said"
    assert stands(waiting)[:2] == (State.CANCELLED, "merged_duplicate")
    assert planner.REVIVABLE.count("merged_duplicate") == 0


def test_what_both_were_told_stays_in_the_history(two: tuple[Client, Client]) -> None:
    rows = [message(card, state=State.ACCEPTED) for card in two]
    join(*two)
    assert [stands(row)[0] for row in rows] == [State.ACCEPTED, State.ACCEPTED]
    assert len({row.occasion for row in rows}) == 2


def test_what_a_person_stopped_for_one_card_is_not_said_to_the_other(two: tuple[Client, Client]) -> None:
    stopped, waiting = message(two[0], state=State.CANCELLED, reason="stopped"), message(two[1])
    join(*two)
    assert stands(stopped)[2] == "2026"
    assert stands(waiting)[:2] == (State.CANCELLED, "merged_duplicate")


def test_what_ended_without_a_word_does_not_keep_the_other_from_leaving(two: tuple[Client, Client]) -> None:
    failed, waiting = message(two[0], state=State.FAILED), message(two[1])
    join(*two)
    assert stands(waiting) == (State.PENDING, "", "2026")
    assert stands(failed)[0] == State.FAILED


def test_an_undo_lets_it_wait_again_unless_the_joined_person_was_told_since(two: tuple[Client, Client]) -> None:
    mine, theirs, held = message(two[0]), message(two[1]), message(two[1], state=State.HELD, occasion="h", reason="restored")
    message(two[0], occasion="h")
    before = merging_world.rows()
    done = join(*two)
    undoing.undo(done, by=None, now=timezone.now())
    assert merging_world.differences(before, merging_world.rows()) == []
    done = join(*two)
    Message.objects.filter(pk=mine.pk).update(state=State.CLAIMED)
    Message.objects.filter(pk=mine.pk).update(state=State.HANDOFF, handoff_at=timezone.now())
    undoing.undo(done, by=None, now=timezone.now())
    assert stands(theirs) == (State.CANCELLED, "merged_duplicate", "2026")
    assert theirs.client_id == two[1].pk
    assert stands(held) == (State.HELD, "restored", "h")


def test_a_birthday_of_both_leaves_once_and_not_if_one_of_them_opted_out(two: tuple[Client, Client]) -> None:
    """C11: one row at most, and the consent of the joined person is the No."""
    rows = [message(card, kind="promotion", occasion="7") for card in two]
    for card in two:
        consent.record(card, purpose="mkt.promotion", channel="email", event="grant", source="paper_form")
    consent.record(two[1], purpose="*", channel="email", event="object", source="one_click_post")
    join(*two)
    planner.plan(timezone.now())
    assert sorted(stands(row)[:2] for row in rows) == [
        (State.CANCELLED, "consent_missing"),
        (State.CANCELLED, "merged_duplicate"),
    ]


def test_one_person_is_chosen_once_for_a_campaign_and_the_one_who_gets_it_is_kept(two: tuple[Client, Client]) -> None:
    now = timezone.now()
    campaign = Campaign.objects.create(
        kind="promotion", channel="email", title="x", text="y", key="k", not_before=now, expires_at=now + dt.timedelta(days=1)
    )
    left_out = CampaignRecipient.objects.create(campaign=campaign, client=two[0], reason="consent_missing")
    chosen = CampaignRecipient.objects.create(campaign=campaign, client=two[1], address_hmac="b" * 64)
    done = join(*two)
    assert CampaignRecipient.objects.get().pk == chosen.pk
    assert CampaignRecipient.objects.get().client_id == two[0].pk
    undoing.undo(done, by=None, now=now)
    rows = CampaignRecipient.objects.order_by("pk").values_list("pk", "client_id", "reason")
    assert list(rows) == [(left_out.pk, two[0].pk, "consent_missing"), (chosen.pk, two[1].pk, "")]


def test_a_visit_is_reminded_of_once_at_the_address_that_is_left(two: tuple[Client, Client], fake: FakeProvider) -> None:
    one, other = two
    visit = factories.appointment(client=other)
    message(other, kind="reminder", occasion=f"{visit.pk}:1:1", appointment=visit, time_version=1, told_start_at=visit.start_at)
    join(one, other)
    planner.plan(timezone.now())
    assert Message.objects.filter(kind="reminder").count() == 1
    assert Message.objects.get(kind="reminder").client_id == one.pk


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_undo", [False, True])
def test_what_a_sender_prepares_while_cards_are_merged_waits_and_goes_to_whom_it_is_for(
    committed: Any, fake: FakeProvider, is_undo: bool
) -> None:
    """The sender has claimed it for a card that is taken in, or given back, before its hand-over."""
    [row] = workers.reminders(1)
    here = client_of(row)
    stays = records.add(by=None, first_name="Stays", email="stays@example.org")
    done = join(stays, here) if is_undo else None

    def meanwhile(envelope: object) -> None:
        fake.before_prepare = lambda envelope: None
        if done is not None:
            undoing.undo(done, by=None, now=timezone.now())
        else:
            join(stays, here)

    fake.before_prepare = meanwhile
    dispatch.deliver_due()
    wanted = here.email if is_undo else "stays@example.org"
    assert fake.recipients == [wanted]
    assert stands(row)[0] == State.ACCEPTED
    assert list(invariants.faults()) == []


def test_what_points_at_a_card_that_was_merged_away_is_a_fault(two: tuple[Client, Client]) -> None:
    join(*two)
    assert list(invariants.faults()) == []
    late = factories.appointment(client=two[1])
    Client.objects.filter(pk=two[1].pk).update(erased_at=timezone.now() - dt.timedelta(days=1))
    assert f"appointments.appointment.client {late.pk}: points at a card that was merged away" in list(invariants.faults())


@pytest.mark.django_db(transaction=True)
def test_what_was_claimed_at_the_very_moment_of_an_undo_is_not_handed_over_for_the_wrong_card(
    committed: Any, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim commits while the undo is under way, so that the undo cannot see it: the step itself asks for whom it is."""
    monkeypatch.setattr(joining, "_let_go", lambda joining: None)
    [row] = workers.reminders(1)
    stays = records.add(by=None, first_name="Stays", email="stays@example.org")
    done = join(stays, client_of(row))

    def meanwhile(envelope: object) -> None:
        fake.before_prepare = lambda envelope: None
        undoing.undo(done, by=None, now=timezone.now())

    fake.before_prepare = meanwhile
    dispatch.deliver_due()
    assert fake.recipients == []
    assert stands(row)[0] == State.CLAIMED, "until the lease is over"


@pytest.mark.django_db(transaction=True)
def test_the_control_a_sender_that_keeps_what_it_claimed_writes_to_the_wrong_card(
    committed: Any, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "_let_go", lambda joining: None)
    where = {**outbox.OURS, "state": State.CLAIMED}
    loose = writing.Update(Message, outbox._CROSSING.changes, where=where, is_lease_running=True)
    monkeypatch.setattr(outbox, "_CROSSING", loose)
    [row] = workers.reminders(1)
    stays = records.add(by=None, first_name="Stays", email="stays@example.org")
    done = join(stays, client_of(row))

    def meanwhile(envelope: object) -> None:
        fake.before_prepare = lambda envelope: None
        undoing.undo(done, by=None, now=timezone.now())

    fake.before_prepare = meanwhile
    dispatch.deliver_due()
    assert fake.recipients == ["stays@example.org"]
