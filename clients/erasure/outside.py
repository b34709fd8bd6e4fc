"""What providers still hold of somebody who was erased here: asked for again and again until it is gone, or visibly not.

A provider's module registers how it is asked: `outside.register("twilio", forget)`, when its app starts. `forget` gets what
the provider called the thing, returns when it is gone there (or never was), and raises whatever went wrong.
"""

import datetime as dt
import logging
from collections.abc import Callable, Iterable

from clients.erasure.above import Copy
from clients.models import Erasure, OutsideCopy

log = logging.getLogger(__name__)
TRIES = 10
_FIRST, _LONGEST = dt.timedelta(minutes=5), dt.timedelta(days=1)
Forget = Callable[[str], object]
_providers: dict[str, Forget] = {}


def register(provider: str, forget: Forget) -> None:
    """Say how this provider is asked to delete what it holds. Called once, when the app starts."""
    _providers[provider] = forget


def note(erasure: Erasure, copies: Iterable[Copy], *, now: dt.datetime) -> int:
    """Write down what is to be asked for, of the providers that can be asked, and return how much that is."""
    rows = [
        OutsideCopy(erasure=erasure, provider=copy.provider, reference=copy.reference, next_at=now)
        for copy in copies
        if copy.reference and copy.provider in _providers
    ]
    return len(OutsideCopy.objects.bulk_create(rows, batch_size=500))


def work(now: dt.datetime) -> int:
    """Ask for what is due, and return how much is gone. Asking twice does no harm, so nothing is held meanwhile."""
    count = 0
    due = OutsideCopy.objects.filter(state=OutsideCopy.State.OPEN, next_at__lte=now).order_by("next_at", "pk")[:200]
    for row in due:
        forget = _providers.get(row.provider)
        try:
            if forget is None:
                raise LookupError
            forget(row.reference)
        except Exception as error:  # noqa: BLE001 (whatever it was, it is tried again, and seen on the page)
            log.warning("copy %s at %s: %s", row.pk, row.provider, type(error).__name__)
            _later(row, now)
        else:
            _settle(row, OutsideCopy.State.DONE, now, reference="")
            count += 1
    return count


def _later(row: OutsideCopy, now: dt.datetime) -> None:
    row.try_count += 1
    if row.try_count >= TRIES:
        _settle(row, OutsideCopy.State.GIVEN_UP, now, try_count=row.try_count)
        return
    wait = min(_FIRST * 2 ** (row.try_count - 1), _LONGEST)
    OutsideCopy.objects.filter(pk=row.pk, state=OutsideCopy.State.OPEN).update(try_count=row.try_count, next_at=now + wait)


def _settle(row: OutsideCopy, state: str, now: dt.datetime, **changes: str | int) -> None:
    OutsideCopy.objects.filter(pk=row.pk, state=OutsideCopy.State.OPEN).update(state=state, settled_at=now, **changes)
