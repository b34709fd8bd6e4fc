"""The link to their choices, for a client who asks for it: what they stopped themselves, only they can turn on again.

Called by the card's button and by facts. A message like any other, at most one a day: whether it may leave is the gate's.
It carries no advertising and asks for nothing.
"""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from clients.models import Client
from notifications import outbox
from notifications.models import Message, State
from salon.core import audit, bell, public
from salon.core.errors import Refused
from salon.core.models import Salon, User

KIND = "choices"
CHANNEL = "email"
ONE_IN = dt.timedelta(days=1)
_UNDER_WAY = (State.PENDING, State.CLAIMED, State.HELD)


@transaction.atomic
def send(client: Client, *, by: User, now: dt.datetime) -> None:
    """Let the link leave. Raises Refused without an e-mail or a public address, and within a day of the last one."""
    card = Client.objects.select_for_update().get(pk=client.pk, merged_into=None)
    if not card.email:
        raise Refused(_("There is no e-mail on this card."))
    if not public.has_address(Salon.objects.current()):
        raise Refused(_("Links need the public address of the salon. It is entered under Settings, Salon."))
    lately = Message.objects.filter(kind=KIND, client=card, created_at__gt=now - ONE_IN, state__in=[*_UNDER_WAY, *outbox.TOLD])
    if lately.exists():
        raise Refused(_("The link was sent within the last 24 hours. Ask the client to look among the unwanted mail too."))
    outbox.put(
        Client.objects.filter(pk=card.pk), kind=KIND, channel=CHANNEL, now=now,
        said={
            "client_id": F("pk"), "appointment_id": None, "campaign_id": None, "time_version": None, "told_start_at": None,
            "occasion": f"asked:{now.isoformat(timespec='seconds')}", "not_before": now, "expires_at": now + ONE_IN,
        },
    )  # fmt: skip
    audit.record("consent.choices_link", card, by=by)
    bell.ring()


def facts(message: Message, *, has_public_address: bool) -> dict[str, Any]:
    """Return the facts that such a mail alone depends on, by their names in `gate.Facts`: the client asked, just now."""
    return {"asked_at": message.created_at, "is_client_act": True, "has_public_address": has_public_address}
