"""Who has not been told yet that an appointment was cancelled. Asked before a card becomes inactive: then nothing is sent."""

import datetime as dt
from collections.abc import Collection

from notifications import heartbeats
from notifications.models import Message, State

_WAITS = (State.PENDING, State.CLAIMED, State.HANDOFF, State.HELD)


def untold(client_ids: Collection[int], since: dt.datetime) -> set[int]:
    """Return which of these clients (ids) still have a cancellation waiting that was made by `since`.

    All of them while the planner has not run since: it writes the messages.
    """
    planned_at = heartbeats.last("planner")
    if planned_at is None or planned_at <= since:
        return set(client_ids)
    waiting = Message.objects.filter(client__in=client_ids, kind="cancellation", state__in=_WAITS)
    return {pk for pk in waiting.values_list("client", flat=True) if pk is not None}
