"""Up to three reminders of a visit, by the wall clock or hours before, for whom and for which services."""

import datetime as dt
import re
import zoneinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appointments.models import Appointment
from notifications import dispatch, kinds, planner, remindertimes, why
from notifications.models import Message, State
from notifications.plans import ReminderTime
from notifications.remindertimes import Time
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.generated import cases
from tests.notifications.cast import client_of

pytestmark = pytest.mark.django_db

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
TIMES = {
    1: Time(is_on=True, days_before=3, at=dt.time(18)),
    2: Time(is_on=True, days_before=1, at=dt.time(10)),
    3: Time(is_on=True, hours_before=3),
}


def at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=PARIS)


def visit(start_at: dt.datetime, **fields: Any) -> Appointment:
    return factories.appointment(start_at=start_at, **{"is_notice_wanted": False, "time_set_at": start_at - 20 * DAY, **fields})


def slots(row: Appointment) -> list[str]:
    return sorted(kinds.slot_of(one.kind, one.occasion) for one in row.messages.filter(kind="reminder"))


@pytest.fixture
def three(sending_salon: Salon, owner: User) -> Salon:
    remindertimes.save(TIMES, by=owner)
    return sending_salon


def test_each_of_three_reminders_leaves_at_its_own_time_and_once(three: Salon, fake: FakeProvider) -> None:
    row = visit(at(25, 14, 30))
    for when in (at(22, 17), at(22, 18), at(23, 10), at(24, 9), at(24, 10), at(25, 11), at(25, 11, 30), at(25, 13)):
        planner.plan(when)
        dispatch.deliver_due(now=when)
    leaves = list(row.messages.order_by("not_before").values_list("not_before", flat=True))
    assert leaves == [at(22, 18), at(24, 10), at(25, 11, 30)]
    assert slots(row) == ["1", "2", "3"]
    assert len(fake.delivered) == 3


def test_a_time_set_anew_does_not_say_a_thing_twice(three: Salon, fake: FakeProvider, owner: User) -> None:
    row = visit(at(25, 14, 30))
    planner.plan(at(24, 10))
    dispatch.deliver_due(now=at(24, 10))
    remindertimes.save({2: Time(is_on=True, days_before=1, at=dt.time(12))}, by=owner)
    planner.plan(at(24, 12))
    assert slots(row) == ["1", "2"]
    with pytest.raises(Refused, match="at the same time"):
        remindertimes.save({2: Time(is_on=True, hours_before=4), 3: Time(is_on=True, hours_before=4)}, by=owner)


def test_a_moved_visit_gets_the_reminders_of_its_new_time(three: Salon, fake: FakeProvider) -> None:
    row = visit(at(25, 14, 30))
    planner.plan(at(24, 10))
    dispatch.deliver_due(now=at(24, 10))
    Appointment.objects.update(start_at=at(26, 14, 30), end_at=at(26, 15), time_version=2, time_set_at=at(24, 11))
    planner.plan(at(24, 12))
    assert Message.objects.filter(time_version=2).count() == 0, "its third day before is over, and it is not the nearest"
    planner.plan(at(25, 10))
    planner.plan(at(26, 11, 30))
    assert [one.occasion for one in row.messages.filter(time_version=2).order_by("pk")] == [f"{row.pk}:2:2", f"{row.pk}:2:3"]


def test_a_visit_booked_inside_the_window_gets_only_the_nearest_and_only_from_afar(three: Salon) -> None:
    far, near = visit(at(25, 18), time_set_at=at(25, 10)), visit(at(25, 12), time_set_at=at(25, 10))
    later = visit(at(25, 12, 30), time_set_at=at(25, 8, 15))
    for hours in range(10):
        planner.plan(at(25, 8, 30) + hours * HOUR)
    assert [slots(row) for row in (far, near, later)] == [["3"], [], ["3"]]


@pytest.mark.parametrize(("start", "leaves"), [(10, (24, 20, 59)), (11, (25, 8, 0)), (12, (25, 9, 0))])
def test_hours_before_that_fall_into_the_night_leave_in_the_morning_or_the_evening_before(
    three: Salon, owner: User, start: int, leaves: tuple[int, int, int]
) -> None:
    remindertimes.save({1: Time(is_on=False, days_before=3, at=dt.time(18)), 2: Time(is_on=False, days_before=1, at=dt.time(10))},
                       by=owner)  # fmt: skip
    hours = {10: 10, 11: 5, 12: 3}[start]
    remindertimes.save({3: Time(is_on=True, hours_before=hours)}, by=owner)
    row = visit(at(25, 8, 30) if start == 10 else at(25, start))
    for when in (at(24, 20, 58), at(24, 20, 59), at(25, 8), at(25, 9)):
        planner.plan(when)
    assert row.messages.get().not_before == at(*leaves)


