"""The blacklist: who cannot book online without speaking to the salon, and gets no marketing. They are not told.

The only writer of Blacklisting and of `Client.blacklisted_at`, which follows it in the same transaction. It holds until it
is lifted or its last day is over. It goes with the card when a person is erased: nothing of them is kept back to know them by.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from clients import barring, runs
from clients.models import Blacklisting, CardRun, Client
from clients.runs import Fact
from salon.core import audit, bell, notices
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import May, roles_with

REASONS = dict(Blacklisting.Reason.choices)
REVIEW = "blacklist_review"
_FIELDS = ("blacklisted_at",)


@transaction.atomic
def add(
    client: Client, *, reason: str, by: User | None, now: dt.datetime, words: str = "",
    until: dt.date | None = None, review_on: dt.date | None = None,
) -> Blacklisting:  # fmt: skip
    """Put the client on the blacklist and return the row. `until` is the last day of it, `review_on` when somebody looks again.

    Raises Refused for a card that is gone or on it already, and for a day in the past; ValueError for an unknown reason.
    """
    _check(reason, until, review_on, now)
    card = _locked(client)
    if isinstance(_list(card, now), str):
        raise Refused(_("This client is on the blacklist already."))
    card.save(update_fields=_FIELDS)
    row = Blacklisting.objects.create(
        client=card, reason=reason, words=words.strip(), until=until, review_on=review_on, by=by, at=now
    )
    audit.record("client.blacklisted", card, by=by, reason=reason)
    bell.ring()
    return row


@transaction.atomic
def lift(client: Client, *, by: User | None, now: dt.datetime) -> Client:
    """Take the client off the blacklist and return the card. Raises Refused for one that is gone or not on it."""
    card = _locked(client)
    if isinstance(_unlist(card), str):
        raise Refused(_("This client is not on the blacklist."))
    card.save(update_fields=_FIELDS)
    Blacklisting.objects.filter(client=card, lifted_at=None).update(lifted_at=now, lifted_by=by)
    audit.record("client.unblacklisted", card, by=by)
    return card


@transaction.atomic
def add_many(
    ids: Collection[int], *, reason: str, by: User, now: dt.datetime, words: str = "",
    until: dt.date | None = None, review_on: dt.date | None = None,
) -> CardRun:  # fmt: skip
    """Put these clients on the blacklist and return the run, which knows who did not get on it and why. Raises as `add` does."""
    _check(reason, until, review_on, now)
    found = runs.each(ids, lambda card: _list(card, now), fields=_FIELDS, by=by)
    Blacklisting.objects.bulk_create(
        [
            Blacklisting(client_id=pk, reason=reason, words=words.strip(), until=until, review_on=review_on, by=by, at=now)
            for pk in found.changed
        ],
        batch_size=200,
    )
    run = runs.write("blacklist", found, by=by, now=now, reason=reason)
    if len(ids) > 1:
        audit.record("clients.blacklisted", run, by=by, clients_count=len(run.changed), refused_count=len(run.refused))
    audit.record_each("client.blacklisted", Client, found.changed, by=by, of=run if len(ids) > 1 else None, reason=reason)
    bell.ring()
    return run


@transaction.atomic
def lift_many(ids: Collection[int], *, by: User, now: dt.datetime) -> CardRun:
    """Take these clients off the blacklist and return the run."""
    found = runs.each(ids, _unlist, fields=_FIELDS, by=by)
    for some in runs.chunks(sorted(found.changed)):
        Blacklisting.objects.filter(client__in=some, lifted_at=None).update(lifted_at=now, lifted_by=by)
    run = runs.write("unblacklist", found, by=by, now=now)
    if len(ids) > 1:
        audit.record("clients.unblacklisted", run, by=by, clients_count=len(run.changed), refused_count=len(run.refused))
    audit.record_each("client.unblacklisted", Client, found.changed, by=by, of=run if len(ids) > 1 else None)
    return run


@transaction.atomic
def undo_added(run: CardRun, *, by: User, now: dt.datetime) -> int:
    """Take back that the run put them on the blacklist, and return for how many. Another entry of theirs stays in force."""
    made = Blacklisting.objects.filter(at=run.created_at, lifted_at=None)
    theirs = set(made.values_list("client", flat=True))
    done = runs.take_back(run, lambda card, _fact: card.pk in theirs, fields=_FIELDS, by=by, now=now)
    for some in runs.chunks(done):
        made.filter(client__in=some).delete()
        _follow(some, _today(now))
    audit.record("cards.undone", run, by=by, clients_count=len(done))
    audit.record_each("client.unblacklisted", Client, done, by=by, of=run, reason="undo")
    return len(done)


@transaction.atomic
def undo_lifted(run: CardRun, *, by: User, now: dt.datetime) -> int:
    """Put back on the blacklist whom the run took off it, since then and for the reason of then; return how many."""
    done = runs.take_back(run, lambda card, _fact: card.blacklisted_at is None, fields=_FIELDS, by=by, now=now)
    for some in runs.chunks(done):
        Blacklisting.objects.filter(client__in=some, lifted_at=run.created_at).update(lifted_at=None, lifted_by=None)
        _follow(some, _today(now))
    audit.record("cards.undone", run, by=by, clients_count=len(done))
    audit.record_each("client.blacklisted", Client, done, by=by, of=run, reason="undo")
    return len(done)


def in_force(today: dt.date) -> QuerySet[Blacklisting]:
    """Return the rows that hold on a local day, whatever the cards say: the last day is looked at here too."""
    return Blacklisting.objects.filter(Q(until=None) | Q(until__gte=today), lifted_at=None)


@transaction.atomic
def project(client: Client, *, now: dt.datetime) -> Client:
    """Bring `blacklisted_at` of a card in line with its rows and return it: after rows of another card became its own."""
    card = Client.objects.select_for_update().get(pk=client.pk)
    first = in_force(_today(now)).filter(client=card).order_by("at").first()
    card.blacklisted_at = first.at if first else None
    card.save(update_fields=_FIELDS)
    return card


def expire(now: dt.datetime) -> int:
    """Take off the blacklist whose last day is over, and return how many cards. Safe to run twice, or two at once."""
    over = Blacklisting.objects.filter(lifted_at=None, until__lt=_today(now))
    ids = sorted(set(over.values_list("client", flat=True)))
    return sum(_expire(some, now) for some in runs.chunks(ids))


@transaction.atomic
def _expire(ids: Sequence[int], now: dt.datetime) -> int:
    listed = Client.objects.filter(pk__in=ids, blacklisted_at__isnull=False).select_for_update().order_by("pk")
    here = [card.pk for card in listed]
    today = _today(now)
    Blacklisting.objects.filter(client__in=ids, lifted_at=None, until__lt=today).update(lifted_at=now)
    gone = _follow(here, today)
    audit.record_each("client.unblacklisted", Client, gone, by=None, reason="over")
    return len(gone)


def _follow(ids: Collection[int], today: dt.date) -> list[int]:
    """Bring the cards in line with their rows, locked, and return which of them are not on the blacklist."""
    still = dict(in_force(today).filter(client__in=ids).order_by("-at").values_list("client", "at"))
    cards = list(Client.objects.filter(pk__in=ids).select_for_update().order_by("pk"))
    for card in cards:
        card.blacklisted_at = still.get(card.pk)
    Client.objects.bulk_update(cards, _FIELDS, batch_size=200)
    return [card.pk for card in cards if card.pk not in still]


def remind(now: dt.datetime) -> int:
    """Tell once in the bell that somebody's place on the blacklist should be looked at again, and return how many of them.

    Told to who put them on it, or, where that one has left, to whoever leads.
    """
    due = in_force(_today(now)).filter(review_on__lte=_today(now), review_told_at=None, client__erased_at=None)
    count = 0
    for row in due.select_related("by").order_by("pk")[:200]:
        if Blacklisting.objects.filter(pk=row.pk, review_told_at=None).update(review_told_at=now) != 1:
            continue
        count += 1
        for user in _readers(row):
            notices.tell(user, REVIEW, url=reverse("clients:other", args=[row.client_id]), now=now, client=row.client_id)
    return count


def _readers(row: Blacklisting) -> list[User]:
    if row.by is not None and row.by.may(May.EDIT_CLIENTS):
        return [row.by]
    return list(User.objects.filter(is_active=True, role__in=roles_with(May.EXPORT)).order_by("pk"))


def _check(reason: str, until: dt.date | None, review_on: dt.date | None, now: dt.datetime) -> None:
    if reason not in REASONS:
        raise ValueError(reason)
    for field, on in (("until", until), ("review_on", review_on)):
        if on is not None and on < _today(now):
            raise Refused(_("This day is in the past."), field=field)


def _locked(client: Client) -> Client:
    card = Client.objects.select_for_update().get(pk=client.pk)
    if card.erased_at or card.restricted_at:
        raise Refused(_("This card is not in the book any more."))
    return card


def _list(card: Client, now: dt.datetime) -> Fact | str:
    if card.blacklisted_at is not None:
        return "listed"
    card.blacklisted_at = now
    return _fact(card)


def _unlist(card: Client) -> Fact | str:
    if card.blacklisted_at is None:
        return "not_listed"
    fact = _fact(card)
    card.blacklisted_at = None
    return fact


def _fact(card: Client) -> Fact:
    return {"at": card.blacklisted_at.astimezone(dt.UTC).isoformat() if card.blacklisted_at else ""}


def _today(now: dt.datetime) -> dt.date:
    salon = Salon.objects.filter(pk=1).first()
    return now.astimezone(salon.zone if salon else dt.UTC).date()


def may_book_online(*, email: str, phone: str, client: Client | None, now: dt.datetime) -> bool:
    """Return whether somebody with this address, number and card (each may be missing) may book online. False: they call.

    Asked with what was verified and what was typed. Refused where the card is on the blacklist, where the e-mail or the
    number is one of a card on it, further contacts included, and where another card that has one of them shares an address
    with a card on it. Two cards that staff called two people (a household, a link) do not answer for each other, but an
    address that they share is refused to who does not come with a card of their own.
    """
    barred = set(in_force(_today(now)).filter(client__erased_at=None).values_list("client", flat=True))
    if not barred:
        return True
    person = barring.survivor(client) if client is not None else None
    if person is not None and person.pk in barred:
        return False
    country = Salon.objects.current().country
    typed = {("email", barring.mail_key(email)), ("sms", barring.phone_key(phone, country))}
    cards = barring.with_address(email=email, number=barring.phone_key(phone, country)) | ({person.pk} if person else set())
    theirs, known = barring.keys_of(barred), barring.keys_of(cards)
    apart = barring.together(cards, barred)
    for listed, keys in theirs.items():
        given = {key for key in typed if key[1]}
        if person is not None and (person.pk, listed) in apart:
            given -= known[person.pk]
        strangers = [own for pk, own in known.items() if pk != listed and (pk, listed) not in apart]
        if keys & given.union(*strangers):
            return False
    return True
