"""What somebody should look at before cards are merged: signs that they are two people. Warns, and refuses nothing."""

import datetime as dt
from collections.abc import Sequence
from itertools import combinations

from django.utils.translation import gettext as _

from clients import bookings, search
from clients.bookings import Ahead
from clients.merging import fields
from clients.models import Client, ClientContact, ClientLink
from salon.core.templatetags.house import as_day, as_time


def of(cards: Sequence[Client], *, now: dt.datetime) -> list[str]:
    """Return the warnings, the gravest first."""
    found = []
    if fields.has_other_birthday(cards):
        found.append(_("The dates of birth differ: look whether this is one person."))
    for visit in _at_once(cards, now):
        found.append(
            _("Both have an appointment at the same time: %(day)s, %(time)s. It stays twice.")
            % {"day": as_day(visit.start_at), "time": as_time(visit.start_at)}
        )
    ids = [card.pk for card in cards]
    if ClientLink.objects.filter(client__in=ids, other__in=ids).exists():
        found.append(_("These cards are linked as family: they were two people for somebody."))
    elif _has_nothing_in_common(cards):
        found.append(_("No phone, e-mail or date of birth is the same: these may be different people."))
    if any(card.blacklisted_at for card in cards):
        found.append(_("One of these clients is on the blacklist. The merged card stays on it."))
    if any(card.inactive_at for card in cards) and not all(card.inactive_at for card in cards):
        found.append(_("One of these cards is inactive. The merged card is active."))
    return found


def _at_once(cards: Sequence[Client], now: dt.datetime) -> list[Ahead]:
    """Return the visits to come that share time with one of another card: the later of each pair."""
    ahead = bookings.ahead_of([card.pk for card in cards], now=now)
    found = [
        max(one, other, key=lambda visit: visit.start_at)
        for first, second in combinations(cards, 2)
        for one in ahead.get(first.pk, ())
        for other in ahead.get(second.pk, ())
        if _touch(one, other)
    ]
    return found[:3]


def _touch(one: Ahead, other: Ahead) -> bool:
    return one.start_at == other.start_at or (
        one.end_at is not None and other.end_at is not None and one.start_at < other.end_at and other.start_at < one.end_at
    )


def _has_nothing_in_common(cards: Sequence[Client]) -> bool:
    """Return whether some card shares neither number nor address nor birthday with any other, nor is its name another's."""
    further: dict[int, set[str]] = {card.pk: set() for card in cards}
    for pk, address in ClientContact.objects.filter(client__in=cards).values_list("client", "address"):
        further[pk].add(address)
    marks = {card.pk: _marks(card) | further[card.pk] for card in cards}
    return any(all(not marks[card.pk] & marks[other.pk] for other in cards if other is not card) for card in cards)


def _marks(card: Client) -> set[str]:
    day = f"{card.birth_day}.{card.birth_month}.{card.birth_year}" if card.birth_day and card.birth_year else ""
    return {text for text in (str(card.phone or ""), card.email, day) if search.is_seen(text)}
