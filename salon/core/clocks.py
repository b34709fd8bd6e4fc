"""A clock for how old something is on a machine that may sleep meanwhile. Dates and due times have nothing to do with it."""

import time

# Linux stops its monotonic clock while the machine is suspended. Other systems have no better one.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def awake_or_not() -> float:
    """Return seconds on a clock that nobody sets, and that goes on while the machine sleeps where there is one that does."""
    return time.clock_gettime(_CLOCK)
