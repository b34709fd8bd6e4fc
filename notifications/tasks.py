"""What the alarm clock rings: each task is one line, without arguments, and may be lost, late or doubled without harm."""

import threading
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.utils import timezone

from notifications import dispatch, planner
from notifications.bounces import reading
from notifications.systems import planning
from notifications.systems import sending as telling


def seats(concurrency: int) -> int:
    """Return how many of a worker's threads may send at once: the others plan, import and export while a mail server is slow."""
    return max(1, concurrency - 2)


_seats = threading.Semaphore(seats(settings.WORKER_CONCURRENCY))


def _deliver() -> None:
    """Hand over what is due, unless so many do so already that one more would leave no thread for anything else."""
    if _seats.acquire(blocking=False):
        try:
            dispatch.deliver_due()
        finally:
            _seats.release()


@worker_shutting_down.connect
def claim_no_more(**kwargs: Any) -> None:
    """Finish the messages in hand and take no new ones: the worker was told to stop."""
    dispatch.stopping.set()
    telling.stopping.set()


@shared_task(name="notifications.plan")
def plan() -> None:
    """Fill the outbox."""
    planner.plan(timezone.now())


@shared_task(name="notifications.deliver")
def deliver() -> None:
    """Hand over what is due."""
    _deliver()


@shared_task(name="notifications.wake")
def wake() -> None:
    """Fill the outbox and hand over what is due: somebody is waiting for a confirmation."""
    planner.plan(timezone.now())
    _deliver()


@shared_task(name="notifications.mailbox")
def mailbox() -> None:
    """Read what came back. In a thread of its own, and it is not waited for."""
    reading.read_apart()


@shared_task(name="notifications.systems")
def systems() -> None:
    """Tell the salon's other systems what changed. Each is served in a thread of its own, and none is waited for."""
    planning.plan(timezone.now())
    telling.deliver_due(is_waiting=False)


@shared_task(name="notifications.tidy_systems")
def tidy_systems() -> None:
    """Forget what other systems were told long ago."""
    planning.tidy(timezone.now())
