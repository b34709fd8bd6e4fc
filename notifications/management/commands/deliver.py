"""`manage.py deliver --once | --loop`: hand over what is due. The loop also plans; it needs no worker and no broker."""

import signal
import time
from argparse import ArgumentParser
from collections import Counter
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import IntegrityError, close_old_connections
from django.utils import timezone

from notifications import dispatch, planner
from notifications.bounces import reading
from notifications.systems import planning
from notifications.systems import sending as telling


class Command(BaseCommand):
    help = "Hand over the messages that are due. Ctrl-C or SIGTERM finishes the one in hand and stops."

    def add_arguments(self, parser: ArgumentParser) -> None:
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--once", action="store_true", help="one round (the default)")
        how.add_argument("--loop", action="store_true", help="plan and deliver every --every seconds until stopped")
        parser.add_argument("--every", type=float, default=5.0, metavar="SECONDS")
        parser.add_argument("--threads", type=int, default=1, help="lines to the provider at the same time")

    def handle(self, *args: Any, **options: Any) -> None:
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._round(**options)
            while options["loop"] and not dispatch.stopping.wait(options["every"]):
                close_old_connections()
                self._round(**options)
        finally:
            dispatch.stopping.clear()
            telling.stopping.clear()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        dispatch.stopping.set()
        telling.stopping.set()

    def _round(self, *, loop: bool, threads: int, **options: Any) -> None:
        counts: Counter[str] = Counter()
        try:
            if loop:
                counts += planner.plan(timezone.now())
                planning.plan(timezone.now())
                telling.deliver_due(is_waiting=False)
                reading.read_apart()
            counts += dispatch.deliver_due(threads=threads)
        except (*dispatch.AWAY, IntegrityError) as error:  # the last: planned for somebody who was removed in that moment
            if not loop:
                raise
            self.stderr.write(f"The database is away or has changed ({type(error).__name__}); trying again.")
            time.sleep(1)
        if counts or not loop:
            self.stdout.write(", ".join(f"{name}: {count}" for name, count in counts.items()) or "Nothing due.")
