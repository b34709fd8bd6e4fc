"""Birthdays, welcomes, time to come back, reviews: who is spoken to when, against an oracle, and at the hand-over."""

import dataclasses
import datetime as dt
import itertools
import zoneinfo
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from appointments import regulars, rhythms
from appointments.models import Appointment, OwnRhythm, Service, Staff
from clients import records, wording
from clients.models import Client, ExistingRule, ImportedCard, Merge
from notifications import ahead, dispatch, facts, holding, moments, planner, triggers
from notifications.models import Message, State, Trigger
from notifications.wanting import Asked
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import Salon, User
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.generated import cases
from tests.notifications import marketing, moments_oracle, texting
from tests.notifications.moments_oracle import Had, Person, Rules

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
    regular: list[Had] = []
    first = Had(about, draw(st.sampled_from(["done", "done", "done", "no_show"])), draw(weeks_of_services))
    # Mostly nothing before it; else as somebody comes who comes regularly, more or less.
    weeks, away = draw(st.sampled_from([3, 4, 5, 8])), about
    for jitter in draw(st.lists(st.integers(-5, 5), max_size=5)):
        away -= weeks * WEEK + jitter * DAY
        regular.append(Had(away, "done"))
    more = draw(st.sampled_from(["nothing", "nothing", "nothing", "booked", "cancelled", "earlier", "later"]))
    if more == "nothing":
        return [first, *regular]
    away = {"booked": NOON + 9 * DAY, "cancelled": NOON + 9 * DAY, "earlier": about - 9 * DAY, "later": about + 3 * DAY}[more]
    return [first, Had(away, more if more in {"booked", "cancelled"} else "done", draw(weeks_of_services)), *regular]


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
        is_profiled=st.sampled_from([True, True, False]),
        is_told=st.booleans(),
        said_no=st.sampled_from([(), (), (), ("email",), ("sms",), ("email", "sms")]).map(set),
        is_number_german=st.sampled_from([False, False, True]),
        told=st.sampled_from([(), (), 10, 20, 21, 24, 34, 35, 36, (22, 50)]).map(
            lambda ago: [("rebook", NOON - days * DAY + HOUR) for days in (ago if isinstance(ago, tuple) else (ago,))]
        ),
        visits=visits(),
    ),
    min_size=3,
    max_size=5,
)


_numbers = itertools.cycle(range(100))


def settle(person: Person, services: dict[int | None, Service], staff: Staff, imported: Any) -> Client:
    """Write a person down as the salon would have them."""
    year, month, day = person.born or (None, None, None)
    if year is not None and year > 2010:  # too young for advertising where the salon is: the oracle knows nobody's age
        year = 1990
        person.born = (1990, month or 1, day or 1)
    client = factories.client(
        birth_year=year, birth_month=month, birth_day=day, created_at=person.added or NOON - 400 * DAY,
        inactive_at=NOON - DAY if person.is_away else None, blacklisted_at=NOON - DAY if person.is_blacklisted else None,
        preferred_channel=person.likes, **({"phone": f"+49151234567{next(_numbers):02}"} if person.is_number_german else {}),
    )  # fmt: skip
    if person.added:
        audit.record("client.added", client)
    if person.is_imported:
        ImportedCard.objects.create(source=imported, client=client, is_new=True)
    for channel, kinds_ in (("email", person.yes), ("sms", person.by_sms)):
        for kind in sorted(kinds_):
            marketing.says(client, "grant", NOON - 300 * DAY, purpose=f"mkt.{kind}", channel=channel)
    for channel in ("email", "sms") if person.is_told else ():
        text = wording.in_force("fr")["existing", channel]
        marketing.says(client, "soft_opt_in", NOON - 310 * DAY, purpose="mkt.rebook", channel=channel, text=text)
    for channel in sorted(person.said_no):
        marketing.says(client, "withdraw", NOON - 305 * DAY, purpose="mkt.promotion", channel=channel)
        marketing.says(client, "grant", NOON - 304 * DAY, purpose="mkt.promotion", channel=channel)
    if person.is_profiled:
        marketing.says(client, "grant", NOON - 300 * DAY, purpose="profiling", channel="")
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
    for number, (kind, when) in enumerate(person.told):
        visit = Appointment.objects.filter(client=client, state="done", start_at__lt=when).order_by("-start_at").first()
        occasion = f"{visit.pk if visit else 'none'}{':more' if number else ''}"
        Message.objects.create(
            kind=kind, channel="email", client=client, appointment=visit, occasion=occasion, state=State.ACCEPTED,
            not_before=when, expires_at=when + 14 * DAY, created_at=when - HOUR, handoff_at=when,
        )  # fmt: skip
    return client


