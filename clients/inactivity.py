"""A client who does not come any more: out of lists, messages and figures, with everything kept, and back with one press.

The only writer of `inactive_at` and `inactive_reason`. Consents are not touched. What waits to be sent is taken back by the
planner, and wanted again when the card is active again. Called by the pages, the booking and the erasure.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Literal

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import pgettext_lazy

from clients import bookings, runs
from clients.models import CardRun, Client, ClientQuerySet
from clients.runs import Fact, Outcome
from salon.core import audit, bell
from salon.core.errors import Refused
from salon.core.models import User

REASONS: Mapping[str, str | Promise] = {
    "stays_away": lazy("Does not come any more"),
    "moved_away": lazy("Moved away"),
    "asked": lazy("Asked for it"),
    "other": pgettext_lazy("reason", "Other"),
}
# The card waits to be erased: it stands in no list, and comes back from the list of the deleted alone.
DELETING = Client.DELETING
# What becomes of appointments to come: they stay, are cancelled and the client is told, or the card stays active.
Bookings = Literal["keep", "cancel", "leave"]
# Until then it is not yet known whether a message about what was just cancelled waits.
_PLANNED_AFTER = dt.timedelta(minutes=1)

_FIELDS = ("inactive_at", "inactive_reason")

Untold = Callable[[Collection[int], dt.datetime], Collection[int]]
_untold: list[Untold] = []


def register_untold(untold: Untold) -> None:
    """Let the room above say who of some clients has not been told yet what was cancelled by a moment. Called at the start."""
    if untold not in _untold:
        _untold.append(untold)


@transaction.atomic
def make_inactive(client: Client, *, reason: str, by: User | None, now: dt.datetime) -> Client:
    """Make the card inactive for a reason (a code of REASONS, or DELETING) and return it.

    Appointments to come stay as they are. Raises Refused for a card that is gone or inactive already; one that is inactive
    can still be DELETING. Raises ValueError for an unknown reason.
    """
    card = Client.objects.select_for_update().get(pk=client.pk)
    if card.erased_at:
        raise Refused(_("This card is not in the book any more."))
    if isinstance(_retire(card, reason, now), str):
        raise Refused(_("This card is inactive already."))
    card.save(update_fields=_FIELDS)
    audit.record("client.made_inactive", card, by=by, reason=reason)
    bell.ring()
    return card


@transaction.atomic
def make_active(client: Client, *, by: User | None, now: dt.datetime) -> Client:
    """Make the card active again and return it. Raises Refused for one that is gone, restricted or active."""
    card = Client.objects.select_for_update().get(pk=client.pk)
    if card.erased_at or card.restricted_at:
        raise Refused(_("This card is not in the book any more."))
    if card.inactive_at is None:
        raise Refused(_("This card is active already."))
    _wake(card)
    card.save(update_fields=_FIELDS)
    audit.record("client.made_active", card, by=by)
    bell.ring()
    return card


def make_many_inactive(ids: Collection[int], *, reason: str, visits: Bookings, by: User, now: dt.datetime) -> CardRun:
    """Make these cards inactive and return the run, which knows whose card stayed active and why.

    `visits`: what becomes of appointments to come. Cancelled ones are told first: such a card becomes inactive when the
    message has left (`settle`), as nothing is ever sent to an inactive client.
    """
    found = Outcome()
    rest = set(ids)
    if visits != "keep":
        ahead = bookings.ahead_of(list(rest), now=now)
        rest -= set(ahead)
        if visits == "leave":
            found.refused = dict.fromkeys(ahead, "ahead")
        else:
            rest.update(_cancel(ahead, found, by=by, now=now))
    return _make_inactive(rest, found, reason=reason, by=by, now=now)


@transaction.atomic
def make_many_active(ids: Collection[int], *, by: User, now: dt.datetime) -> CardRun:
    """Make these cards active again and return the run, which knows whose card did not change and why."""
    found = runs.each(ids, _back, fields=_FIELDS, by=by)
    run = runs.write("active", found, by=by, now=now)
    whole = _sum_up("clients.made_active", run, found, by)
    audit.record_each("client.made_active", Client, found.changed, by=by, of=whole)
    bell.ring()
    return run


@transaction.atomic
def undo_inactive(run: CardRun, *, by: User, now: dt.datetime) -> int:
    """Make the cards active again that the run made inactive, and return how many, with those that only waited for it.

    Cancelled appointments stay cancelled.
    """
    waited = len(run.waiting)
    done = runs.take_back(run, _wake_again, fields=_FIELDS, by=by, now=now)
    return _undone(done, run, by, is_active=True) + waited


@transaction.atomic
def undo_active(run: CardRun, *, by: User, now: dt.datetime) -> int:
    """Make the cards inactive again that the run woke, since then and for the reason of then; return how many."""
    done = runs.take_back(run, _sleep_again, fields=_FIELDS, by=by, now=now)
    return _undone(done, run, by, is_active=False)


def asleep(rows: ClientQuerySet) -> ClientQuerySet:
    """Return those of `rows` who are inactive and can be made active: not who is being deleted."""
    return rows.filter(inactive_at__isnull=False).exclude(inactive_reason=DELETING)


def settle(now: dt.datetime) -> int:
    """Make inactive whose cancellation has left by now, and return how many cards. After a day nobody is waited for.

    A card with a new appointment stays active. Safe to run twice, or two at once.
    """
    return sum(_settle(run, now) for run in CardRun.objects.filter(act="inactive", undone_at=None).exclude(waiting=[]))


@transaction.atomic
def _settle(run: CardRun, now: dt.datetime) -> int:
    row = CardRun.objects.select_for_update().get(pk=run.pk)
    is_over = now > row.created_at + runs.KEPT_FOR
    untold = set() if is_over else _not_told(row.waiting, row.created_at, now)
    told = [pk for pk in row.waiting if pk not in untold]
    if not told:
        return 0
    booked = bookings.ahead_of(told, now=now)
    ids = [pk for pk in told if pk not in booked]
    found = runs.each(ids, lambda card: _retire(card, row.reason, now), fields=_FIELDS, by=row.by)
    found.refused |= dict.fromkeys(booked, "ahead")
    row.waiting = sorted(untold)
    row.changed |= {str(pk): fact for pk, fact in found.changed.items()}
    row.refused |= {str(pk): why for pk, why in found.refused.items()}
    row.save(update_fields=["waiting", "changed", "refused"])
    # An act of its own: the line of the run, where there was more than one to tell of then, counted none of these.
    whole = _sum_up("clients.made_inactive", row, found, row.by) if len(found.changed) > 1 else None
    audit.record_each("client.made_inactive", Client, found.changed, by=row.by, of=whole, reason=row.reason)
    return len(found.changed)


@transaction.atomic
def _make_inactive(ids: Collection[int], found: Outcome, *, reason: str, by: User, now: dt.datetime) -> CardRun:
    done = runs.each(ids, lambda card: _retire(card, reason, now), fields=_FIELDS, by=by)
    every = Outcome(done.changed, found.refused | done.refused, found.waiting)
    run = runs.write("inactive", every, by=by, now=now, reason=reason)
    whole = _sum_up("clients.made_inactive", run, every, by)
    audit.record_each("client.made_inactive", Client, done.changed, by=by, of=whole, reason=reason)
    bell.ring()
    return run


def _cancel(ahead: Mapping[int, Sequence[bookings.Ahead]], found: Outcome, *, by: User, now: dt.datetime) -> list[int]:
    """Cancel the appointments of these clients before any card is locked, and return who has nobody to be told.

    The others wait in `found`, or stand there as refused.
    """
    mute: list[int] = []
    for card in Client.objects.filter(pk__in=ahead, erased_at=None, restricted_at=None, inactive_at=None).order_by("pk"):
        try:
            bookings.cancel_all(card, by=by, now=now, is_notice_wanted=True)
        except Refused:
            found.refused[card.pk] = "not_cancelled"
            continue
        (found.waiting if card.email or card.phone else mute).append(card.pk)
    return mute


def _not_told(ids: Sequence[int], since: dt.datetime, now: dt.datetime) -> set[int]:
    if now < since + _PLANNED_AFTER and _untold:
        return set(ids)
    return {pk for untold in _untold for pk in untold(ids, since)}


def _retire(card: Client, reason: str, now: dt.datetime) -> Fact | str:
    """Make the card in hand inactive and answer since when, or why not."""
    if reason not in {*REASONS, DELETING}:
        raise ValueError(reason)
    if card.inactive_at is not None and (reason != DELETING or card.inactive_reason == DELETING):
        return "inactive"
    card.inactive_at, card.inactive_reason = card.inactive_at or now, reason
    return _fact(card)


def _back(card: Client) -> Fact | str:
    """Make the card in hand active and answer since when and why it was not, or why it stays."""
    if card.inactive_at is None:
        return "active"
    if card.inactive_reason == DELETING:
        return DELETING
    fact = _fact(card)
    _wake(card)
    return fact


def _wake(card: Client) -> None:
    card.inactive_at, card.inactive_reason = None, ""


def _wake_again(card: Client, fact: Fact) -> bool:
    """Make the card in hand active if it is inactive as the run left it."""
    if card.inactive_at is None or _fact(card) != fact:
        return False
    _wake(card)
    return True


def _sleep_again(card: Client, fact: Fact) -> bool:
    if card.inactive_at is not None:
        return False
    card.inactive_at, card.inactive_reason = dt.datetime.fromisoformat(str(fact["at"])), str(fact["reason"])
    return True


def _fact(card: Client) -> Fact:
    at = card.inactive_at.astimezone(dt.UTC).isoformat() if card.inactive_at else ""
    return {"at": at, "reason": card.inactive_reason}


def _undone(ids: Sequence[int], run: CardRun, by: User, *, is_active: bool) -> int:
    audit.record("cards.undone", run, by=by, clients_count=len(ids))
    action = "client.made_active" if is_active else "client.made_inactive"
    audit.record_each(action, Client, ids, by=by, of=run, reason="undo")
    bell.ring()
    return len(ids)


def _sum_up(action: str, run: CardRun, found: Outcome, by: User | None) -> CardRun | None:
    """Write down an act on several cards as one, and return the run if there were several."""
    if len(found.changed) + len(found.refused) <= 1:
        return None
    audit.record(action, run, by=by, clients_count=len(found.changed), refused_count=len(found.refused))
    return run
