"""The activity page: the audit trail told in sentences, newest first. Reads only.

Each app registers when it starts how its codes are told (`deeds.py`) and what its rows are called; the ground floor
cannot import them. A sentence is made of the code and its facts, never of what stood in a field.
"""

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from salon.core import audit
from salon.core.models import AuditEvent, User

PER_PAGE = 50
# Of a name that many have: the page is about these, and says nothing of the rest.
MOST_CLIENTS = 50
HOUSE = "carnet"
WHO = "\0"

Text = str | Promise
Facts = Mapping[str, Any]


class Kind(models.TextChoices):
    """What an act is about: the filter of the page."""

    CARDS = "cards", lazy("Client cards")
    CONSENT = "consents", lazy("Consents")
    VISITS = "visits", lazy("Appointments")
    MESSAGES = "messages", lazy("Messages")
    LISTS = "lists", lazy("Imports and exports")
    SIGN_IN = "sign-in", lazy("Sign-ins")
    TEAM = "team", lazy("Team")
    SETTINGS = "settings", lazy("Settings")


def house(facts: Facts) -> Text:
    """Return who did what nobody of the team did: the house itself."""
    return "Carnet"


def nothing_more(facts: Facts) -> Mapping[str, Text]:
    """Return no further words: the facts fill the sentence as they are."""
    return {}


@dataclass(frozen=True)
class Telling:
    """How a code is told.

    `words` is a sentence (or chooses one by the facts) with %(who)s and what `parts` makes of the facts; a plural counts
    by the fact it names. `refs` names facts that hold the id of a row and its table ("clients.tag"): in the sentence they
    are its name. `nobody` says who it was when nobody of the team did it.
    """

    kind: Kind
    icon: str
    words: Text | Callable[[Facts], Text]
    parts: Callable[[Facts], Mapping[str, Text]] = nothing_more
    refs: Mapping[str, str] | None = None
    nobody: Callable[[Facts], Text] = house


@dataclass(frozen=True)
class Named:
    """What a row is called, and where it is seen; no `url` for what the reader cannot open."""

    label: str
    url: str = ""


@dataclass(frozen=True)
class Line:
    """One act as the page shows it: `before`, who, `after` are the sentence; `about` is the row it was done to."""

    pk: int
    at: dt.datetime
    icon: str
    before: str
    who: str
    after: str
    about: Named | None


@dataclass(frozen=True)
class Day:
    """The acts of one day."""

    on: dt.date
    lines: Sequence[Line]


@dataclass(frozen=True)
class Page:
    """The days of one page, and after which event the next one begins (None at the end)."""

    days: Sequence[Day]
    older: int | None

    @property
    def count(self) -> int:
        """Return how many acts the page shows."""
        return sum(len(day.lines) for day in self.days)


@dataclass(frozen=True)
class Wanted:
    """Which acts: by whom (an id, or HOUSE), of which kind, on which local days, about which clients (None: all).

    `of`: those that belong to the act on many with this event; 0 for all.
    """

    person: str = ""
    kind: str = ""
    first_on: dt.date | None = None
    last_on: dt.date | None = None
    clients: Sequence[int] | None = None
    of: int = 0


NamesOf = Callable[[User, Collection[int], dt.datetime], Mapping[int, Named]]
Find = Callable[[User, str, dt.datetime], Iterable[int]]
_tellings: dict[str, Telling] = {}
_names: dict[str, NamesOf] = {}
_find: list[Find] = []
_sums: set[str] = set()


def register(tellings: Mapping[str, Telling], names: Mapping[str, NamesOf], *, sums: Iterable[str] = ()) -> None:
    """Say how codes are told, and what the rows of tables are called. Called once by each app, when it starts.

    `sums` are tables whose rows are acts on many cards, each of which has its own line.
    """
    _tellings.update(tellings)
    _names.update(names)
    _sums.update(sums)


def register_find(find: Find) -> None:
    """Let the client book say whom a text finds. Called once, when it starts."""
    _find[:] = [find]


def telling(code: str) -> Telling | None:
    """Return how a code is told, or None for one that nobody registered."""
    return _tellings.get(code)


def clients_like(user: User, text: str, now: dt.datetime) -> list[int]:
    """Return the first clients that `text` finds for `user`."""
    return [pk for find in _find for pk in itertools.islice(find(user, text, now), MOST_CLIENTS)]


def name_of(user: User, table: str, pk: int, now: dt.datetime) -> str:
    """Return what a row is called, or nothing for one that is not there for `user`."""
    found = _names[table](user, [pk], now).get(pk) if table in _names else None
    return found.label if found else ""


def page(user: User, wanted: Wanted, *, before: int | None, now: dt.datetime) -> Page:
    """Return the newest acts among `wanted`, or those before the event `before`. The queries are as many for any page."""
    rows = list(_older(_events(wanted), before).select_related("by")[: PER_PAGE + 1])
    shown = rows[:PER_PAGE]
    names = _names_for(user, shown, now)
    lines = [_line(event, names) for event in shown]
    days = [Day(on, list(group)) for on, group in itertools.groupby(lines, key=lambda line: timezone.localdate(line.at))]
    return Page(days, shown[-1].pk if len(rows) > PER_PAGE else None)


