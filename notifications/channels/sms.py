"""SMS as a channel: turns words into what the provider takes and gives it over in two steps.

Called by dispatch only. The second step, after which an SMS cannot be called back, takes the gate's `Send`.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from notifications import callbacks, gate, smsaccount, smswords
from notifications.filling import TemplateError
from notifications.models import Message, SmsAccount
from notifications.providers import codes
from notifications.providers.base import Carrier, Outcome, Prepared, Result, Text
from notifications.providers.twilio import LONGEST
from notifications.rendering import Rendered
from salon.core.models import Salon

NAME = "sms"


@dataclass
class Line:
    """One sender's line to the provider: used by one thread, for one batch after the other."""

    salon: Salon
    provider: Carrier[Text]
    account: SmsAccount | None
    clock: Callable[[], dt.datetime]

    def words(self, message: Message) -> Rendered:
        """Return the words of a message; what they cost is noted on it, for the facts. Raises TemplateError."""
        if self.account is None:
            raise TemplateError("no account")
        found = smswords.render(message, self.salon, self.account)
        message.segments, message.cost = found.size.segments, found.cost
        return found

    def write(self, message: Message, words: Rendered) -> Text | Result:
        """Return `words` as the provider takes them: it gives up by itself when the message makes no sense any more."""
        sender = self.account.sender if self.account else ""
        seconds = int((message.expires_at - self.clock()).total_seconds())
        callback = callbacks.url(self.salon, message)
        return Text(sender, words.recipient, words.body, max(1, min(seconds, LONGEST)), callback)

    def prepare(self, text: Text) -> Prepared[Text] | Result:
        """Open a line to the provider; not a word is said."""
        return self.provider.prepare(text)

    def send(self, leave: gate.Send, ready: Prepared[Text], following: Text | None = None) -> Result:
        """Hand the SMS over, by leave of the gate."""
        if not isinstance(leave, gate.Send) or leave.channel != NAME:
            raise TypeError("an SMS needs the gate's leave")
        result = ready.deliver()
        if not isinstance(result.outcome, Outcome):
            raise TypeError("not a result")
        return result

    def may_be_ours(self, result: Result) -> bool:
        """Return whether the code is about our sender, the same for every message: all others say whom they mean."""
        return result.outcome is Outcome.FAILED and result.code in codes.SENDER

    def close(self) -> None:
        """Hang up."""
        self.provider.close()


def open_line(salon: Salon, clock: Callable[[], dt.datetime]) -> Line:
    """Return a line to the provider in force."""
    return Line(salon, smsaccount.provider(), smsaccount.account(), clock)
