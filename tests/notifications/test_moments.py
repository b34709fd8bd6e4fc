"""Birthdays, welcomes, time to come back, reviews: who is spoken to when, against an oracle, and at the hand-over."""

import datetime as dt
import zoneinfo
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appointments import regulars
from appointments.models import Appointment, OwnRhythm, Service, Staff
from clients import records
from clients.models import Client, ImportedCard, Merge
from notifications import ahead, dispatch, facts, holding, moments, planner
from notifications.models import Message, State, Trigger
from notifications.wanting import Asked
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import Salon, User
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications import marketing, moments_oracle, texting
from tests.notifications.moments_oracle import Had, Person

pytestmark = pytest.mark.django_db

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
HOUR, DAY, WEEK = dt.timedelta(hours=1), dt.timedelta(days=1), dt.timedelta(weeks=1)
KINDS = ("birthday", "welcome", "rebook", "review")
# A Tuesday noon in Paris.
NOON = dt.datetime(2026, 11, 24, 12, 0, tzinfo=PARIS)


@pytest.fixture
def open_salon(sending_salon: Salon) -> Salon:
    """A salon whose links work and that switched everything on."""
    for kind in KINDS:
        target = "https://reviews.example.org/" if kind == "review" else ""
        Trigger.objects.update_or_create(kind=kind, defaults={"is_on": True, "target": target})
    return sending_salon


def willing(kind: str, **fields: Any) -> Client:
    client = factories.client(**{"created_at": NOON - 300 * DAY, **fields})
    marketing.says(client, "grant", NOON - 300 * DAY, purpose=f"mkt.{kind}")
    return client


def had(client: Client, start_at: dt.datetime, **fields: Any) -> Appointment:
    return factories.appointment(
        client=client, start_at=start_at, time_set_at=start_at - DAY, is_notice_wanted=False, **{"state": "done", **fields}
    )


def kinds_of(client: Client) -> list[str]:
    return sorted(Message.objects.filter(client=client).values_list("kind", flat=True))


# --- against the oracle -------------------------------------------------------------------------------------------

near = st.timedeltas(-3 * DAY, 3 * DAY)
born = st.one_of(
    st.none(),
    st.tuples(st.sampled_from([None, None, 1980, 2026, 2014]), st.sampled_from([(11, 22), (11, 23), (11, 24), (11, 25)])).map(
        lambda pair: (pair[0], *pair[1])
    ),
)
weeks_of_services = st.sampled_from([None, None, 4, 8])


@st.composite
def visits(draw: st.DrawFn) -> list[Had]:
    """A visit that lies about as long ago as one is spoken of, and mostly another one before or after it."""
    ago = draw(st.sampled_from([0, 4, 5, 6, 6, 8])) * WEEK
    about = NOON - ago - draw(st.sampled_from([-2 * DAY, -2 * HOUR, HOUR, DAY, 2 * DAY, 6 * DAY, 13 * DAY, 15 * DAY]))
    first = Had(about, draw(st.sampled_from(["done", "done", "done", "no_show"])), draw(weeks_of_services))
    more = draw(st.sampled_from(["nothing", "nothing", "booked", "cancelled", "earlier", "later"]))
    if more == "nothing":
        return [first]
    away = {"booked": NOON + 9 * DAY, "cancelled": NOON + 9 * DAY, "earlier": about - 9 * DAY, "later": about + 3 * DAY}[more]
    return [first, Had(away, more if more in {"booked", "cancelled"} else "done", draw(weeks_of_services))]


people = st.lists(
    st.builds(
        Person,
        born=born,
        yes=st.sets(st.sampled_from(KINDS), min_size=1),
        by_sms=st.sets(st.sampled_from(KINDS)),
        likes=st.sampled_from(["", "", "email", "sms"]),
        is_away=st.sampled_from([False] * 7 + [True]),
        is_blacklisted=st.sampled_from([False] * 7 + [True]),
        added=st.sampled_from([None, NOON - HOUR, NOON - 6 * DAY, NOON - 8 * DAY]),
        is_imported=st.sampled_from([False, False, True]),
        own_weeks=st.sampled_from([None, None, None, 5]),
        visits=visits(),
    ),
    min_size=3,
    max_size=5,
)


