"""The cards whose time will be over: which they are and when they go, and to keep one for a year with a reason.

Called by the page that the warning leads to. `clients.retention_rules` warns and erases, and leaves alone what is kept.
"""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clients import access, lengths
from clients.models import Client, RetentionHold, RetentionWarning
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import Salon, User

# For so long: then it is asked again, since nobody is kept for ever without anybody looking.
MONTHS = 12


def due(user: User) -> "QuerySet[RetentionWarning]":
    """Return the cards that were warned of and that `user` may see, those that go first on top."""
    rows = RetentionWarning.objects.filter(client__in=access.clients_for(user)).select_related("client")
    return rows.order_by("erase_on", "client__sort_name", "client")


def kept(user: User) -> "QuerySet[RetentionHold]":
    """Return the cards that somebody wanted kept and that `user` may see, those that are asked about first on top."""
    rows = RetentionHold.objects.filter(client__in=access.clients_for(user)).select_related("client", "by")
    return rows.order_by("until", "client__sort_name", "client")


@transaction.atomic
def keep(client: Client, *, reason: str, by: User, now: dt.datetime) -> RetentionHold:
    """Keep the card for a year, whatever the rules say, and return the row. Raises Refused without a reason, and too late."""
    card = Client.objects.select_for_update().get(pk=client.pk)
    if card.erased_at is not None:
        raise Refused(_("It is too late: this client was erased."))
    if not reason.strip():
        raise Refused(_("Say why the card is kept: the client may ask."), "reason")
    until = lengths.after(now.astimezone(Salon.objects.current().zone).date(), MONTHS)
    values = {"reason": reason.strip(), "until": until, "by": by, "at": now}
    # A row of its own: one that came with a merged card goes with it again at Undo, what is said now is about this card.
    RetentionHold.objects.filter(client=card).delete()
    row = RetentionHold.objects.create(client=card, **values)
    RetentionWarning.objects.filter(client=card).delete()
    audit.record("client.kept", card, by=by)
    return row


@transaction.atomic
def let_go(row: RetentionHold, *, by: User) -> Client:
    """Leave the card to the rules again, which warn of it before it goes, and return it."""
    card = Client.objects.select_for_update().get(pk=row.client_id)
    if RetentionHold.objects.filter(pk=row.pk).delete()[0]:
        audit.record("client.let_go", card, by=by)
    return card
