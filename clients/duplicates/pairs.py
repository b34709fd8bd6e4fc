"""The pairs that were found, and what somebody said of them. The only writer of DuplicatePair.

An answer is remembered: the pair is not shown again, unless the two cards come to share something that says more than what
was known when it was given (`asks_again`). Pairs of cards that went are forgotten, and those of inactive cards not shown.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import urlencode

from django.db import transaction
from django.db.models import Count, Q, QuerySet, Value
from django.urls import reverse
from django.utils.translation import gettext as _

from clients import runs
from clients.duplicates.score import Reason, Verdict
from clients.models import Client, ClientLink, DuplicatePair
from salon.core import audit, prepared
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import May
from salon.core.tries import once_more

State, Band = DuplicatePair.State, DuplicatePair.Band
ANSWERS = (State.NOT_SAME, State.HOUSEHOLD)
Key = tuple[int, int]
# Pairs written in one transaction.
_STEP = 500
# What is so strong that an answer given without it is asked for again. One household shares numbers anyway.
_STRONG = {
    State.NOT_SAME: frozenset({Reason.PHONE, Reason.EMAIL, Reason.BIRTH, Reason.NAME}),
    State.HOUSEHOLD: frozenset({Reason.BIRTH, Reason.NAME}),
}


def asks_again(state: str, known: Collection[str], found: Collection[str]) -> bool:
    """Return whether the reasons found now are worth asking again after an answer that was given with the `known` ones."""
    strong = {str(reason) for reason in _STRONG.get(State(state), ())}
    return bool(strong & set(found) - set(known))


def shown(user: User) -> QuerySet[DuplicatePair]:
    """Return the pairs of active cards that `user` may compare, the likeliest first; none without the right."""
    return _of_active() if user.may(May.EDIT_CLIENTS) else DuplicatePair.objects.none()


def _of_active() -> QuerySet[DuplicatePair]:
    here = {f"{side}__{name}": None for side in ("low", "high") for name in ("inactive_at", "restricted_at", "erased_at")}
    return DuplicatePair.objects.filter(**here).order_by("-score", "pk").select_related("low", "high")


def open_count(user: User) -> int:
    """Return how many pairs wait that are sure or likely."""
    return int(prepared.run([_open()], {})[0][0][0]) if user.may(May.EDIT_CLIENTS) else 0


@prepared.kept
def _open() -> prepared.Query:
    waiting = _of_active().filter(state=State.OPEN, band__in=[Band.SURE, Band.LIKELY]).order_by()
    # One row without a group: what `count` would ask, which cannot be kept.
    return prepared.Query(waiting.annotate(one=Value(1)).values("one").annotate(count=Count("*")).values_list("count"))


def of_card(user: User, client: Client, *, limit: int = 3) -> list[tuple[DuplicatePair, Client]]:
    """Return the first pairs of a card that wait for an answer, each with the other card."""
    rows = shown(user).filter(Q(low=client) | Q(high=client), state=State.OPEN)[:limit]
    return [(row, row.high if row.low_id == client.pk else row.low) for row in rows]


def told_apart(client: Client) -> set[int]:
    """Return the ids of the cards that somebody said are not this person."""
    rows = DuplicatePair.objects.filter(Q(low=client) | Q(high=client), state__in=ANSWERS).values_list("low", "high")
    return {high if low == client.pk else low for low, high in rows}


@transaction.atomic
def answer(pair: DuplicatePair, state: str, *, by: User, now: dt.datetime) -> DuplicatePair:
    """Write down that two cards are not one person (NOT_SAME), or one household (HOUSEHOLD), and return the pair.

    Raises Refused where somebody answered meanwhile, ValueError for anything else.
    """
    if state not in ANSWERS:
        raise ValueError(state)
    row = _locked(pair)
    if row.state != State.OPEN:
        raise Refused(_("Somebody has answered this already."))
    row.state, row.by, row.decided_at = state, by, now
    row.save(update_fields=["state", "by", "decided_at"])
    audit.record("duplicates.answered", row, by=by, low=row.low_id, high=row.high_id, answer=state)
    return row


@transaction.atomic
def ask_again(pair: DuplicatePair, *, by: User) -> DuplicatePair:
    """Take an answer back and return the pair, which waits again. Raises Refused for one that waits already."""
    row = _locked(pair)
    if row.state == State.OPEN:
        raise Refused(_("This cannot be undone any more."))
    row.state, row.by, row.decided_at = State.OPEN, None, None
    row.save(update_fields=["state", "by", "decided_at"])
    audit.record("duplicates.reopened", row, by=by, low=row.low_id, high=row.high_id)
    return row


def keep(found: Mapping[Key, Verdict], *, about: Collection[int] | None, now: dt.datetime) -> int:
    """Bring the pairs in line with what was found and return how many are new. `about`: these cards alone, None for all.

    Who is linked as family is no pair. Safe to run twice, or two at once.
    """
    rows = DuplicatePair.objects.all()
    if about is not None:
        rows = rows.filter(Q(low__in=about) | Q(high__in=about))
        if not found and not rows.exists():  # as with most cards
            return 0
    wanted = {key: found[key] for key in set(found) - _linked(found)}
    # In steps that each stand whole: on SQLite whoever writes keeps everybody from booking for as long.
    keys = sorted(wanted)
    count = sum(_keep(wanted, keys[start : start + _STEP], now=now) for start in range(0, len(keys), _STEP))
    # One that came while we looked is somebody else's find.
    known = rows.filter(state=State.OPEN).exclude(found_at__gt=now).order_by("pk").values_list("pk", "low", "high")
    gone = [pk for pk, low, high in known.iterator(chunk_size=5000) if (low, high) not in wanted]
    if about is None:
        erased = DuplicatePair.objects.filter(Q(low__erased_at__isnull=False) | Q(high__erased_at__isnull=False))
        _let_go(list(erased.order_by("pk").values_list("pk", flat=True)), DuplicatePair.objects.all())
    _let_go(gone, DuplicatePair.objects.filter(state=State.OPEN))
    return count


@once_more
@transaction.atomic
def _keep(wanted: Mapping[Key, Verdict], some: Sequence[Key], *, now: dt.datetime) -> int:
    """Write these pairs, which stand in order, and return how many are new."""
    rows = DuplicatePair.objects.filter(low__gte=some[0][0], low__lte=some[-1][0], low__in={low for low, _high in some})
    known = {(row.low_id, row.high_id): row for row in rows.select_for_update().order_by("pk")}
    changed = [row for key in some if (row := known.get(key)) is not None and _renew(row, wanted[key])]
    DuplicatePair.objects.bulk_update(changed, ["score", "band", "reasons", "state", "by", "decided_at"], batch_size=200)
    new = [_made(key, wanted[key], now) for key in some if key not in known]
    DuplicatePair.objects.bulk_create(new, ignore_conflicts=True, batch_size=200)
    return len(new)


def _let_go(ids: Sequence[int], rows: QuerySet[DuplicatePair]) -> None:
    """Delete those of `rows` that have these ids, a step at a time: one that was answered meanwhile stays."""
    for start in range(0, len(ids), _STEP):
        rows.filter(pk__in=ids[start : start + _STEP]).delete()


def forget(client_ids: Collection[int]) -> int:
    """Forget every pair of these cards, answered or not, and return how many: for cards that are merged or erased."""
    return DuplicatePair.objects.filter(Q(low__in=client_ids) | Q(high__in=client_ids)).delete()[0]


def compare_path(ids: Sequence[int]) -> str:
    """Return the address of the page that lays these cards side by side and merges them."""
    return f"{reverse('clients:merge')}?{urlencode([('id', pk) for pk in ids])}"


def _renew(row: DuplicatePair, verdict: Verdict) -> bool:
    """Write what was found into a known pair in hand and return whether that changed it. An answer keeps its reasons."""
    reasons = [str(reason) for reason in verdict.reasons]
    if row.state != State.OPEN:
        if not asks_again(row.state, row.reasons, reasons):
            return False
        row.state, row.by, row.decided_at = State.OPEN, None, None
    elif (row.score, row.reasons) == (verdict.points, reasons):
        return False
    row.score, row.band, row.reasons = verdict.points, verdict.band, reasons
    return True


def _made(key: Key, verdict: Verdict, now: dt.datetime) -> DuplicatePair:
    reasons = [str(reason) for reason in verdict.reasons]
    return DuplicatePair(low_id=key[0], high_id=key[1], score=verdict.points, band=verdict.band, reasons=reasons, found_at=now)


def _linked(found: Mapping[Key, Verdict]) -> set[Key]:
    """Return which of these pairs are linked on their cards."""
    links = ClientLink.objects.all()
    if len(found) <= runs.CHUNK:
        links = links.filter(client__in={pk for key in found for pk in key})
    every = links.values_list("client", "other").iterator(chunk_size=5000) if found else ()
    return {key for pair in every if (key := (min(pair), max(pair))) in found}


def _locked(pair: DuplicatePair) -> DuplicatePair:
    row = DuplicatePair.objects.select_for_update().filter(pk=pair.pk).first()
    if row is None:
        raise Refused(_("This pair is not there any more."))
    return row
