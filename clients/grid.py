"""The consent table of the card: each kind of marketing on each channel, and profiling. The card's front is its sum.

Reads and writes through `clients.consent`, by the same rules as the front (`clients.answers`). Called by the pages.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients import answers, choices, consent, countries, fold, requests, sheets, wording
from clients.answers import Answer
from clients.models import Channel, Client, ConsentEvent, ConsentText
from clients.sheets import Sheet
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.templatetags.house import as_day

PROFILING = choices.PROFILING
PAPER, OWN = ConsentEvent.Source.PAPER_FORM, ConsentEvent.Source.OWN_FORM
# Title and hint of each row.
TITLES: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "mkt.promotion": (lazy("Promotions"), lazy("offers and news of the salon")),
    "mkt.rebook": (lazy("Time to come back"), lazy("when it could be time for a new appointment")),
    "mkt.review": (lazy("Reviews"), lazy("a request for a review after a visit")),
    "mkt.birthday": (lazy("Birthdays"), lazy("a greeting on the birthday")),
    "mkt.welcome": (lazy("Welcome"), lazy("a message after the first registration")),
    PROFILING: (lazy("Profiling"), lazy("visits count in statistics and in searches by habit")),
}


@dataclass(frozen=True)
class Cell(answers.Front):
    """One answer of the table: a kind of marketing on a channel, or profiling with an empty channel."""

    purpose: str = ""

    @property
    def name(self) -> str:
        """Return what the form posts for it."""
        return f"{self.purpose}:{self.channel}"

    @property
    def key(self) -> str:
        """Return its name as it can stand in an id of the page."""
        return f"{self.purpose}-{self.channel or 'all'}".replace(".", "-")

    @property
    def title(self) -> str | Promise:
        """Return what the row of the cell is about."""
        return TITLES[self.purpose][0]


@dataclass(frozen=True)
class Row:
    """One line of the table: a kind of marketing with a cell for each channel, or profiling with one."""

    purpose: str
    cells: Sequence[Cell]

    @property
    def title(self) -> str | Promise:
        """Return what the row is about."""
        return TITLES[self.purpose][0]

    @property
    def hint(self) -> str | Promise:
        """Return what a Yes brings, in a few words."""
        return TITLES[self.purpose][1]


def rows(client: Client) -> list[Row]:
    """Return the whole table, profiling last, with one look at the ledger."""
    entries = consent.events_of(client)
    readings = {pair: consent.reading(client, *pair, entries=entries) for pair in pairs()}
    ids = [reading.entry.id for reading in readings.values() if reading.entry]
    events = ConsentEvent.objects.select_related("actor").in_bulk(ids)
    shut = {**{channel: answers.shut_on(client, channel) for channel in fold.CHANNELS}, "": None}
    return [
        Row(
            purpose,
            [_cell(client, *pair, readings[pair], events, shut_on=shut[pair[1]]) for pair in pairs() if pair[0] == purpose],
        )
        for purpose in TITLES
    ]


def pairs() -> list[tuple[str, str]]:
    """Return purpose and channel of every cell, in the order of the table."""
    return [*((purpose, channel) for purpose in choices.KINDS for channel in fold.CHANNELS), (PROFILING, "")]


def cell(client: Client, purpose: str, channel: str) -> Cell:
    """Return one answer of the table."""
    reading = consent.reading(client, purpose, channel)
    ids = [reading.entry.id] if reading.entry else []
    shut_on = answers.shut_on(client, channel) if channel else None
    events = ConsentEvent.objects.select_related("actor").in_bulk(ids)
    return _cell(client, purpose, channel, reading, events, shut_on=shut_on)


@transaction.atomic
def set_one(
    client: Client, purpose: str, channel: str, answer: str, *, how: str = "other", by: User, now: dt.datetime | None = None
) -> list[ConsentEvent]:
    """Record "yes" or "no" for one cell and return the event; nothing if it says so already, with no better proof now.

    `how` is one of `answers.HOW` and is what proves a Yes. Raises Refused for a Yes without an address, and for one
    after the client's own No.
    """
    card = consent.hold(client)
    found = _checked(cell(card, purpose, channel), answer)
    event = said(card, found, answer, how, by=by)
    return consent.record_many([event] if event else [], by=by, now=now)


@transaction.atomic
def enter_sheet(
    client: Client, ticks: Mapping[tuple[str, str], str], *, signed_on: dt.date, photo: Sheet | None = None, by: User,
    now: dt.datetime,
) -> list[ConsentEvent]:  # fmt: skip
    """Record a signed privacy form: "yes" or "no" by (purpose, channel), what was left empty left out. Return the events.

    A `photo` of the sheet is kept as their proof, and as that of what stood like this already. A sheet names a day and
    no hour: a Yes holds from its beginning, a No from its end, so that of both on one day the No stands. A Yes points at
    the wording of that day, and at none where the sheet is older than the first. Raises Refused for a day that cannot be
    that of a signature, for a Yes without an address, and for one after the client's own No.
    """
    _check_signed(client, signed_on, timezone.localtime(now).date())
    begins_at, ends_at = (timezone.make_aware(dt.datetime.combine(signed_on, time)) for time in (dt.time.min, dt.time.max))
    times = {"yes": begins_at, "no": min(ends_at, now)}
    card = consent.hold(client)
    found = [(_checked(cell(card, *pair), answer), answer) for pair, answer in ticks.items()]
    texts = wording.in_force(card.language, at=ends_at)
    events = [said(card, one, answer, PAPER, by=by, at=times[answer], texts=texts) for one, answer in found]
    recorded = consent.record_many([event for event in events if event], by=by, now=now)
    if photo is not None:
        known = [one.event for (one, _answer), event in zip(found, events, strict=True) if event is None and one.event]
        sheets.keep(card, photo, [*recorded, *known], signed_on=signed_on, by=by, now=now)
    return recorded


def outweighed(client: Client, ticks: Mapping[tuple[str, str], str]) -> list[Cell]:
    """Return where a Yes of a sheet does not count because a No of the same day or a later one stands."""
    return [found for pair, answer in ticks.items() if answer == "yes" and (found := cell(client, *pair)).answer is Answer.NO]


def said(
    client: Client, now_is: Cell, answer: str, how: str, *, by: User | None = None, at: dt.datetime | None = None,
    texts: Mapping[tuple[str, str], ConsentText] | None = None,
) -> consent.Said | None:  # fmt: skip
    """Return what to write down for an answer, None if it is so already, with no better proof now.

    `texts` are the wordings that were shown: those in force in the client's language, unless they read others.
    """
    is_yes = answer == "yes"
    # The client's own No binds the salon, one that staff wrote down does not.
    is_first_own = not is_yes and how == OWN and now_is.stopped_on is None
    if not is_first_own and not answers.is_news(now_is, is_yes=is_yes, how=how, by=by):
        return None
    shown = wording.in_force(client.language) if texts is None else texts
    text = shown.get((now_is.purpose, now_is.channel)) if is_yes else None
    event = "grant" if is_yes else "withdraw"
    return consent.Said(client, now_is.purpose, now_is.channel, event, how, effective_at=at, text=text)


def _check_signed(client: Client, on: dt.date, today: dt.date) -> None:
    """Raise Refused for a day on which this client cannot have signed, or from which a signature proves nothing today."""
    born = dt.date(client.birth_year, client.birth_month or 1, client.birth_day or 1) if client.birth_year else dt.date.min
    if on > today:
        raise Refused(_("The day of the signature is in the future."), field="signed_on")
    if on < born:
        raise Refused(_("The day of the signature is before the client was born."), field="signed_on")
    if on < countries.LAW_SINCE:
        words = _("A form signed before %(day)s is older than the law on data protection: ask the client again.")
        raise Refused(words % {"day": as_day(countries.LAW_SINCE)}, field="signed_on")


def _checked(now_is: Cell, answer: str) -> Cell:
    """Return the cell. Raises Refused for a Yes that staff cannot write down there."""
    if answer == "yes":
        answers.check_yes(now_is)
    return now_is


def _cell(
    client: Client, purpose: str, channel: str, reading: fold.Reading, events: Mapping[int, ConsentEvent], *,
    shut_on: dt.date | None,
) -> Cell:  # fmt: skip
    answer = answers.summed([reading.state])
    stopped_on = timezone.localtime(reading.stop.effective_at).date() if reading.stop else None
    lacks = answers.lacks(consent.needed(purpose, channel)) if answer is Answer.WAITING else ""
    event = events.get(reading.entry.id) if reading.entry else None
    is_late = lacks == "link" and event is not None and requests.is_over(event.recorded_at, timezone.now())
    is_reachable = not channel or bool(consent.address_hash(client, channel))
    label = Channel(channel).label if channel else ""
    may_go = reading.entry is not None and consent.may_be_void(reading.entry, timezone.now())
    return Cell(channel, label, answer, is_reachable, event, stopped_on, lacks, is_late, may_go, shut_on, purpose=purpose)
