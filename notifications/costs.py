"""What an SMS costs: its parts by the price of the country it goes to, and what was spent in a month or on a promotion.

Asked by the sender (to count and to stop), by the page on which somebody writes, and by the settings. Decides nothing.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Sum

from notifications import segments
from notifications.models import TOLD, Message, SmsTest
from notifications.smsaccount import CHANNEL, ELSEWHERE
from salon.core import phone


def of(text: str, number: str, prices: Mapping[str, str]) -> tuple[int, Decimal]:
    """Return the parts of a text and what they cost to a number (E.164), in the salon's currency; 0 without a price."""
    count = segments.measure(text).segments
    return count, count * price(number, prices)


def price(number: str, prices: Mapping[str, str]) -> Decimal:
    """Return the price of one part to a number."""
    return Decimal(prices.get(phone.region(number)) or prices.get(ELSEWHERE) or 0)


def spent_since(instant: dt.datetime, *, but: int = 0) -> Decimal:
    """Return what the SMS cost that were handed over since then, tests included; one whose fate is unknown counts."""
    rows = Message.objects.filter(channel=CHANNEL, handoff_at__gte=instant, state__in=TOLD).exclude(pk=but)
    tests = SmsTest.objects.filter(at__gte=instant)
    return sum((found.aggregate(sum=Sum("cost"))["sum"] or Decimal(0) for found in (rows, tests)), Decimal(0))


def spent_on(campaign_id: int, *, but: int = 0) -> Decimal:
    """Return what a promotion cost so far."""
    rows = Message.objects.filter(campaign=campaign_id, channel=CHANNEL, state__in=TOLD).exclude(pk=but)
    return rows.aggregate(sum=Sum("cost"))["sum"] or Decimal(0)


def month_begins(at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return when the salon's calendar month around an instant began."""
    local = at.astimezone(zone)
    return dt.datetime(local.year, local.month, 1, tzinfo=zone).astimezone(dt.UTC)
