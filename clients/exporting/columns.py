"""What a file of clients may say of a person, and the three choices of columns.

Every field of a card stands here or among the ones left out, with the reason. Health notes never come here.
"""

import datetime as dt
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import pgettext, pgettext_lazy

from clients import answers
from clients.access import Contacts, Visits
from clients.answers import Answer
from clients.models import Client
from salon.core import countries, dates
from salon.core.workbook import Cell

# Fields of a card that no file holds, and why.
LEFT_OUT: Mapping[str, str] = {
    "id": "a number of the database, which means nothing outside it",
    "search_text": "made from name, phone and e-mail, which are there",
    "sort_name": "made from the name, which is there",
    "version": "counts changes, for two people who edit at once",
    "marketing_paused_until": "a rest from marketing, which a marketing file keeps by leaving them out",
    "restricted_at": "a restricted card is in no file",
    "erased_at": "an erased card is in no file",
    "inactive_reason": "the salon's own note about why, beside the day that is there",
    "merged_into": "a card that was taken in by another is in no file",
}


class Card(NamedTuple):
    """The fields of a card that a file shows, as they lie in the database: no model is built for each of a hundred thousand."""

    pk: int
    first_name: str
    last_name: str
    email: str
    phone: str
    language: str
    birth_day: int | None
    birth_month: int | None
    birth_year: int | None
    street: str
    postcode: str
    city: str
    country: str
    note: str
    preferred_channel: str
    came_through: str
    created_at: dt.datetime
    inactive_at: dt.datetime | None
    blacklisted_at: dt.datetime | None

    @property
    def name(self) -> str:
        """Return first and last name, or the phone number of somebody who gave no name."""
        return " ".join(part for part in (self.first_name, self.last_name) if part) or self.phone

    @property
    def e164(self) -> str:
        """Return the number as text, empty for none."""
        return self.phone


class Words:
    """The words that come again and again, looked up once for a file in the language that is active."""

    def __init__(self) -> None:
        self.yes, self.no = _("Yes"), _("No")
        self.answers = {answer: str(word) for answer, word in answers.WORDS.items()}
        self.languages = {code: str(label) for code, label in Client._meta.get_field("language").flatchoices}
        self.ways = {code: str(label) for code, label in Client._meta.get_field("preferred_channel").flatchoices}
        self.sources = {code: str(label) for code, label in Client._meta.get_field("came_through").flatchoices}
        self._countries: dict[str, str] = {"": ""}

    def country(self, code: str) -> str:
        """Return the name of a country."""
        if code not in self._countries:
            self._countries[code] = countries.name(code)
        return self._countries[code]


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of one client as the reader may see it. Moments are meant in `zone`."""

    card: Card
    contacts: Contacts
    said: Mapping[str, Answer]
    visits: Visits
    has_reminders: bool
    zone: zoneinfo.ZoneInfo
    words: Words
    # Where the file shows them: tags in one cell, further numbers and e-mails in another.
    tags: str = ""
    further: str = ""


@dataclass(frozen=True)
class Column:
    """One column. `fields` are the card's fields that it shows; `of` reads it from a person."""

    name: str
    title: str | Promise
    of: Callable[[Person], Cell]
    fields: tuple[str, ...] = ()
    width: int = 16


@dataclass(frozen=True)
class Preset:
    """A choice of columns. With a `channel` its people must have said Yes to marketing on it."""

    label: str | Promise
    hint: str | Promise
    columns: tuple[str, ...]
    channel: str = ""


def born(card: Card) -> Cell:
    """Return the day of birth: in words ("4 April") where the year is not known, as a number where only that is."""
    if not card.birth_day or not card.birth_month:
        return card.birth_year
    try:
        day = dt.date(card.birth_year or 2000, card.birth_month, card.birth_day)
    except ValueError:  # a day that no calendar has, from an old list
        return f"{card.birth_year or '-'}-{card.birth_month:02}-{card.birth_day:02}"
    # Translators: Django date format for a day and a month
    return day if card.birth_year else dates.show(day, pgettext("date format", "j F"))


