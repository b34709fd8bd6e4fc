"""Wakes the sender, an import or an export after a commit, so that nobody need wait for the next tick.

By task name: nothing above is imported. A ring may be lost or late; the tick every few seconds is the promise.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from celery import current_app
from django.conf import settings
from django.db import transaction

log = logging.getLogger(__name__)
_ringer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bell")
# The tasks that may be rung for. One ring of each waits at most: they do whatever waits.
SENDER, IMPORTS, EXPORTS, SYSTEMS = "notifications.wake", "clients.work", "clients.export", "notifications.systems"
ERASURES = "clients.erase"
_waiting = {task: threading.Semaphore(1) for task in (SENDER, IMPORTS, EXPORTS, ERASURES, SYSTEMS)}


def _publish(task: str) -> None:
    try:
        current_app.send_task(task, expires=30, retry=False, ignore_result=True)
    except Exception as error:  # noqa: BLE001 (a broker that is away must never reach the person who books)
        log.warning("bell not heard: %s", type(error).__name__)
    finally:
        _waiting[task].release()


def _ring_now(task: str) -> None:
    """Hand the ring to a thread: a broker that hangs (Redis stopped, not dead) must not hold up a request."""
    if settings.TESTING and not getattr(settings, "BELL_IN_TESTS", False):
        return
    if _waiting[task].acquire(blocking=False):
        _ringer.submit(_publish, task)


def ring(task: str = SENDER) -> None:
    """Wake planner and sender, or another `task`, once the current transaction has committed. Never blocks, never raises."""
    transaction.on_commit(partial(_ring_now, task), robust=True)
