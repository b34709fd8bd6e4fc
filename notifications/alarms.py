"""Tells the owners in their bell that SMS cannot leave or none is heard, and why: a sender, a country, a key, a signature.

And that mail comes back for a reason that lies with the salon.
"""

import datetime as dt
from collections.abc import Mapping

from django.urls import reverse
from django.utils.translation import gettext as _

from notifications import smsaccount
from notifications.models import ProviderEvent
from notifications.providers import codes
from salon.core import notices
from salon.core.models import User
from salon.core.roles import Role

CODE, RETURNED = "sms.trouble", "mail.refused"
# The code of a report whose signature does not fit, how many in a day are no accident, and how they are kept.
UNSIGNED, UNSIGNED_MAX, UNSIGNED_WITHIN = "403", 3, dt.timedelta(days=1)
_REFUSED = "refused"


def ring(code: str, *, now: dt.datetime) -> None:
    """Put what is wrong into the bell of every owner; an unread notice about SMS gives way to it."""
    _tell(CODE, reverse("notifications:sms"), now, error=int(code))


def ring_returned(*, now: dt.datetime) -> None:
    """Say that a mail came back because the other side does not accept the sender."""
    _tell(RETURNED, reverse("notifications:sending"), now)


def _tell(code: str, url: str, now: dt.datetime, **facts: int) -> None:
    for owner in User.objects.filter(role=Role.OWNER, is_active=True).order_by("pk"):
        notices.tell(owner, code, url=url, now=now, **facts)


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
    notices.register(RETURNED, icon="alert-triangle", words=_of_returned)


def _of_returned(facts: Mapping[str, int]) -> str:
    return _("A mail came back: the other side does not accept your sender. Check the sender's domain.")


def _words(facts: Mapping[str, int]) -> str:
    known = codes.WORDS.get(str(facts.get("error", "")))
    if known and str(facts["error"]) == UNSIGNED:
        return known()
    return _("An SMS could not leave. %(why)s") % {"why": known() if known else facts.get("error", "")}
