"""SMS that clients send to the salon: STOP and START count at once, what may be a stop waits for somebody, the rest is shown.

`receive` is called by the address at which the provider reports them, `handle` by the page of answers. None is lost: one row
for each card with the number, or one without a card.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from clients import addresses, consent, fold
from clients.models import Client, ConsentEvent
from notifications import answering, numbers, outbox, stopwords
from notifications.models import Message, ProviderEvent, Reply, State
from notifications.stopwords import Meaning
from salon.core import audit, bell
from salon.core.errors import Refused
from salon.core.models import User

CHANNEL, PROVIDER, ACK = "sms", "twilio", "optout_ack"
_LONGEST = 2000
# The answer to a stop makes no sense later.
_ACK_FOR = dt.timedelta(hours=12)


@transaction.atomic
def receive(*, provider_id: str, number: str, text: str, opt_out_type: str = "", now: dt.datetime) -> Meaning | None:
    """Take in one SMS from `number` (E.164) and return what it means; None if it came before.

    `opt_out_type` is what the provider took it for and has answered itself.
    """
    provider_id, number, text = (one.replace("\0", "") for one in (provider_id, number, text))  # no database keeps a zero byte
    meaning = stopwords.meaning(text, opt_out_type)
    numbers.lock(number)
    _event, is_new = ProviderEvent.objects.get_or_create(
        provider=PROVIDER, provider_id=provider_id[:200], status="received", defaults={"at": now}
    )
    if not is_new:
        return None
    found = numbers.cards(number)
    hmac = addresses.hash_of(CHANNEL, number)
    is_done = meaning in {Meaning.STOP, Meaning.START}
    holders: list[Client | None] = [*found] or [None]
    Reply.objects.bulk_create(
        Reply(
            provider=PROVIDER, provider_id=provider_id[:200], client=client, sender=number[:20], address_hmac=hmac,
            body=text[:_LONGEST], meaning=meaning.value, at=now, handled_at=now if is_done else None,
        )
        for client in holders
    )  # fmt: skip
    if meaning is Meaning.STOP:
        _stop(number, provider_id, has_answer=bool(opt_out_type), now=now)
    elif meaning is Meaning.START:
        numbers.start(number, now=now)
    else:
        answering.ring(found, meaning, now=now)
    audit.record("sms.received", found[0] if found else None, meaning=meaning.value, cards_count=len(found))
    return meaning


def _stop(number: str, provider_id: str, *, has_answer: bool, now: dt.datetime) -> None:
    """Stop the number, take back what waits for it, and say once that it is done, unless the provider has said so."""
    events = numbers.stop(number, source=ConsentEvent.Source.SMS_REPLY, now=now)
    found = numbers.cards(number)
    waiting = Message.objects.filter(client__in=found, channel=CHANNEL, state__in=[State.PENDING, State.HELD])
    outbox.cancel(waiting.exclude(kind=ACK), reason="client_refused", now=now)
    if events and not has_answer:
        outbox.put(
            Client.objects.filter(pk=found[0].pk), kind=ACK, channel=CHANNEL, now=now,
            said={
                "client_id": F("pk"), "appointment_id": None, "campaign_id": None, "time_version": None, "told_start_at": None,
                "occasion": f"stop:{provider_id}"[:80], "not_before": now, "expires_at": now + _ACK_FOR,
            },
        )  # fmt: skip
    bell.ring()


@transaction.atomic
def handle(reply: Reply, *, is_stop: bool, by: User, now: dt.datetime) -> int:
    """Note that somebody has read an answer; `is_stop`: it means that no offers are wanted. Return for how many cards.

    A stop is written as the client's own objection to advertising by SMS, for every card with the number. Raises Refused
    for an answer that was read before.
    """
    if is_stop:
        numbers.lock(reply.sender)  # as an answer that comes in does: clients first
    rows = Reply.objects.filter(provider=reply.provider, provider_id=reply.provider_id, handled_at=None)
    if not rows.exclude(provider_id="").update(handled_at=now, handled_by=by):
        raise Refused(_("Somebody has read this already."))
    said: Sequence[consent.Said] = []
    if is_stop:
        hmac = addresses.hash_of(CHANNEL, reply.sender)
        source = ConsentEvent.Source.SMS_REPLY
        said = [
            consent.Said(client, fold.ALL_MARKETING, CHANNEL, "object", source, address_hmac=hmac)
            for client in numbers.cards(reply.sender)
        ]
        consent.record_many(said, by=by, now=now)
    audit.record("sms.reply_read", reply.client, by=by, is_stop=is_stop, cards_count=len(said))
    bell.ring()
    return len(said)
