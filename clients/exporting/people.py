"""Whom an export holds, and what is known of each: read in chunks, as the asking user may see them.

A list for marketing holds nobody but those whose every kind of marketing is granted on the channel, at the hour of
writing, and whose address nothing stops. Called by `exports`; the file itself is none of its business.
"""

import datetime as dt
from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from clients import access, answers, countries, fold, lists, survivors
from clients import contacts as further_contacts
from clients.access import Visits
from clients.exporting.columns import FURTHER, PRESETS, TAGS, Card, Person, Words
from clients.filters import Chosen
from clients.models import Address, Client, ClientQuerySet, Standing
from salon.core import pages
from salon.core.models import Salon, User

CHUNK = 500
ALL = "all"


@dataclass(frozen=True)
class Wanted:
    """What somebody asks for: the columns, and who of a list (all else as in its address) or of a selection.

    `who` is "all", or the channel to which the people must have said Yes. With `ids`, the ticked, the list is not asked;
    `but` are those who were unticked of all.
    """

    preset: str
    who: str = ALL
    text: str = ""
    status: str = "active"
    sort: str = "name"
    filters: Chosen = ()
    ids: tuple[int, ...] = ()
    but: tuple[int, ...] = ()

    @property
    def channel(self) -> str:
        """Return the channel to which everybody in the file has said Yes; nothing where that is not asked."""
        return PRESETS[self.preset].channel or ("" if self.who == ALL else self.who)


@dataclass(frozen=True)
class LeftOut:
    """How many of the list are not in the file, by the reason why."""

    refused: int = 0
    not_asked: int = 0
    waiting: int = 0
    some: int = 0
    stopped: int = 0
    not_written_to: int = 0

    @property
    def count(self) -> int:
        """Return how many there are in all."""
        return self.refused + self.not_asked + self.waiting + self.some + self.stopped + self.not_written_to


def listed(user: User, salon: Salon, wanted: Wanted, *, now: dt.datetime) -> ClientQuerySet:
    """Return the clients of the list or of the selection, in the list's order, before anybody is left out."""
    if wanted.ids:
        rows = access.clients_for(user).filter(pk__in=wanted.ids)
    else:
        which: dict[str, Any] = {"text": wanted.text, "status": wanted.status, "filters": wanted.filters}
        rows = lists.matching(user, salon, now=now, **which).exclude(pk__in=wanted.but)
    return lists.sortable(rows, wanted.sort, now=now).order_by(*lists.SORTS[wanted.sort])


def chosen(
    rows: ClientQuerySet, channel: str, *, salon: Salon, now: dt.datetime, among: Sequence[int] | None = None
) -> ClientQuerySet:
    """Return who of `rows` may be in the file: all of them, or with a channel those to whom marketing may be sent on it.

    `among`: ids to which it comes down anyway, so that the ledger of the others is not looked at.
    """
    if among is not None:
        rows = rows.filter(pk__in=among)
    return rows.filter(_written_to(salon, now), pk__in=_granted(channel, among)) if channel else rows


def left_out(rows: ClientQuerySet, channel: str, *, salon: Salon, now: dt.datetime) -> LeftOut:
    """Return who of `rows` is not in a file for `channel`, counted by reason, in two queries."""
    if not channel:
        return LeftOut()
    every, written_to = len(fold.MARKETING), _written_to(salon, now)
    counted = (
        rows.order_by()
        .filter(written_to)
        .annotate(
            yes=_states(channel, fold.State.GRANTED),
            no=_states(channel, fold.State.WITHDRAWN),
            wait=_states(channel, fold.State.PENDING),
        )
        .aggregate(
            all=Count("pk"),
            yes_count=Count("pk", filter=Q(yes=every)),
            no_count=Count("pk", filter=Q(no=every)),
            wait_count=Count("pk", filter=Q(wait=every)),
            ask_count=Count("pk", filter=Q(yes=0, no=0, wait=0)),
        )
    )
    decided = sum(counted[name] for name in ("yes_count", "no_count", "wait_count", "ask_count"))
    return LeftOut(
        refused=counted["no_count"],
        not_asked=counted["ask_count"],
        waiting=counted["wait_count"],
        some=counted["all"] - decided,
        stopped=counted["yes_count"] - chosen(rows, channel, salon=salon, now=now).order_by().count(),
        not_written_to=rows.order_by().exclude(pk__in=rows.order_by().filter(written_to).values("pk")).count(),
    )


