"""Writes mails to the log instead of sending them: until the salon has entered its mail server. Nothing leaves the house."""

import logging
from dataclasses import dataclass

from notifications.providers.base import Envelope, Outcome, Phase, Result

log = logging.getLogger("carnet.mail")


@dataclass(frozen=True)
class _Ready:
    envelope: Envelope

    def deliver(self, following: Envelope | None = None) -> Result:
        """Write the mail to the log."""
        log.info("mail, not sent (no mail server is set):\n%s", self.envelope.raw.decode("utf-8", "replace"))
        return Result(Outcome.ACCEPTED, "logged", Phase.REPLY)

    def abandon(self) -> None:
        """Forget it."""


class ConsoleProvider:
    """The log as a provider: always ready, always accepts."""

    name = "console"

    def prepare(self, envelope: Envelope) -> _Ready | Result:
        """Return the mail, ready for the log."""
        return _Ready(envelope)

    def close(self) -> None:
        """Nothing is open."""
