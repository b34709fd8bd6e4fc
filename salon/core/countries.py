"""What is usual in a country: time zones, currency, language. Fills the salon's profile; decides nothing else."""

import datetime as dt
import zoneinfo
from functools import cache

from babel import Locale
from babel.core import get_global
from babel.languages import get_official_languages
from babel.numbers import get_territory_currencies, list_currencies
from django.conf import settings
from django.utils.translation import get_language

# The front of the list: where most of our salons are.
FIRST = ("FR", "DE", "GB", "IE", "BE", "CH", "AT", "LU")


# Codes of two letters that stand for no country: "Unknown Region" and the like.
NO_COUNTRY = {"ZZ", "XA", "XB", "EU", "EZ", "UN", "QO"}
_WINTER_SUMMER = (dt.datetime(2026, 1, 15, tzinfo=dt.UTC), dt.datetime(2026, 7, 15, tzinfo=dt.UTC))


def _locale() -> Locale:
    return Locale.parse((get_language() or "en").replace("-", "_"))


@cache
def codes() -> frozenset[str]:
    """Return the two letters of every country and region that has some of its own."""
    known = map(str, Locale("en").territories)
    return frozenset(code for code in known if len(code) == 2 and code.isalpha()) - NO_COUNTRY


def choices() -> list[tuple[str, str]]:
    """Return (two letters, name in the reader's language) of every country, our own first, then by name."""
    names = _locale().territories
    known = {code for code in get_global("territory_zones") if code in codes() and code in names}
    rest = sorted(known - set(FIRST), key=lambda code: names[code].casefold())
    return [(code, names[code]) for code in (*FIRST, *rest)]


def name(code: str) -> str:
    """Return the name of the country with these two letters in the reader's language, the letters where none is known."""
    return str(_locale().territories.get(code, code))


def zones() -> list[str]:
    """Return the names of the world's time zones, those of regions only."""
    return sorted(
        name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(("Etc/", "posix", "right"))
    )


def currencies() -> list[tuple[str, str]]:
    """Return (three letters, "EUR, Euro") of the currencies in use, by letters."""
    names = _locale().currencies
    in_use = {code for country, _ in choices() for code in get_territory_currencies(country)} & set(list_currencies())
    return [(code, f"{code}, {names.get(code, code)}") for code in sorted(in_use)]


def usual_zone(country: str) -> str:
    """Return the time zone of `country`, or nothing where its clocks differ and somebody must choose."""
    names = [zone for zone in get_global("territory_zones").get(country, []) if zone in zoneinfo.available_timezones()]
    # Germany has two names for one clock: the offsets of winter and summer tell.
    clocks = {tuple(moment.astimezone(zoneinfo.ZoneInfo(name)).utcoffset() for moment in _WINTER_SUMMER) for name in names}
    return names[0] if len(clocks) == 1 else ""


def usual_currency(country: str) -> str:
    """Return the currency of `country`, the euro where nobody knows."""
    codes = get_territory_currencies(country)
    return codes[0] if codes else "EUR"


def usual_language(country: str) -> str:
    """Return the language of ours that is official in `country`, English for the rest."""
    ours = [code for code, _ in settings.LANGUAGES]
    return next((code for code in get_official_languages(country, de_facto=True) if code in ours), "en")


def of_browser(accept_language: str) -> str:
    """Return the country that a browser's Accept-Language names first ("fr-FR,fr;q=0.9"), or no country."""
    known = dict(choices())
    for part in accept_language.split(","):
        _, dash, country = part.partition(";")[0].strip().rpartition("-")
        if dash and country.upper() in known:
            return country.upper()
    return ""