def ids_of(rows: ClientQuerySet) -> "array[int]":
    """Return the ids of `rows` in their order: eight bytes each, so that a million of them are no burden."""
    with pages.few():
        return array("q", rows.values_list("pk", flat=True).iterator(chunk_size=5_000))


def read(user: User, salon: Salon, wanted: Wanted, ids: Sequence[int], *, now: dt.datetime) -> Iterator[list[Person]]:
    """Yield the people with these ids in chunks, in that order, as `user` may see them.

    Who has gone, said No or was restricted since the ids were read is left out.
    """
    rows = listed(user, salon, wanted, now=now).order_by()
    words = Words()
    for start in range(0, len(ids), CHUNK):
        some = list(ids[start : start + CHUNK])
        cards = chosen(rows, wanted.channel, salon=salon, now=now, among=some).values_list(*Card._fields)
        found = {card.pk: card for card in map(Card._make, cards)}
        shown = PRESETS[wanted.preset].columns
        yield _people(user, salon, [found[pk] for pk in some if pk in found], words, shown=shown, now=now)


def _people(user: User, salon: Salon, cards: list[Card], words: Words, *, shown: Sequence[str], now: dt.datetime) -> list[Person]:
    if "created_at" in shown:
        since = survivors.since(cards)
        cards = [card._replace(created_at=since[card.pk]) for card in cards]
    ids = [card.pk for card in cards]
    contacts = access.contacts_of(user, cards, salon, now=now)
    said = answers.of_clients(ids)
    visits = access.visits_of(ids, user, salon, now=now)
    off = answers.without_reminders(ids)
    none, zone = Visits(), salon.zone
    tags = _tags_of(ids) if TAGS in shown else {}
    masked = {pk: seen.is_masked for pk, seen in contacts.items()}
    further = further_contacts.texts_of(masked, salon) if FURTHER in shown else {}
    return [
        Person(
            card, contacts[card.pk], said[card.pk], visits.get(card.pk, none), card.pk not in off, zone, words,
            "; ".join(tags.get(card.pk, ())), "; ".join(further.get(card.pk, ())),
        )
        for card in cards
    ]  # fmt: skip


def _tags_of(ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the tags of each of these clients that has any, in the order of the alphabet."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = Client.tags.through.objects.filter(client__in=ids).order_by("tag__folded")
    for pk, name in rows.values_list("client_id", "tag__name"):
        found[pk].append(name)
    return found


def _written_to(salon: Salon, now: dt.datetime) -> Q:
    """Return the condition of a card to which marketing goes at all: active, not in a pause, of age where its year is known."""
    today = now.astimezone(salon.zone).date()
    year = today.year - countries.profile(salon.country).child_age
    had_birthday = Q(birth_month__lt=today.month) | Q(birth_month=today.month, birth_day__lte=today.day)
    if (today.month, today.day) == (12, 31):
        had_birthday |= Q(birth_month=None)
    of_age = Q(birth_year=None) | Q(birth_year__lt=year) | Q(had_birthday, birth_year=year)
    awake = Q(marketing_paused_until=None) | Q(marketing_paused_until__lte=now)
    return Q(of_age, awake, inactive_at=None, blacklisted_at=None)


def _granted(channel: str, among: Sequence[int] | None) -> QuerySet[Standing, dict[str, int]]:
    """Return the ids of the clients who granted every kind of marketing for an address that nothing stops.

    A Yes is for the address of its event, which the fold compares with that of the card.
    """
    stopped = Address.objects.filter(channel=channel, hmac=OuterRef("event__address_hmac")).exclude(scope=Address.Scope.NONE)
    granted = Standing.objects.filter(
        purpose__in=fold.MARKETING, channel=channel, state=Standing.State.GRANTED, event__isnull=False
    )
    if among is not None:
        granted = granted.filter(client__in=among)
    by_client = granted.exclude(Exists(stopped)).values("client").annotate(granted_count=Count("pk"))
    return by_client.filter(granted_count=len(fold.MARKETING)).values("client")


def _states(channel: str, state: str) -> Count:
    about = Q(standings__channel=channel, standings__purpose__in=fold.MARKETING, standings__state=state)
    return Count("standings", filter=about)
