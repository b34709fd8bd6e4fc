"""The record of processing (Art. 30 GDPR): what this program does with people's data, in words that the salon can change.

What nobody changed is told in the words of the house, so that it follows the program from version to version.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as lazy

from clients.models import Processing
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User

FIELDS = ("purpose", "basis", "people", "recipients", "transfers", "deadline", "measures")
Text = str | Promise

_HOST = lazy("Whoever runs the server on which Carnet is installed")
_MAIL = lazy("The salon's own mail server")
_TEAM = lazy("The team, each role as much as it needs")
_LOCKED = lazy("Sign-in with passwords, a second factor, roles, an activity log; backups encrypted by whoever makes them")
_CLIENTS = lazy("Clients: name, phone, e-mail, address, date of birth, language, notes of the salon")


@dataclass(frozen=True)
class Entry:
    """One entry as it is shown. `changed_at` is None where the words are the house's."""

    code: str
    title: Text
    values: Mapping[str, Text]
    changed_at: dt.datetime | None = None


def _entry(code: str, title: Text, *words: Text, to: Sequence[Text], deadline: Text) -> Entry:
    """Return an entry. `words` are what for, on which basis, whose data."""
    purpose, basis, people = words
    said = format_lazy("\n".join(["{}"] * len(to)), *to)
    values = {
        "purpose": purpose, "basis": basis, "people": people, "recipients": said,
        "transfers": lazy("None, as far as the server and the providers are in the EEA or the United Kingdom"),
        "deadline": deadline, "measures": _LOCKED,
    }  # fmt: skip
    return Entry(code, title, values)


_RETENTION = lazy("As set under Settings → Retention")
DEFAULTS: Sequence[Entry] = (
    _entry(
        "cards", lazy("Client book and appointments"), lazy("To plan and carry out appointments, and to know clients again"),
        lazy("Contract (Art. 6(1)(b)); legitimate interest for the notes (Art. 6(1)(f))"), _CLIENTS,
        to=[_TEAM, _HOST], deadline=_RETENTION,
    ),
    _entry(
        "service", lazy("Confirmations and reminders"), lazy("To tell clients of their own appointments"),
        lazy("Contract (Art. 6(1)(b)); each client can switch them off"),
        lazy("Clients with an appointment: name, e-mail or phone, time and service"),
        to=[_MAIL, _HOST], deadline=_RETENTION,
    ),
    _entry(
        "marketing", lazy("Marketing by e-mail and SMS"),
        lazy("Offers, birthday, welcome, time to come back, reviews, each by itself"),
        lazy("Consent (Art. 6(1)(a)), with its proof in the register of consents; taken back by one click"),
        lazy("Clients who said Yes: name, e-mail or phone, their answer"),
        to=[_MAIL, _HOST], deadline=lazy("Until the consent is taken back; its proof three years longer than the relation"),
    ),
    _entry(
        "profiling", lazy("Profiling: statistics and search by habits"),
        lazy("To see what is booked, and to find clients by what they did"),
        lazy("Consent (Art. 6(1)(a)) for what is about single persons; figures without persons need none"),
        lazy("Clients who said Yes to it: their appointments"),
        to=[_TEAM], deadline=lazy("Until the consent is taken back"),
    ),
    _entry(
        "health", lazy("Health notes"), lazy("To treat without harm: allergies, patch tests"),
        lazy("Express consent (Art. 9(2)(a))"), lazy("Clients who said Yes to it: what they said of their health; encrypted"),
        to=[_TEAM], deadline=_RETENTION,
    ),
    _entry(
        "stops", lazy("List of stopped addresses"), lazy("So that nobody who said No, or was erased, is written to again"),
        lazy("Legal duty and legitimate interest (Art. 6(1)(c), (f); Art. 21(3))"),
        lazy("A scrambled code of e-mail addresses and phone numbers, without a name"),
        to=[_HOST], deadline=lazy("Until it is lifted"),
    ),
    _entry(
        "rights", lazy("Requests of clients and erasures"), lazy("To answer requests and to prove that they were answered"),
        lazy("Legal duty (Art. 6(1)(c); Art. 5(2), 12, 15-21)"),
        lazy("Clients who asked: what for, how they were known, when it was answered. Of an erasure only a case number stays"),
        to=[_TEAM], deadline=_RETENTION,
    ),
    _entry(
        "team", lazy("Team and security"), lazy("To let the right people in, and to see who did what"),
        lazy("Legitimate interest and legal duty (Art. 6(1)(c), (f); Art. 32)"),
        lazy("The team: name, e-mail, role, sign-ins, what they did (numbers and names of fields, no contents)"),
        to=[_HOST], deadline=lazy("Sessions: twelve hours. Activity: as long as the installation exists"),
    ),
)  # fmt: skip


def entries() -> list[Entry]:
    """Return the record: each entry in the words of the salon, or else of the house."""
    changed = Processing.objects.in_bulk()
    return [_as_changed(entry, changed[entry.code]) if entry.code in changed else entry for entry in DEFAULTS]


def entry(code: str) -> Entry | None:
    """Return one entry, None for a code that nobody knows."""
    return next((one for one in entries() if one.code == code), None)


@transaction.atomic
def change(code: str, *, by: User, now: dt.datetime, **values: str) -> Processing:
    """Write an entry in the salon's own words and return the row. Raises Refused for a code that nobody knows."""
    if entry(code) is None:
        raise Refused(code)
    given = {name: values[name].strip() for name in FIELDS}
    row, _is_new = Processing.objects.update_or_create(pk=code, defaults={**given, "changed_at": now, "changed_by": by})
    audit.record("processing.changed", by=by, entry=code)
    return row


@transaction.atomic
def reset(code: str, *, by: User) -> None:
    """Put the words of the house back."""
    if Processing.objects.filter(pk=code).delete()[0]:
        audit.record("processing.reset", by=by, entry=code)


def _as_changed(entry: Entry, row: Processing) -> Entry:
    return Entry(entry.code, entry.title, {name: getattr(row, name) for name in FIELDS}, row.changed_at)
