"""How long things are kept, in months: what the house says, and what the owner said instead. Reads only.

The rules themselves, whom they touch and their daily run: `clients.retention_rules`.
"""

import calendar
import datetime as dt

from clients.models import RetentionRule

# Sources: CNIL reference for client management (3 years after the last contact, also for prospects), Art. 5(1)(e) and 7(1)
# GDPR; EDPB 05/2020 on the proof of consent.
MONTHS = {
    "clients": 36, "prospects": 12, "health": 12, "bodies": 6, "replies": 6, "visit_notes": 6, "consent_ip": 12,
    "requests": 36, "ledger": 36,
}  # fmt: skip


def months(code: str) -> int:
    """Return how many months what `code` names is kept."""
    return RetentionRule.objects.filter(pk=code).values_list("months", flat=True).first() or MONTHS[code]


def before(moment: dt.date, count: int) -> dt.date:
    """Return the same day so many months earlier, or the last day of that month."""
    return after(moment, -count)


def after(moment: dt.date, count: int) -> dt.date:
    """Return the same day so many months later, or the last day of that month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + count, 12)
    return dt.date(year, month + 1, min(moment.day, calendar.monthrange(year, month + 1)[1]))
