"""Inactive clients: out of sight and out of the messages, with everything kept, and back as they were."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from appointments.models import Appointment, State
from clients import inactivity, lists, reversal, runs
from clients.models import CardRun, Client
from salon.core import activity
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
NOW = timezone.now()
HTMX = {"HX-Request": "true"}
LATER = NOW + dt.timedelta(days=9)


def body(answer: Any) -> str:
    return str(answer.content.decode())


def state(client: Client) -> tuple[dt.datetime | None, str]:
    return Client.objects.values_list("inactive_at", "inactive_reason").get(pk=client.pk)


def booked(client: Client, at: dt.datetime = LATER) -> Appointment:
    return factories.appointment(client=client, start_at=at, end_at=at + dt.timedelta(minutes=30))


def make(clients: list[Client], by: User, visits: inactivity.Bookings = "leave", **more: Any) -> CardRun:
    ids = {client.pk for client in clients}
    return inactivity.make_many_inactive(ids, visits=visits, by=by, **{"reason": "moved_away", "now": NOW, **more})


# --- one card -----------------------------------------------------------------------------------------------------


def test_a_card_is_made_inactive_with_its_reason_and_active_again(reception: User) -> None:
    client = factories.client()
    card = inactivity.make_inactive(client, reason="asked", by=reception, now=NOW)
    assert (card.inactive_at, card.inactive_reason) == state(client) == (NOW, "asked")
    assert AuditEvent.objects.get(action="client.made_inactive").facts == {"reason": "asked"}
    with pytest.raises(Refused):
        inactivity.make_inactive(client, reason="asked", by=reception, now=NOW)
    inactivity.make_active(client, by=reception, now=NOW)
    assert state(client) == (None, "")
    with pytest.raises(Refused):
        inactivity.make_active(client, by=reception, now=NOW)
    with pytest.raises(ValueError, match="bored"):
        inactivity.make_inactive(client, reason="bored", by=reception, now=NOW)


def test_who_is_gone_is_neither_made_inactive_nor_brought_back(reception: User) -> None:
    client = factories.client(erased_at=NOW, inactive_at=NOW)
    with pytest.raises(Refused):
        inactivity.make_inactive(client, reason=inactivity.DELETING, by=reception, now=NOW)
    with pytest.raises(Refused):
        inactivity.make_active(client, by=None, now=NOW)


def test_who_is_being_deleted_stands_in_no_list_and_no_press_at_the_desk_brings_them_back(reception: User, salon: Salon) -> None:
    before = NOW - dt.timedelta(days=3)
    client = factories.client(inactive_at=before, inactive_reason="asked")
    inactivity.make_inactive(client, reason=inactivity.DELETING, by=reception, now=NOW)
    assert state(client) == (before, "deleting")
    assert lists.status_counts(reception)["inactive"] == 0
    assert inactivity.make_many_active([client.pk], by=reception, now=NOW).refused == {str(client.pk): "deleting"}
    inactivity.make_active(client, by=None, now=NOW)
    assert state(client) == (None, "")


# --- many, and undo -----------------------------------------------------------------------------------------------


def test_of_many_the_run_says_whose_card_stayed_active_and_why(reception: User, stylist: User) -> None:
    free, asleep, ahead, restricted = (factories.client(last_name=name) for name in ("Free", "Asleep", "Ahead", "Gone"))
    Client.objects.filter(pk=asleep.pk).update(inactive_at=NOW - dt.timedelta(days=1))
    Client.objects.filter(pk=restricted.pk).update(restricted_at=NOW)
    booked(ahead)
    run = make([free, asleep, ahead, restricted], reception)
    assert list(run.changed) == [str(free.pk)]
    assert run.refused == {str(asleep.pk): "inactive", str(ahead.pk): "ahead", str(restricted.pk): "gone"}
    assert set(run.refused.values()) <= set(runs.REASONS)
    assert make([factories.client()], stylist).changed == {}, "a stylist makes nobody inactive"


def test_undo_restores_exactly_those_that_the_act_changed(reception: User) -> None:
    first, second, woken = factories.client(), factories.client(), factories.client()
    run = make([first, second, woken], reception)
    inactivity.make_active(woken, by=reception, now=NOW)
    inactivity.make_inactive(woken, reason="asked", by=reception, now=LATER)
    assert reversal.undo(run, by=reception, now=NOW) == 2
    assert [state(one)[1] for one in (first, second, woken)] == ["", "", "asked"], "what was done since stays"
    with pytest.raises(Refused):
        reversal.undo(run, by=reception, now=NOW)
    back = inactivity.make_many_active([woken.pk], by=reception, now=NOW)
    reversal.undo(back, by=reception, now=NOW)
    assert state(woken) == (LATER, "asked"), "inactive since then, and for the reason of then"


def test_an_old_act_is_not_undone_and_is_forgotten(reception: User) -> None:
    run = make([factories.client()], reception, now=NOW - runs.KEPT_FOR - dt.timedelta(hours=1))
    with pytest.raises(Refused):
        reversal.undo(run, by=reception, now=NOW)
    assert runs.tidy(NOW) == 1


def test_an_act_on_many_asks_no_more_than_one_on_few(reception: User) -> None:
    counts = []
    for number in (2, 40):
        clients = [factories.client() for _ in range(number)]
        with CaptureQueriesContext(connection) as asked:
            make(clients, reception)
        counts.append(len(asked))
    assert counts[0] == counts[1]


# --- appointments to come -----------------------------------------------------------------------------------------


def test_kept_appointments_stay_and_the_card_is_inactive(reception: User) -> None:
    client = factories.client()
    visit = booked(client)
    make([client], reception, "keep")
    visit.refresh_from_db()
    assert (visit.state, state(client)[1]) == (State.BOOKED, "moved_away")


def test_nobody_is_waited_for_longer_than_a_day_and_who_books_again_stays(reception: User) -> None:
    told, again = factories.client(), factories.client()
    booked(told), booked(again, LATER + dt.timedelta(hours=1))
    run = make([told, again], reception, "cancel")
    booked(again, LATER + dt.timedelta(hours=2))
    inactivity.settle(NOW + dt.timedelta(hours=25))
    run.refresh_from_db()
    assert (list(run.changed), run.refused, run.waiting) == ([str(told.pk)], {str(again.pk): "ahead"}, [])


@pytest.mark.parametrize("free", [0, 1, 2])
@pytest.mark.parametrize("busy", [1, 2, 3])
def test_each_card_stands_in_the_activity_once_also_one_that_waited(owner: User, free: int, busy: int) -> None:
    """Counted as a reader does: the lines of many by their number and their parts, the others one by one."""
    waiting = [factories.client() for _ in range(busy)]
    for number, client in enumerate(waiting):
        booked(client, LATER + dt.timedelta(hours=number))
    cards = [*(factories.client() for _ in range(free)), *waiting]
    make(cards, owner, "cancel")
    inactivity.settle(NOW + dt.timedelta(hours=25))

    def told(of: int = 0) -> list[int]:
        page = activity.page(owner, activity.Wanted(of=of), before=None, now=NOW + dt.timedelta(hours=25))
        events = AuditEvent.objects.in_bulk([line.pk for day in page.days for line in day.lines])
        found: list[int] = []
        for event in events.values():
            if event.action == "clients.made_inactive":
                parts = told(event.pk)
                assert event.facts["clients_count"] == len(parts)
                found += parts
            elif event.action == "client.made_inactive":
                found.append(event.subject_id or 0)
        return found

    assert sorted(told()) == sorted(card.pk for card in cards)


def test_undo_while_somebody_is_being_told_lets_the_card_stay_active(reception: User) -> None:
    client = factories.client()
    booked(client)
    assert reversal.undo(make([client], reception, "cancel"), by=reception, now=NOW) == 1
    assert Appointment.objects.get().state == State.CANCELLED, "what the client may have been told stays true"
    inactivity.settle(NOW + dt.timedelta(hours=25))
    assert state(client) == (None, "")


# --- the pages ----------------------------------------------------------------------------------------------------


def test_the_desk_makes_a_card_inactive_from_its_menu_and_takes_it_back(signed_in: SignIn) -> None:
    client, browser = factories.client(first_name="Karim", last_name="Benali"), signed_in(Role.RECEPTION)
    card = f"/clients/{client.pk}/"
    assert 'id="menu-inactive"' in body(browser.get(card))
    asked = body(browser.get(f"/clients/inactive/?sel={client.pk}&next={card}", headers=HTMX))
    assert "Make Karim Benali inactive" in asked
    assert 'id="inactive-cancel"' not in asked
    assert browser.post("/clients/inactive/", {"sel": client.pk, "reason": "bored"}).status_code == 422
    done = browser.post("/clients/inactive/", {"sel": client.pk, "reason": "moved_away", "next": card}, follow=True)
    assert "Karim Benali is inactive now." in body(done)
    assert "Moved away" in body(done)
    assert 'id="make-active"' in body(done)
    assert 'id="book"' not in body(done)
    run = CardRun.objects.get()
    assert "Undone on 1 card." in body(browser.post(f"/clients/acts/{run.pk}/undo/", {"next": card}, follow=True))
    assert state(client) == (None, "")


def test_appointments_to_come_are_asked_about_first(signed_in: SignIn) -> None:
    client, browser = factories.client(first_name="Karim", last_name="Benali"), signed_in(Role.RECEPTION)
    booked(client)
    asked = body(browser.get(f"/clients/inactive/?sel={client.pk}", headers=HTMX))
    assert "Karim Benali has 1 appointment to come." in asked
    assert all(button in asked for button in ('id="inactive-cancel"', 'id="inactive-keep"'))
    answer = {"sel": client.pk, "reason": "stays_away"}
    assert browser.post("/clients/inactive/", answer).status_code == 422, "neither kept nor cancelled: nothing is done"
    assert state(client) == (None, "")
    told = browser.post("/clients/inactive/", {**answer, "visits": "cancel"}, follow=True)
    assert "becomes inactive when the client has been told" in body(told)
    assert Appointment.objects.get().state == State.CANCELLED


def test_a_restricted_card_is_not_named_where_its_appointments_are_asked_about(signed_in: SignIn) -> None:
    client = factories.client(first_name="Karim", last_name="Benali")
    booked(client)
    Client.objects.filter(pk=client.pk).update(restricted_at=NOW)
    assert "Benali" not in body(signed_in(Role.RECEPTION).get(f"/clients/inactive/?sel={client.pk}", headers=HTMX))


def test_of_a_selection_the_toast_counts_those_left_and_leads_to_why(signed_in: SignIn) -> None:
    free, ahead = factories.client(), factories.client(first_name="Karim", last_name="Benali")
    booked(ahead)
    browser = signed_in(Role.RECEPTION)
    assert 'id="sel-inactive"' in body(browser.get("/clients/?select=1"))
    form = {"sel": [free.pk, ahead.pk], "reason": "asked", "visits": "leave"}
    done = body(browser.post("/clients/inactive/", form, follow=True))
    assert "1 client is inactive now. 1 not." in done
    page = body(browser.get(f"/clients/acts/{CardRun.objects.get().pk}/"))
    assert "Karim Benali" in page
    assert "Has an appointment to come" in page
    inactive = body(browser.get("/clients/?status=inactive&select=1"))
    assert 'id="sel-active"' in inactive
    assert 'id="sel-inactive"' not in inactive
    browser.post("/clients/active/", {"sel": free.pk})
    assert state(free) == (None, "")


def test_an_inactive_client_who_books_again_is_made_active_by_the_desk_alone(signed_in: SignIn) -> None:
    factories.staff(), factories.service()
    client = factories.client(last_name="Benali", search_text="karim benali", inactive_at=NOW, inactive_reason="stays_away")
    desk = signed_in(Role.RECEPTION)
    found = body(desk.post("/calendar/new/", {"act": "find", "q": "benali"}))
    assert f'id="book-wake-{client.pk}"' in found
    assert f'id="book-pick-{client.pk}"' not in found
    chosen = body(desk.post("/calendar/new/", {"act": f"wake-{client.pk}"}))
    assert f'name="client" value="{client.pk}"' in chosen
    assert state(client) == (None, "")
