"""Finding a client by name, phone digits or e-mail: how text is folded for `search_text`, and the query that reads it.

Who may find whom is decided in `clients.access`; nothing here knows a user.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import BooleanField, ExpressionWrapper, Q, Value
from django.db.models.base import ModelState
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan, LessThan

from clients.models import Client, ClientQuerySet
from salon.core import phone as phones

# Fifty pages. Nobody leafs through more; whoever finds as many types another word.
COUNT_UP_TO = 2_500
# So far a page of a broad term is looked for in the order of the list, before all that match are sorted.
WALK_MOST = 5_000
# What a line of a list shows. The rest of a card comes when somebody asks for it.
_SHOWN = ("id", "first_name", "last_name", "email", "phone", "inactive_at", "blacklisted_at", "restricted_at", "inactive_reason")
_COLUMNS = ", ".join(f"clients_client.{name}" for name in _SHOWN)
# Fewer letters than these say nothing to the index of the search on PostgreSQL.
INDEXED_FROM = 3
# No real card comes near. A row of an index has to fit in a third of a page on PostgreSQL.
MOST_BYTES = 1_700
# Stands in search_text between the names and what a name search must not look in.
NAMES_END = "|"
# What nobody sees and nobody types: joiners, marks of direction, soft hyphens, fillers.
_UNSEEN = dict.fromkeys(
    [0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070),
     0x2800, 0x3164, 0xFEFF, 0xFFA0, *range(0xFE00, 0xFE10), *range(0xE0000, 0xE0200)], ""
)  # fmt: skip
_BLANK = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp", "Zs"})
# Letters that Unicode does not take apart.
_PLAIN = str.maketrans({**_UNSEEN, "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_SEPARATORS = re.compile(r"[\s|\-\u2010-\u2015'\u2018\u2019\u02bc`´,;:()\"]+")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`´]")
_PHONE_RUN = re.compile(r"(?<![^\s(])\+?[(\d][\d\s().\-/\u00a0\u202f]*(?![^\s])")


def fold(text: str) -> str:
    """Return `text` in lower case without accents: "Müller" and "MULLER" are one, and "Groß" is "gross"."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(char for char in plain if not unicodedata.combining(char)).translate(_PLAIN)


def is_seen(text: str) -> bool:
    """Return whether a person sees anything of `text`: a name of blanks, joiners and private signs would be no name."""
    return any(unicodedata.category(char) not in _BLANK and char not in "\ufffe\uffff" for char in fold(text))


def fold_german(text: str) -> str:
    """Return `text` folded as Germans spell without dots: "Müller" is "mueller"."""
    return fold(text if text.isascii() else unicodedata.normalize("NFC", text.casefold()).translate(_GERMAN))


def text_of(*, first_name: str, last_name: str, phone: str, email: str, further: Iterable[str] = ()) -> str:
    """Return what the search box looks in: the names folded in both ways, the number's digits as dialled, the e-mail.

    `further`: more numbers (E.164) and e-mails of the same person.
    """
    words: list[str] = []
    for name in (first_name, last_name):
        for form in dict.fromkeys((fold(name), fold_german(name))):
            parts = _words(form)
            words += [*parts, "".join(parts)] if len(parts) > 1 and " " not in form.strip() else parts
    more = [part for address in further for part in ([fold(address)] if "@" in address else _digits_of(address))]
    text = " ".join([*dict.fromkeys(words), NAMES_END, *_digits_of(phone), fold(email), *more]).strip()
    return text.encode()[:MOST_BYTES].decode(errors="ignore")


def sort_name_of(*, first_name: str, last_name: str, phone: str) -> str:
    """Return the key of the list's order: folded last name, then first; somebody without a name comes by number."""
    names = [_APOSTROPHES.sub("", fold(name)).replace("-", " ") for name in (last_name, first_name)]
    return (" ".join(name for name in names if name) or phone)[:220]


def find(text: str, rows: ClientQuerySet | None = None) -> ClientQuerySet:
    """Return the clients among `rows` (default: all) that have every word, number and part of an e-mail in `text`.

    The order of the words, accents, case and the spacing of numbers make no difference. An empty text finds all.
    """
    return (Client.objects.all() if rows is None else rows).filter(matches(text))


def matches(text: str) -> Q:
    """Return the condition of `find`."""
    return _all_of(terms(text), _holds)


