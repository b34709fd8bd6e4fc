"""The Excel file of an export: its rows from `people`, its columns from `columns`, and the sheet that says what it is."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clients import filters, lists
from clients.exporting import columns, people
from clients.exporting.columns import PRESETS
from clients.exporting.people import Wanted
from clients.models import Channel
from salon.core import pages, workbook
from salon.core.models import Salon, User
from salon.core.workbook import Cell

# Told how many people are written so far.
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Errand:
    """What is written, for whom and why. The file shows what `reader` may see, in their language; `by` stands in it."""

    wanted: Wanted
    reader: User
    salon: Salon
    purpose: str
    by: str


def write(target: IO[bytes], errand: Errand, ids: Sequence[int], *, now: dt.datetime, progress: Progress | None = None) -> int:
    """Write the people with these ids to `target` and return how many are in the file; memory does not grow with them."""
    shown = columns.of(errand.wanted.preset)
    with translation.override(errand.reader.language), pages.few():
        sheet = workbook.Sheet(
            title=_("Clients"),
            columns=[workbook.Column(str(column.title), column.width) for column in shown],
            about_title=_("About this file"),
            about=lambda count: _about(errand, count, now),
            author=errand.salon.name,
        )
        return workbook.write(target, sheet, _rows(errand, shown, ids, now=now, progress=progress))


def name_of(now: dt.datetime, salon: Salon) -> str:
    """Return the name under which the file is saved, in the language that is active."""
    # Translators: name of an Excel file, before the date: short, without spaces
    return pgettext("file name", "clients") + f"-{now.astimezone(salon.zone).date().isoformat()}.xlsx"


def _rows(
    errand: Errand, shown: Sequence[columns.Column], ids: Sequence[int], *, now: dt.datetime, progress: Progress | None
) -> Iterator[list[Cell]]:
    done = 0
    for some in people.read(errand.reader, errand.salon, errand.wanted, ids, now=now):
        for person in some:
            yield [column.of(person) for column in shown]
        done += len(some)
        if progress is not None:
            progress(done)


def _about(errand: Errand, count: int, now: dt.datetime) -> Iterator[tuple[str, Cell]]:
    """Yield the lines of the second sheet: what was written, when, by whom, by which filter and what for."""
    wanted = errand.wanted
    yield _("Salon"), errand.salon.name
    yield _("Columns"), str(PRESETS[wanted.preset].label)
    yield _("Clients"), count
    yield _("Who"), who_words(wanted)
    yield _("List"), _("Selected by hand") if wanted.ids else str(lists.LABELS[wanted.status])
    for _name, words in filters.words(wanted.filters) if not wanted.ids else ():
        yield _("Filter"), words
    if wanted.text:
        yield _("Search"), wanted.text
    yield _("Made on"), now.astimezone(errand.salon.zone).replace(tzinfo=None, microsecond=0)
    yield _("Made by"), errand.by
    yield _("Purpose"), errand.purpose or "–"
    if wanted.channel:
        yield (
            _("Marketing"),
            _("Everybody here had said Yes when this file was made. A No since then is not in it: make a new file for each use."),
        )
    yield _("Personal data"), _("Share this file with nobody who need not have it, and delete it after use.")


def who_words(wanted: Wanted) -> str:
    """Return whom of the list the file holds, in words."""
    if not wanted.channel:
        return _("All")
    return _("Only who said Yes to marketing by %(channel)s") % {"channel": Channel(wanted.channel).label}
