"""A plan -> rows, in small steps that each stand whole: a step written twice is impossible, a step missing is made later.

Each step checks that its cards are as the plan saw them, writes, and moves the import's counters in one transaction.
After a crash the plan is made again over what is there: what was written is then unchanged, and the rest goes on.
Refusals are written first, and with a new card in its own step: nothing of a list is ever in the book without its no.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from django.db import transaction
from django.db.models import F

from clients import consent, fold, records, search
from clients.importing import columns, known, marks, plan, reading, rows, stored
from clients.importing.plan import Card, Plan
from clients.importing.rows import Row
from clients.models import Client, ConsentEvent, Import, ImportedCard
from clients.newcomers import Newcomer
from salon.core import bulk, failpoints
from salon.core.models import Salon, User

# Small enough that nobody waits for the database; about a tenth of a second each.
STEP = 500
REPLANS = 50

T = TypeVar("T")
Answer = tuple[Card, str]


class Stale(Exception):
    """A card of this step is not as the plan saw it. Nothing of the step was written."""


@dataclass(frozen=True)
class Job:
    """Whose import is written: its row, who asked for it, and how to keep it ours (`hold` raises when it is not)."""

    row: Import
    salon: Salon
    now: dt.datetime
    hold: Callable[[], None]
    # Whether somebody waits for this very answer, so that no bell need ring.
    is_waited_for: bool = False

    @property
    def by(self) -> User | None:
        """Return who asked for it."""
        return self.row.by


def lines_of(sheet: reading.Sheet, chosen: dict[int, str] | None, salon: Salon, *, now: dt.datetime) -> list[Row]:
    """Return the rows of a sheet as values, its columns as recognised or as `chosen` by hand.

    Raises Refused when no column holds a name or a phone number.
    """
    found = columns.recognise(sheet.header) if chosen is None else columns.chosen(sheet.header, chosen)
    columns.check(found)
    return rows.read(sheet, found, country=salon.country, today=now.astimezone(salon.zone).date())


def faulty(row: Import, salon: Salon, *, now: dt.datetime) -> tuple[reading.Sheet, list[Row]]:
    """Return a checked list cut down to its faulty rows, and these rows as values, their faults in the active language."""
    sheet, numbers = stored.unpack(row.sheet), frozenset(row.report.get("faulty_rows", ()))
    some = dataclasses.replace(sheet, lines=tuple(line for line in sheet.lines if line.number in numbers))
    return some, lines_of(some, chosen_of(row), salon, now=now)


def chosen_of(row: Import) -> dict[int, str] | None:
    """Return the fields that somebody chose for the columns by their numbers, None where nobody did."""
    return None if row.columns is None else {int(index): field for index, field in row.columns.items()}


def plan_of(lines: Sequence[Row], *, now: dt.datetime) -> Plan:
    """Return what these rows would do to the book as it is."""
    return plan.make(lines, known.cards(now), hash_of=consent.hash_of)


def carry_out(job: Job, lines: Sequence[Row], *, planned: Callable[[Plan], None]) -> None:
    """Write everything that these rows call for, however often it was begun before.

    `planned` is told each plan: the first, and another whenever somebody changed a card that the rest speaks of.
    """
    for _try in range(REPLANS):
        done = plan_of(lines, now=job.now)
        planned(done)
        job.hold()
        try:
            _write(job, done)
        except Stale:
            continue
        return
    raise Stale


def _write(job: Job, done: Plan) -> None:
    for step, size in _steps(done):
        with transaction.atomic():
            job.hold()
            step(job)
            Import.objects.filter(pk=job.row.pk).update(steps_done=F("steps_done") + size, try_count=0)
            failpoints.hit("import_step_written")
        failpoints.hit("import_step_done")


def size_of(done: Plan) -> int:
    """Return how many cards and answers a plan writes: the measure of its progress."""
    return len(done.new) + len(done.updates) + len(done.claims) + sum(card.pk is not None for card, _channel in done.stops)


def _steps(done: Plan) -> Iterator[tuple[Callable[[Job], None], int]]:
    """Yield what is to be written, step by step with its size: refusals, new cards with their answers, fills, claims."""
    stops, claims = _of_new(done.stops), _of_new(done.claims)
    versions = {card.pk: card.version for card in done.known}
    old_claims = [answer for answer in done.claims if answer[0].pk is not None]
    for some in _chunks([answer for answer in done.stops if answer[0].pk is not None]):
        yield lambda job, some=some: _answer(job, stops=some), len(some)  # type: ignore[misc]
    for cards in _chunks(done.new):
        said = {"stops": _flat(stops, cards), "claims": _flat(claims, cards)}
        size = len(cards) + len(said["claims"])
        yield lambda job, cards=cards, said=said: _add(job, cards, versions, **said), size  # type: ignore[misc]
    for cards in _chunks(done.updates):
        yield lambda job, cards=cards: _fill(job, cards), len(cards)  # type: ignore[misc]
    for some in _chunks(old_claims):
        yield lambda job, some=some: _answer(job, claims=some), len(some)  # type: ignore[misc]


def _of_new(answers: Sequence[Answer]) -> dict[Card, list[Answer]]:
    """Return the answers of cards that are yet to be made, by card."""
    found: dict[Card, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer[0].pk is None:
            found[answer[0]].append(answer)
    return found


def _flat(answers: dict[Card, list[Answer]], cards: Sequence[Card]) -> list[Answer]:
    return [answer for card in cards for answer in answers.get(card, ())]


def _add(
    job: Job, cards: Sequence[Card], versions: dict[int | None, int], *, stops: Sequence[Answer], claims: Sequence[Answer]
) -> None:
    """Make new cards with their answers. Raises Stale if one of them stands in the book meanwhile."""
    if any(versions.get(pk) != version for pk, version in _alike(cards)):
        raise Stale
    empty = {**records.empty(), "language": job.salon.language}
    made = [{**empty, **card.fields} for card in cards]
    new = records.make_many(made, by=job.by, now=job.now)
    for card, one in zip(cards, new, strict=True):
        card.pk = one.pk
        versions[one.pk] = card.version
    _note(job, [(card.pk, marks.of_whole(fields)) for card, fields in zip(cards, made, strict=True)], is_new=True)
    _answer(job, stops=stops, claims=claims, new=new)
    Import.objects.filter(pk=job.row.pk).update(new_count=F("new_count") + len(cards))


def _alike(cards: Sequence[Card]) -> list[tuple[int, int]]:
    """Return id and version of the cards in the book that a new one might be: same e-mail, phone, or, without both, name."""
    emails = {str(card.fields["email"]) for card in cards if card.fields.get("email")}
    phones = {str(card.fields["phone"]) for card in cards if card.fields.get("phone")}
    bare = [card.fields for card in cards if not (card.fields.get("email") or card.fields.get("phone"))]
    names = {
        search.sort_name_of(first_name=str(one.get("first_name", "")), last_name=str(one.get("last_name", "")), phone="")
        for one in bare
    }
    found: set[tuple[int, int]] = set()
    for name, values in (("email", emails), ("phone", phones), ("sort_name", names)):
        rows = bulk.find(Client, ("id", "version", "erased_at"), name, values)
        found.update((pk, version) for pk, version, erased_at in rows if erased_at is None)
    return sorted(found)


def _fill(job: Job, cards: Sequence[Card]) -> None:
    """Fill empty fields of known cards. Raises Stale if one of them is another meanwhile."""
    locked = {client.pk: client for client in _locked(card.pk for card in cards)}
    for card in cards:
        client = locked.get(card.pk or 0)
        if client is None or client.version != card.version or client.restricted_at or client.erased_at:
            raise Stale
    records.fill_many({card.pk: card.fills for card in cards if card.pk is not None}, by=job.by)
    filled = {client.pk: client for client in Client.objects.filter(pk__in=locked)}
    _note(job, [(card.pk, marks.of(vars(filled[card.pk or 0]), card.fills)) for card in cards], is_new=False)
    for card in cards:
        card.version = filled[card.pk or 0].version
    Import.objects.filter(pk=job.row.pk).update(filled_count=F("filled_count") + len(cards))


def _note(job: Job, written: Iterable[tuple[int | None, dict[str, str]]], *, is_new: bool) -> None:
    """Keep the marks of what was written on these cards, for an undo."""
    names = ("source_id", "client_id", "is_new", "marks", "at")
    bulk.insert(ImportedCard, names, ((job.row.pk, pk, is_new, found, job.now) for pk, found in written))


def _answer(job: Job, *, stops: Sequence[Answer] = (), claims: Sequence[Answer] = (), new: Sequence[Newcomer] = ()) -> None:
    """Write refusals and claims down; `new` are cards that this step made. Raises Stale if somebody is gone meanwhile."""
    if not stops and not claims:
        return
    pks = {card.pk for card, _channel in (*stops, *claims)} - {one.pk for one in new}
    if Client.objects.filter(pk__in=pks, erased_at=None).count() != len(pks):
        raise Stale
    said = [_said(answer, "withdraw", fold.ALL_MARKETING) for answer in stops]
    said += [_said(answer, "import_claim", known.CLAIMED) for answer in claims]
    consent.record_many(said, by=job.by, now=job.now, new=new)
    Import.objects.filter(pk=job.row.pk).update(
        stop_count=F("stop_count") + len(stops), claim_count=F("claim_count") + len(claims)
    )


def _said(answer: Answer, event: str, purpose: str) -> consent.Said:
    card, channel = answer
    source = ConsentEvent.Source.IMPORT
    return consent.Said(client=card.pk or 0, purpose=purpose, channel=channel, event=event, source=source, evidence_level=0)


def _locked(pks: "Iterator[int | None]") -> list[Client]:
    return list(Client.objects.select_for_update().filter(pk__in={pk for pk in pks if pk is not None}).order_by("pk"))


def _chunks(items: Sequence[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, STEP)):
        yield some
