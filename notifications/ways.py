"""The other way of a message, where its own channel will not do. By which way it goes at first says `wanting`.

Asked by dispatch and receipts. A message about a visit may turn to the other channel, once, after a definite no. Advertising
never does: it has a Yes for one channel alone.
"""

from clients.models import Standing
from notifications import facts, kinds, precedence, smsaccount
from notifications.models import Message

# Reasons that lie with the channel: a message about a visit may go by the other one.
OF_CHANNEL = precedence.OF_ADDRESS | {"no_address", "client_refused", "over_budget"}


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