def settle(person: Person, services: dict[int | None, Service], staff: Staff, imported: Any) -> Client:
    """Write a person down as the salon would have them."""
    year, month, day = person.born or (None, None, None)
    if year is not None and year > 2010:  # too young for advertising where the salon is: the oracle knows nobody's age
        year = 1990
        person.born = (1990, month or 1, day or 1)
    client = factories.client(
        birth_year=year, birth_month=month, birth_day=day, created_at=person.added or NOON - 400 * DAY,
        inactive_at=NOON - DAY if person.is_away else None, blacklisted_at=NOON - DAY if person.is_blacklisted else None,
        preferred_channel=person.likes,
    )  # fmt: skip
    if person.added:
        audit.record("client.added", client)
    if person.is_imported:
        ImportedCard.objects.create(source=imported, client=client, is_new=True)
    for channel, kinds_ in (("email", person.yes), ("sms", person.by_sms)):
        for kind in sorted(kinds_):
            marketing.says(client, "grant", NOON - 300 * DAY, purpose=f"mkt.{kind}", channel=channel)
    if person.own_weeks:
        OwnRhythm.objects.create(client=client, weeks=person.own_weeks)
    for one in person.visits:
        if one.state == "done" and one.start > NOON - 3 * HOUR:
            one.state = "booked"
        cancelled_at = one.start - DAY if one.state == "cancelled" else None
        had(
            client, one.start, state=one.state, service=services[one.service_weeks], staff=staff, cancelled_at=cancelled_at,
            is_overbooked=True,
        )  # fmt: skip
    return client


WAYS = ("email sms", "email sms", "sms email", "email", "sms")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=people, at=st.sampled_from([NOON, NOON.replace(hour=9), NOON.replace(hour=20)]), chosen=st.sampled_from(WAYS),
    is_sms_on=st.sampled_from([True, True, False]),
)  # fmt: skip
def test_the_planner_writes_what_the_policy_says_and_nothing_else(
    open_salon: Salon, people: list[Person], at: dt.datetime, chosen: str, is_sms_on: bool
) -> None:
    """I-11, I-20 to I-22, I-30: over any cards, visits, answers and ways; and a second plan adds nothing."""
    with transaction.atomic():
        texting.account(is_on=is_sms_on)
        Trigger.objects.filter(kind__in=KINDS).update(ways=chosen)
        # With SMS switched off what is left is e-mail, whatever the salon chose.
        ways = chosen.split() if is_sms_on else ["email"]
        staff, imported = factories.staff(), factories.imported()
        services = {weeks: factories.service(rebook_weeks=weeks) for weeks in (None, 4, 8)}
        written = [(person, settle(person, services, staff, imported)) for person in people]
        planner.plan(at)
        for person, client in written:
            found = dict(Message.objects.filter(client=client, kind__in=KINDS).values_list("kind", "channel"))
            assert found == moments_oracle.wanted(person, at, ways=ways), person
        assert not {name for name in planner.plan(at) if name in KINDS}
        transaction.set_rollback(True)


# --- one by one ---------------------------------------------------------------------------------------------------


def test_somebody_born_on_the_29th_of_february_is_wished_well_on_the_28th_of_a_common_year(open_salon: Salon) -> None:
    """C16, with no year of birth."""
    client = willing("birthday", birth_month=2, birth_day=29)
    planner.plan(dt.datetime(2027, 2, 28, 8, 59, tzinfo=PARIS))
    assert kinds_of(client) == []
    planner.plan(dt.datetime(2027, 2, 28, 9, 0, tzinfo=PARIS))
    planner.plan(dt.datetime(2027, 3, 1, 9, 0, tzinfo=PARIS))
    assert kinds_of(client) == ["birthday"]
    planner.plan(dt.datetime(2028, 2, 28, 23, 0, tzinfo=PARIS))
    assert kinds_of(client) == ["birthday"]
    planner.plan(dt.datetime(2028, 2, 29, 9, 0, tzinfo=PARIS))
    assert list(Message.objects.order_by("pk").values_list("occasion", flat=True)) == ["2027", "2028"]


@pytest.mark.parametrize(("zone", "hours"), [("Pacific/Apia", -24), ("America/New_York", 0), ("Europe/Paris", 0)])
def test_a_birthday_on_the_last_day_of_the_year_is_the_salons_and_once(open_salon: Salon, zone: str, hours: int) -> None:
    Salon.objects.update(time_zone=zone)
    client = willing("birthday", birth_month=12, birth_day=31)
    local = zoneinfo.ZoneInfo(zone)
    for hour in range(0, 72, 5):
        planner.plan(dt.datetime(2026, 12, 30, 20, 0, tzinfo=local) + dt.timedelta(hours=hour))
    message = Message.objects.get(client=client)
    assert (message.occasion, message.created_at.astimezone(local).date()) == ("2026", dt.date(2026, 12, 31))


def test_after_three_days_without_a_planner_nobody_is_wished_well_too_late(open_salon: Salon) -> None:
    """C17."""
    missed, late = willing("birthday", birth_month=11, birth_day=21), willing("birthday", birth_month=11, birth_day=23)
    planner.plan(NOON)
    assert (kinds_of(missed), kinds_of(late)) == ([], ["birthday"])
    assert Message.objects.get().expires_at == dt.datetime(2026, 11, 25, 9, 0, tzinfo=PARIS)


