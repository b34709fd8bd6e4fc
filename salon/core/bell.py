"""Wakes the sender after a commit, so that a confirmation need not wait for the next tick.

By task name: nothing above is imported. A ring may be lost or late; the tick every few seconds is the promise.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from celery import current_app
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)
_ringer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bell")
_waiting = threading.Semaphore(1)


def _publish() -> None:
    try:
        current_app.send_task("notifications.wake", expires=30, retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001 (a broker that is away must never reach the person who books)
        log.warning("bell not heard: %s", type(error).__name__)
    finally:
        _waiting.release()


def _ring_now() -> None:
    """Hand the ring to a thread: a broker that hangs (Redis stopped, not dead) must not hold up a request."""
    if settings.TESTING and not getattr(settings, "BELL_IN_TESTS", False):
        return
    if _waiting.acquire(blocking=False):
        _ringer.submit(_publish)


def ring() -> None:
    """Wake planner and sender once the current transaction has committed. Never blocks, never raises."""
    transaction.on_commit(_ring_now, robust=True)
