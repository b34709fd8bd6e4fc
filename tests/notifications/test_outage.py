"""After an outage: what is over is left out and says so, the rest comes once, in its hours and not in a burst (C17, P3 to P5).

The oracle reads the visits as they are in the book and the wall clock; nothing of planner, gate or outbox.
"""

import datetime as dt
import zoneinfo
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from appointments.models import Appointment
from clients.models import Client
from notifications import dispatch, planner
from notifications.models import Message, State
from salon.core.models import Salon
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.generated import cases
from tests.notifications import gate_oracle, marketing

pytestmark = pytest.mark.django_db

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
# Often enough to meet every window of a day.
TICK = 2 * HOUR


@dataclass
class Heard:
    """One mail that left, at the moment at which it did."""

    at: dt.datetime
    kind: str
    client: int
    visit: int | None
    start_at: dt.datetime | None


def run(fake: FakeProvider, at: dt.datetime, until: dt.datetime, *, plans: bool = True, sends: bool = True) -> list[Heard]:
    """Let planner and sender tick, and return what left when."""
    heard = []
    while at <= until:
        if plans:
            planner.plan(at)
        if sends:
            before = len(fake.delivered)
            dispatch.deliver_due(now=at)
            for envelope in fake.delivered[before:]:
                row = Message.objects.get(pk=envelope.message_id.removeprefix("<m.").partition(".")[0])
                heard.append(Heard(at, row.kind, row.client_id or 0, row.appointment_id, row.told_start_at))
        at += TICK
    return heard


visits = st.lists(
    st.fixed_dictionaries({
        "starts": st.integers(-2, 110), "booked": st.integers(-60, 70), "fate": st.sampled_from(["stands"] * 4 + ["cancelled"]),
    }),
    min_size=1, max_size=6,
)  # fmt: skip


@cases(10)
@given(book=visits, down=st.integers(1, 80), planner_lives=st.booleans(), is_shared=st.booleans(), adverts=st.integers(0, 3))
def test_after_an_outage_nothing_senseless_leaves_and_nothing_ends_without_a_word(
    sending_salon: Salon, fake: FakeProvider, now: dt.datetime, book: list[dict[str, Any]], down: int, planner_lives: bool,
    is_shared: bool, adverts: int,
) -> None:  # fmt: skip
    fake.delivered.clear()
    back = now + down * HOUR
    with transaction.atomic():
        Salon.objects.update(public_url="https://salon.example")
        service, staff, one = factories.service(), factories.staff(), factories.client()
        rows = []
        for entry in book:
            booked = min(now + entry["booked"] * HOUR, back)
            rows.append(factories.appointment(
                client=one if is_shared else factories.client(), service=service, staff=staff, is_overbooked=True,
                start_at=now + entry["starts"] * HOUR, time_set_at=booked, state="booked",
            ))  # fmt: skip
        campaign = marketing.campaign(now) if adverts else None
        for _ in range(adverts):
            if campaign:
                marketing.waiting(marketing.willing(now, email="shared@example.org"), campaign, now)
        # The senders are down; of a visit that is cancelled meanwhile nobody says a word to them.
        run(fake, now - TICK, now, sends=False)
        for row, entry in zip(rows, book, strict=True):
            if entry["fate"] == "cancelled":
                Appointment.objects.filter(pk=row.pk).update(state="cancelled", cancelled_at=back, is_notice_wanted=False)
        if planner_lives:
            run(fake, back - TICK, back - TICK, sends=False)
        end = back + 26 * HOUR
        heard = run(fake, back, end)
        judge(heard, {row.pk: Appointment.objects.get(pk=row.pk) for row in rows}, campaign.expires_at if campaign else now)
        silent_ends(end)
        reached(heard, [row for row, entry in zip(rows, book, strict=True) if entry["fate"] == "stands"], back)
        transaction.set_rollback(True)


def judge(heard: list[Heard], book: dict[int, Appointment], campaign_ends: dt.datetime) -> None:
    """Nothing that left was senseless, at night, or said twice."""
    for one in heard:
        assert not gate_oracle.is_quiet(one.kind, "email", one.at.astimezone(PARIS), frozenset()), one
        if one.visit is None:
            assert one.at < campaign_ends, one
            continue
        visit = book[one.visit]
        assert visit.state == "booked", "spoken of a visit that does not stand"
        assert one.start_at == visit.start_at
        assert one.at < visit.start_at - (HOUR if one.kind == "reminder" else dt.timedelta(0)), one
    said = Counter((one.kind, one.client, one.visit) for one in heard)
    assert not [key for key, times in said.items() if times > 1], "said twice"
    assert len([one for one in heard if one.kind == "promotion"]) <= 1, "a burst at one address"


def silent_ends(end: dt.datetime) -> None:
    """Every message that is not on its way has an end with a reason, or waits for an hour that is still to come."""
    for row in Message.objects.exclude(state=State.ACCEPTED):
        if row.state == State.PENDING:
            assert row.expires_at > end, "waits for an hour that is over"
        else:
            assert row.reason, row
        if row.state == State.EXPIRED:
            assert row.expires_at <= end + HOUR


def reached(heard: list[Heard], stands: list[Appointment], back: dt.datetime) -> None:
    """Not lost: who comes a good day after the outage was told of it, and reminded once the hour for that came."""
    told = {(one.kind, one.visit) for one in heard}
    for visit in stands:
        if visit.start_at > back + 26 * HOUR:
            assert ("confirmation", visit.pk) in told
        due = dt.datetime.combine(visit.start_at.astimezone(PARIS).date() - DAY, dt.time(10), PARIS)
        if due <= back + 20 * HOUR and visit.start_at > max(back, due) + 16 * HOUR and visit.time_set_at <= due:
            assert ("reminder", visit.pk) in told


def test_three_days_without_a_sender_expire_what_is_over_and_send_the_rest_once(
    sending_salon: Salon, fake: FakeProvider, now: dt.datetime
) -> None:
    """The story as the issue tells it, with its numbers."""
    missed = [factories.appointment(start_at=now + hours * HOUR, time_set_at=now - HOUR) for hours in (20, 30, 40)]
    ahead = factories.appointment(start_at=now + 5 * DAY, time_set_at=now - HOUR)
    for hours in (0, 24, 48):
        run(fake, now + hours * HOUR, now + hours * HOUR, sends=False)
    heard = run(fake, now + 3 * DAY, now + 3 * DAY)
    assert [(one.kind, one.visit) for one in heard] == [("confirmation", ahead.pk)]
    ends = Message.objects.filter(appointment__in=missed).values_list("kind", "state", "reason")
    assert Counter(ends) == {
        ("confirmation", State.EXPIRED, "expired"): 3,
        ("reminder", State.EXPIRED, "expired"): 3,
    }


def test_the_control_a_sender_that_knows_no_end_sends_what_is_over(
    sending_salon: Salon, fake: FakeProvider, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit = factories.appointment(start_at=now + 20 * HOUR, time_set_at=now - HOUR)
    planner.plan(now)
    Message.objects.update(expires_at=now + 90 * DAY)
    monkeypatch.setattr("notifications.gate._obsolete", lambda facts, now: iter(()))
    monkeypatch.setattr("notifications.gate._deadline", lambda facts: facts.expires_at)
    heard = run(fake, now + 3 * DAY, now + 3 * DAY)
    assert heard
    with pytest.raises(AssertionError):
        judge(heard, {visit.pk: visit}, now)
    assert Client.objects.count() == 1
