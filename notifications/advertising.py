"""What only an advertising message needs to know: age, public address, campaign, and how much its address had lately.

Read by `facts` after the locks, for kinds of marketing alone: a message about a visit never pays for it. Decides nothing.
"""

import datetime as dt
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, DurationField, Q, Value
from django.db.models.functions import Cast, Now
from django.utils import timezone

from clients import countries, fold
from clients.choices import PROFILING
from clients.models import Client
from notifications import gate, kinds
from notifications.models import MARKETING, TOLD, Campaign, Message
from salon.core import public
from salon.core.models import Salon
from salon.core.prepared import Query, Row


@dataclass(frozen=True)
class Advertising:
    """What was read. Counts are of messages to the same address, whoever has it.

    `birth` is year, month and day; `same_count` how often the address had this very campaign,
    `is_by_habit` whether its clients were looked for by what they did.
    """

    birth: tuple[int | None, int | None, int | None]
    public_url: str
    is_demo: bool
    campaign_state: str
    is_by_habit: bool
    day_count: int
    month_count: int
    same_count: int


def queries(*, client: int, hmac: str, message: int, campaign: int) -> list[Query]:
    """Return the queries in which these values stand for those of a message. What `of_rows` gets, in its order.

    The lock of the address makes the counts exact: of two senders the second sees what the first handed over. The
    windows go by the database's clock, by which hand-overs are stamped.
    """
    told = Message.objects.filter(kind__in=MARKETING, address_hmac=hmac, state__in=TOLD).exclude(pk=message)
    told = told.exclude(address_hmac="").order_by()
    lately = told.filter(handoff_at__gt=Now() - length(gate.MONTH)).values("channel")
    counts = lately.annotate(day=Count("pk", filter=Q(handoff_at__gt=Now() - length(gate.DAY))), month=Count("pk"))
    same = told.filter(campaign=campaign).values("channel").annotate(same=Count("pk"))
    return [
        Query(Client.objects.filter(pk=client).values_list("birth_year", "birth_month", "birth_day"), client=client),
        Query(Salon.objects.filter(pk=1).values_list("public_url", "is_demo")),
        Query(Campaign.objects.filter(pk=campaign).values_list("state", "is_by_habit"), campaign=campaign),
        Query(counts.values_list("day", "month"), hmac=hmac, message=message),
        Query(same.values_list("same"), hmac=hmac, message=message, campaign=campaign),
    ]


def length(time: dt.timedelta) -> Cast:
    """Return a length of time that says what it is: PostgreSQL takes a bare one beside a clock for another instant."""
    return Cast(Value(time, output_field=DurationField()), DurationField())


def of_rows(born: list[Row], salon: list[Row], campaign: list[Row], counts: list[Row], same: list[Row]) -> Advertising:
    """Return what the rows of the queries say."""
    day_count, month_count = (sum(row[place] for row in counts) for place in (0, 1))
    year, month, day = born[0] if born else (None, None, None)
    state, is_by_habit = campaign[0] if campaign else ("", False)
    public_url, is_demo = salon[0]
    same_count = sum(row[0] for row in same)
    return Advertising((year, month, day), public_url, is_demo, state, bool(is_by_habit), day_count, month_count, same_count)


def facts(message: Message, read: Advertising, zone: str, country: str, ledger: Callable[[], list[fold.Entry]]) -> dict[str, Any]:
    """Return the facts that advertising alone depends on, by their names in `gate.Facts`."""
    year, month, day = read.birth
    today = timezone.now().astimezone(zoneinfo.ZoneInfo(zone)).date()
    return {
        "is_told": read.same_count > 0 and message.resend_of_id is None,
        "is_stopped": read.campaign_state == Campaign.State.STOPPED,
        "is_minor": countries.is_minor(country, year=year, month=month, day=day, today=today),
        "has_public_address": public.has_address(Salon(public_url=read.public_url, is_demo=read.is_demo)),
        "marketing_day_count": read.day_count,
        "marketing_month_count": read.month_count,
        "is_unprofiled": (read.is_by_habit or _is_by_habit(message)) and not _agrees_to_profiling(ledger(), country),
    }


def _is_by_habit(message: Message) -> bool:
    return kinds.BY_HABIT in kinds.parts_of(message.occasion)


def _agrees_to_profiling(entries: list[fold.Entry], country: str) -> bool:
    needed = countries.minimum_evidence(country, PROFILING, "")
    said = fold.state(entries, purpose=PROFILING, channel="", address_hmac="", minimum_evidence=needed)
    return said is fold.State.GRANTED
