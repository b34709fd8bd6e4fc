"""Deleting many inactive clients: what goes and what stays is said first, a number confirms, the worker does it, one by one."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client as Browser
from django.utils import timezone

from clients import bookings, clearing, deletions, holds, rights
from clients.erasure import journal
from clients.models import Client, Deletion, DeletionRun, Erasure
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
    given = {"is_at_once": False, "is_notice_wanted": False, **how}
    return clearing.start(found, typed=len(found.ids), by=by, now=now, **given)


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
    clearing.work(timezone.now())
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
    assert clearing.work(timezone.now()) == 1
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
    clearing.work(timezone.now())
    assert deletions.work(timezone.now()) == 2
    assert {erasure.ground for erasure in Erasure.objects.all()} == {"tidying"}
    assert {pk for entry in journal.entries() for pk, _made in entry.cards} == {card.pk for card in cards}
    assert not Client.objects.filter(pk__in=[card.pk for card in cards], erased_at=None).exists()


@pytest.mark.django_db
def test_who_is_to_be_told_of_a_cancellation_has_the_same_twelve_hours(owner: User) -> None:
    card, now = asleep(), timezone.now()
    visit = factories.appointment(client=card)
    assert clearing.look([card.pk], by=owner, now=now).visits_count == 1
    begin([card], owner, is_at_once=True, is_notice_wanted=True)
    clearing.work(now)
    visit.refresh_from_db()
    assert visit.state == "cancelled"
    assert deletions.work(now + dt.timedelta(seconds=30)) == 0
    assert deletions.work(now + deletions.TELL_WITHIN + dt.timedelta(minutes=1)) == 1


@pytest.mark.django_db
def test_a_card_that_was_made_active_meanwhile_stays(owner: User) -> None:
    gone, woken = asleep(), asleep()
    row = begin([gone, woken], owner)
    Client.objects.filter(pk=woken.pk).update(inactive_at=None, inactive_reason="")
    clearing.work(timezone.now())
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
    clearing.work(timezone.now())
    row.refresh_from_db()
    assert (row.done_count, row.refused, row.settled_at is not None) == (1, {str(first.pk): "refused"}, True)


@pytest.mark.django_db
def test_a_look_that_nobody_goes_by_starts_nothing(owner: User) -> None:
    now = timezone.now()
    found = clearing.look([factories.client().pk], by=owner, now=now)
    with pytest.raises(Refused, match="None of these"):
        clearing.start(found, typed=0, is_at_once=False, is_notice_wanted=False, by=owner, now=now)


@pytest.mark.django_db
def test_after_a_kill_within_one_card_its_visits_still_come_back_with_it(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    card = asleep()
    visit = factories.appointment(client=card)
    begin([card], owner)
    cancel_all = bookings.cancel_all

    def dies(*args: Any, **given: Any) -> None:
        cancel_all(*args, **given)
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(bookings, "cancel_all", dies)
        with pytest.raises(SystemExit):
            clearing.work(timezone.now())
    DeletionRun.objects.update(lease_until=None)
    clearing.work(timezone.now())
    back = deletions.bring_back(Deletion.objects.get(), by=owner, now=timezone.now())
    visit.refresh_from_db()
    assert (len(back.visits), visit.state) == (1, "booked")


@pytest.mark.django_db
def test_a_busy_database_refuses_no_card_for_good(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = asleep(), asleep()
    visit = factories.appointment(client=second)
    row, create = begin([first, second], owner), Deletion.objects.create

    def busy(**fields: Any) -> Deletion:
        if fields["client"] == second:
            raise OperationalError("database is locked")
        return create(**fields)

    with monkeypatch.context() as patched:
        patched.setattr(Deletion.objects, "create", busy)
        clearing.work(timezone.now())
    row.refresh_from_db()
    visit.refresh_from_db()
    assert (row.todo, row.done_count, row.refused, row.settled_at) == ([second.pk], 1, {}, None)
    assert visit.state == "booked"
    DeletionRun.objects.update(lease_until=None)
    clearing.work(timezone.now())
    row.refresh_from_db()
    visit.refresh_from_db()
    assert (row.todo, row.done_count, row.refused, visit.state) == ([], 2, {}, "cancelled")


@pytest.mark.django_db
def test_a_card_that_is_restricted_while_the_others_are_deleted_stays(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    card, delete = asleep(), deletions.delete
    row = begin([card], owner, is_at_once=True)

    def late(client: Client, **given: Any) -> Deletion:
        rights.restrict(card, reason="claim", note="", until=None, known_by="in_person", by=owner, now=timezone.now())
        return delete(client, **given)

    monkeypatch.setattr(deletions, "delete", late)
    clearing.work(timezone.now())
    row.refresh_from_db()
    assert (row.refused, deletions.work(timezone.now())) == ({str(card.pk): "refused"}, 0)