WAYS = ("email sms", "email sms", "sms email", "email", "sms")


@cases(40)
@given(
    people=people, at=st.sampled_from([NOON, NOON.replace(hour=9), NOON.replace(hour=20)]), chosen=st.sampled_from(WAYS),
    is_sms_on=st.sampled_from([True, True, False]), by_rhythm=st.booleans(), again=st.sampled_from([None, 3, 5]),
    existing=st.sets(st.sampled_from(["email", "sms"])), hours_on=st.sampled_from([None, None, 0, 3, 24, 27, 144]),
)  # fmt: skip
def test_the_planner_writes_what_the_policy_says_and_nothing_else(
    open_salon: Salon,
    people: list[Person],
    at: dt.datetime,
    chosen: str,
    is_sms_on: bool,
    by_rhythm: bool,
    again: int | None,
    existing: set[str],
    hours_on: int | None,
) -> None:
    """I-11, I-20 to I-22, I-30: over any cards, visits, answers and ways; and a second plan adds nothing."""
    with transaction.atomic():
        texting.account(is_on=is_sms_on)
        Trigger.objects.filter(kind__in=KINDS).update(ways=chosen)
        # With SMS switched off what is left is e-mail, whatever the salon chose.
        rules = Rules(chosen.split() if is_sms_on else ["email"], by_rhythm, again, to_existing=frozenset(existing))
        if hours_on is not None:
            rules.since = NOON - hours_on * HOUR
            Trigger.objects.filter(pk="rebook").update(switched_on_at=rules.since)
        for channel in existing:
            ExistingRule.objects.create(country="FR", channel=channel, switched_on_at=NOON)
        Trigger.objects.filter(pk="rebook").update(is_by_rhythm=by_rhythm, again=again)
        staff, imported = factories.staff(), factories.imported()
        services = {weeks: factories.service(rebook_weeks=weeks) for weeks in (None, 4, 8)}
        written = [(person, settle(person, services, staff, imported)) for person in people]
        planner.plan(at)
        for person, client in written:
            new = Message.objects.filter(client=client, kind__in=KINDS, state=State.PENDING)
            assert dict(new.values_list("kind", "channel")) == moments_oracle.wanted(person, at, rules), person
            assert new.count() == new.values("kind").distinct().count(), "one of a kind"
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
    """Also what was due earlier on that day: who looks at the page sees nobody written to in the same minute."""
    Trigger.objects.update(switched_on_at=NOON - HOUR)
    behind = [had(willing("rebook"), NOON - 6 * WEEK).client, had(willing("review"), NOON - DAY).client]
    behind += [willing("birthday", birth_month=11, birth_day=23), willing("welcome", created_at=NOON - DAY)]
    audit.record("client.added", behind[-1])
    coming = [had(willing("rebook"), NOON - 6 * WEEK + DAY).client, had(willing("review"), NOON - HOUR).client]
    today = willing("birthday", birth_month=11, birth_day=24)
    planner.plan(NOON)
    assert list(Message.objects.values_list("client", flat=True)) == [today.pk]
    planner.plan(NOON + DAY)
    assert set(Message.objects.values_list("client", flat=True)) == {today.pk, *(one.pk for one in coming if one)}


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


