"""What the gate needs to know about many messages at once: the rows that `facts` reads for one, in a few statements for all.

For the page that shows who gets a campaign, for writing down who was chosen, and for what waits while sending is paused.
Without locks; decides nothing.
"""

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils import timezone

from appointments.models import Appointment
from clients import consent
from clients.models import Address, Client
from notifications import advertising, choicelink, costs, facts, gate, holding, kinds, optin, smsaccount, unasked
from notifications.advertising import Advertising
from notifications.facts import Rows
from notifications.models import MARKETING, TOLD, Campaign, Message, Reply, SmsAccount, Trigger
from notifications.texting import Texting
from salon.core import phone, public
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


def waiting(messages: Sequence[Message], salon: Salon) -> Iterator[Rows]:
    """Yield what was read about each of these messages that wait, of any kind, in their order.

    The number of statements does not grow with them, but for moments in a client's life and links that ask for a Yes: what
    these alone depend on is read one by one.
    """
    around = _Around(messages, salon)
    for message in messages:
        rows = around.rows(message)
        if message.kind == optin.KIND:
            yield dataclasses.replace(rows, asking=optin.read(message, rows.hmac))
        elif message.kind in holding.KINDS:
            yield dataclasses.replace(rows, moment=holding.read(message, salon.zone))
        else:
            yield rows


class _Around:
    """What was read about messages of any kind, all at once."""

    def __init__(self, messages: Sequence[Message], salon: Salon) -> None:
        self._salon, ids = salon, [message.client_id or 0 for message in messages]
        self._clients, self._ledgers, self._addresses = _clients(ids), _ledgers(ids), _addresses(messages)
        visits = [message.appointment_id for message in messages if message.appointment_id]
        known = Appointment.objects.filter(pk__in=visits).values_list("pk", "time_version", "start_at", "state")
        self._visits: dict[int, Row] = {row[0]: row for row in known}
        self._switches: dict[str, bool] = dict(Trigger.objects.values_list("pk", "is_on"))
        self._told = _told(visits)
        self._has_public_address = public.has_address(salon)
        offers = [message for message in messages if kinds.TABLE[message.kind].is_marketing]
        hashes = {facts.hash_of(message) for message in offers} - {""}
        campaigns = {message.campaign_id for message in messages if message.campaign_id}
        self._campaigns: dict[int, Row] = {
            row[0]: row[1:] for row in Campaign.objects.filter(pk__in=campaigns).values_list("pk", "state", "is_by_habit")
        }
        self._had, self._same = _had(hashes, dt.timedelta(0)), _same(hashes, campaigns)
        by_sms = [message for message in messages if message.channel == smsaccount.CHANNEL]
        self._money = _account() if by_sms else {}
        self._doubtful = _doubtful(hashes) if by_sms else set()
        self._spent_on = {pk: costs.spent_on(pk) for pk in campaigns} if self._money.get("cap") is not None else {}
        pairs = {(message.kind, message.channel) for message in offers}
        self._leaves = {
            (kind, channel): unasked.read(kinds.TABLE[kind], channel, ids, salon.country, timezone.now())
            for kind, channel in pairs
        }

    def rows(self, message: Message) -> Rows:
        """Return what was read about one of them."""
        hmac, card, salon = facts.hash_of(message), self._clients.get(message.client_id or 0), self._salon
        is_marketing = kinds.TABLE[message.kind].is_marketing
        number = str(card[2] or "") if card else ""
        return Rows(
            hmac,
            card[:8] if card else None,
            self._addresses.get((message.channel, hmac)),
            self._visits.get(message.appointment_id or 0),
            (salon.delivery, salon.time_zone, salon.country, salon.instance, salon.region),
            self._switches.get(message.kind),
            [row[1:] for row in self._told.get(message.appointment_id or 0, []) if row[0] != message.pk],
            self._ledgers.get(message.client_id or 0, []),
            advertising=self._advertising(message, card, hmac) if is_marketing else None,
            has_public_address=self._has_public_address if message.kind == choicelink.KIND else None,
            of_sms=self._texting(message, hmac, number) if message.channel == smsaccount.CHANNEL else None,
            leave=self._leaves.get((message.kind, message.channel), unasked.NONE),
        )

    def _advertising(self, message: Message, card: Row | None, hmac: str) -> Advertising:
        birth = card[8:11] if card else (None, None, None)
        state, is_by_habit = self._campaigns.get(message.campaign_id or 0, ("", False))
        had, same = self._had.get(hmac, (0, 0)), self._same.get((hmac, message.campaign_id or 0), 0)
        return Advertising(birth, self._salon.public_url, self._salon.is_demo, state, is_by_habit, *had, same)

    def _texting(self, message: Message, hmac: str, number: str) -> Texting:
        has_open_reply = kinds.TABLE[message.kind].is_marketing and hmac in self._doubtful
        spent_on_campaign = self._spent_on.get(message.campaign_id or 0, Decimal(0))
        return _texting({**self._money, "spent_on_campaign": spent_on_campaign}, has_open_reply, number)


