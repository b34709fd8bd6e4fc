"""The privacy form as the client fills it in, on their phone or the salon's tablet, through the code on the printed one.

Called by the public page. What is said here is the client's own act, with the words that were shown: as good as a signed
form for a new answer (level 2), but no proof that an address is theirs, so that a Yes to e-mail waits where the country
wants it confirmed, and a stop is lifted by a link to the stopped address alone.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from clients import consent, grid, privacyform, stops, wording
from clients.grid import Cell
from clients.models import Client, ConsentEvent, ConsentText
from clients.privacyform import Question
from clients.stops import Link
from salon.core.models import Salon

SOURCE = ConsentEvent.Source.OWN_FORM


@dataclass(frozen=True)
class Box:
    """One question to answer by Yes or No. `bar` says why a Yes cannot be said here: one of `choices.Choice.bar`, or ""."""

    cell: Cell
    bar: str


@dataclass(frozen=True)
class Row:
    """One kind, in the words of the printed form, with a box for each channel."""

    question: Question
    boxes: Sequence[Box]


@dataclass(frozen=True)
class Sheet:
    """The whole form of a card. `words` names the wordings that it shows."""

    client: Client
    rows: Sequence[Row]
    words: str

    @property
    def cells(self) -> list[Cell]:
        """Return every question of the form."""
        return [box.cell for row in self.rows for box in row.boxes]


def client_of(subject_id: int) -> Client | None:
    """Return whose form it is, None if nobody is there any more."""
    return stops.client_of(Link(subject_id, "", ""))


def sheet(client: Client, salon: Salon, *, language: str) -> Sheet:
    """Return the form of a client in a language, which is active. Changes nothing."""
    questions = {question.purpose: question for question in privacyform.of(salon, language).questions}
    rows = [Row(questions[row.purpose], [_box(client, cell) for cell in row.cells]) for row in grid.rows(client)]
    return Sheet(client, rows, _named(wording.in_force(language)))


@transaction.atomic
def answer(
    subject_id: int, ticks: Mapping[tuple[str, str], str], *, words: str, language: str, now: dt.datetime
) -> list[ConsentEvent] | None:
    """Record "yes" or "no" by (purpose, channel) and return the events; what was left open is left out.

    None if other words than those shown (`words`) are in force now, or if nobody is there any more: nothing is recorded.
    A Yes that cannot be said here is left out too: the form does not offer it.
    """
    client, texts = stops.locked(Link(subject_id, "", "")), wording.in_force(language)
    if client is None or words != _named(texts):
        return None
    boxes = [_box(client, grid.cell(client, *pair)) for pair in ticks]
    given = [(box.cell, answer) for box, answer in zip(boxes, ticks.values(), strict=True) if answer == "no" or not box.bar]
    said = [grid.said(client, cell, answer, SOURCE, texts=texts) for cell, answer in given]
    return consent.record_many([one for one in said if one], now=now)


def _named(texts: Mapping[tuple[str, str], ConsentText]) -> str:
    """Return which wordings these are, by number."""
    return ".".join(str(texts[pair].pk) if pair in texts else "" for pair in grid.pairs())


def _box(client: Client, cell: Cell) -> Box:
    if client.inactive_at or client.restricted_at:
        return Box(cell, "inactive")
    if not cell.is_reachable:
        return Box(cell, "no_address")
    is_closed = stops.is_closed(client, consent.events_of(client), cell.purpose, cell.channel)
    return Box(cell, "own_link" if is_closed else "")