def regular(client: Client, weeks: list[int], last: dt.datetime, **fields: Any) -> Appointment:
    """Let somebody have come with these weeks between their visits, the last time at `last`."""
    start_at = last
    for one in reversed(weeks):
        start_at -= one * WEEK
        had(client, start_at, **fields)
    return had(client, last, **fields)


def profiled(client: Client, event: str = "grant", at: dt.datetime = NOON - 200 * DAY) -> Client:
    marketing.says(client, event, at, purpose="profiling", channel="")
    return client


def by_rhythm(**fields: Any) -> None:
    Trigger.objects.filter(pk="rebook").update(**{"is_by_rhythm": True, **fields})


def test_who_comes_every_three_weeks_is_reminded_after_three_with_a_yes_to_profiling_alone(open_salon: Salon) -> None:
    """One long holiday does not change a rhythm, two visits in a week are one, and three visits are none yet."""
    by_rhythm()
    often, refused, unasked, rarely = (willing("rebook") for _ in range(4))
    for client in (often, rarely):
        profiled(client)
    for client in (often, profiled(refused, "deny"), unasked):
        regular(client, [3, 3, 20, 3, 3], NOON - 3 * WEEK)
    had(often, NOON - 6 * WEEK + 2 * DAY)
    regular(rarely, [3, 3], NOON - 3 * WEEK)
    planner.plan(NOON)
    assert [kinds_of(one) for one in (often, refused, unasked, rarely)] == [["rebook"], [], [], []]
    planner.plan(NOON + 3 * WEEK)
    assert [kinds_of(one) for one in (often, refused, unasked, rarely)] == [["rebook"]] * 4, "the others after the salon's six"
    by_rhythm(is_by_rhythm=False)
    Message.objects.all().delete()
    planner.plan(NOON)
    assert not Message.objects.exists()


def test_what_the_client_said_counts_before_what_they_do_and_that_before_the_service(open_salon: Salon, reception: User) -> None:
    by_rhythm()
    four = factories.service(rebook_weeks=4)
    said, does = profiled(willing("rebook")), profiled(willing("rebook"))
    regulars.set_rhythm(said, 5, by=reception)
    for client in (said, does):
        regular(client, [8, 8, 8], NOON - 8 * WEEK, service=four)
    planner.plan(NOON)
    assert [kinds_of(one) for one in (said, does)] == [[], ["rebook"]], "five weeks are three too long ago for the first"


@pytest.mark.parametrize("is_planned_again", [True, False])
def test_a_yes_to_profiling_taken_back_stops_what_waits_by_the_rhythm(
    open_salon: Salon, fake: FakeProvider, is_planned_again: bool
) -> None:
    """At the hand-over too, when no planner runs in between; what the salon's own weeks say is not touched by it."""
    by_rhythm()
    client, other = profiled(willing("rebook")), profiled(willing("rebook"))
    regular(client, [3, 3, 3], NOON - 3 * WEEK)
    had(other, NOON - 6 * WEEK)
    planner.plan(NOON)
    for one in (client, other):
        profiled(one, "withdraw", NOON)
    if is_planned_again:
        planner.plan(NOON + HOUR)
    dispatch.deliver_due(now=NOON + HOUR)
    assert fake.recipients == [other.email]
    message = Message.objects.get(client=client)
    assert message.reason == "profiling_missing"
    planner.plan(NOON + 3 * WEEK)
    assert sorted(Message.objects.filter(client=client).values_list("occasion", "state")) == [
        (str(message.appointment_id), State.PENDING), (f"{message.appointment_id}:habit", message.state),
    ], "after the salon's weeks it is said by those"  # fmt: skip


