"""A promotion to many under fire: people refuse while it is written down, sent, stopped and taken up again."""

import datetime as dt
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections

from notifications import campaigns, chosen, dispatch, invariants, planner
from notifications.models import Campaign, Message, State
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests.fakes.smtp_sink import Sink
from tests.notifications import marketing
from tests.notifications.test_marketing_races import against_a_no, say_no, senders

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.chaos]


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with Sink() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        yield server


def in_turn(act: Any, done: threading.Event, every: float) -> threading.Thread:
    """Run `act` again and again until it is done; a busy SQLite may refuse a turn, as it may refuse a worker one."""

    def run() -> None:
        try:
            while not done.wait(every):
                act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_promotion_to_many_stopped_and_taken_up_again_reaches_each_once_and_nobody_who_refused(
    committed: Salon, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    mails, refusals = (120, 12) if os.environ.get("CHAOS") == "short" else (300, 30)
    monkeypatch.setattr(chosen, "CHUNK", 50)
    monkeypatch.setattr(campaigns, "HERE_MOST", 10)
    now, sink.delay = dt.datetime.now(dt.UTC) - marketing.AFTER_UNDO, 0.01
    owner = User.objects.create_user(email="o@example.org", password=None, name="Olivia", role=Role.OWNER)
    clients = [marketing.willing(now - dt.timedelta(days=20), email=f"c{number}@example.org") for number in range(mails)]
    twins = [marketing.willing(now - dt.timedelta(days=20), email=f"c{number}@example.org") for number in range(10)]
    campaign = marketing.send(*clients, *twins, by=owner, now=now, expected=mails)
    said_at: dict[int, dt.datetime] = {}
    done, refused_all = threading.Event(), threading.Event()
    rng = random.Random(5)

    def stop_or_go_on() -> None:
        try:
            if rng.random() < 0.5:
                campaigns.stop(campaign, by=owner, now=dt.datetime.now(dt.UTC))
            else:
                campaigns.resume(campaign, by=owner, now=dt.datetime.now(dt.UTC))
        except Refused:
            pass

    people = threading.Thread(target=say_no, args=(random.Random(3).sample(clients, refusals), said_at, done))
    threads = [
        *(in_turn(lambda: planner.plan(dt.datetime.now(dt.UTC)), done, 0.1) for _ in range(2)),
        *(in_turn(dispatch.deliver_due, done, 0.05) for _ in range(senders())),
    ]
    unrest = in_turn(stop_or_go_on, refused_all, 0.2)
    people.start()
    people.join(120)
    refused_all.set()
    unrest.join(60)
    until = time.monotonic() + 120
    while time.monotonic() < until and Campaign.objects.get(pk=campaign.pk).state != Campaign.State.DONE:
        if Campaign.objects.get(pk=campaign.pk).state == Campaign.State.STOPPED:
            try:
                campaigns.resume(campaign, by=owner, now=dt.datetime.now(dt.UTC))
            except Refused:
                break
        time.sleep(0.2)
    done.set()
    for thread in threads:
        thread.join(60)
    assert len(said_at) == refusals
    assert AuditEvent.objects.filter(action="campaign.resumed").exists(), "nobody stopped it: nothing was shown"
    assert against_a_no(said_at) == []
    told = Counter(mail.recipients[0] for mail in sink.mails)
    assert set(told.values()) == {1}, "somebody had it twice"
    refused = {client.email for client in clients if client.pk in said_at}
    assert {client.email for client in clients} - refused <= set(told), "somebody who agreed had nothing"
    assert set(told) <= {client.email for client in clients}
    states = Counter(Message.objects.values_list("state", flat=True))
    assert states[State.ACCEPTED] == len(sink.mails)
    assert Campaign.objects.get(pk=campaign.pk).recipients.count() == mails + len(twins)
    assert list(invariants.faults()) == []
