"""Tells the owners in their bell that SMS cannot leave or none is heard, and why: a sender, a country, a key, a signature.

That no mail leaves, which managers hear too; and that mail comes back for a reason that lies with the salon.
"""

import datetime as dt
from collections.abc import Collection, Mapping

from django.urls import reverse
from django.utils.translation import gettext as _

from notifications import smsaccount
from notifications.models import Provider, ProviderEvent
from notifications.providers import codes
from salon.core import notices
from salon.core.models import User
from salon.core.roles import Role

CODE, RETURNED, DOWN = "sms.trouble", "mail.refused", "mail.down"
# So many tries in a row, with pauses of one, two and four minutes between them: about ten minutes without a mail leaving.
DOWN_AFTER = 4
# The code of a report whose signature does not fit, how many in a day are no accident, and how they are kept.
UNSIGNED, UNSIGNED_MAX, UNSIGNED_WITHIN = "403", 3, dt.timedelta(days=1)
_REFUSED = "refused"
# The provider of mail.
MAIL = "smtp"


def ring(code: str, *, now: dt.datetime) -> None:
    """Put what is wrong into the bell of every owner; an unread notice about SMS gives way to it."""
    _tell(CODE, reverse("notifications:sms"), now, error=int(code))


def ring_returned(*, now: dt.datetime) -> None:
    """Say that a mail came back because the other side does not accept the sender."""
    _tell(RETURNED, reverse("notifications:sending"), now)


def note_down(provider: Provider, *, now: dt.datetime) -> None:
    """Say that no mail leaves, once for as long as it lasts: the circuit forgets its failures as soon as one was taken."""
    if provider.name == MAIL and provider.failure_count == DOWN_AFTER:
        _tell(DOWN, reverse("notifications:sending"), now, to=(Role.OWNER, Role.MANAGER))


def _tell(code: str, url: str, now: dt.datetime, *, to: Collection[Role] = (Role.OWNER,), **facts: int) -> None:
    for user in User.objects.filter(role__in=to, is_active=True).order_by("pk"):
        notices.tell(user, code, url=url, now=now, **facts)


def note_unsigned(account_sid: str, *, now: dt.datetime) -> None:
    """Note a report or an answer that was refused for its signature; at the third in a day the owners hear of it.

    Only one that names the salon's own account counts: anybody else may post whatever they like.
    """
    row = smsaccount.account()
    if row is None or row.account_sid != account_sid:
        return
    count = ProviderEvent.objects.filter(
        provider=smsaccount.PROVIDER, status=_REFUSED, at__gt=now - UNSIGNED_WITHIN, message=None
    ).count()
    if count >= UNSIGNED_MAX:
        return
    ProviderEvent.objects.create(provider=smsaccount.PROVIDER, status=_REFUSED, code=UNSIGNED, at=now)
    if count + 1 == UNSIGNED_MAX:
        ring(UNSIGNED, now=now)


def register() -> None:
    """Say how the bell tells of it. Called when the app starts."""
    notices.register(CODE, icon="alert-triangle", words=_words)
    notices.register(DOWN, icon="alert-triangle", words=_of_down)
    notices.register(RETURNED, icon="alert-triangle", words=_of_returned)


def _of_down(facts: Mapping[str, int]) -> str:
    return _("No mail leaves: the mail server cannot be used. What waits leaves by itself once the server takes mail again.")


def _of_returned(facts: Mapping[str, int]) -> str:
    return _("A mail came back: the other side does not accept your sender. Check the sender's domain.")


def _words(facts: Mapping[str, int]) -> str:
    known = codes.WORDS.get(str(facts.get("error", "")))
    if known and str(facts["error"]) == UNSIGNED:
        return known()
    return _("An SMS could not leave. %(why)s") % {"why": known() if known else facts.get("error", "")}
