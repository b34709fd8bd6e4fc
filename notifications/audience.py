"""Who of the chosen clients gets an advertising message and who does not, and why: the gate's answer, asked beforehand.

Read by the page that shows it and by `campaigns.send`, which stores it. Looks without locks; the answer that counts is
taken again at the hand-over.
"""

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from clients.models import Client, ConsentEvent
from notifications import crowd, facts, filling, gate, precedence, refusals, smsaccount, smswords, texting
from notifications.models import Campaign, Message
from salon.core.models import Salon


@dataclass(frozen=True)
class Seat:
    """One of the chosen: `reason` is empty for somebody who gets it."""

    client: Client
    address_hmac: str = ""
    reason: str = ""
    sentence: str = ""
    event: ConsentEvent | None = None
    # Of an SMS: its text, its length and its price.
    words: smswords.Words | None = None

    @property
    def is_in(self) -> bool:
        """Return whether it goes to this client."""
        return not self.reason


def look(
    clients: Sequence[Client], campaign: Campaign, salon: Salon, now: dt.datetime, *, taken: Collection[str] = ()
) -> list[Seat]:
    """Return a seat for each of `clients`, in their order, as it will be at `now`. Of several with one address the first gets it.

    `taken` are hashes of addresses that have it already. Of SMS each seat says what it costs; who would cost more than is
    left is out. Of more than WORDS_MOST no text is written: then the hand-over alone keeps the limits.
    """
    taken, purse = set(taken), _Purse()
    write = _writer(campaign, salon) if len(clients) <= WORDS_MOST else None
    asked = _ask(clients, campaign, write, salon, now)
    ids = {pk for one in asked for pk in one.facts.event_ids}
    events = {event.pk: event for event in ConsentEvent.objects.filter(pk__in=ids).select_related("actor")}
    seats = []
    for client, one in zip(clients, asked, strict=True):
        reason = _against(one.decision) or ("same_address" if one.hmac in taken else "") or _unfit(client, campaign, salon)
        reason = reason or purse.pay(one)
        if not reason:
            taken.add(one.hmac)
            seats.append(Seat(client, one.hmac, words=one.words))
            continue
        event = next((events[pk] for pk in one.facts.event_ids if pk in events), None)
        seats.append(Seat(client, "", reason, refusals.sentence(reason, event, one.facts), event))
    return seats


@dataclass(frozen=True)
class _Asked:
    facts: gate.Facts
    decision: gate.Decision
    hmac: str
    of_sms: texting.Texting | None
    words: smswords.Words | None


@dataclass
class _Purse:
    """What those who are in cost together, against what is left."""

    cost: Decimal = Decimal(0)

    def pay(self, asked: _Asked) -> str:
        """Return why one more would cost too much, "" if it does not: then it is counted."""
        limits, words = asked.of_sms, asked.words
        if limits is None or words is None:
            return ""
        together = self.cost + words.cost
        if limits.budget is not None and limits.spent + together > limits.budget:
            return "over_budget"
        if limits.cap is not None and together > limits.cap:
            return "over_cap"
        self.cost = together
        return ""


# Of so many the text of each SMS is written to say what it costs.
WORDS_MOST = 500
Writer = Callable[[Message], smswords.Words | None]


def _writer(campaign: Campaign, salon: Salon) -> Writer:
    """Return what writes the SMS of a campaign to one client; of an e-mail the words are of no matter here."""
    account = smsaccount.account() if campaign.channel == smsaccount.CHANNEL else None

    def write(message: Message) -> smswords.Words | None:
        if account is None:
            return None
        try:
            return smswords.render(message, salon, account)
        except filling.TemplateError:
            return None

    return write


def _ask(clients: Sequence[Client], campaign: Campaign, write: Writer | None, salon: Salon, now: dt.datetime) -> list[_Asked]:
    """Ask the gate about all of them, on what was read for all at once."""
    lasts = {"not_before": now, "expires_at": now + dt.timedelta(days=10)}
    batch = [Message(kind=campaign.kind, channel=campaign.channel, client=client, **lasts) for client in clients]
    found = []
    for message, rows in zip(batch, crowd.read(batch, campaign, salon, now=now), strict=True):
        message.campaign = campaign
        words = write(message) if write is not None else None
        if words is not None:
            message.segments, message.cost = words.size.segments, words.cost
        known = facts.gather(message, rows)
        found.append(_Asked(known, gate.decide(known, now), rows.hmac, rows.of_sms, words))
    return found


def _against(decision: gate.Decision) -> str:
    """Return the weightiest reason, "" for none. What the house only holds back leaves later."""
    reasons = decision.reasons if isinstance(decision, gate.Refuse) else ()
    return next((reason for reason in reasons if reason not in precedence.OF_THE_HOUSE), "")


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
