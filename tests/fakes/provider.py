"""A provider in memory, held to the same contract as the real ones (tests/notifications/test_smtp_contract.py)."""

from dataclasses import dataclass, field

from notifications.providers.base import Envelope, Outcome, Phase, Result


@dataclass
class FakeReady:
    """A mail the fake is ready to take."""

    provider: "FakeProvider"
    envelope: Envelope

    def deliver(self) -> Result:
        if self.provider.on_deliver:
            return self.provider.on_deliver.pop(0)
        self.provider.mails.append(self.envelope)
        return Result(Outcome.ACCEPTED, "250", Phase.REPLY, provider_id=f"F{len(self.provider.mails)}", words="taken")

    def abandon(self) -> None:
        self.provider.abandoned.append(self.envelope)


@dataclass
class FakeProvider:
    """Accepts everything, unless results are lined up for `prepare` or `deliver`."""

    on_prepare: list[Result] = field(default_factory=list)
    on_deliver: list[Result] = field(default_factory=list)
    mails: list[Envelope] = field(default_factory=list)
    abandoned: list[Envelope] = field(default_factory=list)
    close_count: int = 0
    name: str = "fake"

    def prepare(self, envelope: Envelope) -> FakeReady | Result:
        return self.on_prepare.pop(0) if self.on_prepare else FakeReady(self, envelope)

    def close(self) -> None:
        self.close_count += 1
