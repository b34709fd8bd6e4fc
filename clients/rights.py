"""The rights of a client besides erasure: a restriction set and lifted, and the log of what was asked and when it was answered.

Called by the pages. A restricted card may only be kept: it is on no list, nothing is sent to it and nobody edits it
(docs/adr/0019).
"""

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from clients import access
from clients.models import Client, Deletion, Restriction, RightsRequest
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import May

# By when a request is answered (Art. 12(3)), and how long the log is kept, in months.
ANSWER_WITHIN = dt.timedelta(days=30)


def client_for(user: User, pk: int) -> Client:
    """Return a client whose rights `user` serves, a restricted one too. Raises Http404 otherwise."""
    if user.may(May.SERVE_RIGHTS):
        client = Client.objects.filter(pk=pk, erased_at=None).exclude(inactive_reason=Client.DELETING).first()
        if client is not None:
            return client
        raise Http404
    return access.client_for(user, pk)


@transaction.atomic
def restrict(
    client: Client, *, reason: str, note: str, until: dt.date | None, known_by: str, by: User, now: dt.datetime
) -> Restriction:
    """Restrict the card from now on and return the row. Raises Refused for one that is restricted, deleted or gone."""
    card = Client.objects.select_for_update().get(pk=client.pk)
    if card.restricted_at is not None:
        raise Refused(_("This card is restricted already."))
    if card.erased_at is not None or Deletion.objects.filter(client=card).exists():
        raise Refused(_("This client is being deleted already."))
    card.restricted_at = now
    card.version += 1
    card.save(update_fields=["restricted_at", "version"])
    row = Restriction.objects.create(client=card, reason=reason, note=note.strip(), until=until, set_at=now, set_by=by)
    _log(card, RightsRequest.Kind.RESTRICTION, known_by=known_by, received_on=now.date(), by=by, now=now)
    audit.record("client.restricted", card, by=by, reason=reason)
    return row


@transaction.atomic
def lift(row: Restriction, *, told_how: str, told_on: dt.date, by: User, now: dt.datetime) -> Client:
    """End a restriction, the client having been told (Art. 18(3)), and return the card. Raises Refused for one that has ended."""
    card = Client.objects.select_for_update().get(pk=row.client_id)
    current = Restriction.objects.filter(pk=row.pk, lifted_at=None)
    if not current.update(lifted_at=now, lifted_by=by, told_how=told_how, told_on=told_on):
        raise Refused(_("This restriction has ended already."))
    card.restricted_at = None
    card.version += 1
    card.save(update_fields=["restricted_at", "version"])
    known = RightsRequest.Known.NOT_NEEDED
    _log(card, RightsRequest.Kind.LIFTING, known_by=known, received_on=now.date(), by=by, now=now)
    audit.record("client.restriction_lifted", card, by=by)
    return card


@transaction.atomic
def answered(client: Client, kind: str, *, known_by: str, received_on: dt.date, by: User, now: dt.datetime) -> RightsRequest:
    """Write down that a request (RightsRequest.Kind) was received and is answered now, and return the row."""
    row = _log(client, kind, known_by=known_by, received_on=received_on, by=by, now=now)
    audit.record("client.right_served", client, by=by, kind=kind)
    return row


def log() -> "QuerySet[RightsRequest]":
    """Return the log, the newest first, with the client where they are still there."""
    return RightsRequest.objects.select_related("client", "by").order_by("-received_on", "-pk")


def restriction_of(user: User, pk: int) -> Restriction | None:
    """Return the restriction in force of a card whose rights `user` serves, None for any other card and any other user."""
    card = Client.objects.filter(pk=pk, restricted_at__isnull=False, erased_at=None).first()
    return restricted().filter(client=card).first() if card is not None and user.may(May.SERVE_RIGHTS) else None


def restricted() -> "QuerySet[Restriction]":
    """Return the restrictions in force, those to be looked at first on top."""
    return Restriction.objects.filter(lifted_at=None).select_related("client", "set_by").order_by("until", "pk")


def _log(client: Client, kind: str, *, known_by: str, received_on: dt.date, by: User, now: dt.datetime) -> RightsRequest:
    return RightsRequest.objects.create(
        client=client, kind=kind, known_by=known_by, received_on=received_on, answered_at=now, by=by, created_at=now
    )
