"""The reasons of a pair in words."""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from clients.duplicates.score import Reason

WORDS: Mapping[str, Promise] = {
    Reason.PHONE: lazy("same phone"),
    Reason.EMAIL: lazy("same e-mail"),
    Reason.NAME: lazy("same name"),
    Reason.NAME_SHORT: lazy("short form of the first name"),
    Reason.NAME_LIKE: lazy("similar name"),
    Reason.NAME_SWAPPED: lazy("first and last name swapped"),
    Reason.FIRST_NAME: lazy("same first name"),
    Reason.LAST_NAME: lazy("same last name"),
    Reason.BIRTH: lazy("same date of birth"),
    Reason.BIRTH_DAY: lazy("same birthday"),
    Reason.BIRTH_LIKE: lazy("similar date of birth"),
    Reason.ADDRESS: lazy("same address"),
    Reason.HOUSEHOLD: lazy("another first name: perhaps one household"),
    Reason.BIRTH_OTHER: lazy("another date of birth"),
}


def words(reasons: Sequence[str]) -> str:
    """Return the reasons as one line: "same phone, same name"."""
    return ", ".join(str(WORDS[reason]) for reason in reasons if reason in WORDS)
