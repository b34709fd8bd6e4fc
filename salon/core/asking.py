"""Whom to ask for what one's own role may not do. Read by pages that show the act disabled, with a name."""

from salon.core.models import User
from salon.core.roles import May, roles_with


def name_of(act: May) -> str:
    """Return the name of somebody who has `act`, the nearest in rank first; nothing where nobody has it."""
    people = {user.role: user.name for user in User.objects.filter(is_active=True, role__in=roles_with(act)).order_by("-pk")}
    return next((people[role] for role in reversed(roles_with(act)) if role in people), "")
