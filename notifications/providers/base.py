"""What a provider is, of e-mail or of SMS: two phases, and the five things that can come of it. Called by channels, knows no
message.

`prepare` goes as far as possible without saying anything; `deliver` is the point of no return.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from django.utils.translation import gettext as _

from notifications.providers import codes


class Outcome(StrEnum):
    """What came of a step, in the only distinctions that matter for what to do next."""

    ACCEPTED = "accepted"
    """The provider has it."""
    RETRY = "retry"
    """It certainly has it not; another try may go through."""
    FAILED = "failed"
    """It certainly has it not, and will never take it."""
    DOWN = "down"
    """The provider itself cannot be used (password, certificate, no answer): nothing of the message is burned."""
    UNKNOWN = "unknown"
    """It may have it. Never repeated by itself."""


# After these the provider is left alone for a while: one that takes texts and answers nothing would lose one after the other.
BREAKS = frozenset({Outcome.DOWN, Outcome.UNKNOWN})


class Phase(StrEnum):
    """How far a hand-over came."""

    CONNECT = "connect"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"
    REPLY = "reply"


@dataclass(frozen=True)
class Envelope:
    """One mail for one recipient. `raw` is the whole message with its headers."""

    message_id: str
    sender: str
    recipient: str
    raw: bytes


@dataclass(frozen=True)
class Text:
    """One SMS for one recipient (E.164). `sender` is a number, a name or the id of a messaging service ("MG…").

    `valid_for`: after so many seconds the provider gives up by itself. `callback` is where it reports what became of it.
    """

    sender: str
    recipient: str
    body: str
    valid_for: int
    callback: str = ""


@dataclass(frozen=True)
class Result:
    """What came of it. `code` is the server's reply code or one of the words in `explain`.

    `phase` is the last step that was reached, `duration_ms` the time since the step began, `status` the server's own
    reason as of RFC 3463 ("5.1.1") where it gave one. `retry_after`: not to be tried again for so many seconds.
    `segments` is how many parts of an SMS the provider counts, 0 where it does not say.
    """

    outcome: Outcome
    code: str
    phase: str
    provider_id: str = ""
    duration_ms: int = 0
    status: str = ""
    retry_after: int = 0
    segments: int = 0

    @property
    def reason(self) -> str:
        """Return phase and code as one word, by which it is remembered."""
        return f"{self.phase}_{self.code}"

    @property
    def words(self) -> str:
        """Return what it means, for a person."""
        return explain(self.outcome, self.phase, self.code)


# What is carried: an Envelope or a Text.
Mail_contra = TypeVar("Mail_contra", contravariant=True)


class Prepared(Protocol[Mail_contra]):
    """Something that the provider is ready to take; not a word of it was said yet."""

    def deliver(self, following: Mail_contra | None = None) -> Result:
        """Hand it over. Never raises for what the network or the server do.

        `following` is what will be prepared next, if it is known: it may be announced by the way.
        """

    def abandon(self) -> None:
        """Do not hand it over after all."""


class Carrier(Protocol[Mail_contra]):
    """Somebody who carries e-mail or SMS. One instance belongs to one thread."""

    @property
    def name(self) -> str:
        """Return the name under which messages and circuit remember it (at most 20 letters)."""

    def prepare(self, mail: Mail_contra, /) -> Prepared[Mail_contra] | Result:
        """Do everything that says nothing yet; return what is ready, or what went wrong. Never raises for the network."""

    def close(self) -> None:
        """Give back what was kept open between the mails of a batch. Never raises."""


Ready = Prepared[Envelope]
Provider = Carrier[Envelope]


_WORDS = {
    "timeout": lambda: _("The server did not answer in time."),
    "dropped": lambda: _("The server closed the connection."),
    "garbage": lambda: _("The server's answer makes no sense. Is this a mail server?"),
    "dns": lambda: _("No server has this name. Check the spelling."),
    "refused": lambda: _("Nothing answers at this server and port."),
    "unreachable": lambda: _("The server cannot be reached."),
    "certificate": lambda: _("The server's certificate is not valid for this name."),
    "tls": lambda: _("The secure connection failed. Check port and security."),
    "no_starttls": lambda: _("The server offers no STARTTLS. Choose TLS (port 465), or ask your mail provider."),
    "no_auth": lambda: _("The server takes no user name and password on this port."),
    "relay": lambda: _("The server sends nothing on for this sender. Does it want a user name and password?"),
    "address": lambda: _("The server cannot handle an address with these letters."),
    "not_local": lambda: _("Without security only a server on this machine can be used."),
    "secret": lambda: _("The saved password cannot be read. Enter it again."),
    "settings": lambda: _("EMAIL_URL cannot be read."),
    "logged": lambda: _("Written to the log only."),
    "sign_in": lambda: _("The mailbox refused the user name or the password."),
    "no_starttls_here": lambda: _("The server offers no STARTTLS. Choose TLS (port 993), or ask your mail provider."),
    "inbox_garbage": lambda: _("The server's answer makes no sense. Is this a mailbox that is read by IMAP?"),
    "no_inbox": lambda: _("The inbox of the mailbox cannot be opened."),
    "read_only": lambda: _("The inbox can only be looked at: what is done cannot be marked as seen there."),
    "reader": lambda: _("Reading the mailbox failed for a reason of our own, which the log names."),
    "inbox_open": lambda: _("Signed in, and the inbox is open."),
    "report": lambda: _("A report about the mail said so."),
}


def explain(outcome: str, phase: str, code: str) -> str:
    """Return in the reader's language what a result means: "The server refused the password (535)."."""
    if outcome == Outcome.UNKNOWN:
        return _("The text was sent, but the server's answer was lost. It may have arrived.")
    if code in _WORDS or code in codes.WORDS:
        return (_WORDS.get(code) or codes.WORDS[code])()
    return _answer(outcome, phase, code) % {"code": code} if code.isdigit() else ""


def _answer(outcome: str, phase: str, code: str) -> str:
    """Return the sentence for a reply code, with a gap for it."""
    if outcome == Outcome.ACCEPTED:
        return _("The server took the message (%(code)s).")
    if outcome == Outcome.DOWN and phase not in {Phase.CONNECT, Phase.AUTH, Phase.MAIL}:
        return _("The server lets nothing of this sender through at present (%(code)s).")
    if code.startswith("4"):
        return _("The server asked to try again later (%(code)s).")
    match phase:
        case Phase.AUTH:
            words = _("The server refused the password (%(code)s).")
        case Phase.MAIL:
            words = _("The server refused the sender address (%(code)s).")
        case Phase.RCPT:
            words = _("The server refused the recipient's address (%(code)s).")
        case Phase.DATA | Phase.DOT | Phase.REPLY:
            words = _("The server refused the message (%(code)s).")
        case _:
            words = _("The server refused the connection (%(code)s).")
    return words
