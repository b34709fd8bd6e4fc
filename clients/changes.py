"""Who hears that what clients agreed to came out otherwise: the rooms above register, since nobody here may look up.

Told inside the transaction that changes it, so that what a listener writes down stands or falls with the change.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

OfClients = Callable[[Collection[int], Collection[int]], None]
OfAddress = Callable[[str, str, bool], None]


@dataclass(frozen=True)
class Listener:
    """What a room above does when it hears of a change. It writes rows, and never waits for anybody.

    `of_clients` gets the ids of the clients whose answers changed, and those among them who refuse now what they did not
    refuse before. `of_address` gets channel and hash of an address, and whether it is stopped for more than before:
    that concerns every card that has it.
    """

    of_clients: OfClients
    of_address: OfAddress


_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Let a room above hear of changes. Called once, when it starts."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(changed: Collection[int], refused: Collection[int] = ()) -> None:
    """Say whose answers about messages changed, by id, and which of them refuse something now that they did not before."""
    if changed:
        for listener in _listeners:
            listener.of_clients(changed, refused)


def tell_address(channel: str, hmac: str, *, is_refusal: bool) -> None:
    """Say that an address (by its hash) is stopped for marketing or altogether, or is not any more."""
    for listener in _listeners:
        listener.of_address(channel, hmac, is_refusal)
