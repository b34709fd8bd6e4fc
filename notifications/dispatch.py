"""Hands messages over, each at most once: claim, prepare, decide under locks, send outside any transaction, write down.

Called by the task and by `manage.py deliver`, any number at once. The gate decides, the outbox remembers.
"""

import datetime as dt
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.utils import timezone

from clients import addresses
from clients.models import Address
from notifications import (
    alarms,
    circuit,
    facts,
    gate,
    grounds,
    heartbeats,
    outbox,
    outcomes,
    precedence,
    receipts,
    reconciling,
    rendering,
    smsaccount,
    ways,
)
from notifications.channels import email, sms
from notifications.drafts import Draft, Lane
from notifications.models import Message, State
from notifications.providers.base import BREAKS, Outcome, Phase, Result
from notifications.providers.replies import is_no_mailbox
from salon.core import clocks, failpoints
from salon.core.models import Salon

log = logging.getLogger("carnet.dispatch")

Clock = Callable[[], dt.datetime]

# From the lock of the client to the first byte: what was decided longer ago may no longer be so.
DECISION_HOLDS = 5.0
# A row whose lease ends sooner is given back rather than begun.
LEASE_RESERVE = 60.0
WRITE_FOR = 15 * 60.0
HOLD_WAIT = dt.timedelta(minutes=1)
AWAY = (OperationalError, InterfaceError)

stopping = threading.Event()


