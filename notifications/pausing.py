"""What waits while all sending is paused, and what would become of it: shown before somebody lets messages leave again.

The switch itself is `salon.core.profile`'s. Looks without locks and changes nothing: each message is decided on once more
when it leaves.
"""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Sequence

from django.db.models import Count, Q

from notifications import crowd, facts, gate
from notifications.models import Message, State
from salon.core.models import Salon

# So many are put to the gate for the page; of more it says how many of the first.
LOOKED_AT = 100


@dataclasses.dataclass(frozen=True)
class Preview:
    """What becomes of what waits. `leaving` and `expired` count by kind, `refused` by reason.

    `due_count` is all that is due, of which `looked_count` were put to the gate: those split into `leaving`, `resting_count`
    (not at night, so later) and `refused`. `later_count` waits for its own time. `expired` became too late since the pause.
    """

    leaving: Counter[str]
    resting_count: int
    refused: Counter[str]
    due_count: int
    looked_count: int
    later_count: int
    expired: Counter[str]

    @property
    def leaving_count(self) -> int:
        """Return how many of those looked at leave at once."""
        return self.leaving.total()

    @property
    def expired_count(self) -> int:
        """Return how many became too late."""
        return self.expired.total()

    @property
    def is_whole(self) -> bool:
        """Return whether all that is due was looked at."""
        return self.due_count == self.looked_count


def preview(now: dt.datetime, *, since: dt.datetime | None) -> Preview:
    """Return what would become of the waiting messages if sending were resumed at `now`; `since` is when it was paused."""
    waiting = Message.objects.filter(state__in=[State.PENDING, State.CLAIMED], expires_at__gt=now)
    due = waiting.filter(not_before__lte=now)
    looked = list(due.select_related("client").order_by("not_before", "pk")[:LOOKED_AT])
    leaving, refused, resting_count = _decided(looked, now)
    return Preview(
        leaving=leaving,
        resting_count=resting_count,
        refused=refused,
        due_count=due.count(),
        looked_count=len(looked),
        later_count=waiting.filter(not_before__gt=now).count(),
        expired=_expired(now, since),
    )


def _decided(messages: Sequence[Message], now: dt.datetime) -> tuple[Counter[str], Counter[str], int]:
    """Return by kind what the gate would let go, by reason what it would refuse, and how many it would let wait."""
    leaving: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    resting_count = 0
    for message, rows in zip(messages, crowd.waiting(messages, Salon.objects.current()), strict=True):
        found = dataclasses.replace(facts.gather(message, rows), is_on_hold=False)
        decision = gate.decide(found, now)
        if isinstance(decision, gate.Refuse):
            refused[decision.reasons[0]] += 1
        elif isinstance(decision, gate.Wait):
            resting_count += 1
        else:
            leaving[message.kind] += 1
    return leaving, refused, resting_count


def _expired(now: dt.datetime, since: dt.datetime | None) -> Counter[str]:
    """Return by kind what was to leave since the pause and became too late, whether that was written down yet or not."""
    if since is None:
        return Counter()
    ended = Q(state=State.EXPIRED, settled_at__gte=since) | Q(state=State.PENDING, expires_at__lte=now)
    rows = (
        Message.objects.filter(ended, handoff_at=None, expires_at__gt=since).order_by().values("kind").annotate(count=Count("pk"))
    )
    return Counter({row["kind"]: row["count"] for row in rows})
