"""Booking, moving, cancelling, states, Undo: one person at a time. Races are in test_booking_races.py."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from appointments import booking, claims, slips
from appointments.models import Appointment, State
from clients import deletions, rights
from clients.merging import merges
from clients.models import Client
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from tests import factories
from tests.generated import cases

PARIS = ZoneInfo("Europe/Paris")
NOW = dt.datetime(2026, 11, 18, 9, 0, tzinfo=PARIS)
LATER = NOW + dt.timedelta(minutes=5)


def at(hour: int, minute: int = 0, day: int = 19) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=PARIS)


@pytest.fixture
def booked(salon: Salon, reception: User) -> Appointment:
    """Amélie, tomorrow 14:30 to 15:15 with Léa; she is to be told."""
    return book(reception, start_at=at(14, 30), is_notice_wanted=True)


def book(by: User | None, **fields: Any) -> Appointment:
    values: dict[str, Any] = {"note": "", "now": NOW, **fields}
    for name, make in (("client", factories.client), ("staff", factories.staff), ("service", factories.service)):
        if name not in values:
            values[name] = make()
    return booking.book(by=by, **values)


def fresh(appointment: Appointment) -> Appointment:
    return Appointment.objects.get(pk=appointment.pk)


def test_a_booking_takes_the_services_time_and_price(booked: Appointment, reception: User) -> None:
    row = fresh(booked)
    assert (row.start_at, row.end_at, row.price, row.state) == (at(14, 30), at(15, 15), Decimal("42.00"), State.BOOKED)
    assert (row.time_version, row.time_set_at, row.created_by, row.is_notice_wanted) == (1, NOW, reception, True)
    event = AuditEvent.objects.get(action="appointment.book")
    assert (event.subject_id, event.by) == (row.pk, reception)


def test_time_that_is_taken_is_refused_and_the_visit_in_the_way_named(booked: Appointment, reception: User) -> None:
    with pytest.raises(claims.Overlap) as refused:
        book(reception, staff=booked.staff, start_at=at(15, 0))
    assert refused.value.visits == [booked]
    assert Appointment.objects.count() == 1


def test_visits_that_touch_do_not_overlap(booked: Appointment, reception: User) -> None:
    book(reception, staff=booked.staff, start_at=at(15, 15))
    book(reception, staff=booked.staff, start_at=at(13, 45))
    assert Appointment.objects.count() == 3


def test_another_person_is_free(booked: Appointment, reception: User) -> None:
    book(reception, staff=factories.staff(name="Marco"), start_at=at(14, 30))
    assert Appointment.objects.count() == 2


def test_staff_may_book_over_a_visit_knowingly_and_it_is_marked(booked: Appointment, reception: User) -> None:
    over = book(reception, staff=booked.staff, start_at=at(14, 45), may_overbook=True)
    assert fresh(over).is_overbooked
    assert not fresh(booked).is_overbooked


def test_may_overbook_marks_nothing_where_nothing_is_in_the_way(reception: User) -> None:
    assert not book(reception, start_at=at(14, 30), may_overbook=True).is_overbooked


def test_nobody_but_the_team_books_over_a_visit(booked: Appointment) -> None:
    with pytest.raises(claims.Overlap):
        book(None, staff=booked.staff, start_at=at(14, 30), may_overbook=True)


@pytest.mark.parametrize("state", [State.CANCELLED, State.NO_SHOW])
def test_a_visit_that_does_not_take_place_frees_its_time(salon: Salon, reception: User, state: str) -> None:
    staff = factories.staff()
    cancelled_at = NOW if state == State.CANCELLED else None
    factories.appointment(staff=staff, start_at=at(14, 30), state=state, cancelled_at=cancelled_at)
    book(reception, staff=staff, start_at=at(14, 30))


@pytest.mark.parametrize("field", ["inactive_at", "restricted_at", "erased_at"])
def test_an_inactive_client_is_not_booked(reception: User, field: str) -> None:
    with pytest.raises(Refused) as refused:
        book(reception, client=factories.client(**{field: NOW}), start_at=at(14, 30))
    assert refused.value.field == "client"


def test_a_retired_service_is_not_booked(reception: User) -> None:
    with pytest.raises(Refused) as refused:
        book(reception, service=factories.service(is_active=False), start_at=at(14, 30))
    assert refused.value.field == "service"


def test_somebody_who_left_is_not_booked_even_from_an_old_page(reception: User) -> None:
    staff = factories.staff()
    type(staff).objects.update(is_active=False)
    with pytest.raises(Refused) as refused:
        book(reception, staff=staff, start_at=at(14, 30))
    assert refused.value.field == "staff"


def test_a_visit_in_the_past_is_written_down_and_nobody_is_told(reception: User) -> None:
    row = book(reception, start_at=at(8, 0, day=18), is_notice_wanted=True)
    assert not row.is_notice_wanted


def test_a_visit_without_a_client_is_a_walk_in(reception: User) -> None:
    assert fresh(book(reception, client=None, start_at=at(14, 30))).client is None


# --- the same press of the button twice -------------------------------------------------------------------------


def test_a_double_click_is_one_booking(reception: User) -> None:
    values = {"client": factories.client(), "staff": factories.staff(), "service": factories.service()}
    first = book(reception, start_at=at(14, 30), idempotency_key="k1", **values)
    again = book(reception, start_at=at(14, 30), idempotency_key="k1", **values)
    assert first == again
    assert Appointment.objects.count() == 1


def test_the_same_key_for_something_else_is_refused(reception: User) -> None:
    values = {"client": factories.client(), "staff": factories.staff(), "service": factories.service()}
    book(reception, start_at=at(14, 30), idempotency_key="k1", **values)
    with pytest.raises(Refused, match="other details"):
        book(reception, start_at=at(16, 30), idempotency_key="k1", **values)
    assert Appointment.objects.count() == 1


# --- move -------------------------------------------------------------------------------------------------------


def test_every_move_raises_the_time_version_a_move_back_too(booked: Appointment, reception: User) -> None:
    booking.move(booked, start_at=at(16), by=reception, now=LATER, is_notice_wanted=True)
    booking.move(booked, start_at=at(14, 30), by=reception, now=LATER, is_notice_wanted=True)
    row = fresh(booked)
    assert (row.start_at, row.time_version, row.time_set_at) == (at(14, 30), 3, LATER)


def test_moving_to_where_it_is_changes_nothing(booked: Appointment, reception: User) -> None:
    booking.move(booked, start_at=at(14, 30), by=reception, now=LATER, is_notice_wanted=True)
    assert fresh(booked).time_version == 1


def test_a_move_by_a_quarter_of_an_hour_does_not_collide_with_itself(booked: Appointment, reception: User) -> None:
    booking.move(booked, start_at=at(14, 45), by=reception, now=LATER, is_notice_wanted=True)
    assert fresh(booked).end_at == at(15, 30)


def test_a_move_to_another_person_and_service_takes_the_new_length_and_price(booked: Appointment, reception: User) -> None:
    marco = factories.staff(name="Marco")
    colour = factories.service(name="Couleur", duration_minutes=90, price=Decimal("80"))
    booking.move(booked, start_at=at(10), staff=marco, service=colour, by=reception, now=LATER, is_notice_wanted=False)
    row = fresh(booked)
    assert (row.staff, row.service, row.end_at, row.price) == (marco, colour, at(11, 30), Decimal("80"))


def test_a_move_onto_another_visit_is_refused_and_changes_nothing(booked: Appointment, reception: User) -> None:
    book(reception, staff=booked.staff, start_at=at(16))
    with pytest.raises(claims.Overlap):
        booking.move(booked, start_at=at(16, 15), by=reception, now=LATER, is_notice_wanted=True)
    assert fresh(booked).start_at == at(14, 30)


def test_the_second_of_two_editors_is_told(booked: Appointment, reception: User) -> None:
    stale = fresh(booked)
    booking.move(booked, start_at=at(16), by=reception, now=LATER, is_notice_wanted=True)
    acts: list[Callable[[], object]] = [
        lambda: booking.move(stale, start_at=at(17), by=reception, now=LATER, is_notice_wanted=True),
        lambda: booking.cancel(stale, by=reception, now=LATER, is_notice_wanted=True),
        lambda: booking.set_state(stale, to=State.CONFIRMED, by=reception, now=LATER),
        lambda: booking.write_note(stale, note="late", by=reception),
    ]
    for act in acts:
        with pytest.raises(booking.Conflict):
            act()
    assert (fresh(booked).start_at, fresh(booked).state) == (at(16), State.BOOKED)


def test_a_cancelled_visit_is_not_moved(booked: Appointment, reception: User) -> None:
    booking.cancel(booked, by=reception, now=LATER, is_notice_wanted=True)
    with pytest.raises(Refused):
        booking.move(booked, start_at=at(16), by=reception, now=LATER, is_notice_wanted=True)


# --- states -----------------------------------------------------------------------------------------------------


def test_cancelling_keeps_when_and_whether_to_tell(booked: Appointment, reception: User) -> None:
    booking.cancel(booked, by=reception, now=LATER, is_notice_wanted=False)
    row = fresh(booked)
    assert (row.state, row.cancelled_at, row.is_notice_wanted) == (State.CANCELLED, LATER, False)


@pytest.mark.parametrize("to", [State.DONE, State.NO_SHOW, State.ARRIVED])
def test_what_lies_ahead_has_not_happened_yet(booked: Appointment, reception: User, to: str) -> None:
    with pytest.raises(Refused):
        booking.set_state(booked, to=to, by=reception, now=NOW)
    booking.set_state(booked, to=to, by=reception, now=at(9, 0))
    assert fresh(booked).state == to


def test_a_no_show_who_comes_after_all_is_refused_the_time_that_was_given_away(booked: Appointment, reception: User) -> None:
    booking.set_state(booked, to=State.NO_SHOW, by=reception, now=at(14, 45))
    book(reception, staff=booked.staff, start_at=at(14, 45), now=at(14, 45))
    with pytest.raises(claims.Overlap):
        booking.set_state(booked, to=State.ARRIVED, by=reception, now=at(14, 50))


def test_a_no_show_of_a_card_that_is_restricted_since_takes_no_time_again(booked: Appointment, owner: User) -> None:
    booking.set_state(booked, to=State.NO_SHOW, by=owner, now=at(14, 45))
    assert booked.client is not None
    rights.restrict(booked.client, reason="claim", note="", until=None, known_by="in_person", by=owner, now=at(14, 46))
    with pytest.raises(Refused, match="is restricted"):
        booking.set_state(fresh(booked), to=State.ARRIVED, by=owner, now=at(14, 50))
    assert fresh(booked).state == State.NO_SHOW


def test_set_state_does_not_cancel(booked: Appointment, reception: User) -> None:
    with pytest.raises(Refused):
        booking.set_state(booked, to=State.CANCELLED, by=reception, now=NOW)


# --- Undo -------------------------------------------------------------------------------------------------------


def undo(appointment: Appointment, token: str, by: User, now: dt.datetime = LATER) -> Appointment:
    return booking.undo(appointment, slip=slips.read(token, appointment), by=by, now=now, clock=lambda: now)


def test_undo_of_a_move_brings_the_old_time_back_as_a_new_version(booked: Appointment, reception: User) -> None:
    was = slips.before(booked)
    booking.move(booked, start_at=at(16), by=reception, now=NOW, is_notice_wanted=True)
    undo(booked, slips.token(booked, was), reception)
    row = fresh(booked)
    assert (row.start_at, row.end_at, row.time_version) == (at(14, 30), at(15, 15), 3)


def test_undo_of_a_cancellation_within_the_wait_restores_the_visit_exactly(booked: Appointment, reception: User) -> None:
    was, before = slips.before(booked), fresh(booked)
    booking.cancel(booked, by=reception, now=LATER, is_notice_wanted=True)
    undo(booked, slips.token(booked, was), reception, now=LATER + dt.timedelta(seconds=10))
    after = fresh(booked)
    kept = [field.attname for field in Appointment._meta.concrete_fields if field.name != "version"]
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]


def test_undo_of_a_cancellation_that_may_have_been_told_is_told_too(booked: Appointment, reception: User) -> None:
    was = slips.before(booked)
    booking.cancel(booked, by=reception, now=LATER, is_notice_wanted=True)
    undo(booked, slips.token(booked, was), reception, now=LATER + dt.timedelta(seconds=40))
    row = fresh(booked)
    assert (row.state, row.time_version, row.is_notice_wanted) == (State.BOOKED, 2, True)


def test_undo_of_a_booking_cancels_it_and_nobody_hears_of_it(booked: Appointment, reception: User) -> None:
    undo(booked, slips.token(booked), reception, now=NOW + dt.timedelta(seconds=10))
    row = fresh(booked)
    assert (row.state, row.is_notice_wanted) == (State.CANCELLED, False)


def test_undo_of_a_booking_that_may_have_been_confirmed_is_told(booked: Appointment, reception: User) -> None:
    undo(booked, slips.token(booked), reception, now=NOW + dt.timedelta(seconds=40))
    assert fresh(booked).is_notice_wanted


def test_an_undo_that_waited_while_the_message_left_is_told(booked: Appointment, reception: User) -> None:
    slip = slips.read(slips.token(booked), booked)
    clicked_at, held_at = NOW + dt.timedelta(seconds=29.9), NOW + dt.timedelta(seconds=30.1)
    booking.undo(booked, slip=slip, by=reception, now=clicked_at, clock=lambda: held_at)
    row = fresh(booked)
    assert (row.state, row.cancelled_at, row.is_notice_wanted) == (State.CANCELLED, held_at, True)


def test_undo_of_a_status_brings_the_status_back(booked: Appointment, reception: User) -> None:
    was = slips.before(booked)
    booking.set_state(booked, to=State.NO_SHOW, by=reception, now=at(14, 45))
    undo(booked, slips.token(booked, was), reception)
    assert fresh(booked).state == State.BOOKED


def test_undo_is_refused_once_anybody_changed_the_visit(booked: Appointment, reception: User) -> None:
    was = slips.before(booked)
    booking.move(booked, start_at=at(16), by=reception, now=NOW, is_notice_wanted=True)
    token = slips.token(booked, was)
    booking.write_note(booked, note="Allergic to henna", by=reception)
    with pytest.raises(booking.Conflict):
        undo(booked, token, reception)
    assert fresh(booked).start_at == at(16)


def test_undo_is_refused_once_somebody_else_has_the_time(booked: Appointment, reception: User) -> None:
    was = slips.before(booked)
    booking.cancel(booked, by=reception, now=LATER, is_notice_wanted=True)
    book(reception, staff=booked.staff, start_at=at(14, 30), now=LATER + dt.timedelta(seconds=1))
    with pytest.raises(claims.Overlap):
        undo(booked, slips.token(booked, was), reception, now=LATER + dt.timedelta(seconds=5))
    assert fresh(booked).state == State.CANCELLED


def test_a_visit_booked_over_this_one_before_does_not_hinder_its_return(booked: Appointment, reception: User) -> None:
    over = book(reception, staff=booked.staff, start_at=at(14, 30), may_overbook=True)
    was = slips.before(booked)
    booking.cancel(booked, by=reception, now=LATER, is_notice_wanted=True)
    undo(booked, slips.token(booked, was), reception, now=LATER + dt.timedelta(seconds=5))
    assert (fresh(booked).is_overbooked, fresh(over).is_overbooked) == (False, True)


@pytest.mark.parametrize("is_erased", [False, True])
def test_undo_brings_no_visit_back_to_a_client_who_is_deleted(booked: Appointment, owner: User, is_erased: bool) -> None:
    was = slips.before(booked)
    booking.cancel(booked, by=owner, now=LATER, is_notice_wanted=False)
    token = slips.token(booked, was)
    assert booked.client
    deletions.delete(booked.client, is_asked=True, known_by="in_person", is_notice_wanted=False, by=owner, now=LATER)
    if is_erased:
        assert deletions.work(LATER) == 1
    with pytest.raises(Refused, match="was deleted" if is_erased else "being deleted"):
        undo(fresh(booked), token, owner)
    assert fresh(booked).state == State.CANCELLED


def test_undo_brings_no_visit_back_to_a_card_that_is_restricted_since(booked: Appointment, owner: User) -> None:
    was = slips.before(booked)
    booking.cancel(booked, by=owner, now=LATER, is_notice_wanted=False)
    assert booked.client
    rights.restrict(booked.client, reason="claim", note="", until=None, known_by="in_person", by=owner, now=LATER)
    with pytest.raises(Refused, match="is restricted"):
        undo(booked, slips.token(booked, was), owner)


def test_undo_brings_the_visit_of_a_walk_in_of_an_inactive_and_of_a_merged_client_back(salon: Salon, owner: User) -> None:
    inactive, merged, home = (factories.client() for _each in range(3))
    visits = [book(owner, client=client, start_at=at(10)) for client in (None, inactive, merged)]
    slips_before = [slips.before(visit) for visit in visits]
    for visit in visits:
        booking.cancel(visit, by=owner, now=LATER, is_notice_wanted=False)
    Client.objects.filter(pk=inactive.pk).update(inactive_at=LATER, inactive_reason="moved")
    merges.merge([merged.pk, home.pk], main=home.pk, by=owner, now=LATER)
    for visit, was in zip(visits, slips_before, strict=True):
        undo(visit, slips.token(visit, was), owner)
    assert [(fresh(visit).state, fresh(visit).client_id) for visit in visits] == [
        (State.BOOKED, None), (State.BOOKED, inactive.pk), (State.BOOKED, home.pk)
    ]  # fmt: skip


def test_undo_works_only_with_our_own_token_for_this_visit(booked: Appointment, reception: User) -> None:
    other = book(reception, start_at=at(10))
    for token in ("", "made up", slips.token(other)):
        with pytest.raises(Refused):
            slips.read(token, booked)


def test_undo_ends_after_ten_minutes(booked: Appointment, monkeypatch: pytest.MonkeyPatch) -> None:
    token = slips.token(booked)
    monkeypatch.setattr(slips, "KEEPS_FOR", dt.timedelta(seconds=-1))
    with pytest.raises(Refused, match="ten minutes"):
        slips.read(token, booked)


# --- days with a clock change -----------------------------------------------------------------------------------


def test_a_visit_over_the_autumn_change_lasts_as_long_as_the_service(reception: User) -> None:
    start_at = dt.datetime(2026, 10, 25, 2, 30, tzinfo=PARIS)  # the first of two
    row = book(reception, start_at=start_at, service=factories.service(duration_minutes=60), now=start_at)
    assert row.end_at.timestamp() - row.start_at.timestamp() == 3600
    assert fresh(row).end_at == dt.datetime(2026, 10, 25, 1, 30, tzinfo=dt.UTC)


def test_a_visit_over_midnight_is_held_on_both_days(reception: User) -> None:
    first = book(reception, start_at=at(23, 30), service=factories.service(duration_minutes=60))
    with pytest.raises(claims.Overlap):
        book(reception, staff=first.staff, start_at=at(0, 15, day=20))


# --- the constraint behind the lock -----------------------------------------------------------------------------


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the exclusion constraint exists on PostgreSQL only")
def test_postgresql_itself_refuses_two_visits_at_one_time(booked: Appointment) -> None:
    with pytest.raises(IntegrityError, match="appointments_no_overlap"), transaction.atomic():
        factories.appointment(staff=booked.staff, start_at=at(15, 0))
    factories.appointment(staff=booked.staff, start_at=at(15, 0), is_overbooked=True)
    factories.appointment(staff=booked.staff, start_at=at(15, 15))


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the exclusion constraint exists on PostgreSQL only")
def test_what_the_constraint_refuses_is_said_in_words(
    booked: Appointment, reception: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "refuse_overlap", lambda made, *, may_overbook: False)
    with pytest.raises(claims.Overlap) as refused:
        book(reception, staff=booked.staff, start_at=at(15, 0))
    assert refused.value.visits == [booked]


# --- many visits, judged by minutes -----------------------------------------------------------------------------

wishes = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 40), st.sampled_from([15, 30, 45, 90]), st.booleans(), st.booleans()),
    min_size=1,
    max_size=12,
)


@cases(30)
@given(wishes)
def test_no_minute_of_anybody_is_given_twice_unless_knowingly(
    reception: User, wanted: list[tuple[int, int, int, bool, bool]]
) -> None:
    """The oracle keeps a set of minutes for each person and never compares two spans."""
    with transaction.atomic():
        people = [factories.staff(name="Léa"), factories.staff(name="Marco")]
        client = factories.client()
        given_away: list[set[int]] = [set(), set()]
        for who, quarter, length, may_overbook, is_cancelled in wanted:
            minutes = set(range(quarter * 10, quarter * 10 + length))
            start_at = at(8) + dt.timedelta(minutes=quarter * 10)
            service = factories.service(duration_minutes=length)
            is_taken = bool(minutes & given_away[who])
            try:
                row = book(
                    reception, client=client, staff=people[who], service=service, start_at=start_at, may_overbook=may_overbook
                )
            except claims.Overlap:
                assert is_taken
                assert not may_overbook
                continue
            assert row.is_overbooked == is_taken
            assert may_overbook or not is_taken
            if is_cancelled and not is_taken:
                booking.cancel(row, by=reception, now=NOW, is_notice_wanted=False)
            else:
                given_away[who] |= minutes
        transaction.set_rollback(True)
