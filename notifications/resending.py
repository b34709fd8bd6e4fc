"""Says once more what may never have arrived. A person decides it, with a reason; the gate is asked as always.

A new row beside the one of which nobody knows, never that one again.
"""

import datetime as dt
import re

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from notifications import kinds
from notifications.models import TOLD, Message, State
from notifications.outbox import TABLE
from salon.core import audit, states
from salon.core.errors import Refused
from salon.core.models import User

_AGAIN = re.compile(r"(:again\d+)+$")
_MAY_ARRIVE = (
    State.PENDING, State.HELD, State.CLAIMED, State.HANDOFF, State.UNKNOWN, State.ACCEPTED, State.DELIVERED, State.BOUNCED,
)  # fmt: skip
RESENDABLE = (State.UNKNOWN, State.FAILED, State.QUARANTINED)


def resend(message: Message, *, by: User, reason: str, now: dt.datetime) -> Message:
    """Say once more what may never have arrived: a new row, asked of the gate like any other.

    `reason` is a code of `notifications.reasons.RESEND`. Raises Refused without one, for a message that is not of
    unknown fate or failed, that another one has told or is about to tell, or that is too late.
    """
    with transaction.atomic():
        row = Message.objects.select_for_update().get(pk=message.pk)
        if not reason:
            raise Refused(_("Say why it is sent again."), "reason")
        root = _AGAIN.sub("", row.occasion)
        family = Message.objects.filter(kind=row.kind, client=row.client, occasion__startswith=f"{root}:again")
        beside = _beside(row, family)
        if beside.filter(state__in=TOLD).exists():
            raise Refused(_("The client was told already."))
        if row.state not in RESENDABLE or beside.exists():
            raise Refused(_("This message cannot be sent again."))
        if row.expires_at <= now:
            raise Refused(_("It is too late for this message."))
        if row.state == State.UNKNOWN:
            states.move(row, TABLE, to=State.CLOSED_UNKNOWN, reason="sent_again")
        again = Message.objects.create(
            kind=row.kind, channel=row.channel, client_id=row.client_id, appointment_id=row.appointment_id,
            campaign_id=row.campaign_id, occasion=f"{root}:again{family.count() + 1}",
            time_version=row.time_version, told_start_at=row.told_start_at, not_before=now,
            expires_at=row.expires_at, created_at=now, resend_of=row,
        )  # fmt: skip
        audit.record("message.resend", again, by=by, kind=row.kind, of=row.pk, reason=reason)
    return again


def _beside(row: Message, family: "QuerySet[Message]") -> "QuerySet[Message]":
    """Return what says the same as `row` in its place: sent again, to another address, or planned anew by another rule."""
    others = Message.objects.filter(state__in=_MAY_ARRIVE).exclude(pk=row.pk)
    if row.appointment_id is None:
        return others.filter(pk__in=family)
    # What left before `row` was written was other news: a visit that was cancelled, taken up and cancelled again.
    since = Q(handoff_at=None) | Q(handoff_at__gte=row.created_at)
    same = Q(since, kind=row.kind, appointment_id=row.appointment_id, told_start_at=row.told_start_at)
    found, slot = others.filter(same | Q(pk__in=family)), kinds.slot_of(row.kind, row.occasion)
    return others.filter(pk__in=[pk for pk, said in found.values_list("pk", "occasion") if kinds.slot_of(row.kind, said) == slot])
