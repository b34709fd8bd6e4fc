"""Stands in for a mail server whose settings cannot be used: every mail waits, none is burned, none is logged instead."""

from notifications.providers.base import Envelope, Outcome, Phase, Ready, Result, explain


class UnusableProvider:
    """Says at each mail what is wrong with the settings. `code` is a word of `base.explain`."""

    name = "smtp"

    def __init__(self, code: str) -> None:
        self.code = code

    def prepare(self, envelope: Envelope) -> Ready | Result:
        """Return the reason."""
        return Result(Outcome.DOWN, self.code, Phase.CONNECT, words=explain(Outcome.DOWN, Phase.CONNECT, self.code))

    def close(self) -> None:
        """Nothing is open."""