def _chunk(
    some: Sequence[Message], campaign: Campaign, salon: Salon, money: dict[str, Any], ahead: dt.timedelta
) -> Iterator[Rows]:
    ids = [message.client_id or 0 for message in some]
    clients, ledgers, addresses = _clients(ids), _ledgers(ids), _addresses(some)
    hashes = {facts.hash_of(message) for message in some} - {""}
    had, is_sms = _had(hashes, ahead), campaign.channel == "sms"
    doubtful = _doubtful(hashes) if is_sms else set()
    leave = unasked.read(kinds.TABLE[campaign.kind], campaign.channel, ids, salon.country, timezone.now() + ahead)
    for message in some:
        card, hmac = clients.get(message.client_id or 0), facts.hash_of(message)
        number = str(card[2] or "") if card else ""
        yield Rows(
            hmac,
            card[:8] if card else None,
            addresses.get((campaign.channel, hmac)),
            None,
            (salon.delivery, salon.time_zone, salon.country, salon.instance, salon.region),
            None,
            [],
            ledgers.get(message.client_id or 0, []),
            advertising=_advertising(card, campaign, salon, had.get(hmac, (0, 0))),
            of_sms=_texting(money, hmac in doubtful, number) if is_sms else None,
            leave=leave,
        )


def _clients(ids: Sequence[int]) -> dict[int, Row]:
    names = ("pk", "email", "phone", *_STOPS, "birth_year", "birth_month", "birth_day")
    return {row[0]: row for row in Client.objects.filter(pk__in=ids).values_list(*names)}


def _ledgers(ids: Sequence[int]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for line in consent.lines_of(ids):
        found[line[0]].append(line)
    return found


def _addresses(messages: Sequence[Message]) -> dict[tuple[str, str], Row]:
    """Return the address rows of these messages by channel and hash."""
    hashes = {facts.hash_of(message) for message in messages} - {""}
    known = Address.objects.filter(hmac__in=hashes, channel__in={message.channel for message in messages})
    rows = known.values_list("channel", "hmac", "pk", "scope", "reason", "stopped_at")
    return {(row[0], row[1]): row[2:] for row in rows}


def _told(visits: Sequence[int]) -> dict[int, list[Row]]:
    """Return what clients were told of these visits, the newest first: the message, its kind, the start and the occasion."""
    found: dict[int, list[Row]] = defaultdict(list)
    told = Message.objects.filter(appointment__in=visits, state__in=TOLD, told_start_at__isnull=False)
    for visit, *row in told.order_by("-handoff_at", "-pk").values_list("appointment", "pk", "kind", "told_start_at", "occasion"):
        found[visit].append(tuple(row))
    return found


def _same(hashes: set[str], campaigns: Collection[int]) -> dict[tuple[str, int], int]:
    """Return how often each of these addresses had each of these very campaigns."""
    told = Message.objects.filter(kind__in=MARKETING, address_hmac__in=hashes, state__in=TOLD, campaign__in=campaigns)
    rows = told.order_by().values_list("address_hmac", "campaign").annotate(count=Count("pk"))
    return {(hmac, campaign): count for hmac, campaign, count in rows}


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
    return {**_account(), "spent_on_campaign": Decimal(0)} if campaign.channel == "sms" else {}


def _account() -> dict[str, Any]:
    names = ("is_on", "monthly_budget", "campaign_cap")
    is_on, budget, cap = SmsAccount.objects.filter(pk=1).values_list(*names).first() or (False, None, None)
    spent = Decimal(0)
    if budget is not None:
        spent = costs.spent_since(costs.month_begins(timezone.now(), Salon.objects.current().zone))
    return {"is_on": is_on, "budget": budget, "cap": cap, "spent": spent}


def _texting(money: dict[str, Any], has_open_reply: bool, number: str) -> Texting:
    is_not_mobile = bool(number) and phone.cannot_get_sms(number)
    return Texting(has_open_reply=has_open_reply, is_not_mobile=is_not_mobile, **money)
