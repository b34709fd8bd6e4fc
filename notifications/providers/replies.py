"""What a server's refusal of a recipient means: no such mailbox, a fault of ours, or something that passes.

Pure. Asked by the SMTP provider, by dispatch and where mail comes back. Servers answer RCPT with 550 for a limit, a sender
that is not theirs or a blocked network as well: only what names the mailbox may be held against an address.
"""

import re
from enum import StrEnum

from notifications.providers.base import Outcome, Phase, Result

# RFC 3463: the mailbox or its domain is not there, was moved, cannot be one, or is closed.
NO_SUCH_MAILBOX = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_FULL = "5.2.2"
_OURS = frozenset({"5.1.7", "5.1.8", "5.4.5"})
_SIGN_IN = frozenset({530, 535, 538})

_STATUS = re.compile(r"\s*(5\.\d{1,3}\.\d{1,3})\b")
_SENDER = re.compile(r"sender", re.IGNORECASE)
_RELAY = re.compile(r"relay", re.IGNORECASE)
_MAILBOX_FULL = re.compile(r"\b(mail)?box\b.*\bfull\b|over ?quota|quota exceeded", re.IGNORECASE)
# Without a status of RFC 3463 only the words tell that it is about us.
_ABOUT_US = re.compile(r"limit|polic|spam|blocked|blocklist|blacklist|reputation|prohibit|authenti|permission", re.IGNORECASE)


class Verdict(StrEnum):
    """Whose fault it is that a mail did not arrive."""

    GONE = "gone"
    """The mailbox or its domain is not there."""
    FULL = "full"
    """The mailbox takes nothing for now."""
    LATE = "late"
    """It could not be handed on in time: no word about the mailbox."""
    OURS = "ours"
    """The other side refuses the sender or the mail."""
    OTHER = "other"


def status_of(text: str) -> str:
    """Return the status of RFC 3463 at the head of a reply's text ("5.1.1"), or an empty text."""
    found = _STATUS.match(text)
    return found[1] if found else ""


def at_rcpt(code: int, text: str) -> tuple[Outcome, str]:
    """Return what a 5xx reply to RCPT means, with the code to remember."""
    status = status_of(text)
    if code in _SIGN_IN:
        return Outcome.DOWN, str(code)
    if status in NO_SUCH_MAILBOX and not (status == "5.1.0" and _SENDER.search(text)):
        return Outcome.FAILED, str(code)
    if _RELAY.search(text):
        return Outcome.DOWN, "relay"
    if status == _FULL or (not status and (code == 552 or _MAILBOX_FULL.search(text))):
        return Outcome.RETRY, str(code)
    is_ours = status in _OURS or status.startswith("5.7.") or _SENDER.search(text) or (not status and _ABOUT_US.search(text))
    return (Outcome.DOWN if is_ours else Outcome.FAILED), str(code)


def is_no_mailbox(result: Result) -> bool:
    """Return whether a result says that the recipient's mailbox is not there."""
    if result.outcome != Outcome.FAILED or result.phase != Phase.RCPT:
        return False
    return result.status in NO_SUCH_MAILBOX or (not result.status and result.code in {"550", "551"})


def is_policy(result: Result) -> bool:
    """Return whether a permanent no may be meant for us, which only its repetition shows; one that names the mailbox is not."""
    return result.outcome == Outcome.FAILED and result.code.isdigit() and result.status not in NO_SUCH_MAILBOX


def verdict(status: str) -> Verdict:
    """Return whose fault a failure with this status is. What is not surely the mailbox's is never held against it."""
    if status in NO_SUCH_MAILBOX:
        return Verdict.GONE
    family, _dot, rest = status.partition(".")
    if rest.startswith("2."):
        return Verdict.FULL if rest == "2.2" or family == "4" else Verdict.OTHER
    if family == "4":
        return Verdict.LATE
    if rest.startswith(("3.", "5.", "6.", "7.")) or rest in {"1.7", "1.8"}:
        return Verdict.OURS
    return Verdict.OTHER
