"""One cell -> one value of a card, or a Fault that says what is wrong. Never guesses: an ambiguous date is left out."""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from babel import Locale
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

from clients.importing.names import words
from salon.core.countries import codes

MULTIPLE = " ::: "


class Fault(Exception):
    """A value that cannot be read. `message` is the reason, in a sentence for the person who imports."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Birth:
    """What is known of a day of birth: day and month together or neither, the year alone or not."""

    day: int | None = None
    month: int | None = None
    year: int | None = None


# The order of day and month where both are written as numbers with slashes or dashes.
DAY_FIRST, MONTH_FIRST, UNDECIDED = "day first", "month first", "undecided"

_MARKED = frozenset("=+-@0123456789")
_INVISIBLE = {"Cc", "Cf", "Co", "Cs"}
# Between two letters these two are spelling (Persian, Hindi) or hold a family of emoji together; a flag is spelled in tags.
_JOINER = re.compile("(?<=\\S)[\u200c\u200d](?=\\S)|(?<=\U0001f3f4)[\U000e0020-\U000e007f]+")
_PARTICLES = words("van von der den de du des la le les da di del della dos zu zur zum vom ten ter el al ben bin mc mac")
_SIMPLE_BOX = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*").fullmatch
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan january janvier janv januar janner", "feb february fevrier fevr februar", "mar march mars marz mrz maerz",
            "apr april avril avr", "may mai", "jun june juin juni", "jul july juillet juil juli", "aug august aout",
            "sep sept september septembre", "oct october octobre okt oktober", "nov november novembre",
            "dec december decembre dez dezember",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_YES = words(
    "yes y oui o ja j true vrai wahr 1 x on ok subscribed opted in optin opt-in abonne abonnee inscrit inscrite angemeldet "
    "accepte accepted granted agreed erteilt zugestimmt einverstanden ✓ ✔ ☑"
)
_NO = words(
    "no n non nein false faux falsch 0 off unsubscribed optout opt-out opted-out desinscrit desinscrite desabonne "
    "desabonnee abgemeldet abbestellt widerrufen refuse refusee refused denied declined abgelehnt stop never jamais nie ✗ "
    "✘"
)


def clean(text: str) -> str:
    """Return one line of text: NFC, without control and direction characters, inner space collapsed, ends trimmed.

    A leading apostrophe, by which spreadsheets mark text, goes too.
    """
    if not text:
        return ""
    # Most cells hold nothing to take out: what is printable has no sign of the invisible kinds.
    if text.isprintable():
        line = " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split())
        return _without_apostrophe(line) if line[:1] == "'" else line
    return " ".join(clean_lines(text).split())


def clean_lines(text: str) -> str:
    """Return text of several lines, cleaned like `clean` but with its line breaks."""
    if text.isprintable():
        return _without_apostrophe(unicodedata.normalize("NFC", text).strip())
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = {place for found in _JOINER.finditer(text) for place in range(*found.span())}
    shown = (
        char for place, char in enumerate(text) if char in "\n\t" or unicodedata.category(char) not in _INVISIBLE or place in kept
    )
    return _without_apostrophe("".join(shown).strip())


def _without_apostrophe(text: str) -> str:
    return text[1:].strip() if text[:1] == "'" and text[1:2] in _MARKED else text


def plain(text: str) -> str:
    """Return text in lower case without accents: by which words of a cell are compared."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in folded if not unicodedata.combining(char))


def several(text: str) -> list[str]:
    """Return the values of a cell that holds more than one, as Google writes them: "a ::: b"."""
    if not text:
        return []
    return [part for part in (clean(piece) for piece in text.split(MULTIPLE.strip())) if part]


def email(text: str) -> str:
    """Return a well-formed e-mail address in lower case. Raises Fault; never asks the network."""
    address = clean(text).removeprefix("mailto:").strip("<>")
    box, _at, domain = address.lower().partition("@")
    if _SIMPLE_BOX(box) and len(box) <= 64 and len(address) <= 254 and _is_domain(domain):
        return f"{box}@{domain}"
    try:
        return validate_email(address, check_deliverability=False, allow_smtputf8=False).normalized.lower()
    except EmailNotValidError as error:
        raise Fault(_("This is no e-mail address.")) from error


@lru_cache(maxsize=4096)
def _is_domain(domain: str) -> bool:
    """Return whether a domain is well formed and its own normal form. A list has thousands of addresses at a few domains."""
    try:
        return validate_email(f"a@{domain}", check_deliverability=False, allow_smtputf8=False).normalized == f"a@{domain}"
    except EmailNotValidError:
        return False


def split_name(text: str) -> tuple[str, str]:
    """Return (first name, last name) of a whole name.

    "Martin, Léa" and "MARTIN Léa" name the last name themselves. Else a particle begins it ("Ludwig van Beethoven"),
    else the last word is it ("Anna Maria Berg"); a single word is a last name.
    """
    name = clean(text)
    if name.count(",") == 1:
        last, first = (part.strip() for part in name.split(","))
        return (first, last)
    parts = name.split()
    capitals = 0
    while capitals < len(parts) and len(parts[capitals]) > 1 and parts[capitals].isupper():
        capitals += 1
    if 0 < capitals < len(parts):
        return (" ".join(parts[capitals:]), " ".join(parts[:capitals]))
    for index, word in enumerate(parts[1:-1], start=1):
        if plain(word) in _PARTICLES:
            return (" ".join(parts[:index]), " ".join(parts[index:]))
    return (" ".join(parts[:-1]), " ".join(parts[-1:]))