def matches_name(text: str) -> Q:
    """Return the condition that every word of `text` is part of the name: number and e-mail are not looked at."""
    end = StrIndex("search_text", Value(NAMES_END))

    def is_in_the_name(spelling: str) -> Q:
        first = StrIndex("search_text", Value(spelling))
        return Q(search_text__contains=spelling) & Q(LessThan(first, end))

    return _all_of(terms(text), is_in_the_name)


def _holds(spelling: str) -> Q:
    """Return the condition that a card has `spelling`. Of an address, the index is asked for what stands before the @.

    Half the book has the same few domains, and to read all those entries takes ten times as long as to find the person.
    """
    name, at, _domain = spelling.partition("@")
    if not at or len(name) < INDEXED_FROM:
        return Q(search_text__contains=spelling)
    return Q(search_text__contains=name + at) & Q(GreaterThan(StrIndex("search_text", Value(spelling)), 0))


def _all_of(wanted: list[tuple[str, ...]], condition: Callable[[str], Q]) -> Q:
    every = Q()
    for spellings in wanted:
        any_of = Q()
        for spelling in spellings:
            any_of |= condition(spelling)
        every &= any_of
    return every


def terms(text: str) -> list[tuple[str, ...]]:
    """Return what must all be found in a card, each with its spellings: words folded, phone numbers as bare digits."""
    found: list[tuple[str, ...]] = []

    def take_number(match: re.Match[str]) -> str:
        digits = re.sub(r"\D", "", match[0].replace("(0)", ""))
        if len(digits) < 2:
            return match[0]
        found.append((digits.removeprefix("00"),) if digits.startswith("00") and len(digits) > 3 else (digits,))
        return " "

    rest = _PHONE_RUN.sub(take_number, text[:200])
    for word in rest.split():
        if "@" in word:
            found.append((fold(word),))
            continue
        plain, german = _words(fold(word)), _words(fold_german(word))
        found += [tuple(dict.fromkeys(pair)) for pair in zip(plain, german, strict=False)]
    return list(dict.fromkeys(found))


def is_by_contact(text: str) -> bool:
    """Return whether `text` asks for a phone number or an e-mail address rather than only for a name."""
    return "@" in text or any(char.isdigit() for char in text)


@dataclass(frozen=True)
class Found:
    """One page of clients in order. `count` is exact up to the cap; beyond it `is_capped` is true."""

    rows: list[Client]
    count: int
    is_capped: bool
    page: int
    page_count: int


def page(
    rows: ClientQuerySet,
    matching: Q | None = None,
    *,
    order: tuple[str, ...] = ("sort_name", "pk"),
    number: int = 1,
    per_page: int = 50,
    count: int | None = None,
    count_up_to: int | None = None,
) -> Found:
    """Return page `number` (from 1, brought into range) of the `rows` that are `matching`, in `order`, and how many.

    `rows` is what the index of the order is made for, `matching` what only some of them are. `count`: how many there
    are, where it is known because nothing was searched; then the order is walked. Else the matches are counted up to
    `count_up_to` (default COUNT_UP_TO). Few are sorted and cut in the same statement, so that a rare name never walks
    the whole index. Many soon have a page full on a walk of WALK_MOST; where they stand too far back, all are sorted.
    """
    most = count_up_to or COUNT_UP_TO
    every = rows.filter(matching) if matching else rows
    if count is not None:
        number, page_count = _in_range(number, count, per_page)
        return Found(_step_to(every, order, _span(number, per_page), count), count, False, number, page_count)
    found, clients = _probe(every, order, number, per_page, most=most)
    total = min(found, most)
    asked = number
    number, page_count = _in_range(number, total, per_page)
    if found > most:
        clients = _walk(rows, matching, order, number, per_page) or _probe(every, order, number, per_page)[1]
    elif number != asked:
        clients = _probe(every, order, number, per_page)[1]
    return Found(clients, total, found > most, number, page_count)


