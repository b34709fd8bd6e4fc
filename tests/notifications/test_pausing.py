"""All sending is paused at once and resumed: who may, what the pages say, and what becomes of what waits."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import consent
from notifications import dispatch, pausing, planner
from notifications.models import Message, State
from salon.core import profile
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories, people
from tests.fakes.provider import FakeProvider

pytestmark = pytest.mark.django_db

SignIn = Callable[[Role], Browser]
PAGE, SWITCH = "/settings/notifications/pause/", "/settings/notifications/pause/switch/"
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
BANNER = 'id="pause-note"'


def test_a_manager_pauses_and_every_page_says_since_when_and_by_whom(signed_in: SignIn) -> None:
    manager = signed_in(Role.MANAGER)
    assert BANNER not in manager.get("/clients/").content.decode()
    assert manager.post(SWITCH, {"on": "0"}).status_code == 303
    assert Salon.objects.get().delivery == Salon.Delivery.HOLD
    name = User.objects.get(role=Role.MANAGER).name
    for path in ("/clients/", "/messages/", PAGE):
        page = manager.get(path).content.decode()
        assert BANNER in page, path
        assert f"by {name}." in page, path
    stylist = signed_in(Role.STYLIST).get("/clients/").content.decode()
    assert BANNER in stylist
    assert PAGE not in stylist, "a stylist cannot open it"
    manager.post(SWITCH, {"on": "1"})
    assert BANNER not in manager.get("/clients/").content.decode()
    assert Salon.objects.get().delivery == Salon.Delivery.LIVE


@pytest.mark.parametrize("role", [Role.RECEPTION, Role.STYLIST])
def test_nobody_below_a_manager_pauses_or_resumes(signed_in: SignIn, salon: Salon, role: Role) -> None:
    assert signed_in(role).post(SWITCH, {"on": "0"}).status_code == 403
    with pytest.raises(Refused):
        profile.pause_sending(salon, by=people.user_with(role))
    assert Salon.objects.get().delivery == Salon.Delivery.LIVE


def test_both_doors_write_the_same_line(signed_in: SignIn, salon: Salon, owner: User) -> None:
    """The admin's act is the same operation: its pause is shown and ended on the page."""
    profile.pause_sending(salon, by=owner)
    held = profile.pause(Salon.objects.get())
    assert held is not None
    assert held.by == owner.name
    signed_in(Role.MANAGER).post(SWITCH, {"on": "1"})
    assert list(AuditEvent.objects.filter(action="salon.delivery_changed").values_list("facts__delivery", flat=True)) == [
        "hold", "live",
    ]  # fmt: skip
    assert profile.pause(Salon.objects.get()) is None


def test_a_second_pause_keeps_who_paused_first(salon: Salon, owner: User) -> None:
    profile.pause_sending(salon, by=people.user_with(Role.MANAGER))
    profile.pause_sending(salon, by=owner)
    held = profile.pause(Salon.objects.get())
    assert held is not None
    assert held.by == people.user_with(Role.MANAGER).name


def test_the_preview_says_what_then_happens(fake: FakeProvider, sending_salon: Salon, owner: User, now: dt.datetime) -> None:
    """The oracle is the sender itself: what the preview counts is what then leaves, is refused, waits and is too late."""
    tomorrow = dt.datetime(2026, 11, 25, 13, 30, tzinfo=dt.UTC)
    visits = [factories.appointment(start_at=tomorrow + n * HOUR, time_set_at=now - MINUTE) for n in range(3)]
    profile.pause_sending(sending_salon, by=owner)
    AuditEvent.objects.update(at=now - HOUR)
    planner.plan(now)
    refusing = visits[0].client
    assert refusing is not None
    consent.record(refusing, purpose="svc.reminder", channel="email", event="withdraw", source="in_person", now=now)
    gone = Message.objects.filter(kind="confirmation", appointment=visits[1])
    gone.update(expires_at=now - MINUTE)
    Message.objects.filter(kind="confirmation", appointment=visits[2]).update(not_before=now + HOUR)
    found = pausing.preview(now, since=now - HOUR)
    assert fake.prepared == []
    dispatch.deliver_due(now=now)
    assert fake.prepared == []
    assert pausing.preview(now, since=now - HOUR) == found, "the same once the expired ones are written down"
    profile.resume_sending(sending_salon, by=owner)
    dispatch.deliver_due(now=now)
    states = list(Message.objects.values_list("state", flat=True))
    assert found.leaving_count == states.count(State.ACCEPTED) == 3
    assert found.refused == {"client_refused": 1}
    assert states.count(State.SUPPRESSED) == 1
    assert found.expired == {"confirmation": states.count(State.EXPIRED)} == {"confirmation": 1}
    assert found.later_count == states.count(State.PENDING) == 1
    assert found.is_whole


def test_by_night_the_preview_says_that_it_waits_for_the_morning(sending_salon: Salon, owner: User, now: dt.datetime) -> None:
    factories.appointment(start_at=now + 3 * DAY, time_set_at=now - MINUTE)
    planner.plan(now)
    night = now.replace(hour=23)
    Message.objects.update(not_before=now, expires_at=now + 2 * DAY)
    found = pausing.preview(night, since=now)
    assert found.leaving_count == 0
    assert found.resting_count == Message.objects.count() > 0


def test_what_was_too_late_before_the_pause_does_not_count(sending_salon: Salon, now: dt.datetime) -> None:
    Message.objects.create(
        kind="reminder", channel="email", client=factories.client(), occasion="old", not_before=now - DAY, expires_at=now - HOUR,
        state=State.EXPIRED, settled_at=now - HOUR,
    )  # fmt: skip
    assert pausing.preview(now, since=now - MINUTE).expired_count == 0
    assert pausing.preview(now, since=now - 2 * HOUR).expired_count == 1


def test_of_very_many_the_page_says_how_many_it_looked_at(
    signed_in: SignIn, sending_salon: Salon, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pausing, "LOOKED_AT", 2)
    now = timezone.now()
    for number in range(3):
        Message.objects.create(
            kind="reminder", channel="email", client=factories.client(), occasion=str(number), not_before=now - MINUTE,
            expires_at=now + DAY,
        )  # fmt: skip
    profile.pause_sending(sending_salon, by=owner)
    page = signed_in(Role.OWNER).get(PAGE).content.decode()
    assert "3 are due; the first 2 of them were looked at." in page


def test_reception_reads_the_page_and_whom_to_ask(signed_in: SignIn, owner: User) -> None:
    page = signed_in(Role.RECEPTION).get(PAGE).content.decode()
    assert f"Ask {owner.name}" in page
    assert SWITCH not in page
