"""Somebody on the blacklist gets no advertising, and everything about their visits as before."""

import datetime as dt

import pytest

from clients import blacklist
from notifications import audience, dispatch, planner
from notifications.models import Message
from salon.core.models import Salon, User
from tests import factories
from tests.fakes.provider import FakeProvider
from tests.notifications.marketing import WORDS, send, willing

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def test_the_blacklist_stops_a_waiting_promotion_and_no_message_about_a_visit(
    sending_salon: Salon, fake: FakeProvider, owner: User, now: dt.datetime
) -> None:
    client, other = willing(now), willing(now)
    at = now + dt.timedelta(days=9)
    factories.appointment(client=client, start_at=at, end_at=at + 30 * MINUTE, time_set_at=now - 2 * MINUTE)
    send(client, other, by=owner, now=now)
    planner.plan(now)
    blacklist.add(client, reason="no_show", by=owner, now=now)
    planner.plan(now + 2 * MINUTE)
    dispatch.deliver_due(now=now + 2 * MINUTE)
    kinds = {
        pk: set(Message.objects.filter(client=pk, state="accepted").values_list("kind", flat=True)) for pk in (client, other)
    }
    assert kinds == {client: {"confirmation"}, other: {"promotion"}}
    assert Message.objects.get(client=client, kind="promotion").reason == "blacklisted"
    (seat,) = audience.look([client], WORDS.draft(), sending_salon, now)
    assert (seat.reason, seat.is_in) == ("blacklisted", False)
    blacklist.lift(client, by=owner, now=now)
    client.refresh_from_db()
    (seat,) = audience.look([client], WORDS.draft(), sending_salon, now)
    assert seat.reason != "blacklisted"
