"""What somebody has to tell other systems by hand: a line for each client who said No, and for each who was erased here.

Ticked off one by one or all at once. Of whom was erased nobody knows the name any more: the number of the card and the day.

Called by the page Other systems to tell. Undo takes ticks back by a signed slip, for ten minutes.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from clients import access
from clients.models import Client, Erasure
from notifications.systems import preferences
from notifications.systems.models import Delivery, OtherSystem
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User

KEEPS_FOR = 600
# A page shows so many lines of a system; ticked off, the next come up.
SHOWN = 50
_SALT = "systems.informed"
State = Delivery.State


@dataclass(frozen=True)
class Task:
    """One line: the client, since when, and each No as kind and channel. An empty list: nothing is refused any more."""

    pk: int
    client: Client
    since: dt.datetime
    refused: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Gone:
    """A client who was erased here and is to be deleted there: the number of the card, the day, and the case."""

    pk: int
    number: int
    on: dt.datetime
    case: str


@dataclass(frozen=True)
class List:
    """What one system is to be told: the first lines, how many there are, since when, and the last of them by its id.

    `gone` are the first of those to be deleted there, `gone_count` how many, `gone_last` the last of those shown.
    """

    system: OtherSystem
    tasks: Sequence[Task]
    count: int
    since: dt.datetime | None
    last: int
    gone: Sequence[Gone] = ()
    gone_count: int = 0
    gone_last: int = 0


def lists(user: User) -> list[List]:
    """Return what each system by hand is to be told of clients whom `user` may see, those with most to do first."""
    found = [_list(system, user) for system in OtherSystem.objects.filter(way=OtherSystem.Way.BY_HAND)]
    return sorted(found, key=lambda one: -one.count)


def open_count(user: User) -> int | None:
    """Return how many lines wait that `user` may see, None where no system is told by hand."""
    systems = list(OtherSystem.objects.filter(way=OtherSystem.Way.BY_HAND).only("pk"))
    return sum(_seen_by(user, system).count() + _gone(system).count() for system in systems) if systems else None


@transaction.atomic
def tick(
    system: OtherSystem, *, only: int | None = None, upto: int = 0, is_gone: bool = False, by: User, now: dt.datetime
) -> list[int]:
    """Note that a system was told the line `only`, or all that waited up to that one, and return their ids.

    `is_gone`: that erased clients were deleted there. Not what came after the page was opened, nor what its reader may not
    see: nobody has passed that on.
    """
    rows = (_gone(system) if is_gone else _seen_by(by, system)).select_for_update()
    rows = rows.filter(pk__lte=upto) if only is None else rows.filter(pk=only)
    done = list(rows.values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=done).update(state=State.TOLD, told_at=now, told_by=by)
    if done:
        audit.record("system.informed", system, by=by, count=len(done))
    return done


def slip(system: OtherSystem, ids: Collection[int]) -> str:
    """Return what Undo of a tick sends back: the lines by number, in one run where they are many."""
    return signing.dumps([system.pk, sorted(ids)], salt=_SALT, compress=True)


@transaction.atomic
def untick(token: str, *, by: User) -> int:
    """Let lines wait again that were ticked off by `by`, and return how many. Raises Refused for an old or foreign slip."""
    try:
        system_id, ids = signing.loads(token, salt=_SALT, max_age=KEEPS_FOR)
    except signing.BadSignature as error:
        raise Refused(_("This cannot be undone any more.")) from error
    system = OtherSystem.objects.filter(pk=system_id).first()
    if system is None:
        raise Refused(_("This cannot be undone any more."))
    rows = Delivery.objects.filter(system=system, pk__in=ids, state=State.TOLD, told_by=by)
    count = rows.update(state=State.WAITING, told_at=None, told_by=None)
    if count:
        audit.record("system.uninformed", system, by=by, count=count)
    return count


def _list(system: OtherSystem, user: User) -> List:
    rows = _seen_by(user, system)
    some = list(rows[:SHOWN])
    cards = access.clients_for(user).filter(pk__in=[row.client_number for row in some])
    clients: Mapping[int, Client] = {one.pk: one for one in cards}
    answers = preferences.of(list(clients.values()))
    tasks = [
        Task(row.pk, clients[row.client_number], row.created_at, preferences.refused(answers[row.client_number])) for row in some
    ]
    last = rows.values_list("pk", flat=True).last() or 0
    gone = list(_gone(system)[:SHOWN])
    return List(
        system, tasks, rows.count(), some[0].created_at if some else None, last,
        gone=_erased(gone), gone_count=_gone(system).count(), gone_last=gone[-1].pk if gone else 0,
    )  # fmt: skip


def _erased(rows: Sequence[Delivery]) -> list[Gone]:
    """Return these lines with the case of each erasure, by its moment: the record of an erasure names no card.

    Of several at one moment nobody knows which is whose.
    """
    cases: dict[dt.datetime, list[str]] = {}
    for at, case in Erasure.objects.filter(at__in=[row.about_at for row in rows if row.about_at]).values_list("at", "case"):
        cases.setdefault(at, []).append(str(case)[:8])
    said = {at: found[0] for at, found in cases.items() if len(found) == 1}
    return [Gone(row.pk, row.client_number, row.about_at, said.get(row.about_at, "")) for row in rows if row.about_at]


def _gone(system: OtherSystem) -> QuerySet[Delivery]:
    """Return the lines of a system that wait, of clients who were erased here, the oldest first."""
    rows = Delivery.objects.filter(system=system, system__way=OtherSystem.Way.BY_HAND, state=State.WAITING)
    return rows.filter(kind=Delivery.Kind.ERASED).order_by("pk")


def _seen_by(user: User, system: OtherSystem) -> QuerySet[Delivery]:
    """Return the lines of a system that wait, of clients whom `user` may see, the oldest first."""
    waiting = Delivery.objects.filter(system=system, system__way=OtherSystem.Way.BY_HAND, state=State.WAITING)
    waiting = waiting.exclude(kind=Delivery.Kind.ERASED)
    return waiting.filter(client_number__in=access.clients_for(user).values("pk")).order_by("pk")
