"""Writes down, with each change of an answer, that other systems are to hear of it. Called by `clients.changes` alone.

In the transaction of the change: what is taken back leaves no mark, and none is missed because a transaction with a lower
number commits later. `planning` turns marks into deliveries.
"""

import contextvars
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from clients.changes import Listener
from notifications.systems.models import Change, OtherSystem
from salon.core import bell

_origin: contextvars.ContextVar[int | None] = contextvars.ContextVar("origin", default=None)


@contextmanager
def coming_from(system: OtherSystem) -> Iterator[None]:
    """Mark what is changed inside the block as told by this system: it is not told its own news."""
    token = _origin.set(system.pk)
    try:
        yield
    finally:
        _origin.reset(token)


def _of_clients(changed: Collection[int], refused: Collection[int]) -> None:
    if OtherSystem.objects.exists():
        rows = [Change(client_number=pk, is_refusal=pk in refused, origin_id=_origin.get()) for pk in sorted(changed)]
        Change.objects.bulk_create(rows, batch_size=500)
        bell.ring(bell.SYSTEMS)


def _of_address(channel: str, hmac: str, is_refusal: bool) -> None:
    if OtherSystem.objects.exists():
        Change.objects.create(channel=channel, hmac=hmac, is_refusal=is_refusal, origin_id=_origin.get())
        bell.ring(bell.SYSTEMS)


LISTENER = Listener(_of_clients, _of_address)