def yes_or_no(text: str) -> bool | None:
    """Return what a cell about consent says, None when it is empty. Raises Fault for a word that is neither."""
    word = plain(clean(text))
    if not word:
        return None
    if word in _YES or word.replace(" ", "-") in _YES:
        return True
    if word in _NO or word.replace(" ", "-") in _NO:
        return False
    raise Fault(_("Neither a yes nor a no: nothing is recorded."))


def day_order(cells: Iterable[str], language: str) -> str:
    """Return the order of day and month in a column, from the dates in it that can only be read one way.

    Without such a date a French or German column name decides; an English one does not, as both orders are in use.
    """
    can_only_be = set()
    for cell in cells:
        match = _NUMBERS.fullmatch(clean(cell))
        if match and match["sep"] != "." and len(match["a"]) < 4:
            first, second = int(match["a"]), int(match["b"])
            can_only_be |= {DAY_FIRST} if first > 12 >= second else {MONTH_FIRST} if second > 12 >= first else set()
    if len(can_only_be) == 1:
        return can_only_be.pop()
    return DAY_FIRST if not can_only_be and language in {"fr", "de"} else UNDECIDED


_NUMBERS = re.compile(r"(?P<a>\d{1,2})(?P<sep>[./-])(?P<b>\d{1,2})(?:(?P=sep)(?P<y>\d{4}|\d{2})?)?")
_ISO = re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})")
_NO_YEAR = re.compile(r"--(?P<m>\d{2})-?(?P<d>\d{2})")
_COMPACT = re.compile(r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})")
_DAY_MONTH = re.compile(r"(?P<d>\d{1,2})(?:\.|er|st|nd|rd|th)?[ -](?P<name>[^\W\d_]+)\.?(?:,? ?-?(?P<y>\d{4}|\d{2}))?")
_MONTH_DAY = re.compile(r"(?P<name>[^\W\d_]+)\.? (?P<d>\d{1,2})(?:st|nd|rd|th)?(?:,? (?P<y>\d{4}))?")


def birthday(text: str, order: str, today: dt.date) -> Birth:
    """Return the day of birth in a cell. `order` is what `day_order` found for the column.

    Raises Fault for a date that is none, lies ahead, or could be read two ways.
    """
    return _birthday(clean(text), order, today)


# Many are born on one day: a long list has each day several times.
@lru_cache(maxsize=16384)
def _birthday(date: str, order: str, today: dt.date) -> Birth:
    if len(date) > 10:
        date = re.sub(r"[T ]00:00(?::00)?(?:\.0+)?Z?$", "", date)
    if re.fullmatch(r"\d{4}", date):
        return _checked(None, None, int(date), today)
    for pattern in (_ISO, _NO_YEAR, _COMPACT):
        if match := pattern.fullmatch(date):
            year = match.groupdict().get("y")
            return _checked(int(match["d"]), int(match["m"]), int(year) if year else None, today)
    if match := _NUMBERS.fullmatch(date):
        day, month = _ordered(int(match["a"]), int(match["b"]), DAY_FIRST if match["sep"] == "." else order)
        return _checked(day, month, _year(match["y"], today), today)
    if match := _DAY_MONTH.fullmatch(plain(date)) or _MONTH_DAY.fullmatch(plain(date)):
        found = _MONTHS.get(match["name"])
        if found:
            return _checked(int(match["d"]), found, _year(match["y"], today), today)
    raise Fault(_("This is no date that can be read. The date of birth is left out."))


def _ordered(first: int, second: int, order: str) -> tuple[int, int]:
    if first == second or order == DAY_FIRST or first > 12:
        return (first, second)
    if order == MONTH_FIRST or second > 12:
        return (second, first)
    raise Fault(_("Day and month cannot be told apart. The date of birth is left out."))


def _year(text: str | None, today: dt.date) -> int | None:
    """Return the year; of two digits only where one century is possible: "90" is 1990, "15" may be 1915 or 2015."""
    if not text:
        return None
    if len(text) == 4:
        return int(text)
    return 1900 + int(text) if int(text) > today.year % 100 else None


def _checked(day: int | None, month: int | None, year: int | None, today: dt.date) -> Birth:
    fault = Fault(_("This is no date that can be read. The date of birth is left out."))
    if year is not None and not 1900 <= year <= today.year:
        raise fault
    if day is not None and month is not None:
        try:
            date = dt.date(year or 2000, month, day)
        except ValueError as error:
            raise fault from error
        if year and date > today:
            raise fault
    return Birth(day, month, year)


@cache
def _countries() -> dict[str, str]:
    """Return country names in our three languages -> two letters."""
    found = {}
    for language in ("en", "fr", "de"):
        for code, name in Locale(language).territories.items():
            if code in codes():
                found[plain(name)] = code
    return {**found, "uk": "GB", "usa": "US", "england": "GB"}


# As in a list the same ones come over and over.
@lru_cache(maxsize=256)
def country(text: str) -> str:
    """Return two letters for a country's code, or its name in English, French or German. Raises Fault."""
    name = clean(text)
    code = name.upper() if name.upper() in codes() else _countries().get(plain(name))
    if code is None:
        raise Fault(_("This country is not known and is left out."))
    return code


_LANGUAGES = {
    name: code
    for code, names in (
        ("en", "en english anglais englisch"),
        ("fr", "fr french francais franzosisch"),
        ("de", "de german allemand deutsch"),
    )
    for name in names.split()
}


def language(text: str) -> str | None:
    """Return "en", "fr" or "de" for a language's code or name, None for any other."""
    word = plain(clean(text))
    return _LANGUAGES.get(word) or _LANGUAGES.get(word[:2] if word[2:3] in {"-", "_"} else "")