def deliver_due(
    limit: int = 1000, budget_s: float = 50.0, *, now: Clock | dt.datetime = timezone.now, threads: int = 1
) -> Counter[str]:
    """Hand over what is due, at most `limit` messages in about `budget_s` seconds, and return counts by what became of them.

    `now` is the clock for due times and quiet hours (leases go by the database's). Each of `threads` has a line of its own.
    """
    clock: Clock = now if callable(now) else lambda: now
    counts: Counter[str] = Counter(outcomes.recover(clock()))
    heartbeats.beat("sender", timezone.now())
    salon = Salon.objects.filter(pk=1).first()
    if salon is None or facts.is_on_hold(salon):
        return counts
    until = time.monotonic() + budget_s
    if threads == 1:
        counts += _Sender(salon, clock, until).run(limit)
    else:
        with ThreadPoolExecutor(threads, thread_name_prefix="sender") as pool:
            for done in pool.map(lambda _: _in_thread(salon, clock, until, -(-limit // threads)), range(threads)):
                counts += done
    try:
        return counts + reconciling.reconcile(clock())
    except AWAY:
        connection.close()
    return counts


def _in_thread(salon: Salon, clock: Clock, until: float, limit: int) -> Counter[str]:
    try:
        return _Sender(salon, clock, until).run(limit)
    finally:
        connections.close_all()


@dataclass
class _Sender:
    """One thread's work: its lines to the providers, and the last result while it is not yet written down."""

    salon: Salon
    clock: Clock
    until: float
    counts: Counter[str] = field(default_factory=Counter)
    unsettled: tuple[Message, Result] | None = None
    readers: list[facts.Reader] = field(default_factory=list)

    def run(self, limit: int) -> Counter[str]:
        """Take batch after batch, a channel at a time, until nothing is due, the time is over, or we are told to stop."""
        lanes = [Lane(email.NAME, email.open_line(self.salon))]
        if smsaccount.is_open():
            lanes.append(Lane(sms.NAME, sms.open_line(self.salon, self.clock)))
        try:
            while limit > 0 and self._may_go_on() and (taken := sum(self._turn_of(lane, limit) for lane in lanes)):
                limit -= taken
        except AWAY:
            log.warning("database away, stopping this round")
            connection.close()
        finally:
            self._flush()
            for lane in lanes:
                lane.line.close()
        return self.counts

    def _turn_of(self, lane: Lane, limit: int) -> int:
        """Work through one batch of a channel, if its provider is there; return how many messages were taken."""
        self.lane = lane
        if lane.is_down or not self._may_go_on() or circuit.is_open(lane.name, self.clock()):
            return 0
        failpoints.hit("before_claim")
        batch = outbox.claim(self.clock(), min(outbox.CLAIM_MAX, limit), channel=lane.channel)
        if batch:
            lane.is_down = not self._batch(batch)
        return len(batch)

    def _may_go_on(self) -> bool:
        return not stopping.is_set() and time.monotonic() < self.until

    def _batch(self, batch: list[Message]) -> bool:
        """Work through one batch. False: the provider is down, no more for now."""
        begun = time.monotonic()
        facts.prepare(batch)
        rendering.load(batch, self.salon)
        lease = outbox.CLAIM_LEASE.total_seconds() - LEASE_RESERVE
        for place, message in enumerate(batch):
            if not self._may_go_on() or time.monotonic() - begun > lease:
                outbox.release(batch[place:])
                return True
            failpoints.hit("after_claim")
            try:
                is_up = self._one(message, batch[place + 1] if place + 1 < len(batch) else None)
            except AWAY:
                log.warning("database away while handing over message %s", message.pk)
                connection.close()
                # This one too unless it was handed over: then only its lease tells.
                _give_back(batch[place + (message.state != State.CLAIMED) :])
                return False
            if not is_up:
                outbox.release(batch[place + 1 :])
                return False
        return True

    def _one(self, message: Message, following: Message | None) -> bool:
        """Bring one message as far as it goes today. False: the provider is down."""
        line = self.lane.line
        draft = self.lane.desk.take(message)
        if draft.has_stumbled:
            self._count("stumbled", outcomes.stumble(message, now=self.clock()))
            return True
        try:
            ready = draft.mail if draft.mail is None or isinstance(draft.mail, Result) else line.prepare(draft.mail)
        except Exception as error:  # noqa: BLE001 (one bad row must not stop the others)
            log.error("message %s: %s while preparing", message.pk, type(error).__name__)
            self._count("stumbled", outcomes.stumble(message, now=self.clock()))
            return True
        if isinstance(ready, Result):
            return self._refused_early(message, self.lane.judge(ready))
        failpoints.hit("after_prepare")
        began = clocks.awake_or_not()
        try:
            leave = self._hand_over(draft, ready, following)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 (rolled back: the row is still claimed, and nothing was said)
            log.error("message %s: %s at the hand-over", message.pk, type(error).__name__)
            message.state = State.CLAIMED
            self._count("stumbled", outcomes.stumble(message, now=self.clock()))
            leave = None
        if leave is None or ready is None:
            if ready is not None:
                ready.abandon()
            return True
        failpoints.hit("after_handoff_commit")
        failpoints.hit("before_send")
        if clocks.awake_or_not() - began > DECISION_HOLDS:
            ready.abandon()
            self._count("taken_back", outcomes.take_back(message, now=self.clock()))
            return True
        result = self.lane.judge(self._send(leave, ready))
        failpoints.hit("after_deliver")
        self.unsettled = (message, result)
        self.counts[result.outcome.value] += 1
        if result.outcome != Outcome.ACCEPTED:
            self._flush()
        elif self.lane.broken_by:
            circuit.close(self.lane.name)
            self.lane.broken_by = ""
        return result.outcome not in BREAKS and not self.lane.must_pause

    def _meanwhile(self, following: Message | None) -> None:
        failpoints.hit("while_committing")
        if following is not None:
            self.lane.desk.write_ahead(following)

    def _send(self, leave: gate.Send, ready: Any) -> Result:
        """Hand it over. Whatever goes wrong in here, it may have been taken."""
        try:
            return self.lane.line.send(leave, ready, self.lane.desk.following)
        except Exception as error:  # noqa: BLE001 (see the promise above)
            log.error("message %s: %s while sending", leave.message_id, type(error).__name__)
            return Result(Outcome.UNKNOWN, "error", Phase.DOT)

    @transaction.atomic
    def _decide(self, draft: Draft, following: Message | None, *, has_line: bool) -> gate.Decision | None:
        """Decide and cross the point of no return, in one transaction. None: the row is not ours any more."""
        message, words = draft.message, draft.words
        rows = facts.lock(message, self.readers)
        found = facts.gather(message, rows)
        now = self.clock()
        decision = gate.decide(found, now)
        is_same_address = message.client is not None and rows.address_of(message.channel) == facts.to(
            message.client, message.channel
        )
        if isinstance(decision, gate.Send) and words is not None and has_line and is_same_address:
            before = outcomes.accepted(*self.unsettled, now=now) if self.unsettled is not None else []
            is_ours = outbox.handoff(
                message, decision, facts={**grounds.as_json(found), "text": words.text_version}, before=before,
                recipient=words.recipient, address_hmac=rows.hmac, language=words.language, title=words.title[:250],
                body=words.body, provider=self.lane.name, segments=message.segments, cost=message.cost,
                meanwhile=lambda: self._meanwhile(following),
            )  # fmt: skip
            return decision if is_ours else None
        if self.unsettled is not None:
            outcomes.settle(*self.unsettled, now=now)
        if rows.client is not None and not is_same_address:
            # It was changed while the mail was being prepared; the row we read and locked is that of the old one.
            self._count("waiting", outbox.postpone(message, until=now, reason="address_changed"))
        elif not isinstance(decision, gate.Send):
            self._no(message, decision, rows, now)
        else:
            self._count("failed", outcomes.fail(message, "template_error", now=now))
        return None

    def _hand_over(self, draft: Draft, ready: Any, following: Message | None) -> gate.Send | None:
        """Return leave to send, committed; None if it may not or need not be sent."""
        decision = self._decide(draft, following, has_line=ready is not None)
        self.unsettled = None  # written in the transaction that has just committed
        return decision if isinstance(decision, gate.Send) else None

    def _no(self, message: Message, decision: gate.Wait | gate.Refuse, rows: facts.Rows, now: dt.datetime) -> None:
        if isinstance(decision, gate.Wait):
            self._count("waiting", outbox.postpone(message, until=decision.until, reason=decision.reason))
        elif decision.reasons[0] == "error":
            log.error("message %s: the facts cannot be read", message.pk)
            self._count("stumbled", outcomes.stumble(message, now=now))
        elif decision.reasons[0] in precedence.OF_THE_HOUSE:
            self._count("waiting", outbox.postpone(message, until=now + HOLD_WAIT, reason=decision.reasons[0]))
        elif ways.OF_CHANNEL.issuperset(decision.reasons) and (other := ways.other(message)):
            self._count("turned", outcomes.turn(message, other, reason=decision.reasons[0], now=now))
        else:
            to = {"recipient": rows.address_of(message.channel), "address_hmac": rows.hmac}
            self._count("refused", outbox.refuse(message, decision.reasons, now=now, **to))

    def _refused_early(self, message: Message, result: Result) -> bool:
        """Write down that the provider would not take it, before anything was handed over."""
        self._flush()
        now = self.clock()
        if result.outcome in {Outcome.UNKNOWN, Outcome.ACCEPTED}:  # nothing was said, so nothing can be unknown
            result = Result(Outcome.RETRY, result.code, result.phase)
        with transaction.atomic():
            address, stopped = facts.to(message.client, message.channel) if message.client else "", ""
            if is_no_mailbox(result):
                scope, reason = Address.Scope.DELIVERY, Address.Reason.HARD_BOUNCE
                stopped = addresses.stop(message.channel, address, scope=scope, reason=reason, now=now).hmac
            turn_to = ways.other(message) if result.outcome is Outcome.FAILED else ""
            outcomes.retry(message, result, now=now, recipient=address, address_hmac=stopped, turn_to=turn_to)
        self.counts[result.outcome.value] += 1
        if result.outcome == Outcome.DOWN:
            alarms.note_down(circuit.fail(self.lane.name, now=now, reason=result.reason), now=now)
            return False
        return True

    def _count(self, name: str, is_done: bool) -> None:
        self.counts[name if is_done else "lost"] += 1

    def _flush(self) -> None:
        """Write down the last result. While the database is away keep trying: a lost result is a message of unknown fate."""
        if self.unsettled is None:
            return
        message, result = self.unsettled
        until, wait = time.monotonic() + WRITE_FOR, 0.1
        while True:
            try:
                failpoints.hit("before_settle")
                with transaction.atomic():
                    now = self.clock()
                    receipts.take(message, result, now=now)
                    turn_to = ways.other(message) if result.outcome is Outcome.FAILED else ""
                    outcomes.settle(message, result, now=now, turn_to=turn_to)
                    if result.outcome in BREAKS:
                        alarms.note_down(circuit.fail(self.lane.name, now=now, reason=result.reason), now=now)
                break
            except AWAY:
                if time.monotonic() > until:
                    raise
                log.warning("database away, result of message %s kept", message.pk)
                connection.close()
                time.sleep(wait)
                wait = min(wait * 2, 10.0)
        self.unsettled = None


def _give_back(messages: list[Message]) -> None:
    """Release what was not begun, if the database is there again; else the leases end by themselves."""
    try:
        outbox.release(messages)
    except AWAY:
        connection.close()
