"""Public holidays of the salon's country and region, for the hours in which no advertising goes out as a text message."""

import datetime as dt

from notifications.kinds import Hours
from salon.core import regions

# As far as `Hours` looks for an open day, and as far as it looks back.
_AROUND = dt.timedelta(days=11)


def for_hours(hours: Hours, country: str, region: str, at: dt.datetime) -> frozenset[dt.date]:
    """Return the public holidays around an instant that these hours leave out: none for hours that know no days off.

    Raises LookupError for a country or region that nobody wrote a calendar for: then nothing is sent rather than on a holiday.
    """
    if not hours.has_holidays_off:
        return frozenset()
    first, last = (at - _AROUND).date(), (at + _AROUND).date()
    days = frozenset[dt.date]().union(*(regions.days_off(country, region, year) for year in {first.year, last.year}))
    return frozenset(day for day in days if first <= day <= last)
