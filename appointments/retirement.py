"""Services and people that leave the book and come back: they are never deleted, as visits point at them.

Called by `catalogue` and `crew`, inside their transactions. Whether it may be is theirs to check.
"""

from typing import TypeVar

from appointments.models import Service, Staff
from salon.core import audit
from salon.core.models import User

Row = TypeVar("Row", Service, Staff)


def set_active(row: Row, is_active: bool, *, event: str, by: User) -> Row:
    """Take a row out of what can be booked, or bring it back, with an audit line, and return it."""
    type(row)._default_manager.filter(pk=row.pk).update(is_active=is_active)
    audit.record(event, row, by=by)
    row.is_active = is_active
    return row