def test_a_service_and_a_client_have_the_last_word(three: Salon, owner: User, reception: User) -> None:
    """The client's answer counts before the service's, that before the salon's."""
    perm, cut = factories.service(), factories.service()
    remindertimes.set_services({perm.pk: {1: False, 2: False, 3: True}}, by=owner)
    plain, of_service, of_client = (visit(at(25, 14, 30), service=one) for one in (cut, perm, perm))
    remindertimes.set_client(client_of(of_client), {1: False, 2: False, 3: False}, by=reception)
    nothing = visit(at(25, 15), service=cut)
    changed = remindertimes.set_client(client_of(nothing), {1: True, 2: False, 3: False}, by=reception)
    for when in (at(22, 18), at(24, 10), at(25, 12)):
        planner.plan(when)
    assert [slots(row) for row in (plain, of_service, of_client, nothing)] == [["1", "2", "3"], ["3"], [], ["1"]]
    remindertimes.take_back(client_of(nothing), changed, by=reception)
    planner.plan(at(25, 12))
    assert slots(nothing) == ["1", "2", "3"], "what was due and is wanted again is said after all"


def test_a_waiting_reminder_that_is_not_wanted_any_more_is_taken_back_and_comes_again(three: Salon, reception: User) -> None:
    row = visit(at(25, 14, 30))
    planner.plan(at(24, 10))
    remindertimes.set_client(client_of(row), {2: False}, by=reception)
    planner.plan(at(24, 10, 1))
    message = row.messages.get(occasion__endswith=":2")
    assert (message.state, message.reason) == (State.CANCELLED, "not_chosen")
    remindertimes.set_client(client_of(row), {2: True}, by=reception)
    planner.plan(at(24, 10, 2))
    message.refresh_from_db()
    assert message.state == State.PENDING


def test_the_card_says_when_the_next_one_leaves(three: Salon, fake: FakeProvider, owner: User) -> None:
    row = visit(at(25, 14, 30))
    said = [next(one.sentence for one in why.answers(client_of(row), now) if one.kind == "reminder")
            for now in (at(20, 9), at(23, 9), at(25, 9))]  # fmt: skip
    assert said == [
        "A reminder goes out on Sun 22 Nov at 18:00.", "A reminder goes out on Tue 24 Nov at 10:00.",
        "A reminder goes out on Wed 25 Nov at 11:30.",
    ]  # fmt: skip
    remindertimes.set_client(client_of(row), {1: False, 2: False, 3: False}, by=owner)
    told = next(one for one in why.answers(client_of(row), at(20, 9)) if one.kind == "reminder")
    assert told.reasons == ("not_chosen",)


starts = st.tuples(st.integers(23, 27), st.integers(7, 20), st.sampled_from([0, 15, 30])).map(lambda when: at(*when))


@cases(15)
@given(start=starts, hours=st.integers(1, 72), booked=st.timedeltas(HOUR, 4 * DAY))
def test_hours_before_by_the_planner_are_those_by_hand(
    sending_salon: Salon, start: dt.datetime, hours: int, booked: dt.timedelta
) -> None:
    """One visit, one time: the instant is found by walking minute by minute."""
    ReminderTime.objects.all().delete()
    Message.objects.all().delete()
    Appointment.objects.all().delete()
    ReminderTime.objects.create(slot=1, hours_before=hours)
    row = visit(start, time_set_at=start - booked)
    due = start - hours * HOUR
    leaves = due
    while not 8 <= leaves.astimezone(PARIS).hour < 21:
        leaves += dt.timedelta(minutes=1)
    if start - leaves < HOUR:
        leaves = due
        while not 8 <= leaves.astimezone(PARIS).hour < 21:
            leaves -= dt.timedelta(minutes=1)
    set_at = start - booked
    is_wanted = set_at <= due or booked >= 4 * HOUR
    leaves = max(leaves, set_at)
    is_said = is_wanted and start - leaves > HOUR
    for when, count in ((leaves - dt.timedelta(seconds=1), 0), (leaves, int(is_said))):
        if set_at <= when < start:
            planner.plan(when)
            assert row.messages.count() == count


# --- the card -----------------------------------------------------------------------------------------------------


def test_the_desk_chooses_a_clients_reminders_on_the_card_and_takes_it_back(signed_in: Any, three: Salon) -> None:
    client = factories.client()
    url = f"/clients/{client.pk}/reminders/times/"
    browser = signed_in(Role.RECEPTION)
    assert browser.get(url).content.decode().count("checked") == 3
    answer = browser.post(f"{url}set/", {"slot": ["3"]}, headers={"HX-Request": "true"})
    assert answer.content.decode().count("checked") == 1
    assert remindertimes.chosen_of(client=client) == {1: False, 2: False, 3: True}
    token = re.findall(r'name="token" value="([^"]+)"', answer.content.decode())[-1]
    browser.post(f"{url}set/", {"token": token})
    assert remindertimes.chosen_of(client=client) == {1: True, 2: True, 3: True}
    assert signed_in(Role.STYLIST).post(f"{url}set/", {"slot": []}).status_code == 403
