"""Takes an import back, card by card, in small steps that each stand whole and go on after a crash.

A card that the import made goes again where nothing has come to it since; a field that it filled is emptied where it
still is as filled. Whatever was used or changed meanwhile stays, with its reason. A no stays in force in every case.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db import models, transaction
from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clients import addresses, fold, records
from clients.importing import marks
from clients.importing.commit import STEP, Job
from clients.models import (
    Address,
    Client,
    ConsentEvent,
    DuplicatePair,
    Import,
    ImportedCard,
    Merge,
    OpenedCard,
    RetentionWarning,
    Standing,
    Subject,
)
from salon.core import failpoints
from salon.core.errors import Refused

EMPTIED = "emptied"
CHANGED, ANSWERED = "changed", "answered"
# What goes with a card, or lets go of it. Every other row that points at a card keeps it.
_WITH_THE_CARD = (Subject, Standing, OpenedCard, ImportedCard, DuplicatePair, RetentionWarning)
_GROUPS = (("birth_day", "birth_month", "birth_year"), ("street", "postcode", "city", "country"))
_ADDRESS_FIELDS = {"email": "email", "phone": "sms"}

_WORDS: dict[str, str | Promise] = {
    CHANGED: _("The card was changed since."),
    ANSWERED: _("An answer of the client was recorded since."),
    "appointments.appointment": _("There are appointments on the card."),
    "notifications.message": _("There are messages to the client."),
}


def reason(code: str) -> str:
    """Return why a card stays, in a sentence."""
    return str(_WORDS.get(code, _("The card is in use elsewhere.")))


def carry_out(job: Job) -> None:
    """Take back what is left of the import."""
    waiting = ImportedCard.objects.filter(source=job.row, outcome="").order_by("client_id")
    while some := list(waiting[:STEP]):
        with transaction.atomic():
            job.hold()
            _take_back(job, some)
            failpoints.hit("undo_step_written")


def _take_back(job: Job, some: Sequence[ImportedCard]) -> None:
    ids = {one.client_id for one in some}
    clients = {client.pk: client for client in Client.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
    answers = _answers_since(ids)
    attached, merged = _attached(ids), _merged_since(ids)
    removed: list[Client] = []
    emptied: dict[int, list[str]] = {}
    kept: dict[int, str] = {}
    for one in some:
        client = clients[one.client_id]
        if not one.is_new:
            is_merged = client.pk in merged and merged[client.pk] >= one.at
            fields = [] if is_merged else _to_empty(client, one, answers.get(client.pk))
            if fields and _may_lack(client, fields):
                emptied[client.pk] = fields
            if set(fields) != set(one.marks) or client.pk not in emptied:
                kept[one.pk] = ANSWERED if client.pk in answers and not marks.changed(vars(client), one.marks) else CHANGED
        elif why := _why_not(client, one, answers, attached):
            kept[one.pk] = why
        else:
            removed.append(client)
    _keep_the_noes(removed, now=job.now)
    records.remove_many(removed, by=job.by)
    records.empty_many(emptied, by=job.by, now=job.now)
    for card_pk, why in kept.items():
        ImportedCard.objects.filter(pk=card_pk).update(outcome=why)
    done = [one.pk for one in some if one.pk not in kept]
    ImportedCard.objects.filter(pk__in=done).update(outcome=EMPTIED)
    Import.objects.filter(pk=job.row.pk).update(
        steps_done=F("steps_done") + len(some),
        try_count=0,
        taken_back_count=F("taken_back_count") + len(done),
        kept_count=F("kept_count") + len(kept),
    )


def _why_not(client: Client, one: ImportedCard, answers: Collection[int], attached: dict[int, str]) -> str:
    """Return the code why a new card stays, or nothing when it may go."""
    has_a_state = client.inactive_at or client.blacklisted_at or client.restricted_at or client.erased_at
    if client.pk in attached:
        return attached[client.pk]
    if client.pk in answers:
        return ANSWERED
    return CHANGED if has_a_state or marks.changed(vars(client), one.marks) else ""


def _to_empty(client: Client, one: ImportedCard, answered_at: dt.datetime | None) -> list[str]:
    """Return the filled fields that may be emptied: still as filled, day and address as a whole, no address answered for."""
    held = marks.changed(vars(client), one.marks)
    if client.restricted_at or client.erased_at:
        return []
    for group in _GROUPS:
        if held & set(group):
            held |= set(group)
    if answered_at is not None and answered_at >= one.at:
        held |= set(_ADDRESS_FIELDS)
    return [name for name in one.marks if name not in held]


def _may_lack(client: Client, fields: Collection[str]) -> bool:
    """Return whether somebody is left on the card without these fields."""
    who = {"first_name", "last_name", "phone"} - set(fields)
    try:
        records.prepare({name: getattr(client, name) for name in who})
    except Refused:
        return False
    return True


def _answers_since(ids: Collection[int]) -> dict[int, dt.datetime]:
    """Return when these clients answered last, other than through a list."""
    events = ConsentEvent.objects.filter(subject__client__in=ids).exclude(source=ConsentEvent.Source.IMPORT)
    last = events.values_list("subject__client").annotate(last_at=models.Max("recorded_at"))
    return {client_id: at for client_id, at in last.order_by() if client_id is not None}


def _merged_since(ids: Collection[int]) -> dict[int, dt.datetime]:
    """Return when these cards took in another one last: a value that is as the list had it may be that one's own."""
    last = Merge.objects.filter(winner__in=ids, undone_at=None).values_list("winner").annotate(last_at=models.Max("at"))
    return dict(last.order_by())


def _attached(ids: Collection[int]) -> dict[int, str]:
    """Return, for each of these cards that some row of any app points at, the name of one such table."""
    found: dict[int, str] = {}
    for relation in Client._meta.get_fields(include_hidden=True):
        if not (isinstance(relation, models.ForeignObjectRel) and relation.related_model not in _WITH_THE_CARD):
            continue
        model, name = relation.related_model, relation.field.name
        if not isinstance(model, str):
            rows = model._base_manager.filter(**{f"{name}__in": ids}).values_list(f"{name}", flat=True)
            found.update(dict.fromkeys(rows, model._meta.label_lower))
    return found


def _keep_the_noes(removed: Sequence[Client], *, now: dt.datetime) -> None:
    """Stop the addresses of clients who said no: the card goes, the refusal stays in force wherever the address comes back."""
    by_pk = {client.pk: client for client in removed}
    said: dict[int, set[str]] = defaultdict(set)
    events = ConsentEvent.objects.filter(subject__client__in=by_pk, event__in=fold.NEGATIVE)
    for client_id, channel in events.values_list("subject__client", "channel"):
        said[client_id or 0] |= set(fold.CHANNELS) if channel == fold.ANY_CHANNEL else {channel}
    for pk in sorted(said):
        for channel in sorted(said[pk] & set(fold.CHANNELS)):
            address = str((by_pk[pk].email if channel == "email" else by_pk[pk].phone) or "")
            if address:
                addresses.stop(channel, address, scope=Address.Scope.MARKETING, reason=Address.Reason.MANUAL, now=now)
