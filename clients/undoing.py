"""Undo of a change on the card's page Other: opens the sealed slip and does the opposite. Called by that page."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from clients import contacts, links, slips, tags
from clients.models import Client, Tag
from salon.core.errors import Refused
from salon.core.models import User


def undo(client: Client, token: str, *, by: User, now: dt.datetime) -> None:
    """Take back what `token` was made for. Raises Refused for a token not of this card, and where it is too late."""
    facts = slips.read(token, client, now=now)
    _ACTS[facts["act"]](client, facts, by)


def _tag(client: Client, facts: dict[str, Any]) -> Tag:
    tag = Tag.objects.filter(pk=facts["tag"]).first()
    if tag is None:
        raise Refused(_("This cannot be undone any more."))
    return tag


def _untag(client: Client, facts: dict[str, Any], by: User) -> None:
    tags.remove(client, _tag(client, facts), by=by)


def _retag(client: Client, facts: dict[str, Any], by: User) -> None:
    tags.add(client, name=_tag(client, facts).name, by=by)


def _drop_contact(client: Client, facts: dict[str, Any], by: User) -> None:
    contacts.remove(client, facts["contact"], by=by)


def _give_contact_back(client: Client, facts: dict[str, Any], by: User) -> None:
    contacts.add(client, channel=facts["channel"], address=facts["address"], label=facts["label"], by=by)


def _unlink(client: Client, facts: dict[str, Any], by: User) -> None:
    links.remove(client, facts["link"], by=by)


def _relink(client: Client, facts: dict[str, Any], by: User) -> None:
    other = Client.objects.filter(pk=facts["other"], erased_at=None).first()
    if other is None:
        raise Refused(_("This cannot be undone any more."))
    links.add(client, other, kind=facts["kind"], by=by)


_ACTS: Mapping[str, Callable[[Client, dict[str, Any], User], None]] = {
    "tagged": _untag,
    "untagged": _retag,
    "contact_added": _drop_contact,
    "contact_removed": _give_contact_back,
    "linked": _unlink,
    "unlinked": _relink,
}
