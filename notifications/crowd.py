"""What the gate needs to know about many clients at once: the rows that `facts` reads for one, in a few statements for all.

For the page that shows who gets a campaign, and for writing down who was chosen. Without locks; decides nothing.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils import timezone

from clients import consent
from clients.models import Address, Client
from notifications import advertising, costs, facts, gate, kinds, unasked
from notifications.advertising import Advertising
from notifications.facts import Rows
from notifications.models import MARKETING, TOLD, Campaign, Message, Reply, SmsAccount
from notifications.texting import Texting
from salon.core import phone
from salon.core.models import Salon
from salon.core.prepared import Row

# So many clients a statement.
CHUNK = 500
_STOPS = ("inactive_at", "restricted_at", "erased_at", "blacklisted_at", "marketing_paused_until")


def read(messages: Sequence[Message], campaign: Campaign, salon: Salon, *, now: dt.datetime) -> Iterator[Rows]:
    """Yield what was read about each of `messages` of a campaign, none of them saved, in their order, as it will be at `now`.

    Caps look back from `now`, by the clock of the database as at a hand-over. The number of statements grows with CHUNK.
    """
    money = _money(campaign)
    ahead = max(now - timezone.now(), dt.timedelta(0))
    for start in range(0, len(messages), CHUNK):
        yield from _chunk(messages[start : start + CHUNK], campaign, salon, money, ahead)


def _chunk(
    some: Sequence[Message], campaign: Campaign, salon: Salon, money: dict[str, Any], ahead: dt.timedelta
) -> Iterator[Rows]:
    ids = [message.client_id or 0 for message in some]
    cards = Client.objects.filter(pk__in=ids).values_list(
        "pk", "email", "phone", *_STOPS, "birth_year", "birth_month", "birth_day"
    )
    clients: dict[int, Row] = {row[0]: row for row in cards}
    hashes = {facts.hash_of(message) for message in some} - {""}
    known = Address.objects.filter(channel=campaign.channel, hmac__in=hashes).values_list(
        "hmac", "pk", "scope", "reason", "stopped_at"
    )
    addresses: dict[str, Row] = {row[0]: row[1:] for row in known}
    ledgers: dict[int, list[Row]] = defaultdict(list)
    for line in consent.lines_of(ids):
        ledgers[line[0]].append(line)
    had, is_sms = _had(hashes, ahead), campaign.channel == "sms"
    doubtful = _doubtful(hashes) if is_sms else set()
    leave = unasked.read(kinds.TABLE[campaign.kind], campaign.channel, ids, salon.country, timezone.now() + ahead)
    for message in some:
        card, hmac = clients.get(message.client_id or 0), facts.hash_of(message)
        number = str(card[2] or "") if card else ""
        yield Rows(
            hmac,
            card[:8] if card else None,
            addresses.get(hmac),
            None,
            (salon.delivery, salon.time_zone, salon.country, salon.instance, salon.region),
            None,
            [],
            ledgers.get(message.client_id or 0, []),
            advertising=_advertising(card, campaign, salon, had.get(hmac, (0, 0))),
            of_sms=_texting(money, hmac in doubtful, number) if is_sms else None,
            leave=leave,
        )


def _advertising(card: Row | None, campaign: Campaign, salon: Salon, had: tuple[int, int]) -> Advertising:
    birth = card[8:11] if card else (None, None, None)
    return Advertising(birth, salon.public_url, salon.is_demo, "", campaign.is_by_habit, *had, 0)


def _had(hashes: set[str], ahead: dt.timedelta) -> dict[str, tuple[int, int]]:
    """Return how much advertising each of these addresses had in a day and in a month, for those that had any."""
    day, month = (Now() - advertising.length(long - ahead) for long in (gate.DAY, gate.MONTH))
    told = Message.objects.filter(kind__in=MARKETING, address_hmac__in=hashes, state__in=TOLD, handoff_at__gt=month)
    counts = told.order_by().values("address_hmac").annotate(day=Count("pk", filter=Q(handoff_at__gt=day)), month=Count("pk"))
    return {row["address_hmac"]: (row["day"], row["month"]) for row in counts}


def _doubtful(hashes: set[str]) -> set[str]:
    waits = Reply.objects.filter(address_hmac__in=hashes, handled_at=None, meaning=Reply.Meaning.DOUBT)
    return set(waits.values_list("address_hmac", flat=True))


def _money(campaign: Campaign) -> dict[str, Any]:
    """Return the switch and the limits of SMS, and what was spent."""
    if campaign.channel != "sms":
        return {}
    names = ("is_on", "monthly_budget", "campaign_cap")
    is_on, budget, cap = SmsAccount.objects.filter(pk=1).values_list(*names).first() or (False, None, None)
    spent = Decimal(0)
    if budget is not None:
        spent = costs.spent_since(costs.month_begins(timezone.now(), Salon.objects.current().zone))
    return {"is_on": is_on, "budget": budget, "cap": cap, "spent": spent, "spent_on_campaign": Decimal(0)}


def _texting(money: dict[str, Any], has_open_reply: bool, number: str) -> Texting:
    is_not_mobile = bool(number) and phone.cannot_get_sms(number)
    return Texting(has_open_reply=has_open_reply, is_not_mobile=is_not_mobile, **money)
