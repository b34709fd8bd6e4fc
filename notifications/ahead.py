"""Who gets a message of a kind in the days to come, as things stand: by the planner's own rules, consents included.

Read by the settings pages and the empty list of messages. Writes nothing, and decides nothing: the gate is asked when it leaves.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import DateTimeField, Value

from clients import existing
from clients.models import Client, Standing
from notifications import kinds, planner, wanting
from notifications.models import Trigger
from notifications.wanting import Asked
from salon.core import public
from salon.core.models import Salon

DAYS = 7
LIMIT = 200
# Kinds whose time can be known beforehand; the others follow an act.
SCHEDULED = frozenset({"reminder"}) | {kind.name for kind in kinds.TABLE.values() if kind.is_moment}


@dataclass(frozen=True)
class Line:
    """Somebody who gets one, and when it is due; by which channel."""

    client: Client
    due: dt.datetime
    channel: str


def count(trigger: Trigger, salon: Salon, now: dt.datetime, *, days: int = DAYS) -> int:
    """Return how many clients get a message of this kind within so many days."""
    found: set[int] = set()
    for _channel, rows in _rows(trigger, salon, now, days):
        found.update(rows.values_list("pk" if rows.model is Client else "client_id", flat=True))
    return len(found)


def lines(trigger: Trigger, salon: Salon, now: dt.datetime, *, days: int = DAYS, limit: int = LIMIT) -> list[Line]:
    """Return the first of those who get one, the next first, each client as often as a message is due."""
    found = []
    for channel, rows in _rows(trigger, salon, now, days):
        name = "pk" if rows.model is Client else "client_id"
        found += [(due, pk, channel) for pk, due in rows.order_by("due", "pk").values_list(name, "due")[:limit]]
    found.sort()
    clients = Client.objects.in_bulk([pk for _due, pk, _channel in found[:limit]])
    return [Line(clients[pk], due, channel) for due, pk, channel in found[:limit]]


def obstacle(trigger: Trigger, salon: Salon) -> str:
    """Return why nobody can get a kind of advertising although it is on, as a code: "" for nothing in the way."""
    kind = kinds.TABLE[trigger.kind]
    if not kind.is_moment:
        return ""
    if not public.has_address(salon):
        return "no_public_address"
    if kind.has_target and not trigger.target:
        return "no_target"
    order = wanting.ways(trigger, kind)
    states = [Standing.State.GRANTED]
    if kind.may_go_to_existing and existing.channels(salon.country) & set(order):
        states.append(Standing.State.SOFT_OPT_IN)
    yes = Standing.objects.filter(purpose=kind.purpose, channel__in=order, state__in=states)
    return "" if yes.filter(client__erased_at=None, client__inactive_at=None).exists() else "nobody"


def _rows(trigger: Trigger, salon: Salon, now: dt.datetime, days: int) -> Iterator[tuple[str, Any]]:
    until, open_to = now + dt.timedelta(days=days), existing.channels(salon.country)
    asked = Asked(trigger, salon, now, until, open_to)
    for wish in planner.RULES[trigger.kind](asked):
        due = wish.due if hasattr(wish.due, "resolve_expression") else Value(wish.due, output_field=DateTimeField())
        for channel, rows in planner.by_channel(wish, asked):
            yield channel, planner.unsaid(rows, asked.kind).annotate(due=due)
