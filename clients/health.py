"""The one health note of a client: kept only with their express Yes, encrypted, every look at it written down.

Called by its page. Withdrawing the Yes deletes the text at once, whoever records it: `clients.consent` sees to it.
"""

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from clients import answers, consent, grid, wording
from clients.grid import Cell
from clients.models import Client, ConsentEvent, ConsentText, HealthNote
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User

PURPOSE = consent.HEALTH


class Conflict(Refused):
    """Somebody else wrote the note meanwhile. `theirs` is the note as it is now, None if it is gone."""

    def __init__(self, theirs: HealthNote | None) -> None:
        super().__init__(_("Somebody changed this note while you were typing."))
        self.theirs = theirs


def answer(client: Client) -> Cell:
    """Return what the client said to a health note, and what a waiting Yes waits for."""
    return grid.cell(client, PURPOSE, "")


def words(client: Client) -> ConsentText | None:
    """Return the wording that the client must have read, in their language."""
    return wording.in_force(client.language).get((PURPOSE, ""))


def is_open(client: Client) -> bool:
    """Return whether the client agreed, so that there may be a note."""
    return answer(client).answer is answers.Answer.YES


@transaction.atomic
def agree(client: Client, *, how: str, by: User, now: dt.datetime) -> list[ConsentEvent]:
    """Record the client's express Yes and return the event. Raises Refused where the client took it back themselves."""
    return grid.set_one(client, PURPOSE, "", "yes", how=how, by=by, now=now)


@transaction.atomic
def withdraw(client: Client, *, by: User, now: dt.datetime) -> list[ConsentEvent]:
    """Record the client's No and return the event. The text is deleted with it and cannot be brought back."""
    return grid.set_one(client, PURPOSE, "", "no", by=by, now=now)


def read(client: Client, *, by: User) -> HealthNote | None:
    """Return the note for somebody who looks at it now, and write the look down. None without a note, or without a Yes."""
    note = HealthNote.objects.filter(client=client).first() if is_open(client) else None
    if note is not None:
        audit.record("client.health_viewed", client, by=by)
    return note


@transaction.atomic
def write(
    client: Client, *, text: str, patch_tested_on: dt.date | None, version: int, by: User, now: dt.datetime
) -> HealthNote | None:
    """Write the note and return it; None if both fields are empty and it is deleted.

    `version` is the note's version that the writer saw, 0 for none. Raises Conflict if it has another one meanwhile,
    Refused without the client's Yes.
    """
    card = Client.objects.select_for_update().get(pk=client.pk, merged_into=None)
    if not is_open(card):
        raise Refused(_("Without the client's Yes there is no health note."))
    note = HealthNote.objects.filter(client=card).first()
    if (note.version if note else 0) != version:
        raise Conflict(note)
    audit.record("client.health_written", card, by=by)
    if not text.strip() and patch_tested_on is None:
        HealthNote.objects.filter(client=card).delete()
        return None
    note = note or HealthNote(client=card, version=0)
    note.text, note.patch_tested_on, note.written_at, note.written_by = text.strip(), patch_tested_on, now, by
    note.version += 1
    note.save()
    return note
