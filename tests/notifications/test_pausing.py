"""All sending is paused at once and resumed: who may, what the pages say, and what becomes of what waits."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients import addresses, consent, existing
from notifications import crowd, dispatch, facts, kinds, pausing, planner
from notifications.models import Message, State
from salon.core import profile
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories, people
from tests.fakes.provider import FakeProvider
from tests.notifications import marketing, texting

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


def waiting(now: dt.datetime, owner: User) -> list[Message]:
    """One message of each kind and channel that may wait, each to somebody else who said and had something else."""
    campaigns = {channel: marketing.campaign(now, channel=channel) for channel in ("email", "sms")}
    found = []
    for number, (name, kind) in enumerate(kinds.TABLE.items()):
        for channel in kind.channels:
            client = factories.client(birth_month=11, birth_day=24, birth_year=1980 if number % 2 else None)
            visit = factories.appointment(client=client, start_at=now - 42 * DAY, time_set_at=now - 50 * DAY, state="done")
            if number % 3 and kind.is_marketing:
                marketing.says(client, "grant", now - 9 * DAY, purpose=kind.purpose, channel=channel)
            elif kind.may_go_to_existing:
                existing.note(client, channel, how="phone", by=owner, now=now - DAY)
            had = {"client": client, "channel": channel, "not_before": now - 3 * DAY, "expires_at": now + DAY}
            told = {**had, "state": State.ACCEPTED, "handoff_at": now - 3 * HOUR, "told_start_at": visit.start_at}
            told |= {"address_hmac": addresses.hash_of(channel, facts.to(client, channel)), "cost": "0.2"}
            campaign = campaigns[channel] if name == "promotion" else None
            about = None if kind.wanted is kinds.Wanted.ALWAYS else visit
            if number % 2:
                Message.objects.create(kind=name, occasion="2025:old", campaign=campaign, appointment=visit, **told)
            occasion = {"birthday": "2026", "doi_request": "asked:1"}.get(name, f"{visit.pk}:new")
            found.append(Message.objects.create(kind=name, occasion=occasion, campaign=campaign, appointment=about, **had))
    return found


def test_what_is_read_of_all_that_waits_is_what_is_read_of_each(sending_salon: Salon, owner: User) -> None:
    """The oracle is the reading for one message, which the sender shares: every fact, for every kind."""
    now = timezone.now()
    texting.account(monthly_budget="9", campaign_cap="0.3")
    for channel in ("email", "sms"):
        existing.switch(channel, is_on=True, by=owner, now=now)
    messages = waiting(now, owner)
    stopped = messages[0].client
    assert stopped is not None
    addresses.stop("email", stopped.email, scope="delivery", reason="hard_bounce", now=now)
    together = list(crowd.waiting(messages, Salon.objects.current()))
    for message, rows in zip(messages, together, strict=True):
        assert facts.gather(message, rows) == facts.gather(message, facts.look(message)), message


def test_the_page_asks_the_database_as_often_for_two_messages_as_for_twenty(sending_salon: Salon, now: dt.datetime) -> None:
    """Visits by mail and by SMS, and a promotion; and of very many it looks at the first."""
    texting.account(monthly_budget="9", campaign_cap="0.3")
    campaign = marketing.campaign(now, channel="sms")

    def add(count: int) -> None:
        for number in range(count):
            client = factories.client()
            visit = factories.appointment(client=client, start_at=now + DAY, time_set_at=now - DAY, is_overbooked=True)
            common = {"client": client, "not_before": now - MINUTE, "expires_at": now + DAY, "occasion": f"{visit.pk}:{number}"}
            Message.objects.create(
                kind="reminder", channel="sms" if number % 2 else "email", appointment=visit, told_start_at=visit.start_at,
                time_version=visit.time_version, **common,
            )  # fmt: skip
            Message.objects.create(kind="promotion", channel="sms", campaign=campaign, **common)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            pausing.preview(now, since=now - HOUR)
        return len(queries)

    add(2)
    few = asked()
    add(20)
    assert asked() == few < 30
    assert pausing.LOOKED_AT == 100


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
