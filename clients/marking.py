"""Which part of a name, a number or an e-mail a search has found, as marks on the page. Pure but for the escaping.

It looks in what is shown, so nothing is marked that the reader does not see anyhow.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from clients import search

_INSIDE = re.compile("['\u2018\u2019\u02bc`´\\-\u2010-\u2015]")
Span = tuple[int, int]


class Marker:
    """Marks what one search text finds. An empty text marks nothing."""

    def __init__(self, text: str) -> None:
        self._terms = search.terms(text)

    def __bool__(self) -> bool:
        return bool(self._terms)

    def words(self, text: str) -> SafeString:
        """Return a name or an e-mail, escaped, with each found part in <mark>."""
        return _with_marks(text, [span for term in self._terms for span in _in_words(text, term)])

    def number(self, shown: str, e164: str) -> SafeString:
        """Return a phone number as it is shown, with the digits that were found, also as people abroad dial them."""
        return _with_marks(shown, [span for term in self._terms for span in _in_number(shown, e164, term)])

    def needs(self, email: str, *, name: str, shown: str, e164: str) -> bool:
        """Return whether only the e-mail says why somebody was found: a word is in it, and in neither name nor number."""
        others = [term for term in self._terms if not _in_words(name, term) and not _in_number(shown, e164, term)]
        return any(_in_words(email, term) for term in others)


def _in_words(text: str, spellings: Sequence[str]) -> list[Span]:
    """Return where one of the spellings of a word is, however it is written there."""
    for fold in (search.fold, search.fold_german):
        for drops in (None, _INSIDE):
            folded, places = _folded(text, fold, drops)
            if found := [span for spelling in spellings for span in _all_of(spelling, folded, places)]:
                return found
    return []


def _in_number(shown: str, e164: str, spellings: Sequence[str]) -> list[Span]:
    places = [index for index, char in enumerate(shown) if char.isdigit()]
    digits, abroad = "".join(shown[index] for index in places), e164.removeprefix("+")
    found: list[Span] = []
    for spelling in (one for one in spellings if one.isdigit()):
        spans = list(_all_of(spelling, digits, [*places, len(shown)]))
        if not spans and (at := abroad.find(spelling)) >= 0:
            # Both ways of dialling end alike: what only the one from abroad begins with is not there to mark.
            alike = _alike_at_the_end(digits, abroad)
            start, end = max(at, len(abroad) - alike), at + len(spelling)
            offset = len(digits) - len(abroad)
            spans = [(places[start + offset], places[end - 1 + offset] + 1)] if end > start else []
        found += spans
    return found


def _alike_at_the_end(one: str, other: str) -> int:
    sizes = range(min(len(one), len(other)), 0, -1)
    return next((size for size in sizes if one[-size:] == other[-size:]), 0)


def _folded(text: str, fold: Callable[[str], str], drops: re.Pattern[str] | None) -> tuple[str, list[int]]:
    """Return `text` folded, and for each of its characters (and for its end) the place in `text`."""
    folded, places = "", []
    for index, char in enumerate(text):
        part = "" if drops and drops.match(char) else fold(char)
        folded += part
        places += [index] * len(part)
    return folded, [*places, len(text)]


def _all_of(word: str, folded: str, places: Sequence[int]) -> Iterable[Span]:
    """Yield where `word` is. A letter that is two when folded is marked whole, with the accents that follow it."""
    start = folded.find(word) if word else -1
    while start >= 0:
        last = places[start + len(word) - 1]
        yield places[start], next((place for place in places[start + len(word) :] if place > last), places[-1])
        start = folded.find(word, start + len(word))


def _with_marks(text: str, spans: Iterable[Span]) -> SafeString:
    found, at = SafeString(""), 0
    for start, end in sorted(spans):
        if end <= at:
            continue
        # Escaped piece by piece, so that a name with a tag in it stays a name.
        found += conditional_escape(text[at : max(start, at)]) + format_html(
            "<mark>{}</mark>", text[max(start, at) : end].rstrip()
        )
        at = max(start, at) + len(text[max(start, at) : end].rstrip())
    return mark_safe(found + conditional_escape(text[at:]))  # noqa: S308 (every piece is escaped above)
