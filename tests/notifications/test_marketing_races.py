"""Opt-outs and senders at the same moment: the cap of an address, and a promotion against which people say No."""

import datetime as dt
import os
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections

from clients import consent
from clients.models import Client
from notifications import dispatch, facts, gate, invariants, outbox
from notifications.models import Message, State
from salon.core import prepared
from salon.core.models import Salon
from tests.fakes.provider import FakeProvider
from tests.fakes.smtp_sink import Sink
from tests.notifications import letters, marketing, workers
from tests.notifications.test_chaos import commit_time

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(count: int) -> None:
    """Let `count` senders run at the same time."""

    def run() -> None:
        try:
            dispatch.deliver_due()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)


def two_for_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cards with one address, two campaigns, two senders; each takes half a second between deciding and committing."""
    now = dt.datetime.now(dt.UTC)
    for _ in range(2):
        client = marketing.willing(now - dt.timedelta(days=20), email="both@example.org")
        marketing.waiting(client, marketing.campaign(now), now)
    decide, claim = gate.decide, outbox.claim

    def slowly(found: gate.Facts, now: dt.datetime) -> gate.Decision:
        decision = decide(found, now)
        time.sleep(0.5)
        return decision

    monkeypatch.setattr(gate, "decide", slowly)
    monkeypatch.setattr(outbox, "claim", lambda now, limit, channel: claim(now, 1, channel=channel))
    at_once(2)


def test_two_senders_at_the_same_moment_keep_the_cap_of_an_address(
    committed: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I-23: the second waits for the address, then counts what the first has handed over."""
    two_for_one_address(monkeypatch)
    assert fake.recipients == ["both@example.org"]
    assert sorted(Message.objects.values_list("state", "reason")) == [(State.ACCEPTED, ""), (State.SUPPRESSED, "frequency_cap")]


@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_the_control_without_the_lock_of_the_address_both_leave(
    committed: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = facts._rows

    def unlocked(*, is_locking: bool) -> list[prepared.Query]:
        client, _address, visit = real(is_locking=is_locking)
        return [client, real(is_locking=False)[1], visit]

    monkeypatch.setattr(facts, "_rows", unlocked)
    two_for_one_address(monkeypatch)
    assert len(fake.recipients) == 2, f"the control has not shown the fault: {workers.states()}"


# --- C3 -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    with Sink() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}"
        yield server


def every_way(client: Client, number: int) -> None:
    """Let a client say No in one of the ways there are: in the mail program, on the page, to staff."""
    form = ({}, {"stop": "1"}, {"everything": "1"}, {"save": "1", "was:mkt.promotion:email": "1"}, None)[number % 5]
    if form is None:
        consent.record(client, purpose="mkt.promotion", channel="email", event="withdraw", source="phone", actor_type="staff")
    else:
        assert letters.browser().post(letters.url(client), form).status_code == 200


def say_no(clients: list[Client], said_at: dict[int, dt.datetime], stop: threading.Event) -> None:
    """Let one client after the other say No while the promotion leaves."""
    rng = random.Random(7)
    try:
        for number, client in enumerate(clients):
            if stop.is_set():
                break
            every_way(client, number)
            said_at[client.pk] = commit_time()
            time.sleep(rng.uniform(0, 0.05))
    finally:
        connections.close_all()


def promotion_against_opt_outs(sink: Sink, *, mails: int, opt_outs: int, senders: int) -> dict[int, dt.datetime]:
    """Deliver a promotion with several senders while people say No in any order; return when each No was committed."""
    now = dt.datetime.now(dt.UTC)
    campaign = marketing.campaign(now)
    clients = [marketing.willing(now - dt.timedelta(days=20)) for _ in range(mails)]
    for client in clients:
        marketing.waiting(client, campaign, now)
    said_at: dict[int, dt.datetime] = {}
    stop = threading.Event()
    sink.delay = 0.02
    refusing = threading.Thread(target=say_no, args=(random.Random(3).sample(clients, opt_outs), said_at, stop))
    refusing.start()
    try:
        at_once(senders)
    finally:
        stop.set()
        refusing.join(60)
    return said_at


def against_a_no(said_at: dict[int, dt.datetime]) -> list[int]:
    """Return the clients to whom a message was handed over after their No had committed."""
    rows = Message.objects.filter(client__in=said_at, handoff_at__isnull=False)
    return [row.client_id for row in rows if row.client_id and row.handoff_at and row.handoff_at > said_at[row.client_id]]


def senders() -> int:
    return 4 if connection.vendor == "postgresql" else 2


@pytest.mark.chaos
def test_nobody_who_said_no_is_written_to_while_a_promotion_leaves(committed: Salon, sink: Sink) -> None:
    """C3. In its full size (2,000 mails, 500 opt-outs) with CARNET_FULL_SIZE=1; else scaled to a shared machine."""
    mails, opt_outs = (2000, 500) if os.environ.get("CARNET_FULL_SIZE") else (400, 80)
    said_at = promotion_against_opt_outs(sink, mails=mails, opt_outs=opt_outs, senders=senders())
    assert len(said_at) > 20
    assert against_a_no(said_at) == []
    rows = {f"<m.{row.pk}.": row for row in Message.objects.all()}
    for mail in sink.mails:
        row = next(row for start, row in rows.items() if mail.message_id.startswith(start))
        no_at = said_at.get(row.client_id or 0)
        assert no_at is None or mail.at <= no_at + dt.timedelta(seconds=5)
        assert mail.parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert str(mail.parsed["List-Unsubscribe"]).strip("<>") in mail.text
    assert len(sink.mails) == len(set(sink.message_ids))
    refused = Message.objects.filter(state=State.SUPPRESSED).count()
    assert refused > 0, "no No came in time to be obeyed"
    assert len(sink.mails) + refused == mails
    assert list(invariants.faults()) == []


@pytest.mark.chaos
def test_the_control_a_decision_taken_at_the_claim_writes_against_a_no(
    committed: Salon, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a sender does that asks for consent when it takes its batch, and not when it hands over."""
    known: dict[int, facts.Rows] = {}
    prepare = facts.prepare

    def ask_now(batch: Any) -> None:
        prepare(batch)
        known.update({message.pk: facts.look(message) for message in batch})

    monkeypatch.setattr(facts, "prepare", ask_now)
    monkeypatch.setattr(facts, "lock", lambda message, readers: known[message.pk])
    said_at = promotion_against_opt_outs(sink, mails=120, opt_outs=60, senders=senders())
    assert against_a_no(said_at), "the control has not shown the fault"


def test_the_cap_itself_is_what_keeps_the_second_back(
    committed: Salon, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "MARKETING_A_DAY", 9)
    two_for_one_address(monkeypatch)
    assert len(fake.recipients) == 2
