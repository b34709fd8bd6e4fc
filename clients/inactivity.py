"""A card that is out of the everyday list: made inactive with a reason, and active again. Nothing of it is lost."""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from clients.models import Client
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User


@transaction.atomic
def make_inactive(client: Client, *, reason: str, by: User | None, now: dt.datetime) -> Client:
    """Return the card, out of the list for `reason` (a code). Raises Refused for one that is out already."""
    card = Client.objects.select_for_update().get(pk=client.pk)
    if card.inactive_at is not None or card.erased_at is not None:
        raise Refused(_("This client is inactive already."))
    card.inactive_at, card.inactive_reason = now, reason
    card.version += 1
    card.save(update_fields=["inactive_at", "inactive_reason", "version"])
    audit.record("client.made_inactive", card, by=by, reason=reason)
    return card


@transaction.atomic
def make_active(client: Client, *, by: User | None, now: dt.datetime) -> Client:
    """Return the card, in the list again. Raises Refused for one that is there."""
    card = Client.objects.select_for_update().get(pk=client.pk)
    if card.inactive_at is None or card.erased_at is not None:
        raise Refused(_("This client is active already."))
    card.inactive_at, card.inactive_reason = None, ""
    card.version += 1
    card.save(update_fields=["inactive_at", "inactive_reason", "version"])
    audit.record("client.made_active", card, by=by)
    return card
