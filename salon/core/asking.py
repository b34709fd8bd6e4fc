"""Whom to ask for what one's own role may not do. Read by the pages, which then show the act disabled with its reason."""

from collections.abc import Collection

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from salon.core.models import User
from salon.core.roles import May, roles_with

_SENTENCES: dict[May, str | Promise] = {
    May.EDIT_SENDING: _("Only the owner can change this. Ask %(name)s."),
    May.PAUSE_SENDING: _("Only a manager can pause and resume sending. Ask %(name)s."),
    May.EDIT_SETTINGS: _("Only a manager can change this. Ask %(name)s."),
    May.RESEND_UNKNOWN: _("Only a manager can send it again. Ask %(name)s."),
    May.EXPORT: _("Only a manager can export. Ask %(name)s."),
    May.DELETE_CLIENTS: _("Only a manager can delete a client. Ask %(name)s."),
    May.ERASE_CLIENTS: _("Only the owner erases at once or brings a client back. Ask %(name)s."),
    May.IMPORT_CLIENTS: _("Only a manager can import a list. Ask %(name)s."),
    May.SEND_MARKETING: _("Only a manager can send advertising. Ask %(name)s."),
}


def sentence(act: May) -> str:
    """Return why not, with the name of somebody who has `act`, the nearest in rank first. Raises KeyError without words."""
    return sentences([act])[act]


def sentences(acts: Collection[May]) -> dict[May, str]:
    """Return the sentence of each act, with one look at who is there."""
    roles = {role for act in acts for role in roles_with(act)}
    people = {user.role: user.name for user in User.objects.filter(is_active=True, role__in=roles).order_by("-pk")}

    def name_for(act: May) -> str:
        return next((people[role] for role in reversed(roles_with(act)) if role in people), "")

    return {act: str(_SENTENCES[act]) % {"name": name_for(act)} for act in acts}
