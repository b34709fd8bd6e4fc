"""The folder that carries wake-ups where no broker is installed: kombu's, which a half-written file cannot bring down.

Used by salon/celery.py as `filesystem://`. It never holds anything that may not be lost: the next tick brings the same.
"""

from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem


class Channel(filesystem.Channel):
    """Takes wake-ups out of the folder."""

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """Return the next wake-up. One that is taken while it is still being written is dropped: kombu would end the worker.

        kombu's own takes no `timeout`, which its types name.
        """
        try:
            return super()._get(queue)
        except ValueError:
            raise Empty from None


class Transport(filesystem.Transport):
    """kombu's transport with that channel."""

    Channel = Channel


def register() -> None:
    """Let `filesystem://` name this transport."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
