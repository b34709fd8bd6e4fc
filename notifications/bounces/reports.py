"""What a report about a mail says: that it did not arrive (RFC 3464), or that somebody complained of it (RFC 5965). Pure.

Reads hostile bytes: whatever is no such report gives nothing. Whether a report is about a mail of ours is asked elsewhere.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from enum import StrEnum

KIND = "multipart/report"
# A mail of ours has one recipient. A report that names hundreds is not about it.
_FATES_MAX = 20
_ADDRESS = re.compile(r"(?:[^;]{0,40};)?\s*<?([^<>\s;]{1,254}@[^<>\s;]{1,253})>?")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?![\d.])", re.ASCII)
# The status that the other server gave itself, behind its reply code: "smtp; 550-5.1.1 No such user".
_SAID = re.compile(r"\b[245]\d\d[ -]([245]\.\d{1,3}\.\d{1,3})(?![\d.])", re.ASCII)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
# The email package takes minutes for some texts, and falls over others: what no report looks like is not given to it.
_HEAD = re.compile(rb"\s{0,20}content-type\s{0,20}:\s{0,20}multipart/report(?![^\s;(])", re.IGNORECASE)
_HEAD_MAX_BYTES, _FIELD_MAX_BYTES, _BOUNDARIES_MAX = 2048, 4096, 10
_FIELD = re.compile(rb"^content-[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(rb"boundary[*\d\s]*=", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,400}>")
# Complaints, among what the form is used for: not "not-spam", no report about a signature that failed.
_COMPLAINTS = frozenset({"abuse", "opt-out", "opt-out-list", "fraud"})


class Action(StrEnum):
    """What became of a mail, as its report says."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    COMPLAINT = "complaint"


@dataclass(frozen=True)
class Report:
    """What one report says of one recipient. `addresses` are the spellings in which it names them, `status` is RFC 3463's."""

    message_id: str
    addresses: tuple[str, ...]
    action: Action
    status: str = ""


def is_report(head: bytes) -> bool:
    """Return whether the head of a mail, its Content-Type, says that it is a report. One that is cut off says nothing."""
    return len(head) < _HEAD_MAX_BYTES and _HEAD.match(head) is not None


def parse(raw: bytes) -> list[Report]:
    """Return what a mail reports, one for each recipient that it names; nothing for one that is no report.

    `raw` may be cut off: what counts stands at the beginning. What is made to keep us busy gives nothing either.
    """
    if _is_laborious(raw):
        return []
    mail = email.message_from_bytes(raw)
    if mail.get_content_type() != KIND or not mail.is_multipart():
        return []
    parts = [part for part in mail.get_payload() if isinstance(part, Message)]
    said = next((part for part in parts[1:] if part.get_content_type() in _READERS), None)
    if said is None:
        return []
    blocks = [block for block in said.get_payload() if isinstance(block, Message)] if said.is_multipart() else []
    returned = _returned(parts)
    message_id = _message_id(returned, blocks)
    return list(_READERS[said.get_content_type()](message_id, blocks, returned)) if blocks and message_id else []


def _is_laborious(raw: bytes) -> bool:
    """Return whether a text has fields, or parts in parts, of a number for which the email package takes quadratic time."""
    lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if sum(1 for _found in _BOUNDARY.finditer(lines)) > _BOUNDARIES_MAX:
        return True
    return any(found.end() - found.start() > _FIELD_MAX_BYTES for found in _FIELD.finditer(lines))


def _fates(message_id: str, blocks: list[Message], returned: Message) -> Iterator[Report]:
    for block in blocks[1 : _FATES_MAX + 1]:
        action = _field(block, "Action").lower().partition(" ")[0]
        # Who keeps a copy and forwards one is the original of a report about the other: their own address works.
        said = list(_addresses(block, "Final-Recipient")) or _addresses(block, "Original-Recipient")
        found = tuple(dict.fromkeys(said))
        if found and action in {Action.FAILED, Action.DELAYED, Action.DELIVERED}:
            yield Report(message_id, found, Action(action), _status(block))


def _complaints(message_id: str, blocks: list[Message], returned: Message) -> Iterator[Report]:
    if _field(blocks[0], "Feedback-Type").lower() in _COMPLAINTS:
        found = [
            *_addresses(blocks[0], "Original-Rcpt-To"),
            *_addresses(blocks[0], "Removal-Recipient"),
            *_addresses(returned, "To"),
        ]
        yield Report(message_id, tuple(dict.fromkeys(found)), Action.COMPLAINT)


_READERS = {"message/delivery-status": _fates, "message/feedback-report": _complaints}


def _status(block: Message) -> str:
    """Return the status of a failure. What the other server said itself stands above what ours made of it."""
    if said := _SAID.search(_field(block, "Diagnostic-Code")):
        return said[1]
    found = _STATUS.match(_field(block, "Status"))
    return found[0] if found else ""


def _returned(parts: list[Message]) -> Message:
    """Return the head of the mail that is reported on, an empty one if it did not come along."""
    for part in parts[2:]:
        kind, inner = part.get_content_type(), part.get_payload()
        if kind == "message/rfc822" and isinstance(inner, list) and inner and isinstance(inner[0], Message):
            return inner[0]
        if kind == "text/rfc822-headers":
            head = part.get_payload(decode=True)
            return BytesHeaderParser().parsebytes(head) if isinstance(head, bytes) else Message()
    return Message()


def _message_id(returned: Message, blocks: list[Message]) -> str:
    """Return the Message-ID of the mail that is reported on: of the head that came along, else where some services put it."""
    said = _field(returned, "Message-ID") or (_field(blocks[0], "X-Original-Message-ID") if blocks else "")
    found = _MESSAGE_ID.search(said)
    return found[0] if found else ""


def _addresses(block: Message, name: str) -> Iterator[str]:
    """Return the address in a field ("rfc822; ann@example.org"), also as it reads without the coding of RFC 3461."""
    if found := _ADDRESS.fullmatch(_field(block, name)):
        yield found[1]
        yield _XTEXT.sub(lambda code: chr(int(code[1], 16)), found[1])


def _field(block: Message, name: str) -> str:
    """Return a field in one line."""
    return " ".join(str(block.get(name, "")).split())[:2000]
