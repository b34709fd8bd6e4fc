"""Who of the chosen clients gets an advertising message and who does not, and why: the gate's answer, asked beforehand.

Read by the page that shows it and by `campaigns.send`, which stores it. Looks without locks; the answer that counts is
taken again at the hand-over.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from clients.models import Client, ConsentEvent
from notifications import facts, filling, gate, kinds, refusals
from notifications.models import Campaign, Message
from salon.core.models import Salon


@dataclass(frozen=True)
class Seat:
    """One of the chosen: `reason` is empty for somebody who gets it. `leaves_at` is set where it waits for an hour."""

    client: Client
    address_hmac: str = ""
    reason: str = ""
    sentence: str = ""
    event: ConsentEvent | None = None
    leaves_at: dt.datetime | None = None

    @property
    def is_in(self) -> bool:
        """Return whether it goes to this client."""
        return not self.reason


def look(clients: Sequence[Client], campaign: Campaign, salon: Salon, now: dt.datetime) -> list[Seat]:
    """Return a seat for each of `clients`, in their order. Of several with one address the first gets it."""
    reader, taken = facts.Reader(is_locking=False), set[str]()
    asked = [_ask(client, campaign, reader, now) for client in clients]
    ids = {pk for found, _decision, _hmac in asked for pk in found.event_ids}
    events = {event.pk: event for event in ConsentEvent.objects.filter(pk__in=ids).select_related("actor")}
    seats = []
    for client, (found, decision, hmac) in zip(clients, asked, strict=True):
        reason = _against(decision) or ("same_address" if hmac in taken else "") or _unfit(client, campaign, salon)
        if not reason:
            taken.add(hmac)
            until = decision.until if isinstance(decision, gate.Wait) else None
            seats.append(Seat(client, hmac, leaves_at=until))
            continue
        event = next((events[pk] for pk in found.event_ids if pk in events), None)
        seats.append(Seat(client, "", reason, refusals.sentence(reason, event, found), event))
    return seats


def _ask(client: Client, campaign: Campaign, reader: facts.Reader, now: dt.datetime) -> tuple[gate.Facts, gate.Decision, str]:
    kind = kinds.TABLE[campaign.kind]
    message = Message(
        kind=kind.name, channel=campaign.channel, client=client, not_before=now, expires_at=now + dt.timedelta(days=10)
    )
    rows = reader.read(message)
    found = facts.gather(message, rows)
    return found, gate.decide(found, now), rows.hmac


def _against(decision: gate.Decision) -> str:
    """Return the weightiest reason, "" for none. What is only on hold leaves later."""
    reasons = decision.reasons if isinstance(decision, gate.Refuse) else ()
    return next((reason for reason in reasons if reason != "hold"), "")


def _unfit(client: Client, campaign: Campaign, salon: Salon) -> str:
    """Return why the words do not fit this client: they ask for a first name that the card has not got.

    Words that stand for nothing fit nobody, which is no fault of a card: the page says so beside them.
    """
    texts = (campaign.title, campaign.text, campaign.conditions)
    if any(filling.fault(text) for text in texts):
        return ""
    values = {"first_name": client.first_name, "salon": salon.name}
    try:
        for text in texts:
            filling.own(text, values)
    except filling.TemplateError:
        return "no_first_name"
    return ""
