"""The salon's own switches: which kind of message goes by itself, how and when. The only writer of Trigger.

The client's answer is the other switch; both must be on. Called by the settings pages.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import facts, kinds
from notifications.models import Message, Trigger
from salon.core import audit, bell
from salon.core.errors import Refused
from salon.core.models import Salon, User


class Changed(Refused):
    """Somebody else changed the switches meanwhile. `theirs` are the switches as they are now."""

    def __init__(self, theirs: Mapping[str, Trigger]) -> None:
        super().__init__(_("Somebody changed the triggers while you were here."))
        self.theirs = theirs


@dataclass(frozen=True)
class Setting:
    """What the page sets for one kind. What means nothing for a kind, or has no choice now, stays as it is."""

    is_on: bool
    ways: str = ""
    delay: int | None = None
    at: dt.time | None = None
    target: str = ""
    again: int | None = None
    is_by_rhythm: bool = False


@transaction.atomic
def save(
    wanted: Mapping[str, Setting],
    *,
    by: User,
    now: dt.datetime | None = None,
    seen: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[str]:
    """Set the switches and return the kinds that changed. `seen` are values by kind and field as `by` had them before them.

    Raises KeyError for a kind that does not exist, Refused for a target that is no https address, Changed if a value in
    `seen` is another one by now and there is something to save.
    """
    now = now or timezone.now()
    list(Salon.objects.select_for_update().filter(pk=1))  # two who save at once, one after the other
    known = facts.switches()
    settings = {name: _setting(known[name], chosen) for name, chosen in wanted.items()}
    changes = {name: setting for name, setting in settings.items() if setting != of(known[name])}
    if changes and _is_stale(known, seen or {}):
        raise Changed(known)
    for name, setting in changes.items():
        _write(known[name], setting, now)
        said: dict[str, Any] = {"kind": name, "is_on": setting.is_on, "delay": setting.delay}
        if kinds.TABLE[name].again or kinds.TABLE[name].has_rhythm:
            said |= {"again": setting.again, "is_by_rhythm": setting.is_by_rhythm}
        audit.record("trigger.changed", by=by, **said)
    if changes:
        bell.ring()
    return list(changes)


def _is_stale(known: Mapping[str, Trigger], seen: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(getattr(of(known[kind]), name) != value for kind, fields in seen.items() for name, value in fields.items())


def _setting(row: Trigger, chosen: Setting) -> Setting:
    """Return what was chosen, as far as it means something for the kind."""
    kind, before = kinds.TABLE[row.kind], of(row)
    ways = set(chosen.ways.split())
    return Setting(
        chosen.is_on,
        chosen.ways if ways and ways <= set(kind.channels) else before.ways,
        chosen.delay if kind.delay else None,
        chosen.at if kind.at else None,
        _checked(chosen.target) if kind.has_target else "",
        chosen.again if kind.again else None,
        chosen.is_by_rhythm and kind.has_rhythm,
    )


def _write(row: Trigger, setting: Setting, now: dt.datetime) -> None:
    kind = kinds.TABLE[row.kind]
    # What becomes due by another rule lay behind as well: it must not leave all at once.
    is_once_more = setting.again is not None and setting.again != row.again
    if setting.is_on and (not row.is_on or is_once_more or setting.is_by_rhythm != row.is_by_rhythm):
        row.switched_on_at = now
    row.is_on, row.ways, row.target = setting.is_on, setting.ways, setting.target
    row.again, row.is_by_rhythm = setting.again, setting.is_by_rhythm
    # Empty where it is the usual, so that the table of kinds goes on saying what that is.
    row.delay = None if kind.delay is None or setting.delay == kind.delay.usual else setting.delay
    row.at = None if setting.at == kind.at else setting.at
    row.save()


def of(row: Trigger) -> Setting:
    """Return how a switch stands, with what is usual where the salon set nothing."""
    kind = kinds.TABLE[row.kind]
    usual = kind.delay.usual if kind.delay else None
    delay = usual if row.delay is None else row.delay
    return Setting(row.is_on, row.ways, delay, row.at or kind.at, row.target, row.again, row.is_by_rhythm)


def _checked(target: str) -> str:
    parts = urlsplit(target)
    if target and (parts.scheme != "https" or not parts.hostname or "@" in parts.netloc):
        raise Refused(_("The address has to begin with https: it is opened on the client's phone."), "target")
    return target


def last_sent() -> dict[str, dt.datetime]:
    """Return by kind when one was last handed over."""
    rows = Message.objects.filter(handoff_at__isnull=False).order_by().values("kind").annotate(at=Max("handoff_at"))
    return {row["kind"]: row["at"] for row in rows}
