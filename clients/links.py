"""Clients who belong together: parent and child, partners, family. One row for a pair, shown on both cards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from clients.models import Client, ClientLink, ClientQuerySet
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User

Kind = ClientLink.Kind
# What one is to the other, seen from the other side.
_BACK: Mapping[str, Kind] = {
    Kind.GUARDIAN: Kind.CHILD, Kind.CHILD: Kind.GUARDIAN, Kind.PARTNER: Kind.PARTNER, Kind.FAMILY: Kind.FAMILY,
}  # fmt: skip


@dataclass(frozen=True)
class Tie:
    """A link as one of the two cards shows it: who the other is, and what they are to this one."""

    pk: int
    other: Client
    kind: str

    @property
    def word(self) -> str | Promise:
        """Return what the other is, in words."""
        return Kind(self.kind).label


@transaction.atomic
def add(client: Client, other: Client, *, kind: str, by: User) -> ClientLink:
    """Write down that `other` is the guardian, child, partner or family of `client`, and return the link.

    Raises Refused for a card with itself and for two who are linked already.
    """
    if client.pk == other.pk:
        raise Refused(_("Choose somebody else: a card has no link to itself."))
    both = Client.objects.select_for_update().filter(pk__in=(client.pk, other.pk), erased_at=None).order_by("pk")
    cards = {card.pk: card for card in both}
    if len(cards) < 2:
        raise Refused(_("One of these cards is not in the book any more. Look again."))
    if _between(client.pk, other.pk).exists():
        raise Refused(_("These two are linked already."))
    # A child points to the guardian, whichever card it was written on.
    one, two, what = (other, client, Kind.GUARDIAN) if kind == Kind.CHILD else (client, other, Kind(kind))
    link = ClientLink.objects.create(client=cards[one.pk], other=cards[two.pk], kind=what)
    audit.record("client.linked", cards[client.pk], by=by, link=link.pk, other=other.pk, kind=str(kind))
    audit.record("client.linked", cards[other.pk], by=by, link=link.pk, other=client.pk, kind=str(_BACK[kind].value))
    return link


@transaction.atomic
def remove(client: Client, pk: int, *, by: User) -> Tie | None:
    """Take a link of this card away and return it as the card showed it; None if it is gone already."""
    link = ClientLink.objects.filter(Q(client=client) | Q(other=client), pk=pk).select_related("client", "other").first()
    if link is None:
        return None
    tie = _tie(link, client)
    list(Client.objects.select_for_update().filter(pk__in=(client.pk, tie.other.pk)).order_by("pk"))
    ClientLink.objects.filter(pk=pk).delete()
    for card, other in ((client, tie.other), (tie.other, client)):
        audit.record("client.unlinked", card, by=by, link=pk, other=other.pk)
    return tie


def of(client: Client, among: ClientQuerySet) -> list[Tie]:
    """Return the links of a card to clients among these, the oldest first."""
    rows = ClientLink.objects.filter(Q(client=client) | Q(other=client)).select_related("client", "other").order_by("pk")
    ties = [_tie(link, client) for link in rows]
    seen = set(among.filter(pk__in=[tie.other.pk for tie in ties]).values_list("pk", flat=True)) if ties else set()
    return [tie for tie in ties if tie.other.pk in seen]


def _tie(link: ClientLink, client: Client) -> Tie:
    if link.client_id == client.pk:
        return Tie(link.pk, link.other, link.kind)
    return Tie(link.pk, link.client, _BACK[link.kind])


def _between(one: int, two: int) -> Any:
    return ClientLink.objects.filter(Q(client=one, other=two) | Q(client=two, other=one))
