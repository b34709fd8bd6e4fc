"""One act on one or many cards, kept for a day: who it was done to, who not and why, and what its Undo has to know.

The only writer of CardRun. What is done to a card is in the noun it is about (`clients.inactivity`, `clients.blacklist`).
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients.models import CardRun, Client
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import May

CHUNK = 500
# So long the page of a run and its Undo are kept.
KEPT_FOR = dt.timedelta(days=1)
# Why an act was not done to a card.
REASONS: Mapping[str, Promise] = {
    "gone": lazy("Not in the book any more, or restricted"),
    "inactive": lazy("Inactive already"),
    "active": lazy("Active already"),
    "ahead": lazy("Has an appointment to come"),
    "not_cancelled": lazy("The appointment could not be cancelled"),
    "deleting": lazy("Is being deleted"),
    "listed": lazy("On the blacklist already"),
    "not_listed": lazy("Not on the blacklist"),
}
# What Undo needs of a card: an id, a code or a moment (ISO 8601).
Fact = Mapping[str, int | str]


@dataclass
class Outcome:
    """What became of an act: facts for Undo by id of each card that it changed, and the reason (a code) by id of the rest."""

    changed: dict[int, Fact] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)


Change = Callable[[Client], Fact | str]


def each(ids: Collection[int], change: Change, *, fields: Sequence[str], by: User | None) -> Outcome:
    """Ask `change` of each card that `by` may work with, locked in the order of the ids; it answers facts, or why not.

    It changes `fields` of the card in hand, which are written here. In chunks, so that no statement grows with the list.
    `by` None: the system, which may work with each that is there.
    """
    found = Outcome()
    rows = Client.objects.filter(erased_at=None, restricted_at=None)
    if by is not None and not by.may(May.EDIT_CLIENTS):
        rows = rows.none()
    for some in chunks(sorted(ids)):
        here = list(rows.filter(pk__in=some).select_for_update().order_by("pk"))
        found.refused |= dict.fromkeys(set(some).difference(card.pk for card in here), "gone")
        changed = []
        for card in here:
            answer = change(card)
            if isinstance(answer, str):
                found.refused[card.pk] = answer
            else:
                found.changed[card.pk] = answer
                changed.append(card)
        Client.objects.bulk_update(changed, fields, batch_size=200)
    return found


def write(act: str, outcome: Outcome, *, by: User | None, now: dt.datetime, reason: str = "") -> CardRun:
    """Keep what became of `act` and return the run. Those a day old are forgotten at `tidy`."""
    return CardRun.objects.create(
        act=act, reason=reason, by=by, created_at=now, waiting=outcome.waiting,
        changed={str(pk): fact for pk, fact in outcome.changed.items()},
        refused={str(pk): why for pk, why in outcome.refused.items()},
    )  # fmt: skip


@transaction.atomic
def take_back(
    run: CardRun, restore: Callable[[Client, Fact], bool], *, fields: Sequence[str], by: User, now: dt.datetime
) -> list[int]:
    """Ask `restore` of each card that the run changed and is still there, and return the ids of those it put back.

    Raises Refused for a run that was taken back already, or is too old. What waited is not done any more.
    """
    row = CardRun.objects.select_for_update().get(pk=run.pk)
    if not is_open(row, now):
        raise Refused(_("This cannot be undone any more."))
    facts = {int(pk): fact for pk, fact in row.changed.items()}
    found = each(facts, lambda card: {} if restore(card, facts[card.pk]) else "gone", fields=fields, by=by)
    row.undone_at, row.waiting = now, []
    row.save(update_fields=["undone_at", "waiting"])
    return sorted(found.changed)


def is_open(run: CardRun, now: dt.datetime) -> bool:
    """Return whether the run can still be taken back."""
    return run.undone_at is None and now <= run.created_at + KEPT_FOR


def tidy(now: dt.datetime) -> int:
    """Forget the runs that cannot be taken back any more and wait for nothing, and return how many."""
    return CardRun.objects.filter(created_at__lt=now - KEPT_FOR, waiting=[]).delete()[0]


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the ids in pieces that a statement can hold."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
