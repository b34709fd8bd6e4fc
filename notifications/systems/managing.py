"""The list of other systems: added, changed, its secret changed over, tested, switched off and on, removed. By owners."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from notifications.systems import line, payload, planning, sending, signing
from notifications.systems.line import Answer
from notifications.systems.models import Delivery, OtherSystem, new_event_id
from salon.core import audit, bell
from salon.core.errors import Refused
from salon.core.models import User

# So long the old secret signs and is taken beside the new one.
OVERLAP = dt.timedelta(hours=24)
MOST = 20
Way, State = OtherSystem.Way, Delivery.State
_EDITED = ("name", "url", "has_email", "has_phone")


@transaction.atomic
def add(*, name: str, way: str, url: str, has_email: bool, has_phone: bool, by: User, now: dt.datetime) -> OtherSystem:
    """Add a system and return it; a connected one has a new secret. Raises Refused for a bad address and for too many."""
    if OtherSystem.objects.count() >= MOST:
        raise Refused(_("There are %(count)s systems already. Remove one first.") % {"count": MOST})
    is_connected = way == Way.CONNECTED
    row = OtherSystem.objects.create(
        name=name, way=way, url=line.read(url) if is_connected else "", secret=signing.new_secret() if is_connected else "",
        has_email=is_connected and has_email, has_phone=is_connected and has_phone, created_at=now,
    )  # fmt: skip
    audit.record("system.added", row, by=by, way=way)
    return row


@transaction.atomic
def change(system: OtherSystem, *, by: User, **values: Any) -> OtherSystem:
    """Change name, address and what goes along, and return the system. Raises Refused for a bad address."""
    row = locked(system)
    values = {name: values[name] for name in _EDITED if row.way == Way.CONNECTED or name == "name"}
    if "url" in values:
        values["url"] = line.read(values["url"])
    fields = sorted(name for name, value in values.items() if getattr(row, name) != value)
    OtherSystem.objects.filter(pk=row.pk).update(**values)
    if fields:
        audit.record("system.changed", row, by=by, fields=fields)
    return locked(system)


@transaction.atomic
def rotate(system: OtherSystem, *, by: User, now: dt.datetime) -> str:
    """Give the system a new secret and return it; the old one counts for a day beside it. Raises Refused for one by hand."""
    row = locked(system)
    _check_connected(row)
    old = OtherSystem.objects.filter(pk=row.pk)
    key = signing.new_secret()
    if row.off_reason == OtherSystem.Off.UNREADABLE:  # the old one cannot be read
        values: dict[str, Any] = {"secret": key, "old_secret": "", "old_until": None}
    else:
        values = {"secret": key, "old_secret": old.values_list("secret", flat=True).get(), "old_until": now + OVERLAP}
    old.update(**values)
    audit.record("system.rotated", row, by=by)
    return key


@transaction.atomic
def switch(system: OtherSystem, *, is_on: bool, by: User, now: dt.datetime) -> OtherSystem:
    """Switch a connected system off or on, and return it. What waits is tried at once when it is on again."""
    row = locked(system)
    _check_connected(row)
    off: dict[str, Any] = {"off_reason": "", "off_at": None} if is_on else {"off_reason": OtherSystem.Off.BY_HAND, "off_at": now}
    OtherSystem.objects.filter(pk=row.pk).update(is_on=is_on, failure_count=0, next_at=None, **off)
    if is_on:
        Delivery.objects.filter(system=row, state=State.WAITING).update(try_count=0, next_at=now)
        bell.ring(bell.SYSTEMS)
    audit.record("system.switched", row, by=by, is_on=is_on)
    return locked(system)


@transaction.atomic
def remove(system: OtherSystem, *, by: User) -> None:
    """Take a system off the list, with what it was and was not told."""
    row = locked(system)
    audit.record("system.removed", row, by=by, count=Delivery.objects.filter(system=row, state=State.WAITING).count())
    row.delete()


def test(system: OtherSystem, *, by: User, now: dt.datetime) -> Answer:
    """Send one event of no client at once and return what came of it. Waits at most about 20 seconds.

    Raises Refused for a system by hand.
    """
    row = OtherSystem.objects.get(pk=system.pk)
    _check_connected(row)
    event = Delivery(system=row, kind=Delivery.Kind.TEST, client_number=0, sequence=int(now.timestamp() * 1000))
    body = payload.of(event, row, now)
    assert body is not None  # a test is always true
    answer = sending.request(row, new_event_id(), body, now)
    audit.record("system.tested", row, by=by, code=answer.code, status=answer.status)
    return answer


@transaction.atomic
def send_again(delivery: Delivery, *, by: User, now: dt.datetime) -> None:
    """Have a client's answers told once more as they are now; one that waits is tried at once. Raises Refused for others."""
    row = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if row.state == State.WAITING:
        Delivery.objects.filter(pk=row.pk).update(next_at=now)
        OtherSystem.objects.filter(pk=row.system_id).update(next_at=None)
    elif row.kind == Delivery.Kind.CHANGED:
        planning.put(locked(row.system), {row.client_number: None}, now=now)
    else:
        raise Refused(_("This was told. There is nothing more to say about it."))
    audit.record("system.sent_again", locked(row.system), by=by, card=row.client_number)
    bell.ring(bell.SYSTEMS)


def locked(system: OtherSystem) -> OtherSystem:
    """Return the row as it is now, locked, without its secrets."""
    return OtherSystem.objects.select_for_update().defer(*sending.SEALED).get(pk=system.pk)


def _check_connected(system: OtherSystem) -> None:
    if system.way != Way.CONNECTED:
        raise Refused(_("This system is told by hand."))
