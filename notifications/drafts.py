"""Messages in words and as their channel takes them, written one ahead: the next while the database works on the one before.

Used by dispatch, one by each sender. Speaks to nobody, and decides nothing.
"""

import logging
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from notifications import circuit, gate, kinds
from notifications.filling import TemplateError
from notifications.kinds import Class
from notifications.models import Message
from notifications.providers.base import Envelope, Outcome, Result, Text
from notifications.rendering import Rendered

log = logging.getLogger("carnet.dispatch")

# The same permanent no to so many messages in a row is about us, not about each of them.
REFUSALS_MAX = 3


class Line(Protocol):
    """A channel's line to its provider: what each module in `channels` opens, for one thread."""

    @property
    def provider(self) -> Any:
        """Return the provider."""

    def words(self, message: Message) -> Rendered:
        """Return the words of a message. Raises TemplateError."""

    def write(self, message: Message, words: Rendered) -> Any:
        """Return what the provider takes, or a Result that says why there is none. Speaks to nobody."""

    def prepare(self, mail: Any) -> Any:
        """Go as far as can be gone without saying anything; return what is ready, or a Result."""

    def send(self, leave: gate.Send, ready: Any, following: Any = None) -> Result:
        """Hand it over, by leave of the gate."""

    def may_be_ours(self, result: Result) -> bool:
        """Return whether a permanent no may be meant for us, which only its repetition shows."""

    def close(self) -> None:
        """Hang up."""


@dataclass
class Draft:
    """A message in words, and as its provider takes it or why it cannot be so; neither without an address or a text.

    `has_stumbled`: over something of ours, which the log names.
    """

    message: Message
    words: Rendered | None = None
    mail: Envelope | Text | Result | None = None
    has_stumbled: bool = False


class Desk:
    """Where one sender's messages of a channel are written."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._ahead: Draft | None = None

    def take(self, message: Message) -> Draft:
        """Return the draft of `message`, written now if it was not written ahead."""
        ahead, self._ahead = self._ahead, None
        return ahead if ahead is not None and ahead.message is message else self._write(message, is_ahead=False)

    def write_ahead(self, message: Message) -> None:
        """Write the next message, if that can be done without the database; else it is done at its turn. Never raises.

        Only the text of a message about a visit has all it needs at hand.
        """
        kind = kinds.TABLE.get(message.kind)
        if kind is None or kind.kind_class is not Class.SERVICE:
            self._ahead = None
            return
        draft = self._write(message, is_ahead=True)
        self._ahead = None if draft.has_stumbled else draft

    @property
    def following(self) -> Envelope | Text | None:
        """Return what was written ahead, if there is anything."""
        ahead = self._ahead.mail if self._ahead is not None else None
        return None if isinstance(ahead, Result) else ahead

    def _write(self, message: Message, *, is_ahead: bool) -> Draft:
        draft = Draft(message)
        try:
            draft.words = self._line.words(message)
            if draft.words.recipient:
                draft.mail = self._line.write(message, draft.words)
        except TemplateError as error:
            log.error("message %s: %s", message.pk, error)
        except Exception as error:  # noqa: BLE001 (one bad row must not stop the others)
            if not is_ahead:
                log.error("message %s: %s while preparing", message.pk, type(error).__name__)
            draft.has_stumbled = True
        return draft


@dataclass
class Lane:
    """What one sender has to do with one channel: its line, its desk, and what stands against the provider."""

    channel: str
    line: Line
    is_down: bool = False
    # The provider asked for a pause, whoever is next.
    must_pause: bool = False
    refusals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.desk = Desk(self.line)
        self.broken_by = circuit.failure(self.name)

    @property
    def name(self) -> str:
        """Return the name of the provider."""
        return str(self.line.provider.name)

    def judge(self, result: Result) -> Result:
        """Return the result; a permanent no that repeats itself, or broke the provider before, as one that burns nothing."""
        if result.outcome is Outcome.RETRY and result.retry_after:
            self.must_pause = True
        if not self.line.may_be_ours(result):
            self.refusals = []
            return result
        self.refusals = [*self.refusals, result.reason] if result.reason in self.refusals else [result.reason]
        if self.broken_by == result.reason or len(self.refusals) >= REFUSALS_MAX:
            return replace(result, outcome=Outcome.DOWN)
        return result
