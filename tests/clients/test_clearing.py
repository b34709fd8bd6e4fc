"""Deleting many inactive clients: what goes and what stays is said first, a number confirms, the worker does it, one by one."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client as Browser
from django.utils import timezone

from clients import clearing, deletions, holds, rights
from clients.erasure import journal
from clients.models import Client, Deletion, DeletionRun, Erasure
from salon.core import failpoints, leases
from salon.core.errors import Refused
from salon.core.models import Notice, User
from salon.core.roles import Role
from tests import factories

SignIn = Callable[[Role], Browser]
PATH = "/clients/delete/"


def asleep(**fields: object) -> Client:
    return factories.client(inactive_at=timezone.now(), inactive_reason="moved", **fields)


def begin(cards: list[Client], by: User, **how: bool) -> DeletionRun:
    now = timezone.now()
    found = clearing.look([card.pk for card in cards], by=by, now=now)
    return clearing.start(found, typed=len(found.ids), by=by, now=now, **{"is_at_once": False, **how})


@pytest.fixture
def cards(db: None) -> dict[str, Client]:
    """Two who can go, and one for each reason to stay."""
    return {
        "one": asleep(last_name="Eins"), "two": asleep(last_name="Zwei"), "active": factories.client(last_name="Munter"),
        "kept": asleep(last_name="Behalten"), "restricted": asleep(last_name="Verborgen", restricted_at=timezone.now()),
    }  # fmt: skip


def test_the_page_says_what_goes_and_what_stays_and_a_number_confirms(
    cards: dict[str, Client], signed_in: SignIn, owner: User
) -> None:
    holds.keep(cards["kept"], reason="A claim", by=owner, now=timezone.now())
    manager, ticked = signed_in(Role.MANAGER), {"sel": [str(card.pk) for card in cards.values()]}
    page = manager.get(PATH, ticked).content.decode()
    for words in ("Delete 2 inactive clients", "Eins", "Zwei", "Active: make the card inactive first", "Kept on purpose"):
        assert words in page
    for hidden in ("Munter", "Verborgen"):
        assert hidden not in page
    wrong = manager.post(PATH, {**ticked, "when": "tidying", "typed": "5"})
    assert wrong.status_code == 422
    assert "not the number of cards" in wrong.content.decode()
    assert manager.post(PATH, {**ticked, "when": "now", "typed": "2"}).status_code == 422, "only an owner erases at once"
    assert not DeletionRun.objects.exists()
    assert not Deletion.objects.exists()
    answer = manager.post(PATH, {**ticked, "when": "tidying", "typed": "2"})
    row = DeletionRun.objects.get()
    assert answer.headers["Location"] == f"/clients/deleted/runs/{row.pk}/"
    assert "<progress" in manager.get(answer.headers["Location"]).content.decode()
    clearing.work()
    page = manager.get(answer.headers["Location"]).content.decode()
    assert "2 clients deleted" in page
    assert "Munter" in page, "whose card stays is named, with why"
    assert "Verborgen" not in page
    assert set(Deletion.objects.values_list("client", flat=True)) == {cards["one"].pk, cards["two"].pk}
    assert signed_in(Role.RECEPTION).get(PATH, ticked).status_code == 403


def test_the_inactive_list_offers_it_and_no_other_list(signed_in: SignIn, cards: dict[str, Client]) -> None:
    owner = signed_in(Role.OWNER)
    assert 'id="delete-list"' in owner.get("/clients/?status=inactive").content.decode()
    assert 'id="sel-delete"' in owner.get("/clients/?status=inactive&select=1").content.decode()
    assert 'id="delete-list"' not in owner.get("/clients/").content.decode()
    assert 'id="sel-delete"' not in owner.get("/clients/?select=1").content.decode()
    assert 'id="delete-list"' not in signed_in(Role.RECEPTION).get("/clients/?status=inactive").content.decode()


@pytest.mark.django_db
def test_each_is_hidden_for_30_days_and_comes_back_as_after_a_single_deletion(owner: User) -> None:
    cards = [asleep(), asleep()]
    row = begin(cards, owner)
    assert clearing.work() == 1
    row.refresh_from_db()
    assert (row.todo, row.done_count, row.settled_at is not None) == ([], 2, True)
    deletion = Deletion.objects.get(client=cards[0])
    assert deletion.erase_on == factories.today() + deletions.GRACE
    back = deletions.bring_back(deletion, by=owner, now=timezone.now()).client
    assert (back.inactive_at is not None, back.inactive_reason) == (True, "moved")
    assert Notice.objects.get(user=owner).facts == {"count": 2, "refused_count": 0}


@pytest.mark.django_db
def test_erased_for_good_means_within_the_next_minute_with_a_line_in_the_journal_each(owner: User) -> None:
    cards = [asleep(), asleep()]
    begin(cards, owner, is_at_once=True)
    clearing.work()
    assert deletions.work(timezone.now()) == 2
    assert {erasure.ground for erasure in Erasure.objects.all()} == {"tidying"}
    assert {pk for entry in journal.entries() for pk, _made in entry.cards} == {card.pk for card in cards}
    assert not Client.objects.filter(pk__in=[card.pk for card in cards], erased_at=None).exists()


@pytest.mark.django_db
def test_a_card_with_a_visit_to_come_stays_since_nobody_would_hear_of_the_cancellation(signed_in: SignIn, owner: User) -> None:
    """Nothing is sent to an inactive client. The control is a card whose visit is over: it goes."""
    now = timezone.now()
    ahead, over = asleep(last_name="Morgen"), asleep(last_name="Gestern")
    visit = factories.appointment(client=ahead, start_at=now + dt.timedelta(days=3))
    factories.appointment(client=over, start_at=now - dt.timedelta(days=3), state="done")
    page = signed_in(Role.OWNER).get(PATH, {"sel": [str(ahead.pk), str(over.pk)]}).content.decode()
    assert "make the card active and cancel it there" in page
    assert "is_notice_wanted" not in page, "telling is not offered where nobody can be told"
    row = begin([ahead, over], owner, is_at_once=True)
    clearing.work()
    row.refresh_from_db()
    visit.refresh_from_db()
    assert (row.done_count, row.refused, visit.state) == (1, {str(ahead.pk): "ahead"}, "booked")
    assert deletions.work(timezone.now()) == 1, "and waits for nothing"


@pytest.mark.django_db
def test_a_visit_that_is_booked_while_its_card_is_deleted_stands(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    card = asleep()
    row, why_not = begin([card], owner), clearing._why_not

    def late(ids: Sequence[int], by: User, now: dt.datetime) -> dict[int, str]:
        found = why_not(ids, by, now)
        if not card.appointments.exists():
            factories.appointment(client=card)
        return found

    monkeypatch.setattr(clearing, "_why_not", late)
    clearing.work()
    row.refresh_from_db()
    assert (row.done_count, row.refused, card.appointments.get().state) == (0, {str(card.pk): "ahead"}, "booked")
    assert not Deletion.objects.exists()


@pytest.mark.django_db
def test_a_card_that_was_made_active_meanwhile_stays(owner: User) -> None:
    gone, woken = asleep(), asleep()
    row = begin([gone, woken], owner)
    Client.objects.filter(pk=woken.pk).update(inactive_at=None, inactive_reason="")
    clearing.work()
    row.refresh_from_db()
    assert (row.done_count, row.refused) == (1, {str(woken.pk): "active"})
    assert not Deletion.objects.filter(client=woken).exists()


@pytest.mark.django_db
def test_one_that_cannot_be_deleted_does_not_keep_the_others(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = asleep(), asleep()
    row = begin([first, second], owner)
    real = deletions.delete

    def stumbles(client: Client, **given: object) -> Deletion:
        if client.pk == first.pk:
            raise ValueError("a fault of ours")
        return real(client, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(deletions, "delete", stumbles)
    clearing.work()
    row.refresh_from_db()
    assert (row.done_count, row.refused, row.settled_at is not None) == (1, {str(first.pk): "refused"}, True)


@pytest.mark.django_db
def test_a_look_that_nobody_goes_by_starts_nothing(owner: User) -> None:
    now = timezone.now()
    found = clearing.look([factories.client().pk], by=owner, now=now)
    with pytest.raises(Refused, match="None of these"):
        clearing.start(found, typed=0, is_at_once=False, by=owner, now=now)


@pytest.mark.django_db
def test_what_a_killed_worker_had_done_counts_as_done_also_once_it_is_erased(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, hits = begin([asleep() for _ in range(3)], owner, is_at_once=True), list[str]()

    def dies(name: str) -> None:
        hits.append(name)
        if len(hits) == 2:
            raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(failpoints, "hit", lambda name: dies(name) if name == "clearing_deleted" else None)
        with pytest.raises(SystemExit):
            clearing.work()
    assert deletions.work(timezone.now()) == 2, "the other worker is quicker than the end of the lease"
    DeletionRun.objects.update(lease_until=None)
    clearing.work()
    row.refresh_from_db()
    assert (row.done_count, row.refused, row.todo) == (3, {}, [])
    assert Notice.objects.get(user=owner).facts == {"count": 3, "refused_count": 0}


@pytest.mark.django_db
def test_a_deletion_that_is_not_written_down_is_not_done(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Card and count stand together: a note that cannot be written takes the deletion back."""
    cards = [asleep(), asleep()]
    row, hold = begin(cards, owner), leases.hold

    def fails(row: DeletionRun, **changes: Any) -> None:
        if changes.get("done_count") == 1 and len(changes.get("todo", [])) == 1:
            raise ValueError("a fault of ours")
        hold(row, **changes)

    monkeypatch.setattr(leases, "hold", fails)
    clearing.work()
    row.refresh_from_db()
    assert (row.done_count, row.refused, row.todo) == (1, {str(cards[0].pk): "refused"}, [])
    assert [deletion.client_id for deletion in Deletion.objects.all()] == [cards[1].pk]


