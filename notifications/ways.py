"""By which channel a message goes: which of a kind's are open now, and the other one where the first will not do.

Asked by planner and dispatch. A message about a visit may turn to the other channel, once, after a definite no. Advertising
never does: it has a Yes for one channel alone.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, OuterRef, Q

from clients.models import Standing
from notifications import facts, gate, kinds, smsaccount
from notifications.models import Message

# Reasons that lie with the channel: a message about a visit may go by the other one.
OF_CHANNEL = gate.OF_ADDRESS | {"no_address", "client_refused", "over_budget"}
_ADDRESS = {"email": "client__email", "sms": "client__phone"}


def split(visits: Any, kind: kinds.Kind) -> Iterator[tuple[str, Any]]:
    """Yield each channel of a kind that is open, with those of the visits whose clients get it there: each is in one at most.

    That is the channel the client likes, else the kind's first, among those that have an address and were not switched off.
    Nobody who is inactive, restricted or erased is in any. Whether an address is stopped, only the hand-over can tell.
    """
    there = visits.filter(client__isnull=False, client__inactive_at=None, client__restricted_at=None, client__erased_at=None)
    channels = smsaccount.channels_of(kind)
    can = {channel: _can(kind, channel) for channel in channels}
    if len(channels) == 1:
        yield channels[0], there.filter(can[channels[0]])
        return
    for channel in channels:
        others = [one for one in channels if one != channel]
        liked_elsewhere, before = Q(pk__in=[]), Q(pk__in=[])
        for one in others:
            liked_elsewhere |= Q(client__preferred_channel=one) & can[one]
            if channels.index(one) < channels.index(channel):
                before |= can[one]
        yield channel, there.filter(can[channel] & (Q(client__preferred_channel=channel) | ~(liked_elsewhere | before)))


def _can(kind: kinds.Kind, channel: str) -> Q:
    """Return the condition that a client has an address on a channel and has not switched the kind off there."""
    refused = Standing.objects.filter(
        client_id=OuterRef("client_id"), purpose=kind.purpose, channel=channel, state=Standing.State.WITHDRAWN
    )
    return ~Q(**{_ADDRESS[channel]: ""}) & ~Q(Exists(refused))


def other(message: Message) -> str:
    """Return the channel to which a message may turn that cannot go by its own, "" for none.

    What the gate says of it is open, but for what the client has switched off there: that would go to and fro.
    """
    kind = kinds.TABLE[message.kind]
    if kind.kind_class is not kinds.Class.SERVICE or message.turned_from or message.client is None:
        return ""
    others = [channel for channel in smsaccount.channels_of(kind) if channel != message.channel]
    refused = Standing.objects.filter(client=message.client_id or 0, purpose=kind.purpose, state=Standing.State.WITHDRAWN)
    shut = set(refused.values_list("channel", flat=True))
    return next((channel for channel in others if channel not in shut and facts.to(message.client, channel)), "")
