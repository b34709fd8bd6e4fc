"""Cards that share a phone number or an e-mail address: a hint for staff, never a refusal."""

from django.db.models import Q

from clients.models import Channel, Client, ClientContact, ClientQuerySet

_SHOWN = 3


def of(client: Client, among: ClientQuerySet) -> list[Client]:
    """Return up to 3 other clients among these who have this card's phone or e-mail."""
    return [*with_phone(str(client.phone or ""), among, but=client), *with_email(client.email, among, but=client)][:_SHOWN]


def with_phone(e164: str, among: ClientQuerySet, *, but: Client | None) -> list[Client]:
    """Return up to 3 clients with this number, `but` left out."""
    return _some(among.filter(Q(phone=e164) | _has_further(Channel.SMS, e164)), but) if e164 else []


def with_email(address: str, among: ClientQuerySet, *, but: Client | None) -> list[Client]:
    """Return up to 3 clients with this e-mail address, `but` left out."""
    return _some(among.filter(Q(email=address.lower()) | _has_further(Channel.EMAIL, address.lower())), but) if address else []


def _has_further(channel: str, address: str) -> Q:
    """Return the condition that a card has this one besides its own. Looked up first, so that both halves find an index."""
    rows = ClientContact.objects.filter(channel=channel, address=address)
    return Q(pk__in=list(rows.values_list("client_id", flat=True)[: _SHOWN + 1]))


def _some(rows: ClientQuerySet, but: Client | None) -> list[Client]:
    return list((rows.exclude(pk=but.pk) if but else rows).order_by("sort_name", "pk")[:_SHOWN])
