"""Python's collector of garbage, at rest while a job builds a large list that lives to its end."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting() -> Iterator[None]:
    """Let it rest: looking for garbage in the list, again and again as it grows, is a tenth of the time of an import.

    What nothing refers to goes all the same; only circles stay until it wakes.
    """
    was_awake = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_awake:
            gc.enable()
