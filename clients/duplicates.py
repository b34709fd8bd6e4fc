"""Cards that share a phone number or an e-mail address: a hint for staff, never a refusal."""

from clients.models import Client, ClientQuerySet

_SHOWN = 3


def of(client: Client, among: ClientQuerySet) -> list[Client]:
    """Return up to 3 other clients among these who have this card's phone or e-mail."""
    return [*with_phone(str(client.phone or ""), among, but=client), *with_email(client.email, among, but=client)][:_SHOWN]


def with_phone(e164: str, among: ClientQuerySet, *, but: Client | None) -> list[Client]:
    """Return up to 3 clients with this number, `but` left out."""
    return _some(among.filter(phone=e164), but) if e164 else []


def with_email(address: str, among: ClientQuerySet, *, but: Client | None) -> list[Client]:
    """Return up to 3 clients with this e-mail address, `but` left out."""
    return _some(among.filter(email=address.lower()), but) if address else []


def _some(rows: ClientQuerySet, but: Client | None) -> list[Client]:
    return list((rows.exclude(pk=but.pk) if but else rows).order_by("sort_name", "pk")[:_SHOWN])
