"""Messages in words and as mails, written one ahead: the next one while the database works on the one before.

Used by dispatch, one by each sender. Speaks to nobody, and decides nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from notifications import kinds
from notifications.filling import TemplateError
from notifications.kinds import Class
from notifications.models import Message
from notifications.providers.base import Envelope, Result
from notifications.rendering import Rendered, render
from salon.core.models import Salon

log = logging.getLogger("carnet.dispatch")


@dataclass
class Draft:
    """A message in words, and as a mail or why it cannot be one; neither without an address or a text.

    `has_stumbled`: over something of ours, which the log names.
    """

    message: Message
    words: Rendered | None = None
    mail: Envelope | Result | None = None
    has_stumbled: bool = False


class Desk:
    """Where one sender's messages are written. `as_mail` is the channel's."""

    def __init__(self, salon: Salon, as_mail: Callable[[Message, Rendered], Envelope | Result]) -> None:
        self._salon = salon
        self._as_mail = as_mail
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
    def following(self) -> Envelope | None:
        """Return the mail that was written ahead, if there is one."""
        return self._ahead.mail if self._ahead is not None and isinstance(self._ahead.mail, Envelope) else None

    def _write(self, message: Message, *, is_ahead: bool) -> Draft:
        draft = Draft(message)
        try:
            draft.words = render(message, self._salon)
            if draft.words.recipient:
                draft.mail = self._as_mail(message, draft.words)
        except TemplateError as error:
            log.error("message %s: %s", message.pk, error)
        except Exception as error:  # noqa: BLE001 (one bad row must not stop the others)
            if not is_ahead:
                log.error("message %s: %s while preparing", message.pk, type(error).__name__)
            draft.has_stumbled = True
        return draft