def _in_range(number: int, count: int, per_page: int) -> tuple[int, int]:
    page_count = max(1, -(-count // per_page))
    return min(max(1, number), page_count), page_count


def _span(number: int, per_page: int) -> slice:
    return slice((number - 1) * per_page, number * per_page)


def _step_to(rows: ClientQuerySet, order: tuple[str, ...], span: slice, count: int) -> list[Client]:
    """Return the `rows` of `span` in `order`, counted off in the index of the order, from the end that is nearer.

    Only keys are counted off, so that a page far in costs little more than the first: the cards are read for the page alone.
    """
    keys, back = rows.order_by(*order), max(0, count - span.stop)
    if back < span.start:
        span, keys = slice(back, count - span.start), keys.reverse()
    cards = Client.objects.filter(pk__in=keys.values("pk")[span]).values_list(*_SHOWN)
    return [_line(values) for values in cards.order_by(*order)]


def _probe(
    rows: models.QuerySet[Client], order: tuple[str, ...], number: int, per_page: int, *, most: int | None = None
) -> tuple[int, list[Client]]:
    """Return how many `rows` there are, counted to one more than `most`, and page `number` of them if not too many.

    One statement, and the matches never leave the database: reading their keys would take longer than finding them.
    MATERIALIZED, or the planner walks the order for a name that hardly anybody has. Too many are not sorted: the
    caller walks. Without `most` all are counted and sorted.
    """
    inner = rows.order_by().values_list(*_names(order))
    try:
        found, params = (inner if most is None else inner[: most + 1]).query.sql_with_params()
    except EmptyResultSet:  # nobody can match: a stylist without clients today asks for a phone number
        return 0, []
    enough = "" if most is None else f" WHERE (SELECT found_count FROM counted) <= {most}"  # noqa: S608 (a number)
    by = _by(order)
    first = _span(max(1, number), per_page).start
    lines = _read(
        f"WITH found({_keys(order)}) AS MATERIALIZED ({found}),"  # noqa: S608 (names are ours, values are parameters)
        " counted AS (SELECT count(*) AS found_count FROM found)"
        f" SELECT {_COLUMNS}, found_count FROM counted LEFT JOIN"
        f" (SELECT * FROM found{enough} ORDER BY {by} LIMIT {per_page} OFFSET {first}) AS page ON true"
        f" LEFT JOIN clients_client ON clients_client.id = {_key_of_id(order)} ORDER BY {by}",
        params,
    )
    return int(lines[0][-1]), [_line(values) for values in lines if values[0] is not None]


def _walk(rows: ClientQuerySet, matching: Q | None, order: tuple[str, ...], number: int, per_page: int) -> list[Client]:
    """Return page `number` of the matches among the first WALK_MOST of `rows`, or nothing where it is not full there."""
    hit = ExpressionWrapper(matching, BooleanField()) if matching else Value(True)
    walked = rows.order_by(*order).annotate(is_hit=hit).values_list(*_names(order), "is_hit")[:WALK_MOST]
    walk, params = walked.query.sql_with_params()
    by = _by(order)
    lines = _read(
        f"WITH walk({_keys(order)}, is_hit) AS ({walk})"  # noqa: S608 (names are ours, values are parameters)
        f" SELECT {_COLUMNS} FROM"
        f" (SELECT * FROM walk WHERE is_hit LIMIT {per_page} OFFSET {_span(number, per_page).start}) AS page"
        f" JOIN clients_client ON clients_client.id = {_key_of_id(order)} ORDER BY {by}",
        params,
    )
    return [_line(values) for values in lines] if len(lines) == per_page else []


def _read(sql: str, params: Sequence[Any]) -> list[Sequence[Any]]:
    """Return the rows of a statement that begin with _SHOWN, each value as its field reads it."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = cursor.fetchall()
    compiler = Client.objects.all().query.get_compiler(connection=connection)
    fields = {field.attname: field for field in Client._meta.concrete_fields}
    converters = compiler.get_converters([fields[name].get_col("clients_client") for name in _SHOWN])
    return list(compiler.apply_converters(rows, converters)) if converters else rows


def _line(values: Sequence[Any]) -> Client:
    """Return a card of which _SHOWN is read, as `only` would give it: without a look at each field that is not there."""
    client = Client.__new__(Client)
    vars(client).update(zip(_SHOWN, values, strict=False), _state=ModelState())
    client._state.db, client._state.adding = DEFAULT_DB_ALIAS, False
    return client


def _names(order: tuple[str, ...]) -> list[str]:
    return [name.removeprefix("-") for name in order]


def _keys(order: tuple[str, ...]) -> str:
    return ", ".join(f"k{index}" for index in range(len(order)))


def _key_of_id(order: tuple[str, ...]) -> str:
    return f"k{_names(order).index('pk')}"


def _by(order: tuple[str, ...]) -> str:
    return ", ".join(f"k{index}{' DESC' if name.startswith('-') else ''}" for index, name in enumerate(order))


def _words(folded: str) -> list[str]:
    return [word for word in _SEPARATORS.split(folded) if word]


def _digits_of(phone: str) -> list[str]:
    """Return the digits of an E.164 number as people at home dial them and as people abroad do."""
    return [phones.dialled(phone), phone.removeprefix("+")] if phone else []
