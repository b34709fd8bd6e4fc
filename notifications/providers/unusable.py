"""Stands in for a provider whose settings cannot be used: every message waits, none is burned, none is logged instead."""

from notifications.providers.base import Outcome, Phase, Result


class UnusableProvider:
    """Says at each message what is wrong with the settings. `code` is a word of `base.explain`, `name` whom it stands for."""

    def __init__(self, code: str, name: str = "smtp") -> None:
        self.code = code
        self.name = name

    def prepare(self, mail: object, /) -> Result:
        """Return the reason."""
        return Result(Outcome.DOWN, self.code, Phase.CONNECT)

    def close(self) -> None:
        """Nothing is open."""
