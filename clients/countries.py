"""What a country asks of a Yes and of age: profiles read by the fold's callers. Pure; one without a profile is strict."""

import datetime as dt
from dataclasses import dataclass

from clients.fold import SERVICE

# Since when the law applies (Art. 99 GDPR, in the UK too): no request under it, no breach and no proof of a Yes is older.
LAW_SINCE = dt.date(2018, 5, 25)


@dataclass(frozen=True)
class Profile:
    """Whether a Yes told to staff counts, whether one for e-mail must be confirmed through a link, and the digital age.

    Under `child_age` nobody gets advertising (GDPR Art. 8 and the countries' own limits). `soft_email` and `soft_sms`:
    whether existing clients may get offers without a Yes (PECR reg 22; CPCE L34-5; UWG §7(3), not for SMS), and for how
    many months after a visit.
    """

    verbal_ok: bool
    doi_email: bool
    child_age: int
    soft_email: bool = False
    soft_sms: bool = False
    soft_months: int = 24


PROFILES = {
    "GB": Profile(verbal_ok=True, doi_email=False, child_age=13, soft_email=True, soft_sms=True),
    "FR": Profile(verbal_ok=True, doi_email=False, child_age=15, soft_email=True, soft_sms=True),
    "DE": Profile(verbal_ok=False, doi_email=True, child_age=16, soft_email=True),
    "_default": Profile(verbal_ok=False, doi_email=True, child_age=16),
}


def profile(country: str) -> Profile:
    """Return the profile of `country` (two letters), the strict one if it has none."""
    return PROFILES.get(country, PROFILES["_default"])


def minimum_evidence(country: str, purpose: str, channel: str) -> int:
    """Return the evidence (0 to 3) below which a Yes is waiting for the client.

    Messages about a visit need none: they are on until somebody switches them off.
    """
    if purpose in SERVICE:
        return 0
    if channel == "email" and profile(country).doi_email:
        return 3
    return 1 if profile(country).verbal_ok else 2


def is_minor(country: str, *, year: int | None, month: int | None, day: int | None, today: dt.date) -> bool:
    """Return whether somebody born then is under the digital age of `country`. An unknown year is an adult's.

    Of somebody whose year alone is known the birthday counts as the last day of it.
    """
    if not year:
        return False
    born = (month or 12, day or 31)
    return today.year - year - ((today.month, today.day) < born) < profile(country).child_age
