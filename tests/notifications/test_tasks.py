"""The worker's threads: how many of them may send at once."""

import threading
from collections import Counter

import pytest
from django.conf import settings

from notifications import dispatch, planner, tasks


@pytest.mark.parametrize(("threads", "senders"), [(1, 1), (2, 1), (3, 1), (4, 2), (8, 6)])
def test_two_threads_never_send_and_one_always_may(threads: int, senders: int) -> None:
    assert tasks.seats(threads) == senders


def test_a_wake_up_that_finds_no_seat_plans_and_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    free, entered, planned, sent = threading.Event(), threading.Semaphore(0), Counter[str](), Counter[str]()

    def deliver() -> None:
        sent["begun"] += 1
        entered.release()
        free.wait(30)

    monkeypatch.setattr(dispatch, "deliver_due", deliver)
    monkeypatch.setattr(planner, "plan", lambda now: planned.update(["plan"]))
    seats = tasks.seats(settings.WORKER_CONCURRENCY)
    senders = [threading.Thread(target=tasks.deliver) for _ in range(seats)]
    try:
        for sender in senders:
            sender.start()
            assert entered.acquire(timeout=30)
        tasks.deliver()
        tasks.wake()
        assert (sent["begun"], planned["plan"]) == (seats, 1)
    finally:
        free.set()
        for sender in senders:
            sender.join(30)
    tasks.deliver()
    assert sent["begun"] == seats + 1, "a seat that was left is free again"


def test_a_sender_that_fails_leaves_its_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError

    monkeypatch.setattr(dispatch, "deliver_due", fail)
    for _ in range(settings.WORKER_CONCURRENCY + 1):
        with pytest.raises(RuntimeError):
            tasks.deliver()
