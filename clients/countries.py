"""What a country asks of a Yes: profiles read by the fold's callers. Pure; a country without a profile is strict."""

from dataclasses import dataclass

from clients.fold import SERVICE


@dataclass(frozen=True)
class Profile:
    """Whether a Yes told to staff counts, and whether one for e-mail must be confirmed through a link."""

    verbal_ok: bool
    doi_email: bool


PROFILES = {
    "GB": Profile(verbal_ok=True, doi_email=False),
    "FR": Profile(verbal_ok=True, doi_email=False),
    "DE": Profile(verbal_ok=False, doi_email=True),
    "_default": Profile(verbal_ok=False, doi_email=True),
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
