"""An owner asks for a plan at once instead of waiting for the next tick. Called by the admin."""

import datetime as dt
from collections import Counter

from django.utils.translation import gettext as _

from notifications import planner
from salon.core import audit, bell
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import May


def make(*, by: User, now: dt.datetime) -> Counter[str]:
    """Write down what is due now, wake the sender, and return how many messages of what. Twice changes nothing.

    Raises Refused for whom sending is none of their business.
    """
    if not by.may(May.EDIT_SENDING):
        raise Refused(_("Only an owner makes a plan by hand."))
    counts = planner.plan(now)
    audit.record("plan.made", by=by, count=sum(counts.values()))
    bell.ring()
    return counts
