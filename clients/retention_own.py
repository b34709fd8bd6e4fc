"""The rules of retention of the client book itself. Registered when the app starts; `clients.retention_rules` runs them."""

import datetime as dt
from collections.abc import Collection

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as lazy

from clients import retention_rules
from clients.models import (
    Client,
    ConsentEvent,
    ConsentEvidence,
    Deletion,
    HealthNote,
    RetentionHold,
    RightsRequest,
    SignedForm,
    Subject,
)
from clients.retention import may_delete
from clients.retention_rules import Rule


def _silent(before: dt.datetime) -> "models.QuerySet[Client]":
    """Return who has not got in touch since `before`: no visit, no answer of their own, no card made."""
    rows = Client.objects.filter(erased_at=None, restricted_at=None, created_at__lt=before)
    rows = rows.exclude(pk__in=Deletion.objects.values("client"))
    own = ConsentEvent.objects.filter(
        subject__client=OuterRef("pk"), actor_type=ConsentEvent.Actor.CLIENT, recorded_at__gte=before
    )
    rows = rows.exclude(Exists(own))
    for since in retention_rules.contacts():
        rows = rows.exclude(since(before))
    return rows


def _going(before: dt.datetime) -> "models.QuerySet[Client]":
    """Return the silent whom nobody wants kept. What else a rule ends of a card goes though the card is kept."""
    return _silent(before).exclude(pk__in=RetentionHold.objects.values("client"))


def _clients(before: dt.datetime) -> "models.QuerySet[Client]":
    rows = _going(before)
    for visited in retention_rules.visited():
        rows = rows.filter(visited())
    return rows


def _prospects(before: dt.datetime) -> "models.QuerySet[Client]":
    rows = _going(before)
    for visited in retention_rules.visited():
        rows = rows.exclude(visited())
    return rows


def _ip(before: dt.datetime) -> "models.QuerySet[ConsentEvidence]":
    rows = ConsentEvidence.objects.filter(event__recorded_at__lt=before)
    return rows.exclude(ip_truncated="", user_agent_hash="")


def _end_ip(ids: Collection[int]) -> int:
    return ConsentEvidence.objects.filter(pk__in=ids).update(ip_truncated="", user_agent_hash="")


def _health(before: dt.datetime) -> "models.QuerySet[HealthNote]":
    return HealthNote.objects.filter(client__in=_silent(before).values("pk"), written_at__lt=before)


def _requests(before: dt.datetime) -> "models.QuerySet[RightsRequest]":
    return RightsRequest.objects.filter(received_on__lt=before.date())


def _ledger(before: dt.datetime) -> "models.QuerySet[Subject]":
    """Return whom the ledger is about who were forgotten, its last line (that their consents ended then) being that old."""
    events = ConsentEvent.objects.filter(subject=OuterRef("pk"))
    return Subject.objects.filter(Exists(events), ~Exists(events.filter(recorded_at__gte=before)), client=None)


def _end_ledger(ids: Collection[int]) -> int:
    """Delete the lines of these subjects, those that void others first, and the subjects with them."""
    with may_delete():
        events = ConsentEvent.objects.filter(subject__in=ids)
        events.exclude(voids=None).delete()
        events.delete()
    SignedForm.objects.filter(subject__in=ids).delete()
    Subject.objects.filter(pk__in=ids).delete()
    return len(ids)


def register() -> None:
    """Add the rules of the client book. Called once, when the app starts."""
    for rule in _OWN:
        retention_rules.register(rule)


_OWN = (
    Rule(
        "clients", lazy("Clients who have not been in touch"),
        lazy("From the last visit, booking or answer of their own; opening a mail is none. The CNIL names three years."),
        _clients,
    ),
    Rule(
        "prospects", lazy("Cards of people who never came"),
        lazy("From the last answer of their own, or from when the card was made. At most three years."), _prospects,
    ),
    Rule(
        "health", lazy("Health notes"), lazy("From the last visit. Health data is kept no longer than it is needed (Art. 9)."),
        _health, lambda ids: HealthNote.objects.filter(pk__in=ids).delete()[0],
    ),
    Rule(
        "consent_ip", lazy("Network address of an answer given online"),
        lazy("It is stored shortened, and proves little after a year."), _ip, _end_ip,
    ),
    Rule(
        "requests", lazy("Log of requests by clients"), lazy("As proof that they were answered in time."),
        _requests, lambda ids: RightsRequest.objects.filter(pk__in=ids).delete()[0],
    ),
    Rule(
        "ledger", lazy("Answers about marketing of people who were erased"),
        lazy("As long as a claim can be made: three years from the erasure in most countries."), _ledger, _end_ledger,
    ),
)  # fmt: skip
