"""What a connected system tells about a mail of ours, where the salon's mail provider reports to it and not to a mailbox.

The same in another coat: taken by the same rules as a report in the mailbox, so it can only restrict, and counts once.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from notifications.bounces import receipts
from notifications.bounces.reports import Action, Report
from notifications.systems.inbound import Fault

_STATUS = re.compile(r"[45]\.\d{1,3}\.\d{1,3}", re.ASCII)


def bounced(data: Mapping[str, Any], now: dt.datetime) -> bool:
    """Take in that a mail came back, and return whether it is one of ours. Raises Fault."""
    status = data.get("status")
    if not isinstance(status, str) or not _STATUS.fullmatch(status):
        raise Fault(422, "bad_status", "status is the code of RFC 3463, like 5.1.1.")
    return _take(data, Action.FAILED, status, now)


def complained(data: Mapping[str, Any], now: dt.datetime) -> bool:
    """Take in that somebody called a mail spam, and return whether it is one of ours. Raises Fault."""
    return _take(data, Action.COMPLAINT, "", now)


def _take(data: Mapping[str, Any], action: Action, status: str, now: dt.datetime) -> bool:
    message_id, recipient = data.get("message_id"), data.get("recipient")
    if not isinstance(message_id, str) or not isinstance(recipient, str) or not message_id or not 3 <= len(recipient) <= 254:
        raise Fault(422, "bad_data", "data holds the texts message_id (the Message-ID of the mail) and recipient.")
    return receipts.take(Report(message_id[:400], (recipient,), action, status), now=now)


EVENTS: Mapping[str, Callable[[Mapping[str, Any], dt.datetime], bool]] = {
    "mail.bounced": bounced,
    "mail.complained": complained,
}
