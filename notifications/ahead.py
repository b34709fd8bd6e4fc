"""Who gets a message of a kind in the days to come, as things stand: by the planner's own rules, consents included.

Of a kind that is off: who would, if it were switched on now.

Read by the settings pages and the empty list of messages. Writes nothing, and decides nothing: the gate is asked when it leaves.
"""

import copy
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import DateTimeField, Value

from clients import existing
from clients.models import Client, Standing
from notifications import kinds, planner, wanting
from notifications.models import Trigger
from notifications.wanting import Asked, Wish
from salon.core import public
from salon.core.models import Salon

DAYS = 7
LIMIT = 200
# Kinds whose time can be known beforehand; the others follow an act.
SCHEDULED = frozenset({"reminder"}) | {kind.name for kind in kinds.TABLE.values() if kind.is_moment}


@dataclass(frozen=True)
class Line:
    """Somebody who gets one, and when it leaves; by which channel."""

    client: Client
    leaves_at: dt.datetime
    channel: str


def count(trigger: Trigger, salon: Salon, now: dt.datetime, *, days: int = DAYS) -> int:
    """Return how many clients get a message of this kind within so many days."""
    found: set[int] = set()
    for _wish, _channel, rows in _rows(_asked(trigger, salon, now, days)):
        found.update(rows.values_list("pk" if rows.model is Client else "client_id", flat=True))
    return len(found)


def lines(trigger: Trigger, salon: Salon, now: dt.datetime, *, days: int = DAYS, limit: int = LIMIT) -> list[Line]:
    """Return the first of those who get one, the next first, each client as often as a message is due."""
    found, asked = [], _asked(trigger, salon, now, days)
    for wish, channel, rows in _rows(asked):
        name = "pk" if rows.model is Client else "client_id"
        first = rows.order_by("due", "pk").values_list(name, "due")[:limit]
        found += [(_leaves_at(asked, wish, channel, due), pk, channel) for pk, due in first]
    found.sort()
    clients = Client.objects.in_bulk([pk for _at, pk, _channel in found[:limit]])
    return [Line(clients[pk], at, channel) for at, pk, channel in found[:limit]]


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


def _asked(trigger: Trigger, salon: Salon, now: dt.datetime, days: int) -> Asked:
    if not trigger.is_on:
        trigger = copy.copy(trigger)
        trigger.is_on, trigger.switched_on_at = True, now
    return Asked(trigger, salon, now, now + dt.timedelta(days=days), existing.channels(salon.country))


def _leaves_at(asked: Asked, wish: Wish, channel: str, due: dt.datetime) -> dt.datetime:
    """Return when what is due then leaves: at the hour that the salon set, within the hours of the channel, not in the past."""
    if wish.wait is not None:
        due = asked.instant(asked.day(due - wish.wait) + wish.wait, asked.at)
    due = max(due, asked.now)
    return due if wish.not_before is not None else asked.leaves_at(channel, due)


def _rows(asked: Asked) -> Iterator[tuple[Wish, str, Any]]:
    for wish in planner.RULES[asked.kind.name](asked):
        due = wish.due if hasattr(wish.due, "resolve_expression") else Value(wish.due, output_field=DateTimeField())
        for channel, rows in planner.by_channel(wish, asked):
            yield wish, channel, planner.unsaid(rows, asked.kind).annotate(due=due)
