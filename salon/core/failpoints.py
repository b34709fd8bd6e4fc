"""Places where a test may kill, stop or hold up a process, to see what is left. No-ops outside tests, and refused there.

FAILPOINT="name:kill9", "name:stop", "name:sleep=2" or "name:raise"; "name@3:kill9" means the third time.
"""

import os
import signal
import time

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_seen: dict[str, int] = {}


class Fault(Exception):
    """What a failpoint raises on request."""


def _read() -> tuple[str, int, str]:
    text = os.environ.get("FAILPOINT", "")
    if not text:
        return "", 0, ""
    if not settings.TESTING:
        raise ImproperlyConfigured("FAILPOINT is for tests only (CARNET_TESTING=1).")
    place, _, action = text.partition(":")
    name, _, count = place.partition("@")
    return name, int(count or 1), action


_NAME, _COUNT, _ACTION = _read()


def hit(name: str) -> None:
    """Do what the test asked for at `name`; nothing in every other process."""
    if name != _NAME:
        return
    _seen[name] = _seen.get(name, 0) + 1
    if _seen[name] != _COUNT:
        return
    if _ACTION == "kill9":
        os.kill(os.getpid(), signal.SIGKILL)
    elif _ACTION == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif _ACTION.startswith("sleep="):
        time.sleep(float(_ACTION.removeprefix("sleep=")))
    else:
        raise Fault(name)
