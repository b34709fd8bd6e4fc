"""Who may do what: one table. Views ask by `@allowed`, templates by `{% may %}`, queries by each app's access module."""

from collections.abc import Mapping
from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """The four roles of a salon, from the most to the least."""

    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    RECEPTION = "reception", _("Reception")
    STYLIST = "stylist", _("Stylist")


class May(StrEnum):
    """An act that a role has or has not."""

    SEE_CALENDAR = "see_calendar"
    SEE_CLIENTS = "see_clients"
    SEE_ALL_CONTACTS = "see_all_contacts"
    EDIT_CLIENTS = "edit_clients"
    IMPORT_CLIENTS = "import_clients"
    MERGE = "merge"
    WRITE_NOTES = "write_notes"
    RECORD_CONSENT = "record_consent"
    BOOK = "book"
    BOOK_FOR_ALL_STAFF = "book_for_all_staff"
    SEE_MESSAGES = "see_messages"
    EXPORT = "export"
    DELETE_CLIENTS = "delete_clients"
    ERASE_CLIENTS = "erase_clients"
    SERVE_RIGHTS = "serve_rights"
    RESEND_UNKNOWN = "resend_unknown"
    SEND_MARKETING = "send_marketing"
    READ_SETTINGS = "read_settings"
    EDIT_SETTINGS = "edit_settings"
    SEE_ACTIVITY = "see_activity"
    EDIT_TEAM = "edit_team"
    EDIT_SENDING = "edit_sending"
    PAUSE_SENDING = "pause_sending"
    SEE_HEALTH = "see_health"
    USE_ADMIN = "use_admin"


_ALL = frozenset(Role)
_DESK = frozenset({Role.OWNER, Role.MANAGER, Role.RECEPTION})
_LEAD = frozenset({Role.OWNER, Role.MANAGER})
_OWNER = frozenset({Role.OWNER})

TABLE: Mapping[May, frozenset[Role]] = {
    May.SEE_CALENDAR: _ALL,
    May.SEE_CLIENTS: _ALL,
    May.SEE_ALL_CONTACTS: _DESK,
    May.EDIT_CLIENTS: _DESK,
    May.IMPORT_CLIENTS: _LEAD,
    May.MERGE: _DESK,
    May.WRITE_NOTES: _ALL,
    May.RECORD_CONSENT: _ALL,
    May.BOOK: _ALL,
    May.BOOK_FOR_ALL_STAFF: _DESK,
    May.SEE_MESSAGES: _DESK,
    May.EXPORT: _LEAD,
    May.DELETE_CLIENTS: _LEAD,
    May.ERASE_CLIENTS: _OWNER,
    May.SERVE_RIGHTS: _LEAD,
    May.RESEND_UNKNOWN: _LEAD,
    May.SEND_MARKETING: _LEAD,
    May.READ_SETTINGS: _DESK,
    May.EDIT_SETTINGS: _LEAD,
    May.SEE_ACTIVITY: _LEAD,
    May.EDIT_TEAM: _OWNER,
    May.EDIT_SENDING: _OWNER,
    May.PAUSE_SENDING: _LEAD,
    May.SEE_HEALTH: _OWNER,
    May.USE_ADMIN: _OWNER,
}


def may(role: str, act: May) -> bool:
    """Return whether `role` has `act`. An unknown role has nothing."""
    return role in TABLE[act]


def roles_with(act: May) -> list[Role]:
    """Return the roles that have `act`, from the most to the least."""
    return [role for role in Role if role in TABLE[act]]
