"""How much two cards look like one person: points for each thing that they share, less for what differs. Pure.

Names arrive folded (`facts`). The points were set on a public data set (`python -m bench febrl`; see the ADR on duplicates).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from rapidfuzz.distance import OSA

from clients.duplicates import nicknames

SURE, LIKELY, POSSIBLE = 70, 50, 34
_BANDS = ((SURE, "sure"), (LIKELY, "likely"), (POSSIBLE, "possible"))


class Reason(StrEnum):
    """What two cards share, or what speaks against them; the words are in `clients.duplicates.telling`."""

    PHONE = "phone"
    EMAIL = "email"
    NAME = "name"
    NAME_SHORT = "name_short"
    NAME_LIKE = "name_like"
    NAME_SWAPPED = "name_swapped"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    BIRTH = "birth"
    BIRTH_DAY = "birth_day"
    BIRTH_LIKE = "birth_like"
    ADDRESS = "address"
    HOUSEHOLD = "household"
    BIRTH_OTHER = "birth_other"


class Grade(IntEnum):
    """How alike two names are."""

    OTHER = -1
    UNKNOWN = 0
    INITIAL = 1
    LIKE = 2
    SHORT = 3
    SAME = 4


FIRST = {Grade.SAME: 16, Grade.SHORT: 14, Grade.LIKE: 13, Grade.INITIAL: 5, Grade.UNKNOWN: 0, Grade.OTHER: -22}
LAST = {Grade.SAME: 22, Grade.SHORT: 22, Grade.LIKE: 18, Grade.INITIAL: 6, Grade.UNKNOWN: 0, Grade.OTHER: -12}
SWAPPED = -4
SHARED_PHONE, SHARED_EMAIL, OTHER_PHONE, OTHER_EMAIL = 40, 42, -3, -3
SAME_BIRTH, SAME_DAY, LIKE_BIRTH, OTHER_BIRTH = 38, 22, 22, -16
SAME_ADDRESS = 18
_STREET = 0.8
# What makes a man's name a woman's, in one language or another: "Michel" and "Michele" are two people, no slip.
_HERS = frozenset({"e", "a", "ie", "ia", "ina", "ine", "le", "ne", "te", "se", "ette", "tte", "in", "y"})
_TWO = frozenset({frozenset({"christian", "christina"}), frozenset({"christian", "christine"}), frozenset({"rene", "renee"})})
_CLOSE = frozenset({Grade.SAME, Grade.SHORT, Grade.LIKE})


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a card. Names in every folded spelling, the usual one first; numbers as E.164, e-mails in lower case.

    `birth` is year, month, day, each None where it is not known. `street` is folded, without signs.
    """

    first: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    phones: frozenset[str] = field(default_factory=frozenset)
    emails: frozenset[str] = field(default_factory=frozenset)
    birth: tuple[int | None, int | None, int | None] = (None, None, None)
    street: str = ""
    postcode: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """0 to 100 points, the band ("" for none) and the reasons, the weightiest first."""

    points: int
    band: str
    reasons: tuple[Reason, ...]


def verdict(one: Facts, other: Facts) -> Verdict:
    """Return how much two cards look like one person. The same whichever comes first.

    Never sure without a first name that is close, with another date of birth, or where two first names share a number, an
    e-mail, or address and date of birth: then it is perhaps one household, and a possibility that somebody can answer.
    """
    first, last, is_swapped = names(one, other)
    reasons: list[tuple[int, Reason]] = []
    shares = _contacts(one, other, reasons)
    points = sum(weight for weight, _reason in reasons) + _no_contacts(one, other)
    points += FIRST[first] + LAST[last] + (SWAPPED if is_swapped else 0)
    reasons += _name_reasons(first, last, is_swapped)
    births = _births(one, other)
    reasons += births
    points += sum(weight for weight, _reason in births)
    if _same_place(one, other):
        points += SAME_ADDRESS
        reasons.append((SAME_ADDRESS, Reason.ADDRESS))
        shares = shares or bool(births and births[0][1] is Reason.BIRTH)
    if shares and first is Grade.OTHER:
        points = min(max(points, POSSIBLE), LIKELY - 1)
        reasons.append((-1, Reason.HOUSEHOLD))
    elif first not in _CLOSE or any(reason is Reason.BIRTH_OTHER for _weight, reason in births):
        points = min(points, SURE - 1)
    points = max(0, min(100, points))
    band = next((name for least, name in _BANDS if points >= least), "")
    return Verdict(points, band, tuple(reason for _weight, reason in sorted(reasons, key=lambda found: -found[0])))


def names(one: Facts, other: Facts) -> tuple[Grade, Grade, bool]:
    """Return how alike first and last names are, and whether they stand the other way round on one of the cards."""
    straight = first_grade(one.first, other.first), grade(one.last, other.last)
    if sum(straight) >= Grade.SHORT + Grade.LIKE or not (one.first and one.last and other.first and other.last):
        return *straight, False
    turned = grade(one.first, other.last), grade(one.last, other.first)
    if min(turned) >= Grade.LIKE and sum(turned) > sum(straight):
        return *turned, True
    return *straight, False


def grade(some: Sequence[str], others: Sequence[str]) -> Grade:
    """Return how alike two names are by their best pair of spellings."""
    if not some or not others:
        return Grade.UNKNOWN
    if some[0] == others[0]:
        return Grade.SAME
    return max(_grade(one, other) for one in some for other in others)