def test_a_wish_that_waits_over_night_leaves_in_the_morning_or_not_at_all(open_salon: Salon, fake: FakeProvider) -> None:
    """C14: planned in the evening, no sender until the morning."""
    client = willing("birthday", birth_month=11, birth_day=24)
    evening = NOON.replace(hour=22)
    planner.plan(evening)
    message = Message.objects.get(client=client)
    assert message.not_before == dt.datetime(2026, 11, 25, 7, 0, tzinfo=PARIS)
    dispatch.deliver_due(now=message.not_before - dt.timedelta(minutes=1))
    assert fake.delivered == []
    dispatch.deliver_due(now=message.not_before)
    assert len(fake.delivered) == 1


def test_what_lay_behind_when_the_salon_switched_it_on_stays_unsaid(open_salon: Salon) -> None:
    Trigger.objects.filter(kind__in=["rebook", "review", "welcome"]).update(switched_on_at=NOON - HOUR)
    visit = had(willing("rebook"), NOON - 6 * WEEK - 3 * DAY)
    due_now = had(willing("rebook"), NOON - 6 * WEEK)
    planner.plan(NOON)
    assert kinds_of(visit.client) == []  # type: ignore[arg-type]
    assert kinds_of(due_now.client) == ["rebook"]  # type: ignore[arg-type]


def test_a_card_added_at_the_desk_is_welcomed_once_and_one_of_a_list_never(open_salon: Salon, reception: User) -> None:
    now = timezone.now()
    card = records.add(by=reception, first_name="Zoé", email="zoe@example.org", now=now)
    many = [{"first_name": f"A{number}", "email": f"a{number}@example.org"} for number in range(2)]
    listed = records.add_many(many, by=reception, now=now)
    for client in (card, *Client.objects.filter(pk__in=listed)):
        marketing.says(client, "grant", now, purpose="mkt.welcome")
    planner.plan(now + dt.timedelta(seconds=29))
    assert not Message.objects.exists()
    planner.plan(now + dt.timedelta(minutes=1))
    assert list(Message.objects.values_list("client", "occasion")) == [(card.pk, "welcome")]
    zone, message = open_salon.zone, Message.objects.get()
    assert holding.read(message, zone)["is_off_day"] is False
    merge = Merge.objects.create(winner=card, taken_in=[card.pk - 1])
    assert holding.read(message, zone)["is_off_day"] is True, "an old client is not welcomed because a card was made twice"
    Merge.objects.filter(pk=merge.pk).update(taken_in=[card.pk + 1])
    assert holding.read(message, zone)["is_off_day"] is False


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("birthday", lambda client: Client.objects.filter(pk=client.pk).update(birth_day=2), "not_the_day"),
        (
            "rebook",
            lambda client: factories.appointment(client=client, start_at=NOON + 9 * DAY, is_notice_wanted=False),
            "booked",
        ),
        ("review", lambda client: Appointment.objects.filter(client=client).update(state="no_show"), "not_done"),
        ("review", lambda client: Trigger.objects.filter(pk="review").update(target=""), "no_target"),
        ("birthday", lambda client: marketing.says(client, "withdraw", NOON, purpose="mkt.birthday"), "consent_missing"),
        ("welcome", lambda client: Trigger.objects.filter(pk="welcome").update(is_on=False), "automation_off"),
        ("review", lambda client: Client.objects.filter(pk=client.pk).update(blacklisted_at=NOON), "blacklisted"),
    ],
)
def test_what_changed_between_plan_and_hand_over_stops_it(
    open_salon: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, kind: str, change: Any, reason: str
) -> None:
    """I-13 and the moments: no planner runs in between, so the gate alone sees it."""
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    client = willing(kind, birth_month=11, birth_day=24, created_at=NOON - DAY)
    audit.record("client.added", client)
    had(client, NOON - (6 * WEEK if kind == "rebook" else DAY))
    planner.plan(NOON)
    assert kinds_of(client) == [kind]
    change(client)
    dispatch.deliver_due(now=NOON + HOUR)
    assert fake.delivered == []
    assert Message.objects.get(client=client).reason == reason


