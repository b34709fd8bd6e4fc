"""What a decision of the gate stood on, as it is kept with the attempt: so that it can be taken again later."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from notifications import gate, kinds

_INSTANTS = ("expires_at", "said_start_at", "paused_until", "asked_at", "stopped_at")


def as_json(facts: gate.Facts) -> dict[str, Any]:
    """Return the facts as they are stored with an attempt: ids, states and instants, nothing of a person."""
    values = {**vars(facts), "kind": facts.kind.name, "version": gate.VERSION}
    values["visit"] = {**vars(facts.visit), "start_at": facts.visit.start_at.isoformat()} if facts.visit else None
    for name in _INSTANTS:
        values[name] = values[name].isoformat() if values[name] else None
    return values | {"event_ids": list(facts.event_ids), "holidays": sorted(day.isoformat() for day in facts.holidays)}


def from_json(stored: Mapping[str, Any]) -> gate.Facts:
    """Return the facts as they were at the hand-over."""
    values = {name: value for name, value in stored.items() if name not in {"version", "text"}}
    for name in _INSTANTS:
        values[name] = dt.datetime.fromisoformat(values[name]) if values.get(name) else None
    if visit := values["visit"]:
        values["visit"] = gate.Visit(**{**visit, "start_at": dt.datetime.fromisoformat(visit["start_at"])})
    values["kind"] = kinds.TABLE[values["kind"]]
    values["event_ids"] = tuple(values["event_ids"])
    values["holidays"] = frozenset(dt.date.fromisoformat(day) for day in values["holidays"])
    return gate.Facts(**values)
