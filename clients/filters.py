"""What the list of clients can be narrowed by. Each filter stands in the address of the list, as a chip, and here once.

The rooms above, which nobody here may look up, register theirs when they start. A filter by habit looks at what somebody
did: it never finds a client without a Yes to profiling, and the page says how many that leaves out.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q
from django.http import QueryDict
from django.utils.dates import MONTHS
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import pgettext_lazy

from clients import fold, standings
from clients.models import Client, Standing, Tag
from salon.core.web import whole

# Name and value of each filter that is on, in the order of `every`.
Chosen = tuple[tuple[str, str], ...]
Choices = Sequence[tuple[str, str | Promise]]


@dataclass(frozen=True)
class Filter:
    """One question. `name` is its key in the address; `offers` gives the values to pick from, with their words.

    `read` returns a value as it stands in the address, or nothing for nonsense; `words` what a chip says of it; `finds`
    the condition at `now`. `takes_day`: a day can be given instead of a value.
    """

    name: str
    label: str | Promise
    offers: Callable[[], Choices]
    read: Callable[[str], str]
    words: Callable[[str], str | Promise]
    finds: Callable[[str, dt.datetime], Q]
    is_habit: bool = False
    takes_day: bool = False


_above: list[Filter] = []


def register(found: Filter) -> None:
    """Let a room above offer a filter. Called once for each, when the app starts."""
    if found.name not in {known.name for known in _above}:
        _above.append(found)


def every() -> list[Filter]:
    """Return all filters there are: those of the rooms above, then those of the card."""
    return [*_above, *_OWN]


def read(given: Mapping[str, Any]) -> Chosen:
    """Return the filters of an address that are known and make sense. Of several values of one the last counts."""
    found = []
    for one in every():
        values = given.getlist(one.name) if isinstance(given, QueryDict) else [given.get(one.name, "")]
        known = [value for text in values[:5] if (value := one.read(str(text).strip()[:40]))]
        if known:
            found.append((one.name, known[-1]))
    return tuple(found)


def query(chosen: Chosen) -> str:
    """Return the filters as they stand in an address."""
    return urlencode(chosen)


def condition(chosen: Chosen, *, now: dt.datetime) -> Q:
    """Return the condition of all of them together."""
    found = matching(chosen, now=now, is_habit=False)
    return found & matching(chosen, now=now, is_habit=True) & Q(standings.profiled()) if by_habit(chosen) else found


def matching(chosen: Chosen, *, now: dt.datetime, is_habit: bool) -> Q:
    """Return the condition of the filters by habit, or of the others; who said what to profiling is not looked at."""
    found = Q()
    for one, value in _pairs(chosen):
        if one.is_habit is is_habit:
            found &= one.finds(value, now)
    return found


def by_habit(chosen: Chosen) -> bool:
    """Return whether one of them looks at what somebody did."""
    return any(one.is_habit for one, _value in _pairs(chosen))


def words(chosen: Chosen) -> list[tuple[str, str]]:
    """Return name and sentence of each: ("tag", "Tag: regular")."""
    # Translators: a filter of the list, and what it is set to
    return [(one.name, str(_SENTENCE) % {"filter": one.label, "value": one.words(value)}) for one, value in _pairs(chosen)]


def _pairs(chosen: Chosen) -> Iterable[tuple[Filter, str]]:
    known = {one.name: one for one in every()}
    return [(known[name], value) for name, value in chosen if name in known]


_GRANTED = Standing.State.GRANTED
_SENTENCE = lazy("%(filter)s: %(value)s")


def picked(name: str, label: str | Promise, choices: Choices, finds: Callable[[str], Q], **more: Any) -> Filter:
    """Return a filter with a fixed set of values."""
    known = dict(choices)
    return Filter(
        name, label, lambda: choices, lambda text: text if text in known else "", lambda value: known[value],
        lambda value, _now: finds(value), **more,
    )  # fmt: skip


def row(name: str, label: str | Promise, rows: Callable[[], Any], finds: Callable[[int], Q], **more: Any) -> Filter:
    """Return a filter by a row of a table that has a name; `rows` gives them all."""

    def words(value: str) -> str:
        return str(rows().filter(pk=value).values_list("name", flat=True).first() or "–")

    return Filter(
        name, label, lambda: [(str(pk), text) for pk, text in rows().values_list("pk", "name")],
        lambda text: text if whole(text) else "", words, lambda value, _now: finds(int(value)), **more,
    )  # fmt: skip


def _said(channel: str) -> Callable[[str], Q]:
    """Return the condition of what the list's badge says about a channel: the same answer to every kind of marketing."""

    def states(*names: str) -> Any:
        return Standing.objects.filter(purpose__in=fold.MARKETING, channel=channel, state__in=names)

    def finds(answer: str) -> Q:
        if answer == "ask":
            some = states(fold.State.GRANTED, fold.State.WITHDRAWN, fold.State.PENDING)
            return ~Q(Exists(some.filter(client=OuterRef("pk"))))
        state = fold.State.GRANTED if answer == "yes" else fold.State.WITHDRAWN
        alike = states(state).values("client").annotate(kinds_count=Count("pk")).filter(kinds_count=len(fold.MARKETING))
        return Q(pk__in=alike.values("client"))

    return finds


_TAGS = Client.tags.through


def _tags_in_use() -> Any:
    return Tag.objects.filter(Exists(_TAGS.objects.filter(tag=OuterRef("pk"))))


_ANSWERS: Choices = (("yes", lazy("Yes")), ("no", lazy("No")), ("ask", lazy("Not asked")))
_OWN = (
    row("tag", lazy("Tag"), _tags_in_use, lambda pk: Q(Exists(_TAGS.objects.filter(tag=pk, client=OuterRef("pk"))))),
    picked("born", lazy("Birthday month"), [(str(month), MONTHS[month]) for month in MONTHS], lambda value: Q(birth_month=value)),
    picked("mail", lazy("Marketing by e-mail"), _ANSWERS, _said("email")),
    picked("sms", lazy("Marketing by SMS"), _ANSWERS, _said("sms")),
    picked(
        "missing", pgettext_lazy("filter: what a card has not got", "Missing"),
        (("phone", lazy("Phone")), ("email", lazy("E-mail"))),
        lambda value: Q(phone="") if value == "phone" else Q(email=""),
    ),
    picked(
        "listed", lazy("On the blacklist"), (("yes", lazy("Yes")), ("no", lazy("No"))),
        lambda value: Q(blacklisted_at__isnull=value == "no"),
    ),
    picked("lang", lazy("Language"), list(settings.LANGUAGES), lambda value: Q(language=value)),
)  # fmt: skip
