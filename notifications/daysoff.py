"""Public holidays of the salon's country, for the hours in which no advertising goes out as a text message."""

import datetime as dt
import functools

import holidays

from notifications.kinds import Hours

# As far as `Hours` looks for an open day, and as far as it looks back.
_AROUND = dt.timedelta(days=11)


def for_hours(hours: Hours, country: str, at: dt.datetime) -> frozenset[dt.date]:
    """Return the public holidays around an instant that these hours leave out: none for hours that know no days off.

    Raises LookupError for a country that nobody wrote a calendar for: then nothing is sent rather than on a holiday.
    """
    if not hours.has_holidays_off:
        return frozenset()
    first, last = (at - _AROUND).date(), (at + _AROUND).date()
    days = frozenset[dt.date]().union(*(_of(country, year) for year in {first.year, last.year}))
    return frozenset(day for day in days if first <= day <= last)


@functools.lru_cache(maxsize=16)
def _of(country: str, year: int) -> frozenset[dt.date]:
    """Return the days off in a country, for the whole of it; a region's own are not known."""
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError as error:
        raise LookupError(f"no calendar of {country}") from error
