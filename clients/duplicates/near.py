"""Cards like the one that is being typed: a hint for staff while they type, never a refusal."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from clients import search
from clients.duplicates import facts, pairs, score
from clients.models import Channel, Client, ClientContact, ClientQuerySet

_SHOWN = 3


def with_phone(e164: str, among: ClientQuerySet, *, but: Client | None) -> list[Client]:
    """Return up to 3 clients with this number, `but` left out."""
    return _some(among.filter(Q(phone=e164) | _has_further(Channel.SMS, e164)), but) if e164 else []


def with_email(address: str, among: ClientQuerySet, *, but: Client | None) -> list[Client]:
    """Return up to 3 clients with this e-mail address, `but` left out."""
    return _some(among.filter(Q(email=address.lower()) | _has_further(Channel.EMAIL, address.lower())), but) if address else []


def with_name(typed: Mapping[str, Any], among: ClientQuerySet, *, but: Client | None) -> list[tuple[Client, list[str]]]:
    """Return up to 3 clients whose name is that of the card as it is typed, each with what they share (codes of reasons).

    First and last name may stand the other way round; with a date of birth a name that is only similar is found too.
    """
    first, last = str(typed.get("first_name") or ""), str(typed.get("last_name") or "")
    if not (first and last):
        return []
    own = facts.of(first_name=first, last_name=last, birth=_birth(typed))
    ways = {search.sort_name_of(first_name=a, last_name=b, phone="") for a, b in ((first, last), (last, first))}
    rows = _some(among.filter(sort_name__in=ways), but) + (_born(own.birth, among, but) if all(own.birth) else [])
    found = {card.pk: (card, _shared(own, card)) for card in rows}
    return [(card, reasons) for card, reasons in found.values() if reasons][:_SHOWN]


def _shared(own: score.Facts, card: Client) -> list[str]:
    """Return what a card shares with what is typed, beside phone and e-mail; nothing where the name is another."""
    other = facts.of(
        first_name=card.first_name, last_name=card.last_name, birth=(card.birth_year, card.birth_month, card.birth_day)
    )
    verdict = score.verdict(own, other)
    named = {score.Reason.NAME, score.Reason.NAME_SHORT, score.Reason.NAME_LIKE, score.Reason.NAME_SWAPPED}
    return [str(reason) for reason in verdict.reasons] if verdict.band and named & set(verdict.reasons) else []


def _born(birth: tuple[int | None, int | None, int | None], among: ClientQuerySet, but: Client | None) -> list[Client]:
    year, month, day = birth
    rows = among.filter(birth_year=year, birth_month=month, birth_day=day)
    return list((rows.exclude(pk=but.pk) if but else rows)[:50])


def _birth(typed: Mapping[str, Any]) -> tuple[int | None, int | None, int | None]:
    year, month, day = (typed.get(name) for name in ("birth_year", "birth_month", "birth_day"))
    return (int(year) if year else None, int(month) if month else None, int(day) if day else None)


def _has_further(channel: str, address: str) -> Q:
    """Return the condition that a card has this one besides its own. Looked up first, so that both halves find an index."""
    rows = ClientContact.objects.filter(channel=channel, address=address)
    return Q(pk__in=list(rows.values_list("client_id", flat=True)[: _SHOWN + 1]))


def _some(rows: ClientQuerySet, but: Client | None) -> list[Client]:
    """Return the first of these clients, without this one and those that somebody told apart from it."""
    if but is not None:
        rows = rows.exclude(pk__in={but.pk, *pairs.told_apart(but)})
    return list(rows.order_by("sort_name", "pk")[:_SHOWN])
