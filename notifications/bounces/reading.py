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
from notifications.bounces.imap import Fault, Inbox, Unread
from notifications.models import Mailbox
from salon.core import failpoints, instance
from salon.core.models import Salon

log = logging.getLogger("carnet.mailbox")

EVERY = dt.timedelta(seconds=50)
# One round: so many mails are looked at, in so many seconds.
MAILS_MAX, SECONDS = 100, 30.0
# It ends by itself while so much of the time is left: a lot of mail is no trouble with the mailbox.
RESERVE = 0.2
# Of a mailbox that was never read, mails older than this are no news.
SINCE = dt.timedelta(days=14)
AWAY = (OperationalError, InterfaceError)
_busy = threading.Lock()


def read_due(now: dt.datetime) -> Counter[str]:
    """Read on in the mailbox, if there is one and nobody read it just now. Return counts by what was found.

    A mailbox that cannot be used is written down for the health page and left alone for a while, and so is an error of our
    own; nothing is raised but that the database is away.
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
    except AWAY:
        raise
    except Fault as fault:
        _fail(counts, fault.reason, now)
    except Exception as error:  # whatever it is, somebody must see that nothing is read
        log.exception("reading the mailbox failed: %s", type(error).__name__)
        _fail(counts, "connect_reader", now)
    return counts


def _fail(counts: Counter[str], reason: str, now: dt.datetime) -> None:
    if counts["mails"]:
        circuit.close(mailbox.NAME)  # it gets on: no need to wait longer each time
    circuit.fail(mailbox.NAME, now=now, reason=reason)
    counts["fault"] += 1


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
        _look_at(inbox, number, heads.get(number), counts, now)
        _note(place, inbox, number)
        counts["mails"] += 1
        if inbox.seconds_left < SECONDS * RESERVE:
            break  # the next round reads on


def _look_at(inbox: Inbox, number: int, head: bytes | None, counts: Counter[str], now: dt.datetime) -> None:
    """Take in what a mail reports about one of ours. One that cannot be read is passed over: it must not stop the others."""
    try:
        if head is None:
            raise Unread
        if not reports.is_report(head):
            return
        counts["reports"] += 1
        taken = [receipts.take(report, now=now) for report in reports.parse(inbox.text(number))]
        if any(taken):
            failpoints.hit("before_seen")
            inbox.mark(number)
            counts["taken"] += 1
    except (Fault, *AWAY):
        raise
    except Exception as error:  # noqa: BLE001 (hostile bytes)
        log.error("mail %d of the mailbox is passed over: %s", number, type(error).__name__)
        counts["passed"] += 1


def _note(place: Mailbox, inbox: Inbox, number: int) -> None:
    """Keep how far we are, unless the mailbox was exchanged meanwhile."""
    rows = Mailbox.objects.filter(pk=1, changed_at=place.changed_at)
    rows.update(numbering=inbox.numbering, last_number=number)
