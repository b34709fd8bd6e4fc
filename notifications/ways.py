"""The other way of a message, where its own channel will not do. By which way it goes at first says `wanting`.

Asked by dispatch and receipts. A message about a visit may turn to the other channel, once, after a definite no. Advertising
never does: it has a Yes for one channel alone.
"""

from clients import addresses
from clients.models import Address, Client, Standing
from notifications import facts, kinds, precedence, smsaccount, wanting
from notifications.models import Message, Trigger
from salon.core import phone

# Reasons that lie with the channel: a message about a visit may go by the other one.
OF_CHANNEL = precedence.OF_ADDRESS | {"no_address", "client_refused", "over_budget"}


def other(message: Message) -> str:
    """Return the channel to which a message may turn that cannot go by its own, "" for none.

    It is one of those that the salon chose for the kind. What the gate says of it is open, but for what would go to and fro:
    what the client has switched off there, and an address that takes nothing.
    """
    kind = kinds.TABLE[message.kind]
    if kind.kind_class is not kinds.Class.SERVICE or message.turned_from or message.client is None:
        return ""
    trigger = Trigger.objects.filter(pk=kind.name).first() or Trigger(kind=kind.name)
    others = [channel for channel in wanting.ways(trigger, kind) if channel != message.channel]
    refused = Standing.objects.filter(client=message.client_id or 0, purpose=kind.purpose, state=Standing.State.WITHDRAWN)
    shut = set(refused.values_list("channel", flat=True))
    return next((channel for channel in others if channel not in shut and _can_take(message.client, channel)), "")


def _can_take(client: Client, channel: str) -> bool:
    """Return whether the card has an address there that may get messages: no landline, and not stopped."""
    address = facts.to(client, channel)
    if not address or (channel == smsaccount.CHANNEL and phone.cannot_get_sms(address)):
        return False
    stopped = Address.objects.filter(channel=channel, hmac=addresses.hash_of(channel, address))
    return not stopped.filter(scope__in=[Address.Scope.DELIVERY, Address.Scope.ALL]).exists()
