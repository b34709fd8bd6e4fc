"""Messages as lines of a page: what was said or not, when, and why. Reads only; called by the message pages."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from notifications import resending, words
from notifications.models import Attempt, Message, State
from notifications.words import Group

# Tabs that show how many there are: what somebody may have to do something about.
COUNTED = frozenset({State.PENDING, State.CLAIMED, State.HANDOFF, State.HELD, State.UNKNOWN})


@dataclass(frozen=True)
class Line:
    """One message, ready to show. `at` is when it left, ended or will leave; `attempt` how far the last try came."""

    message: Message
    kind: str
    group: Group
    state: str
    why: str
    at: dt.datetime
    is_future: bool
    attempt: Attempt | None = None

    @property
    def is_due(self) -> bool:
        """Return whether it waits although its time has come."""
        return self.group.name == "waiting" and not self.is_future

    @property
    def through(self) -> str:
        """Return what carried it, in words."""
        return str(words.PROVIDERS.get(self.message.provider, self.message.provider))

    @property
    def last_step(self) -> str:
        """Return how far the last try came, in words; nothing if none was written down."""
        return str(words.PHASES.get(self.attempt.phase, "")) if self.attempt else ""

    @property
    def may_be_stopped(self) -> bool:
        """Return whether no sender has it yet."""
        return self.message.state in {State.PENDING, State.HELD}

    @property
    def is_held(self) -> bool:
        """Return whether it waits for somebody to let it go."""
        return self.message.state == State.HELD

    @property
    def may_be_resent(self) -> bool:
        """Return whether a manager may send it once more."""
        return self.message.state in resending.RESENDABLE


def lines(messages: Iterable[Message], now: dt.datetime) -> list[Line]:
    """Return the messages as lines, with one query for all their attempts."""
    rows = list(messages)
    tries = Attempt.objects.filter(message__in=[row.pk for row in rows]).order_by("pk")
    last = {attempt.message_id: attempt for attempt in tries}
    return [_line(row, last.get(row.pk), now) for row in rows]


def _line(message: Message, attempt: Attempt | None, now: dt.datetime) -> Line:
    group = words.OF_STATE[message.state]
    is_waiting = group.name == "waiting"
    at = message.not_before if is_waiting else message.handoff_at or message.settled_at or message.created_at
    state = str(State(message.state).label)
    if message.state == State.BOUNCED and message.channel == "sms":
        state = str(_("Not delivered"))
    if words.is_logged_only(message):
        group, state = replace(group, badge="wait", icon="note"), str(_("Written to the log"))
    return Line(message, words.kind(message.kind), group, state, words.why(message), at, is_waiting and at > now, attempt)


def counts(seen: "QuerySet[Message]") -> dict[str, int]:
    """Return how many of the messages that somebody sees wait and how many are of unknown fate, by name of their group."""
    found: dict[str, int] = {}
    rows = seen.select_related(None).filter(state__in=COUNTED).order_by().values("state").annotate(count=Count("pk"))
    for row in rows:
        name = words.OF_STATE[row["state"]].name
        found[name] = found.get(name, 0) + row["count"]
    return found