def test_once_more_after_its_own_wait_and_never_a_third_time(
    open_salon: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I-22: at most two between visits, over months of planning; and none once there is a visit again."""
    by_rhythm(is_by_rhythm=False, again=4)
    client = willing("rebook")
    had(client, NOON - 6 * WEEK)
    days = []
    for day in [*range(36), *range(36, 130, 5)]:
        at = NOON + day * DAY
        monkeypatch.setattr(timezone, "now", lambda at=at: at)
        planner.plan(at)
        before = len(fake.delivered)
        dispatch.deliver_due(now=at)
        Message.objects.filter(state=State.ACCEPTED).update(handoff_at=F("created_at"))  # the database has a clock of its own
        days += [day] * (len(fake.delivered) - before)
    assert days == [0, 28]
    assert len(set(Message.objects.values_list("occasion", flat=True))) == Message.objects.count() == 2


def reminded(client: Client, first: dt.datetime) -> Message:
    """Write down that a client was reminded once, of a visit six weeks before."""
    visit = had(client, first - 6 * WEEK)
    return Message.objects.create(
        kind="rebook", channel="email", client=client, appointment=visit, occasion=str(visit.pk), state=State.ACCEPTED,
        not_before=first, expires_at=first + 14 * DAY, created_at=first, handoff_at=first,
    )  # fmt: skip


@pytest.mark.parametrize("change", ["again", "shorter", "rhythm", "on anew"])
def test_a_changed_switch_writes_to_nobody_at_once_to_whom_it_would_have_been_due_before(
    open_salon: Salon, owner: User, change: str
) -> None:
    """Once more, or by the rhythm, to all who were due in two weeks: what lay behind stays unsaid, what comes is said."""
    by_rhythm(is_by_rhythm=False, again={"again": None, "shorter": 4}.get(change, 3), is_on=change != "on anew")
    old, coming = willing("rebook"), willing("rebook")
    reminded(old, NOON - 4 * WEEK)
    reminded(coming, NOON - 2 * WEEK - DAY)
    regular_one = profiled(willing("rebook"))
    regular(regular_one, [3, 3, 3], NOON - 4 * WEEK)
    setting = dataclasses.replace(triggers.of(facts.switches()["rebook"]), is_on=True, again=3, is_by_rhythm=change == "rhythm")
    triggers.save({"rebook": setting}, by=owner, now=NOON)
    planner.plan(NOON + HOUR)
    assert not Message.objects.filter(state=State.PENDING).exists()
    planner.plan(NOON + WEEK)
    assert list(Message.objects.filter(state=State.PENDING).values_list("client", flat=True)) == [coming.pk]


def test_a_switch_that_is_saved_as_it_was_keeps_its_day(open_salon: Salon, owner: User) -> None:
    by_rhythm(is_by_rhythm=True, again=4, switched_on_at=NOON - 9 * WEEK)
    for changes in ({}, {"delay": 7}, {"again": None}):
        triggers.save({"rebook": dataclasses.replace(triggers.of(facts.switches()["rebook"]), **changes)}, by=owner, now=NOON)
        assert facts.switches()["rebook"].switched_on_at == NOON - 9 * WEEK


@pytest.mark.parametrize("why", ["booked", "came", "switched off"])
def test_who_came_or_booked_after_the_first_is_not_reminded_once_more(open_salon: Salon, fake: FakeProvider, why: str) -> None:
    by_rhythm(is_by_rhythm=False, again=4)
    client = willing("rebook")
    visit = had(client, NOON - 10 * WEEK)
    first = NOON - 4 * WEEK
    Message.objects.create(
        kind="rebook", channel="email", client=client, appointment=visit, occasion=str(visit.pk), state=State.ACCEPTED,
        not_before=first, expires_at=first + 14 * DAY, created_at=first, handoff_at=first,
    )  # fmt: skip
    planner.plan(NOON)
    message = Message.objects.get(state=State.PENDING)
    assert (message.occasion, message.expires_at) == (f"{visit.pk}:more", first + 4 * WEEK + 14 * DAY)
    if why == "switched off":
        by_rhythm(is_by_rhythm=False, again=None)
        planner.plan(NOON)
    elif why == "booked":
        factories.appointment(client=client, start_at=NOON + 300 * DAY, is_notice_wanted=False)
    else:
        had(client, NOON - DAY)
    dispatch.deliver_due(now=NOON + HOUR)
    message.refresh_from_db()
    assert (message.state, message.reason) == (State.CANCELLED, "automation_off" if why == "switched off" else "booked")
    assert fake.delivered == []


@given(st.lists(st.integers(1, 120), min_size=0, max_size=9))
@cases(40)
def test_the_rhythm_is_the_median_of_the_weeks_between_visits(open_salon: Salon, days: list[int]) -> None:
    """What the database reckons, against the definition."""
    with transaction.atomic():
        client, starts = profiled(factories.client()), [NOON - 3 * DAY]
        for one in days:
            starts.append(starts[-1] - one * DAY)
        service, staff = factories.service(), factories.staff()
        for start in starts:
            had(client, start, service=service, staff=staff, is_overbooked=True)
        had(client, NOON - DAY, state="no_show", service=service, staff=staff, is_overbooked=True)
        lately = [start for start in starts if start >= NOON - 156 * WEEK]
        found = Appointment.objects.annotate(weeks=rhythms.weeks("client_id", NOON)).values_list("weeks", flat=True)
        assert set(found) == {moments_oracle.rhythm(lately)}
        marketing.says(client, "withdraw", NOON, purpose="profiling", channel="")
        assert set(found.all()) == {None}
        transaction.set_rollback(True)


def test_the_count_of_the_coming_days_is_what_then_is_planned(open_salon: Salon) -> None:
    """The page counts by the planner's own rule: each day's plan adds up to what it said."""
    for day in (24, 25, 27, 30):
        willing("birthday", birth_month=11, birth_day=day)
    willing("birthday", birth_month=12, birth_day=2)
    factories.client(birth_month=11, birth_day=26)
    trigger = facts.switches()["birthday"]
    early = NOON.replace(hour=8)
    assert ahead.count(trigger, open_salon, early) == 4
    assert [line.leaves_at.astimezone(PARIS).day for line in ahead.lines(trigger, open_salon, early)] == [24, 25, 27, 30]
    for days in range(8):
        planner.plan(early + days * DAY)
    assert Message.objects.filter(kind="birthday").count() == 4


def test_of_a_kind_that_is_off_the_count_says_who_gets_it_once_it_is_on(open_salon: Salon, owner: User) -> None:
    """At once and in the days to come: what then is planned, none of it for what lay behind."""
    Trigger.objects.update(is_on=False)
    had(willing("review"), NOON - DAY)
    had(willing("review"), NOON - HOUR)
    for day in (23, 24, 26):
        willing("birthday", birth_month=11, birth_day=day)
    kinds_ = {kind: facts.switches()[kind] for kind in ("review", "birthday")}
    said = {kind: [ahead.count(row, open_salon, NOON, days=days) for days in (0, 7)] for kind, row in kinds_.items()}
    assert said == {"review": [0, 1], "birthday": [1, 2]}
    wanted = {kind: dataclasses.replace(triggers.of(row), is_on=True) for kind, row in kinds_.items()}
    triggers.save(wanted, by=owner, now=NOON)
    for days, place in ((0, 0), (7, 1)):
        for day in range(days + 1):
            planner.plan(NOON + day * DAY)
        assert {kind: Message.objects.filter(kind=kind).count() for kind in said} == {kind: said[kind][place] for kind in said}


def test_the_coming_days_say_the_hour_at_which_a_message_leaves_not_that_of_the_visit(
    open_salon: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the salon's hour, over the change of the clocks too; out of the hours of its channel it leaves when they begin."""
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    had(willing("review"), NOON - HOUR)
    had(willing("rebook"), dt.datetime(2026, 10, 15, 0, 15, tzinfo=PARIS))
    for kind, at in (("review", NOON.replace(day=25, hour=10)), ("rebook", NOON.replace(day=26, hour=10))):
        assert [line.leaves_at for line in ahead.lines(facts.switches()[kind], open_salon, NOON)] == [at]
    Trigger.objects.filter(pk="review").update(at=dt.time(22, 30))
    [line] = ahead.lines(facts.switches()["review"], open_salon, NOON)
    assert line.leaves_at == NOON.replace(day=26, hour=7)


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
