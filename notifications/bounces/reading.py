"""Reads the mailbox in small steps, in the background: what came since the last time, and of that only the reports.

Whatever is not a report about a mail of ours stays as it is, unread; one that is gets the mark "seen" once all that follows
from it is committed. Nothing is moved or deleted. A crash in between reads it again, and a report counts once.
"""

import datetime as dt
import logging
import threading
from collections import Counter

from django.db import InterfaceError, OperationalError, connections
from django.db.models import Q
from django.utils import timezone

from notifications import circuit
from notifications.bounces import mailbox, receipts, reports
from notifications.bounces.imap import Fault, Inbox
from notifications.models import Mailbox
from salon.core import failpoints, instance
from salon.core.models import Salon

log = logging.getLogger("carnet.mailbox")

EVERY = dt.timedelta(seconds=50)
# One round: so many mails are looked at, in so many seconds.
MAILS_MAX, SECONDS = 100, 30.0
# Of a mailbox that was never read, mails older than this are no news.
SINCE = dt.timedelta(days=14)
AWAY = (OperationalError, InterfaceError)
_busy = threading.Lock()


def read_due(now: dt.datetime) -> Counter[str]:
    """Read on in the mailbox, if there is one and nobody read it just now. Return counts by what was found.

    A mailbox that cannot be used is written down for the health page and left alone for a while; nothing is raised.
    """
    counts: Counter[str] = Counter()
    salon = Salon.objects.filter(pk=1).first()
    if salon is None or not instance.is_ours(salon) or circuit.is_open(mailbox.NAME, now) or not _take_turn(now):
        return counts
    try:
        server = mailbox.server()
        if server is not None:
            with Inbox(server, seconds=SECONDS) as inbox:
                _read_on(inbox, counts, now)
        circuit.close(mailbox.NAME)
    except Fault as fault:
        circuit.fail(mailbox.NAME, now=now, reason=fault.reason)
        counts["fault"] += 1
    return counts


def read_apart() -> None:
    """Do the same in a thread of its own, unless one is at it: a mailbox that hangs then holds up nobody."""
    if not _busy.acquire(blocking=False):
        return
    threading.Thread(target=_read_apart, name="mailbox").start()


def _read_apart() -> None:
    try:
        read_due(timezone.now())
    except AWAY:
        log.warning("database away while reading the mailbox")
    finally:
        connections.close_all()
        _busy.release()


def _take_turn(now: dt.datetime) -> bool:
    """Return whether it is ours to read: of several workers one does, and not at every tick."""
    free = Q(looked_at=None) | Q(looked_at__lte=now - EVERY) | Q(looked_at__gt=now)
    return Mailbox.objects.filter(free, pk=1).update(looked_at=now) == 1


def _read_on(inbox: Inbox, counts: Counter[str], now: dt.datetime) -> None:
    place = Mailbox.objects.defer("password").get(pk=1)
    is_known = place.numbering == inbox.numbering and place.last_number > 0
    after = place.last_number if is_known else 0
    numbers = inbox.numbers(after=after, since=None if is_known else (now - SINCE).date())[:MAILS_MAX]
    if not numbers:
        return
    heads = inbox.heads(numbers)
    for number in numbers:
        if reports.is_report(heads.get(number, b"")):
            counts["reports"] += 1
            if _take(inbox.text(number), now):
                failpoints.hit("before_seen")
                inbox.mark(number)
                counts["taken"] += 1
            _note(place, inbox, number)
    _note(place, inbox, numbers[-1])
    counts["mails"] += len(numbers)


def _note(place: Mailbox, inbox: Inbox, number: int) -> None:
    """Keep how far we are, unless the mailbox was exchanged meanwhile."""
    rows = Mailbox.objects.filter(pk=1, changed_at=place.changed_at)
    rows.update(numbering=inbox.numbering, last_number=number)


def _take(raw: bytes, now: dt.datetime) -> bool:
    """Return whether a mail is a report about one of ours, with all done that follows from it."""
    try:
        taken = [receipts.take(report, now=now) for report in reports.parse(raw)]
    except AWAY:
        raise
    except Exception as error:  # noqa: BLE001 (hostile bytes: one bad mail must not stop the others)
        log.error("a report cannot be taken: %s", type(error).__name__)
        return False
    return any(taken)
