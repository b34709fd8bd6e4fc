"""What only an SMS needs to know: the switch, the money that is left, whether the number takes any, an answer nobody has read.

Read by `facts` after the locks of client, address and visit. Locks the account last, so that two senders do not spend the
same money. Decides nothing.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from notifications import costs, kinds
from notifications.models import Message, Reply, SmsAccount
from salon.core import phone
from salon.core.models import Salon


@dataclass(frozen=True)
class Texting:
    """What was read. Money in the salon's currency; a limit that is None is none."""

    is_on: bool
    budget: Decimal | None
    cap: Decimal | None
    spent: Decimal
    spent_on_campaign: Decimal
    has_open_reply: bool
    is_not_mobile: bool


def read(message: Message, hmac: str, number: str, *, is_locking: bool) -> Texting:
    """Return what the decision on an SMS to a number, with this hash, depends on."""
    accounts = SmsAccount.objects.filter(pk=1)
    if is_locking:
        accounts = accounts.select_for_update()
    is_on, budget, cap = accounts.values_list("is_on", "monthly_budget", "campaign_cap").first() or (False, None, None)
    spent = of_campaign = Decimal(0)
    if budget is not None:
        begins = costs.month_begins(timezone.now(), Salon.objects.current().zone)
        spent = costs.spent_since(begins, but=message.pk or 0)
    if cap is not None and message.campaign_id:
        of_campaign = costs.spent_on(message.campaign_id, but=message.pk or 0)
    waits = bool(hmac) and kinds.TABLE[message.kind].is_marketing and has_open_reply(hmac)
    return Texting(is_on, budget, cap, spent, of_campaign, waits, bool(number) and phone.cannot_get_sms(number))


def has_open_reply(hmac: str) -> bool:
    """Return whether an answer from the number with this hash may be a stop, and nobody has read it yet."""
    return Reply.objects.filter(address_hmac=hmac, handled_at=None, meaning=Reply.Meaning.DOUBT).exists()


def facts(message: Message, read_: Texting) -> dict[str, Any]:
    """Return the facts that an SMS alone depends on, by their names in `gate.Facts`. The message carries what it costs."""
    cost = message.cost or Decimal(0)
    return {
        "is_channel_off": not read_.is_on,
        "is_not_mobile": read_.is_not_mobile,
        "has_open_reply": read_.has_open_reply,
        "is_over_budget": read_.budget is not None and read_.spent + cost > read_.budget,
        "is_over_cap": read_.cap is not None and message.campaign_id is not None and read_.spent_on_campaign + cost > read_.cap,
    }