def _field(name: str, title: str | Promise, width: int = 16) -> Column:
    return Column(name, title, lambda person: getattr(person.card, name), (name,), width)


def _day(name: str, title: str | Promise) -> Column:
    def day(person: Person) -> Cell:
        moment: dt.datetime | None = getattr(person.card, name)
        return moment.astimezone(person.zone).date() if moment else None

    return Column(name, title, day, (name,), 14)


def _next_at(person: Person) -> Cell:
    at = person.visits.next_at
    return at.astimezone(person.zone).replace(tzinfo=None) if at else None


def _answer(channel: str) -> Callable[[Person], Cell]:
    return lambda person: person.words.answers[person.said[channel]]


TAGS, FURTHER = "tags", "further"
_ALL = (
    _field("first_name", lazy("First name")),
    _field("last_name", lazy("Last name"), 20),
    Column("phone", lazy("Phone"), lambda person: person.contacts.phone, ("phone",), 20),
    Column("email", lazy("E-mail"), lambda person: person.contacts.email, ("email",), 32),
    Column(FURTHER, lazy("Further contacts"), lambda person: person.further, width=32),
    _field("street", lazy("Street"), 28),
    _field("postcode", lazy("Postcode"), 12),
    _field("city", lazy("Town"), 20),
    Column("country", lazy("Country"), lambda person: person.words.country(person.card.country), ("country",)),
    Column(
        "language",
        lazy("Language"),
        lambda person: person.words.languages.get(person.card.language, person.card.language),
        ("language",),
        12,
    ),
    Column("born", lazy("Date of birth"), lambda person: born(person.card), ("birth_day", "birth_month", "birth_year"), 14),
    _field("note", lazy("Client note"), 40),
    Column(TAGS, lazy("Tags"), lambda person: person.tags, width=24),
    Column(
        "preferred_channel",
        lazy("Likes to be reached by"),
        lambda person: person.words.ways.get(person.card.preferred_channel, ""),
        ("preferred_channel",),
    ),
    Column(
        "came_through",
        lazy("Found us through"),
        lambda person: person.words.sources.get(person.card.came_through, ""),
        ("came_through",),
        24,
    ),
    Column("marketing_email", lazy("Marketing by e-mail"), _answer("email"), width=22),
    Column("marketing_sms", lazy("Marketing by SMS"), _answer("sms"), width=22),
    # Translators: column of an Excel file; Yes or No below
    Column(
        "reminders",
        lazy("Reminders by e-mail"),
        lambda person: person.words.yes if person.has_reminders else person.words.no,
        width=20,
    ),
    _day("created_at", pgettext_lazy("column", "Client since")),
    Column("last_visit", lazy("Last visit"), lambda person: person.visits.last_on, width=14),
    Column("next_visit", lazy("Next appointment"), _next_at, width=18),
    Column("next_staff", pgettext_lazy("column", "Next appointment with"), lambda person: person.visits.next_staff, width=22),
    _day("inactive_at", pgettext_lazy("column", "Inactive since")),
    _day("blacklisted_at", pgettext_lazy("column", "On the blacklist since")),
)
COLUMNS: Mapping[str, Column] = {column.name: column for column in _ALL}

CONTACTS, MARKETING, EVERYTHING = "contacts", "marketing", "everything"
PRESETS: Mapping[str, Preset] = {
    CONTACTS: Preset(
        lazy("Contact list"),
        lazy("Name, phone, e-mail, address, language"),
        ("first_name", "last_name", "phone", "email", "street", "postcode", "city", "country", "language"),
    ),
    MARKETING: Preset(
        lazy("Marketing e-mail"),
        lazy("Name, e-mail, language. Only who said Yes to e-mail"),
        ("first_name", "last_name", "email", "language"),
        channel="email",
    ),
    EVERYTHING: Preset(
        lazy("Everything I may see"),
        lazy("The whole card with note, answers and visits; health notes never"),
        tuple(COLUMNS),
    ),
}


def of(preset: str) -> list[Column]:
    """Return the columns of a preset, in their order."""
    return [COLUMNS[name] for name in PRESETS[preset].columns]
