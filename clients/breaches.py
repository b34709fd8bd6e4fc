"""The log of breaches (Art. 33(5) GDPR): what went wrong with personal data, what was done, and the 72 hours of Art. 33(1)."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Breach
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User

TELL_WITHIN = dt.timedelta(hours=72)


@transaction.atomic
def write(row: Breach | None, *, by: User, now: dt.datetime, **values: Any) -> Breach:
    """Write a breach down, or what is known of it meanwhile, and return it. Raises Refused for one that is still to come.

    The very same words from the same person are the same breach: a form that was sent again after Back makes no second one.
    """
    if values["discovered_at"] > now:
        raise Refused(_("This moment is still to come."), "discovered_at")
    if row is None:
        same = Breach.objects.filter(by=by, **values).first()
        if same is not None:
            return same
        row = Breach.objects.create(by=by, created_at=now, changed_at=now, **values)
        audit.record("breach.noted", row, by=by)
        return row
    row = Breach.objects.select_for_update().get(pk=row.pk)
    for name, value in values.items():
        setattr(row, name, value)
    row.changed_at = now
    row.save()
    audit.record("breach.changed", row, by=by)
    return row


def is_settled(row: Breach) -> bool:
    """Return whether the authority was told, or it is written down why not."""
    return row.authority_at is not None or bool(row.authority_why_not)


def clock(row: Breach, now: dt.datetime) -> str:
    """Return in words how much of the 72 hours is left, or what became of them."""
    ends = row.discovered_at + TELL_WITHIN
    if row.authority_at is not None:
        late = row.authority_at > ends
        return _("The authority was told, later than 72 hours: say why.") if late else _("The authority was told in time.")
    if row.authority_why_not:
        return _("The authority need not be told: the reason is written down.")
    if now >= ends:
        return _("The 72 hours are over. Tell the authority now, and say why it is late.")
    hours = int((ends - now).total_seconds() // 3600)
    if hours == 0:
        return _("Less than one hour left to tell the authority.")
    return ngettext("%(count)d hour left to tell the authority.", "%(count)d hours left to tell the authority.", hours) % {
        "count": hours
    }
