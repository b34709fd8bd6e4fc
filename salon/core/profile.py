"""Changes of the salon's profile and of how a user likes to see the house. Called by the settings pages."""

from typing import Any

from django.db import transaction

from salon.core import audit, hooks
from salon.core.models import Salon, User

SALON_FIELDS = frozenset({
    "name", "legal_name", "street", "postcode", "city", "country", "phone", "email", "time_zone", "language", "currency",
    "public_url", "is_mfa_required",
})  # fmt: skip
OWN_FIELDS = frozenset({"name", "language", "theme", "density", "has_shortcuts"})


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