def first_grade(some: Sequence[str], others: Sequence[str]) -> Grade:
    """Return how alike two first names are: short forms are known, and one of several names may be left out."""
    found = grade(some, others)
    if found is Grade.SAME or found is Grade.UNKNOWN:
        return found
    return max(_first_grade(one, other, found) for one in some for other in others)


def _grade(one: str, other: str) -> Grade:
    if one == other:
        return Grade.SAME
    if is_typo(one, other):
        return Grade.LIKE
    return Grade.INITIAL if one[0] == other[0] and 1 in {len(one), len(other)} else Grade.OTHER


def _first_grade(one: str, other: str, found: Grade) -> Grade:
    if nicknames.are_one(one, other):
        return Grade.SHORT
    if _are_his_and_hers(one, other):
        return Grade.OTHER
    return Grade.LIKE if found is Grade.OTHER and (_is_part(one, other) or _is_part(other, one)) else found


def is_typo(one: str, other: str) -> bool:
    """Return whether one is the other with a slip: one letter, two in a long name, or two letters turned.

    In a name of up to four letters only a turn, or a letter too many behind the first: "Sara" and "Sarah", while "Lena" and
    "Lina", "Tom" and "Tim", "Anna" and "Hanna" are two people.
    """
    shorter = min(len(one), len(other))
    if shorter >= 5:
        most = 1 if shorter == 5 else 2
        return OSA.distance(one, other, score_cutoff=most) <= most
    if shorter < 3 or OSA.distance(one, other, score_cutoff=1) > 1:
        return False
    if len(one) == len(other):
        return sorted(one) == sorted(other)
    return shorter == 4 and one[0] == other[0]


def _is_part(short: str, whole: str) -> bool:
    """Return whether `whole` begins with the name `short` and goes on: "marie" and "marieclaire"."""
    return len(short) >= 4 and len(whole) >= len(short) + 3 and whole.startswith(short)


def _are_his_and_hers(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if len(short) >= 3 and long.startswith(short) and long[len(short) :] in _HERS:
        return True
    return (one[:-1] == other[:-1] and {one[-1], other[-1]} == {"o", "a"}) or frozenset({one, other}) in _TWO


def _contacts(one: Facts, other: Facts, reasons: list[tuple[int, Reason]]) -> bool:
    if not one.phones.isdisjoint(other.phones):
        reasons.append((SHARED_PHONE, Reason.PHONE))
    if not one.emails.isdisjoint(other.emails):
        reasons.append((SHARED_EMAIL, Reason.EMAIL))
    return bool(reasons)


def _no_contacts(one: Facts, other: Facts) -> int:
    points = OTHER_PHONE if one.phones and other.phones and one.phones.isdisjoint(other.phones) else 0
    return points + (OTHER_EMAIL if one.emails and other.emails and one.emails.isdisjoint(other.emails) else 0)


def _name_reasons(first: Grade, last: Grade, is_swapped: bool) -> list[tuple[int, Reason]]:
    """Return what to say of the names: one reason for both, or of the one that is alike."""
    both = FIRST[first] + LAST[last]
    if is_swapped:
        return [(both, Reason.NAME_SWAPPED)]
    if first is Grade.SAME and last is Grade.SAME:
        return [(both, Reason.NAME)]
    if first is Grade.SHORT and last in _CLOSE:
        return [(both, Reason.NAME_SHORT)]
    if first in _CLOSE and last in _CLOSE:
        return [(both, Reason.NAME_LIKE)]
    if first in _CLOSE:
        return [(FIRST[first], Reason.FIRST_NAME)]
    return [(LAST[last], Reason.LAST_NAME)] if last in _CLOSE else []


def _births(one: Facts, other: Facts) -> list[tuple[int, Reason]]:
    """Return what the dates of birth say: the same, its day alone, one slip in it, another one, or nothing."""
    (year, month, day), (its_year, its_month, its_day) = one.birth, other.birth
    if not (month and day and its_month and its_day):
        return []
    is_day = (month, day) == (its_month, its_day)
    if not year or not its_year:
        return [(SAME_DAY, Reason.BIRTH_DAY)] if is_day else [(OTHER_BIRTH, Reason.BIRTH_OTHER)]
    if is_day and year == its_year:
        return [(SAME_BIRTH, Reason.BIRTH)]
    is_turned = (month, day) == (its_day, its_month) and year == its_year
    written, its_written = f"{year:04}{month:02}{day:02}", f"{its_year:04}{its_month:02}{its_day:02}"
    if is_turned or OSA.distance(written, its_written, score_cutoff=1) <= 1:
        return [(LIKE_BIRTH, Reason.BIRTH_LIKE)]
    return [(OTHER_BIRTH, Reason.BIRTH_OTHER)]


def _same_place(one: Facts, other: Facts) -> bool:
    """Return whether both live at one address: the same postcode and street, but for a slip in each."""
    if not (one.street and other.street and one.postcode and other.postcode):
        return False
    if OSA.distance(one.postcode, other.postcode, score_cutoff=1) > 1:
        return False
    return OSA.normalized_similarity(one.street, other.street, score_cutoff=_STREET) >= _STREET
