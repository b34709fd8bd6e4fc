"""Existing clients who were told of offers and did not refuse: who of them falls under it today. Decides nothing.

Read by `facts` for one client after the locks and by `crowd` for many; the planner's rules ask with `condition`.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet

from appointments.models import Appointment
from appointments.models import State as VisitState
from clients import countries, existing, fold
from clients.models import ConsentEvent, ImportedCard, Standing
from notifications.kinds import Kind
from salon.core import phone
from salon.core.lookups import Lookup


@dataclass(frozen=True)
class Leave:
    """Clients who paid for a visit and came lately, and whose card came with no list; lines of the ledger with the words told.

    Empty while the owner has not switched it on.
    """

    clients: frozenset[int] = frozenset()
    events: frozenset[int] = frozenset()


NONE = Leave()


def read(kind: Kind, channel: str, ids: Collection[int], country: str, now: dt.datetime) -> Leave:
    """Return what stands for these clients, for a kind of message on a channel, in the salon's country."""
    if not kind.may_go_to_existing or not existing.is_on(country, channel):
        return NONE
    done = Appointment.objects.filter(client__in=ids, state=VisitState.DONE).order_by()
    paid = set(done.filter(price__gt=0).values_list("client_id", flat=True))
    lately = set(done.filter(start_at__gte=_since(country, now)).values_list("client_id", flat=True))
    told = ConsentEvent.objects.filter(
        subject__client__in=ids, event=existing.EVENT, channel=channel, text__isnull=False, source__in=existing.HOW
    )
    return Leave(frozenset((paid & lately) - existing.imported(ids)), frozenset(told.values_list("pk", flat=True)))


def is_open(
    leave: Leave, client_id: int | None, reading: fold.Reading, entries: Sequence[fold.Entry], *, channel: str, country: str,
    number: str,
) -> bool:  # fmt: skip
    """Return whether every condition holds for one client, whose ledger is `entries`; for SMS the law of the number as well."""
    if reading.state is not fold.State.SOFT_OPT_IN or reading.entry is None:
        return False
    is_theirs = client_id in leave.clients and reading.entry.id in leave.events
    return is_theirs and not existing.has_refused(entries, channel) and existing.is_lawful(country, channel, number)


def condition(kind: Kind, channel: str, country: str, now: dt.datetime) -> Q:
    """Return the condition that a client falls under it: nobody whom `is_open` refuses. Ask where it is on alone.

    What the list lets pass and the hand-over refuses is written, refused and written again, and its other way never tried.
    """
    told = Standing.objects.filter(
        client=OuterRef("pk"), channel=channel, purpose=kind.purpose, state=Standing.State.SOFT_OPT_IN,
        event__text__isnull=False, event__source__in=existing.HOW,
    )  # fmt: skip
    refused = ConsentEvent.objects.filter(
        subject__client=OuterRef("pk"), event__in=fold.NEGATIVE, channel__in=(channel, fold.ANY_CHANNEL),
        purpose__in=(*fold.MARKETING, fold.ALL_MARKETING, fold.EVERYTHING), voided_by=None,
    )  # fmt: skip
    done = Appointment.objects.filter(client=OuterRef("pk"), state=VisitState.DONE)
    lately: QuerySet[Appointment] = done.filter(start_at__gte=_since(country, now))
    listed = ImportedCard.objects.filter(client=OuterRef("pk"))
    found = Q(Lookup(told), ~Lookup(refused), Lookup(done.filter(price__gt=0)), Lookup(lately), ~Lookup(listed))
    return found & _has_lawful_number() if channel == "sms" else found


def _has_lawful_number() -> Q:
    """Return the condition that the law of the number's country lets it."""
    found = Q(pk__in=[])
    for country in countries.PROFILES:
        if len(country) == 2 and existing.is_lawful(country, "sms"):
            found |= Q(phone__regex=phone.pattern(country))
    return found


def _since(country: str, now: dt.datetime) -> dt.datetime:
    return now - dt.timedelta(days=365 * countries.profile(country).soft_months // 12)
