"""An SMS to somebody of the team, at once and outside the outbox: to see that it works, or how a promotion reads on a phone.

Called by the pages. It costs what any SMS costs, so it is counted with the others and never passes a limit. The number is
typed, so it may be anybody's: whoever stopped it stays stopped, and nobody has many sent.
"""

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import addresses
from clients.models import Address
from notifications import costs, smsaccount
from notifications.models import SmsAccount, SmsTest
from notifications.providers.base import Outcome, Result, Text
from salon.core import audit, phone
from salon.core.errors import Refused
from salon.core.models import Salon, User

# A person waits in front of the page.
_IN_A_REQUEST = 15.0
VALID_FOR = dt.timedelta(minutes=10)
# So many one person may have sent within so long.
AT_MOST, WITHIN = 6, dt.timedelta(hours=1)
# After these it is certain that nothing was sent.
_NOT_SENT = frozenset({Outcome.RETRY, Outcome.FAILED, Outcome.DOWN})


def check(*, to: str, salon: Salon, by: User) -> Result:
    """Send one SMS to the number `to`, and return what the provider said. Waits at most about 20 seconds.

    The first that the provider takes switches an account on that was entered anew.
    Raises Refused for a number that is none, surely takes no SMS or was stopped, for one test too many, and where it would
    cost more than is left.
    """
    account, number = smsaccount.account(), phone.read(to, salon.country)
    body = _("%(salon)s: this test shows that text messages can be sent.") % {"salon": salon.name}
    result = _send(number, body, salon=salon, by=by, is_promotion=False)
    audit.record("sms.tested", by=by, outcome=result.outcome.value, code=result.code, phase=str(result.phase))
    if account is not None and result.outcome is Outcome.ACCEPTED:
        smsaccount.prove(account, by=by)
    return result


def show(*, body: str, salon: Salon, by: User) -> Result:
    """Send the words of a promotion to the own number of `by`, who wrote it, and return what the provider said.

    Raises Refused without such a number, for one that stopped offers, for one test too many, while SMS are off, and where it
    would cost more than is left or one may.
    """
    if not by.phone:
        raise Refused(_("Enter your own mobile number first, under Settings, Language and display."))
    result = _send(by.phone, body, salon=salon, by=by, is_promotion=True)
    audit.record("campaign.tested", by=by, outcome=result.outcome.value, code=result.code, phase=str(result.phase))
    return result


def _send(number: str, body: str, *, salon: Salon, by: User, is_promotion: bool) -> Result:
    account = smsaccount.account()
    if account is None:
        raise Refused(_("No SMS account is entered yet."))
    if phone.cannot_get_sms(number):
        raise Refused(_("This number takes no SMS."), "phone")
    if _is_stopped(number, is_promotion=is_promotion):
        raise Refused(_("Whoever has this number stopped SMS from the salon. A test does not go there either."), "phone")
    paid = _pay(number, body, salon=salon, by=by, is_promotion=is_promotion)
    carrier = smsaccount.provider(read=_IN_A_REQUEST)
    try:
        ready = carrier.prepare(Text(account.sender, number, body, int(VALID_FOR.total_seconds())))
        result = ready if isinstance(ready, Result) else ready.deliver()
    finally:
        carrier.close()
    if result.outcome in _NOT_SENT:
        SmsTest.objects.filter(pk=paid.pk).update(segments=0, cost=0)
    return result


def _is_stopped(number: str, *, is_promotion: bool) -> bool:
    """Return whether the number takes no SMS any more, or no advertising where it is that."""
    hmac = addresses.hash_of(smsaccount.CHANNEL, number)
    if is_promotion:
        return addresses.is_shut(smsaccount.CHANNEL, hmac)
    return Address.objects.filter(channel=smsaccount.CHANNEL, hmac=hmac, scope=Address.Scope.ALL).exists()


@transaction.atomic
def _pay(number: str, body: str, *, salon: Salon, by: User, is_promotion: bool) -> SmsTest:
    """Count the SMS before it is said, under the lock that the sender takes as well. Raises Refused where a limit stands."""
    row = SmsAccount.objects.select_for_update().defer(*smsaccount.SECRETS).get(pk=1)
    if is_promotion and not row.is_on:
        raise Refused(_("SMS are switched off in the salon."))
    now = timezone.now()
    if SmsTest.objects.filter(by=by, at__gt=now - WITHIN, segments__gt=0).count() >= AT_MOST:
        raise Refused(_("You had %(count)s test SMS sent within the hour. Try again later.") % {"count": AT_MOST})
    count, cost = costs.of(body, number, row.prices)
    if row.monthly_budget is not None:
        spent = costs.spent_since(costs.month_begins(now, salon.zone))
        if spent + cost > row.monthly_budget:
            raise Refused(_("The month's budget for SMS is used up."))
    if is_promotion and row.campaign_cap is not None and cost > row.campaign_cap:
        raise Refused(_("The promotion would cost more than one may."))
    return SmsTest.objects.create(at=now, by=by, segments=count, cost=cost)
