"""The parts of a country that have public holidays of their own, and the days off there. Asked by the profile and by quiet hours.

The calendars are those of the library `holidays`; a part without days of its own is not offered.
"""

import datetime as dt
import functools

import holidays

# In so many years a region must differ from the whole country once, to be offered.
_YEARS = range(2025, 2031)


@functools.lru_cache(maxsize=64)
def of(country: str) -> tuple[tuple[str, str], ...]:
    """Return (code, name as it is called there) of the regions with days off of their own, by name; none for most countries."""
    codes = holidays.list_supported_countries(include_aliases=False).get(country, [])
    if not codes:
        return ()
    whole = frozenset(holidays.country_holidays(country, years=_YEARS))
    names = {code: name for name, code in holidays.country_holidays(country).subdivisions_aliases.items()}
    found = [code for code in codes if frozenset(holidays.country_holidays(country, subdiv=code, years=_YEARS)) != whole]
    return tuple(sorted(((code, names.get(code, code)) for code in found), key=lambda pair: pair[1].casefold()))


def name(country: str, code: str) -> str:
    """Return what a region is called, an empty text for none."""
    return dict(of(country)).get(code, "")


@functools.lru_cache(maxsize=32)
def days_off(country: str, region: str, year: int) -> frozenset[dt.date]:
    """Return the public holidays of a region, or of the whole country for none.

    Raises LookupError for a country or a region that nobody wrote a calendar for.
    """
    try:
        return frozenset(holidays.country_holidays(country, subdiv=region or None, years=year))
    except NotImplementedError as error:
        raise LookupError(f"no calendar of {country} {region}") from error
