"""Finding a client by name, phone digits or e-mail: how text is folded for `search_text`, and the query that reads it.

Who may find whom is decided in `clients.access`; nothing here knows a user.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import phonenumbers
from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import LessThan

from clients.models import Client, ClientQuerySet

COUNT_UP_TO = 10_000
# No real card comes near. A row of an index has to fit in a third of a page on PostgreSQL.
MOST_BYTES = 1_700
# Stands in search_text between the names and what a name search must not look in.
NAMES_END = "|"
# Letters that Unicode does not take apart.
_PLAIN = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_SEPARATORS = re.compile(r"[\s|\-\u2010-\u2015'\u2018\u2019\u02bc`´,;:()\"]+")
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`´]")
_PHONE_RUN = re.compile(r"(?<![^\s(])\+?[(\d][\d\s().\-/\u00a0\u202f]*(?![^\s])")


def fold(text: str) -> str:
    """Return `text` in lower case without accents: "Müller" and "MULLER" are one, and "Groß" is "gross"."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(char for char in plain if not unicodedata.combining(char)).translate(_PLAIN)


def fold_german(text: str) -> str:
    """Return `text` folded as Germans spell without dots: "Müller" is "mueller"."""
    return fold(unicodedata.normalize("NFC", text.casefold()).translate(_GERMAN))


def text_of(*, first_name: str, last_name: str, phone: str, email: str, further: Iterable[str] = ()) -> str:
    """Return what the search box looks in: the names folded in both ways, the number's digits as dialled, the e-mail.

    `further`: more numbers (E.164) and e-mails of the same person.
    """
    words: list[str] = []
    for name in (first_name, last_name):
        for form in (fold(name), fold_german(name)):
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
    return _all_of(terms(text), lambda spelling: Q(search_text__contains=spelling))


def matches_name(text: str) -> Q:
    """Return the condition that every word of `text` is part of the name: number and e-mail are not looked at."""
    end = StrIndex("search_text", Value(NAMES_END))

    def is_in_the_name(spelling: str) -> Q:
        first = StrIndex("search_text", Value(spelling))
        return Q(search_text__contains=spelling) & Q(LessThan(first, end))

    return _all_of(terms(text), is_in_the_name)


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
    """One page of clients in order. `count` is exact up to 10,000; beyond it `is_capped` is true."""

    rows: list[Client]
    count: int
    is_capped: bool
    page: int
    page_count: int


def page(
    rows: models.QuerySet[Client],
    *,
    order: tuple[str, ...] = ("sort_name", "pk"),
    number: int = 1,
    per_page: int = 50,
    count: int | None = None,
) -> Found:
    """Return page `number` (from 1, brought into range) of `rows` in `order`, and how many there are.

    Few matches: they are found once, then counted, sorted and cut, so that a rare name never walks the whole index.
    Many, or `count` known because nothing was searched: the index of the order is walked, which soon has a page full.
    """
    if count is not None:
        number, page_count = _in_range(number, count, per_page)
        return Found(_cut(rows.order_by(*order), number, per_page), count, False, number, page_count)
    found, clients = _probe(rows, order, number, per_page)
    is_capped = found > COUNT_UP_TO
    total = min(found, COUNT_UP_TO)
    asked = number
    number, page_count = _in_range(number, total, per_page)
    if is_capped:
        return Found(_cut(rows.order_by(*order), number, per_page), total, True, number, page_count)
    if number != asked:
        found, clients = _probe(rows, order, number, per_page)
    return Found(clients, total, False, number, page_count)


def _in_range(number: int, count: int, per_page: int) -> tuple[int, int]:
    page_count = max(1, -(-count // per_page))
    return min(max(1, number), page_count), page_count


def _cut(rows: models.QuerySet[Client], number: int, per_page: int) -> list[Client]:
    return list(rows[(number - 1) * per_page : number * per_page])


def _probe(rows: models.QuerySet[Client], order: tuple[str, ...], number: int, per_page: int) -> tuple[int, list[Client]]:
    """Return how many `rows` there are, at most one more than COUNT_UP_TO, and page `number` of them if not too many.

    One statement, and the matches never leave the database: reading ten thousand keys would take longer than finding
    them. MATERIALIZED, or the planner walks the order for a name that hardly anybody has. Too many are not sorted: the
    caller walks.
    """
    names = [name.removeprefix("-") for name in order]
    inner = rows.order_by().values_list(*names)[: COUNT_UP_TO + 1]
    try:
        found, params = inner.query.sql_with_params()
    except EmptyResultSet:  # nobody can match: a stylist without clients today asks for a phone number
        return 0, []
    keys = ", ".join(f"k{index}" for index in range(len(names)))
    by = ", ".join(f"k{index}{' DESC' if name.startswith('-') else ''}" for index, name in enumerate(order))
    first = (max(1, number) - 1) * per_page
    lines = list(
        Client.objects.raw(
            f"WITH found({keys}) AS MATERIALIZED ({found}),"  # noqa: S608 (names are ours, values are parameters)
            " counted AS (SELECT count(*) AS found_count FROM found)"
            " SELECT clients_client.*, found_count FROM counted LEFT JOIN"
            f" (SELECT * FROM found WHERE (SELECT found_count FROM counted) <= {COUNT_UP_TO}"
            f" ORDER BY {by} LIMIT {per_page} OFFSET {first}) AS page ON true"
            f" LEFT JOIN clients_client ON clients_client.id = k{names.index('pk')} ORDER BY {by}",
            params,
        )
    )
    return int(vars(lines[0])["found_count"]), [client for client in lines if client.pk is not None]


def _words(folded: str) -> list[str]:
    return [word for word in _SEPARATORS.split(folded) if word]


def _digits_of(phone: str) -> list[str]:
    """Return the digits of an E.164 number as people at home dial them and as people abroad do."""
    if not phone:
        return []
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return [re.sub(r"\D", "", phone)]
    national = re.sub(r"\D", "", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
    return [national, phone.removeprefix("+")]
