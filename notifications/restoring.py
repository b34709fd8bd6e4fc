"""After a restore: what was said between the backup and the crash stands in no table any more, and must not be said again.

Called by `manage.py after_restore`, before anything else runs on the restored database.
"""

import datetime as dt
from collections import Counter

from django.db import transaction

from notifications import outcomes, planner
from salon.core import audit, instance
from salon.core.models import Salon

# Why a message is held, or ended.
REASON = "restored"


@transaction.atomic
def settle(now: dt.datetime) -> Counter[str]:
    """Write down all that was to be said until `now`, keep it from leaving by itself, and return counts of what was done.

    No host sends for this database until `release`. Raises Salon.DoesNotExist for a database without a salon.
    """
    salon = Salon.objects.select_for_update().get(pk=1)
    instance.disown(salon)
    outcomes.end_leases()
    outcomes.recover(now)
    planner.plan(now)
    counts = Counter(outcomes.hold_back(now, reason=REASON))
    audit.record("salon.restored", salon, by=None, held_count=counts["held"], expired_count=counts["expired"])
    return counts


@transaction.atomic
def release() -> bool:
    """Let messages leave from this host; False if its environment says that it is another one (INSTANCE_ID)."""
    salon = Salon.objects.select_for_update().get(pk=1)
    instance.claim(salon)
    audit.record("salon.released", salon, by=None)
    return instance.is_ours(salon)