def test_a_second_review_within_90_days_and_a_third_rebooking_are_refused_at_the_hand_over(
    open_salon: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I-22: whatever a planner gone mad wrote."""
    now = timezone.now()
    client = willing("review", created_at=now - 300 * DAY)
    marketing.says(client, "grant", now - 200 * DAY, purpose="mkt.rebook")
    visit = had(client, now - 100 * DAY)
    other = had(client, now - 101 * DAY)

    def row(kind: str, occasion: str, about: Appointment, days_ago: int = 0, **fields: Any) -> Message:
        at = now - days_ago * DAY
        return Message.objects.create(
            kind=kind, channel="email", client=client, appointment=about, occasion=occasion, not_before=at,
            expires_at=now + 5 * DAY, created_at=at, **fields,
        )  # fmt: skip

    told = {"state": State.ACCEPTED, "address_hmac": "x" * 64}
    row("review", "old", other, 80, handoff_at=now - 80 * DAY, **told)
    for number in (1, 2):
        row("rebook", f"old{number}", other, 50 + number, handoff_at=now - (50 + number) * DAY, **told)
    noon = now.astimezone(PARIS).replace(hour=12)
    new = [row("review", str(visit.pk), visit), row("rebook", str(visit.pk), visit)]
    dispatch.deliver_due(now=noon if noon > now else noon + DAY)
    for message in new:
        message.refresh_from_db()
        assert (message.state, message.reason) == (State.CANCELLED, "asked_lately")
    assert fake.delivered == []


def test_two_of_one_address_do_not_both_get_advertising_on_one_day(open_salon: Salon, fake: FakeProvider) -> None:
    """I-23 across kinds: a mother's birthday and her child's on the same day."""
    for _ in range(2):
        willing("birthday", birth_month=11, birth_day=24, email="family@example.org")
    planner.plan(NOON)
    dispatch.deliver_due(now=NOON)
    assert len(fake.delivered) == 1
    assert sorted(Message.objects.values_list("state", "reason")) == [("accepted", ""), ("suppressed", "frequency_cap")]


def test_a_booking_takes_the_message_back_and_its_cancellation_brings_it_again(open_salon: Salon) -> None:
    client = willing("rebook")
    had(client, NOON - 6 * WEEK)
    planner.plan(NOON)
    booked = factories.appointment(client=client, start_at=NOON + 5 * DAY, is_notice_wanted=False)
    planner.plan(NOON + HOUR)
    message = Message.objects.get(kind="rebook")
    assert (message.state, message.reason) == (State.CANCELLED, "booked")
    Appointment.objects.filter(pk=booked.pk).update(state="cancelled", cancelled_at=NOON + HOUR)
    planner.plan(NOON + 2 * HOUR)
    message.refresh_from_db()
    assert message.state == State.PENDING


def test_the_weeks_are_the_clients_own_else_the_services_else_the_salons(open_salon: Salon, reception: User) -> None:
    four = factories.service(rebook_weeks=4)
    own, by_service, by_salon = (willing("rebook") for _ in range(3))
    regulars.set_rhythm(own, 3, by=reception)
    had(own, NOON - 3 * WEEK, service=four)
    had(by_service, NOON - 4 * WEEK, service=four)
    had(by_salon, NOON - 6 * WEEK)
    early = willing("rebook")
    had(early, NOON - 5 * WEEK)
    planner.plan(NOON)
    assert [kinds_of(one) for one in (own, by_service, by_salon, early)] == [["rebook"]] * 3 + [[]]
    with pytest.raises(Refused):
        regulars.set_rhythm(own, 105, by=reception)


def test_the_count_of_the_coming_days_is_what_then_is_planned(open_salon: Salon) -> None:
    """The page counts by the planner's own rule: each day's plan adds up to what it said."""
    for day in (24, 25, 27, 30):
        willing("birthday", birth_month=11, birth_day=day)
    willing("birthday", birth_month=12, birth_day=2)
    factories.client(birth_month=11, birth_day=26)
    trigger = facts.switches()["birthday"]
    early = NOON.replace(hour=8)
    assert ahead.count(trigger, open_salon, early) == 4
    assert [line.due.astimezone(PARIS).day for line in ahead.lines(trigger, open_salon, early)] == [24, 25, 27, 30]
    for days in range(8):
        planner.plan(early + days * DAY)
    assert Message.objects.filter(kind="birthday").count() == 4


def test_birthdays_are_found_by_an_index(open_salon: Salon) -> None:
    found = moments.birthdays(Asked(facts.switches()["birthday"], open_salon, NOON, NOON))
    plan = next(iter(found)).rows.explain()
    assert connection.vendor != "sqlite" or "clients_client_birthday" in plan


def test_the_29th_of_february_is_the_28th_in_common_years() -> None:
    assert [moments.observed(year, 2, 29).day for year in (2027, 2028, 2100)] == [28, 29, 28]


def test_nobody_who_booked_or_came_again_is_told_that_it_is_time_to_come_back(open_salon: Salon) -> None:
    """I-22: not even written down; the control has neither."""
    ahead_, again, control = (willing("rebook") for _ in range(3))
    for client in (ahead_, again, control):
        had(client, NOON - 6 * WEEK)
    factories.appointment(client=ahead_, start_at=NOON + 5 * DAY, is_notice_wanted=False)
    had(again, NOON - 5 * WEEK)
    planner.plan(NOON)
    assert [kinds_of(client) for client in (ahead_, again, control)] == [[], [], ["rebook"]]
