"""Finding a client by name, phone digits or e-mail: how text is folded for `search_text`, and the query that reads it.

Who may find whom is decided in `clients.access`; nothing here knows a user.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import phonenumbers
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import LessThan

from clients.models import Client, ClientQuerySet

COUNT_UP_TO = 10_000
# Stands in search_text between the names and what a name search must not look in.
NAMES_END = "|"
# Letters that Unicode does not take apart.
_PLAIN = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"})
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_SEPARATORS = re.compile(r"[\s|\-\u2010-\u2015'\u2018\u2019\u02bc`´,;:()\"]+")
_PHONE_RUN = re.compile(r"(?<![^\s(])\+?[(\d][\d\s().\-/\u00a0\u202f]*(?![^\s])")


def fold(text: str) -> str:
    """Return `text` in lower case without accents: "Müller" and "MULLER" are one, and "Groß" is "gross"."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_PLAIN))
    return "".join(char for char in plain if not unicodedata.combining(char)).translate(_PLAIN)


def fold_german(text: str) -> str:
    """Return `text` folded as Germans spell without dots: "Müller" is "mueller"."""
    return fold(unicodedata.normalize("NFC", text.casefold()).translate(_GERMAN))


def text_of(*, first_name: str, last_name: str, phone: str, email: str) -> str:
    """Return what the search box looks in: the names folded in both ways, the number's digits as dialled, the e-mail."""
    words: list[str] = []
    for name in (first_name, last_name):
        for form in (fold(name), fold_german(name)):
            parts = _words(form)
            words += [*parts, "".join(parts)] if len(parts) > 1 and " " not in form.strip() else parts
    return " ".join([*dict.fromkeys(words), NAMES_END, *_digits_of(phone), fold(email)]).strip()


def sort_name_of(*, first_name: str, last_name: str, phone: str) -> str:
    """Return the key of the list's order: folded last name, then first; somebody without a name comes by number."""
    return (" ".join(part for part in (fold(last_name), fold(first_name)) if part) or phone)[:220]


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

    Few matches: their ids are read once, sorted and cut, so that a rare name never walks the whole index. Many, or
    `count` known because nothing was searched: the index of the order is walked, which soon has a page full.
    """
    probed: list[tuple[object, ...]] = []
    if count is None:
        probed = list(rows.order_by().values_list(*[name.removeprefix("-") for name in order])[: COUNT_UP_TO + 1])
    is_capped = len(probed) > COUNT_UP_TO
    total = min(len(probed), COUNT_UP_TO) if count is None else count
    page_count = max(1, -(-total // per_page))
    number = min(max(1, number), page_count)
    first = (number - 1) * per_page
    if is_capped or count is not None:
        chosen = list(rows.order_by(*order)[first : first + per_page])
    else:
        probed.sort(reverse=order[0].startswith("-"))
        ids = [key[-1] for key in probed[first : first + per_page]]
        by_id = Client.objects.in_bulk(ids)
        chosen = [by_id[pk] for pk in ids if pk in by_id]
    return Found(chosen, total, is_capped, number, page_count)


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