def test_the_form_sent_twice_is_one_run(cards: dict[str, Client], signed_in: SignIn, owner: User) -> None:
    browser, one, two = signed_in(Role.OWNER), cards["one"], cards["two"]
    sent = {"sel": [str(one.pk), str(two.pk)], "when": "tidying", "typed": "2"}
    first, second = browser.post(PATH, sent), browser.post(PATH, sent)
    row = DeletionRun.objects.get()
    assert first.headers["Location"] == second.headers["Location"] == f"/clients/deleted/runs/{row.pk}/"
    third = asleep()
    overlap = browser.post(PATH, {**sent, "sel": [str(one.pk), str(third.pk)]})
    assert overlap.status_code == 422
    assert "being deleted already" in overlap.content.decode()
    assert browser.post(PATH, {**sent, "when": "now"}).status_code == 422, "another answer than the run under way gives"
    clearing.work()
    row.refresh_from_db()
    assert (row.done_count, row.refused) == (2, {})
    assert browser.post(PATH, {"sel": [str(third.pk)], "when": "tidying", "typed": "1"}).status_code == 303


@pytest.mark.django_db
def test_each_card_of_a_long_run_is_deleted_at_its_own_moment(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    cards, began = [asleep(), asleep()], timezone.now()
    begin(cards, owner)
    moments = iter([began, began + dt.timedelta(minutes=50)])
    clock = type("Clock", (), {"now": staticmethod(lambda: next(moments, began + dt.timedelta(minutes=51)))})
    monkeypatch.setattr(clearing, "timezone", clock)
    clearing.work()
    first, second = Deletion.objects.order_by("created_at")
    assert second.created_at - first.created_at == dt.timedelta(minutes=50)


@pytest.mark.django_db
def test_a_busy_database_refuses_no_card_for_good(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = asleep(), asleep()
    row, create = begin([first, second], owner), Deletion.objects.create

    def busy(**fields: Any) -> Deletion:
        if fields["client"] == second:
            raise OperationalError("database is locked")
        return create(**fields)

    with monkeypatch.context() as patched:
        patched.setattr(Deletion.objects, "create", busy)
        clearing.work()
    row.refresh_from_db()
    assert (row.todo, row.done_count, row.refused, row.settled_at) == ([second.pk], 1, {}, None)
    DeletionRun.objects.update(lease_until=None)
    clearing.work()
    row.refresh_from_db()
    assert (row.todo, row.done_count, row.refused) == ([], 2, {})


@pytest.mark.django_db
def test_a_card_that_is_restricted_while_the_others_are_deleted_stays(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    card, delete = asleep(), deletions.delete
    row = begin([card], owner, is_at_once=True)

    def late(client: Client, **given: Any) -> Deletion:
        rights.restrict(card, reason="claim", note="", until=None, known_by="in_person", by=owner, now=timezone.now())
        return delete(client, **given)

    monkeypatch.setattr(deletions, "delete", late)
    clearing.work()
    row.refresh_from_db()
    assert (row.refused, deletions.work(timezone.now())) == ({str(card.pk): "refused"}, 0)
