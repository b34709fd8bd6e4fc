"""A provider of SMS that records what it was given. `answers` says, one after the other, what becomes of them."""

from dataclasses import dataclass, field

from notifications.providers.base import Outcome, Phase, Prepared, Result, Text

TAKEN = Result(Outcome.ACCEPTED, "201", Phase.REPLY, provider_id="SM1")


@dataclass
class FakeReadyText:
    provider: "FakeTexts"
    text: Text

    def deliver(self, following: Text | None = None) -> Result:
        self.provider.delivered.append(self.text)
        return self.provider.answers.pop(0) if self.provider.answers else TAKEN

    def abandon(self) -> None:
        pass


@dataclass
class FakeTexts:
    name: str = "twilio"
    answers: list[Result] = field(default_factory=list)
    delivered: list[Text] = field(default_factory=list)

    def prepare(self, text: Text) -> Prepared[Text] | Result:
        return FakeReadyText(self, text)

    def close(self) -> None:
        pass
