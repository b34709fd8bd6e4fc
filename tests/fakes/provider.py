"""A provider of e-mail that records what it was given. `script` says, mail by mail, what becomes of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from notifications.providers.base import Envelope, Outcome, Phase, Ready, Result

TAKEN = Result(Outcome.ACCEPTED, "250", Phase.REPLY, provider_id="q1")


@dataclass
class FakeReady:
    provider: "FakeProvider"
    envelope: Envelope
    result: Result

    def deliver(self, following: Envelope | None = None) -> Result:
        self.provider.before_deliver(self.envelope)
        self.provider.delivered.append(self.envelope)
        return self.result

    def abandon(self) -> None:
        self.provider.abandoned.append(self.envelope)


@dataclass
class FakeProvider:
    """`at_rcpt` and `at_dot` are results to give, one a mail, before the good one."""

    name: str = "fake"
    at_rcpt: list[Result] = field(default_factory=list)
    at_dot: list[Result] = field(default_factory=list)
    prepared: list[Envelope] = field(default_factory=list)
    delivered: list[Envelope] = field(default_factory=list)
    abandoned: list[Envelope] = field(default_factory=list)
    before_prepare: Callable[[Envelope], None] = lambda envelope: None
    before_deliver: Callable[[Envelope], None] = lambda envelope: None

    def prepare(self, envelope: Envelope) -> Ready | Result:
        self.before_prepare(envelope)
        self.prepared.append(envelope)
        if self.at_rcpt:
            return self.at_rcpt.pop(0)
        return FakeReady(self, envelope, self.at_dot.pop(0) if self.at_dot else TAKEN)

    def close(self) -> None:
        pass

    @property
    def recipients(self) -> list[str]:
        return [envelope.recipient for envelope in self.delivered]