def _events(wanted: Wanted) -> "models.QuerySet[AuditEvent]":
    rows = AuditEvent.objects.order_by("-at", "-pk")
    if wanted.person:
        rows = rows.filter(by=None if wanted.person == HOUSE else int(wanted.person))
    if wanted.kind:
        rows = rows.filter(action__in=[code for code, telling in _tellings.items() if telling.kind == wanted.kind])
    if wanted.first_on:
        rows = rows.filter(at__gte=_midnight(wanted.first_on))
    if wanted.last_on:
        rows = rows.filter(at__lt=_midnight(wanted.last_on + dt.timedelta(days=1)))
    if wanted.of:
        rows = rows.filter(_part_of(wanted.of))
        return rows if wanted.clients is None else rows.filter(_about(wanted.clients))
    # An act on many cards is one line here, and a line of each card's own where the page is about the card.
    return rows.exclude(facts__has_key=audit.MANY) if wanted.clients is None else rows.filter(_about(wanted.clients))


def _part_of(whole: int) -> Q:
    """Return the condition of the lines that were written after that of the whole act, and before the next of the same row."""
    event = AuditEvent.objects.filter(pk=whole, subject_id__isnull=False).first()
    if event is None:
        return Q(pk__in=[])
    same = AuditEvent.objects.filter(subject_type=event.subject_type, subject_id=event.subject_id, pk__gt=whole)
    following = same.order_by("pk").values_list("pk", flat=True).first()
    parts = Q(**{f"facts__{audit.MANY}": audit.key_of(event.subject_type, event.subject_id)}, pk__gt=whole)
    return parts & Q(pk__lt=following) if following else parts


def _midnight(on: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(on, dt.time()))


def _older(rows: "models.QuerySet[AuditEvent]", before: int | None) -> "models.QuerySet[AuditEvent]":
    """Return the rows that come after the event `before` on the page; without it, or when it has gone, all."""
    at = AuditEvent.objects.filter(pk=before).values_list("at", flat=True).first() if before else None
    return rows if at is None else rows.filter(Q(at__lt=at) | Q(at=at, pk__lt=before), at__lte=at)


def _about(clients: Sequence[int]) -> Q:
    """Return the condition that an act was done to one of these clients, or to a row of theirs (see each `Privacy`)."""
    found = Q(pk__in=[])
    for table in _names:
        model = apps.get_model(table)
        path = model.Privacy.subject if hasattr(model, "Privacy") else None
        if path is not None:
            rows = model._default_manager.filter(**{"pk__in" if path == "self" else f"{path}__in": clients})
            # Their ids first: with a query inside, the whole trail would be walked to find the few.
            ids = clients if path == "self" else list(rows.values_list("pk", flat=True))
            found |= Q(subject_type=table, subject_id__in=ids)
    return found


def _names_for(user: User, events: Iterable[AuditEvent], now: dt.datetime) -> Mapping[str, Mapping[int, Named]]:
    """Return what the rows that these events are about are called: one question a table."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if event.subject_id is not None:
            wanted[event.subject_type].add(event.subject_id)
        told = _tellings.get(event.action)
        for fact, table in ((told.refs or {}) if told else {}).items():
            if isinstance(event.facts.get(fact), int):
                wanted[table].add(event.facts[fact])
    return {table: _names[table](user, ids, now) for table, ids in wanted.items() if table in _names}


class _Unknown(int):
    """A fact that an old event has not got: many where it is counted, a dash where it is read."""

    def __str__(self) -> str:
        return "–"


class _Parts(dict[str, Any]):
    """What fills a sentence."""

    def __missing__(self, key: str) -> _Unknown:
        return _Unknown(2)


def _many(event: AuditEvent) -> Named | None:
    """Return the cards of an act on many as what its line is about, where the trail has a line of each of them."""
    count = event.facts.get("clients_count")
    if event.subject_type not in _sums or not count:
        return None
    words = ngettext("%(count)s card", "%(count)s cards", count) % {"count": formats.number_format(count, force_grouping=True)}
    return Named(words, f"{reverse('core:activity')}?of={event.pk}")


def _line(event: AuditEvent, names: Mapping[str, Mapping[int, Named]]) -> Line:
    told = _tellings.get(event.action) or Telling(Kind.SETTINGS, "activity", f"%(who)s: {event.action}")
    parts = _Parts({**event.facts, **told.parts(event.facts), "who": WHO})
    for fact, table in (told.refs or {}).items():
        named = names.get(table, {}).get(event.facts.get(fact) or 0)
        parts[fact] = named.label if named else _("(no longer there)")
    words = told.words(event.facts) if callable(told.words) else told.words
    before, _sign, after = str(words % parts).partition(WHO)
    who = event.by.name if event.by else str(told.nobody(event.facts))
    is_own = event.subject_type == User._meta.label_lower and event.subject_id == event.by_id
    about = None if is_own else names.get(event.subject_type, {}).get(event.subject_id or 0) or _many(event)
    return Line(event.pk, event.at, told.icon, before, who, after, about)
