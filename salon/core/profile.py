"""Changes of the salon's profile, the pause of all sending, and how a user likes the house. Called by the settings pages."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from salon.core import audit, bell, hooks
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import May

SALON_FIELDS = frozenset({
    "name", "legal_name", "street", "postcode", "city", "country", "region", "phone", "email", "time_zone", "language",
    "currency",
    "public_url", "is_mfa_required",
})  # fmt: skip
OWN_FIELDS = frozenset({"name", "language", "theme", "density", "has_shortcuts", "phone"})


def _changed(row: Salon | User, allowed: frozenset[str], fields: dict[str, Any]) -> list[str]:
    if unknown := set(fields) - allowed:
        raise TypeError(f"not a field of this operation: {sorted(unknown)}")
    names = sorted(name for name, value in fields.items() if getattr(row, name) != value)
    for name in names:
        setattr(row, name, fields[name])
    return names


@transaction.atomic
def edit(salon: Salon, *, by: User, **fields: Any) -> Salon:
    """Write the given fields of the profile, and return the row. A changed zone moves no visit: visits are instants."""
    row = Salon.objects.select_for_update().get(pk=salon.pk)
    if names := _changed(row, SALON_FIELDS, fields):
        row.save(update_fields=names)
        audit.record("salon.edited", row, by=by, fields=names)
    if "country" in names:
        hooks.country_changed()
    return row


@transaction.atomic
def edit_own(user: User, **fields: Any) -> User:
    """Write how `user` is called and likes to see the house, and return the row."""
    row = User.objects.select_for_update().get(pk=user.pk)
    if names := _changed(row, OWN_FIELDS, fields):
        row.save(update_fields=names)
        audit.record("user.edited_own", row, by=row, fields=names)
    return row


@dataclass(frozen=True)
class Pause:
    """That all sending is paused: since when and by whom, as far as the audit trail still tells."""

    since: dt.datetime | None = None
    by: str = ""


def pause(salon: Salon) -> Pause | None:
    """Return the pause of all sending that is in force, or None while messages leave."""
    if salon.delivery != Salon.Delivery.HOLD:
        return None
    events = AuditEvent.objects.filter(action="salon.delivery_changed", subject_type=Salon._meta.label_lower).select_related("by")
    event = events.order_by("-at", "-pk").first()
    if event is None or event.facts.get("delivery") != Salon.Delivery.HOLD:
        return Pause()
    return Pause(event.at, event.by.name if event.by else "")


@transaction.atomic
def pause_sending(salon: Salon, *, by: User) -> Salon:
    """Hold every message from now on, whatever it is, and return the row. One already with the provider is gone."""
    return _deliver(salon, Salon.Delivery.HOLD, by)


@transaction.atomic
def resume_sending(salon: Salon, *, by: User) -> Salon:
    """Let messages leave again, and return the row. What became too late meanwhile does not leave."""
    row = _deliver(salon, Salon.Delivery.LIVE, by)
    bell.ring()
    return row


def _deliver(salon: Salon, delivery: Salon.Delivery, by: User) -> Salon:
    if not by.may(May.PAUSE_SENDING):
        raise Refused(_("Only an owner or a manager pauses and resumes sending."))
    row = Salon.objects.select_for_update().get(pk=salon.pk)
    if row.delivery != delivery:
        row.delivery = delivery
        row.save(update_fields=["delivery"])
        audit.record("salon.delivery_changed", row, by=by, delivery=str(delivery))
    return row
