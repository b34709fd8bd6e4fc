"""What a client's answers add up to: the state of one purpose on one channel, computed from the ledger's events.

Pure: standard library only. `clients.consent` feeds it and writes its result down as Standing. It never looks at
the clock, the database or the salon. A function of the set of events: order and repetition change nothing.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

MARKETING = ("mkt.birthday", "mkt.welcome", "mkt.promotion", "mkt.rebook", "mkt.review")
SERVICE = ("svc.reminder", "svc.confirmation")
PERSONAL = ("profiling", "health_notes", "photos")
PURPOSES = (*MARKETING, *PERSONAL, *SERVICE)
CHANNELS = ("email", "sms")
ALL_MARKETING = "*"
EVERYTHING = "**"
ANY_CHANNEL = "*"

NEGATIVE = frozenset({"deny", "withdraw", "object", "expire", "provider_stop", "complaint", "merge_hold"})
POSITIVE = frozenset({"grant", "confirm"})
# Stops that only the client, through the address itself or a signed form, can take back.
HARD_STOPS = frozenset({"object", "provider_stop", "complaint"})
SIGNED_FORM = "paper_form"
_OUR_OWN_ACTORS = frozenset({"staff", "system"})
# What an event may call a purpose that has channels.
_NAMED_BY = {
    **{one: frozenset({one, ALL_MARKETING, EVERYTHING}) for one in MARKETING},
    **{one: frozenset({one, EVERYTHING}) for one in SERVICE},
}


class State(StrEnum):
    """What the ledger says about one purpose on one channel."""

    GRANTED = "granted"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    SOFT_OPT_IN = "soft_opt_in"
    UNKNOWN = "unknown"


class Entry(NamedTuple):
    """One event of the ledger. `origin` is the subject it was written for, `voids` the id of the event it undoes."""

    id: int
    purpose: str
    channel: str
    event: str
    address_hmac: str
    effective_at: dt.datetime
    recorded_at: dt.datetime
    source: str
    actor_type: str
    evidence_level: int
    origin: int
    voids: int | None = None


class Reading(NamedTuple):
    """A state, the event that made it so (None for `unknown`), and the newest stop that only the client can lift."""

    state: State
    entry: Entry | None = None
    stop: Entry | None = None


def covers(entry: Entry, purpose: str, channel: str) -> bool:
    """Return whether an event speaks about `purpose` on `channel` (an empty channel for purposes without messages)."""
    if purpose not in _NAMED_BY:
        return entry.purpose == purpose and entry.channel == channel
    return entry.purpose in _NAMED_BY[purpose] and entry.channel in (channel, ANY_CHANNEL)


def is_after(positive: Entry, negative: Entry) -> bool:
    """Return whether a Yes was said after a No.

    A No that was written down as it was said comes after all that the ledger held by then, whatever a clock shows: one
    that was set back, or that of another machine, must not let it lose.
    """
    is_live = negative.effective_at == negative.recorded_at
    return positive.effective_at > negative.effective_at and not (is_live and positive.id < negative.id)


def outranks(positive: Entry, negative: Entry) -> bool:
    """Return whether a Yes stands against a No: it must be later and come with proof enough for who said No."""
    if not is_after(positive, negative):
        return False
    level = positive.evidence_level
    if negative.event in HARD_STOPS:
        return level >= 3 or (level == 2 and positive.source == SIGNED_FORM)
    if negative.actor_type in _OUR_OWN_ACTORS:
        return level >= 2 or positive.origin == negative.origin
    return level >= 2


def visible(entries: Iterable[Entry], at: dt.datetime | None) -> list[Entry]:
    """Return each event known at `at` (None: all) once, without voids and what they void."""
    known = {entry.id: entry for entry in entries if at is None or entry.recorded_at <= at}
    voided = {entry.voids for entry in known.values() if entry.event == "void"}
    return [entry for entry in known.values() if entry.event != "void" and entry.id not in voided]


def reading(
    entries: Iterable[Entry],
    *,
    purpose: str,
    channel: str,
    address_hmac: str,
    at: dt.datetime | None = None,
    minimum_evidence: int = 0,
) -> Reading:
    """Return the state of `purpose` on `channel` for the address with this hash, and the event behind it.

    `at`: events recorded later are not known yet (None: all are). `minimum_evidence`: what the country asks of a Yes
    (0 to 3); one with less is waiting for the client. For service purposes `unknown` means on, `withdrawn` off.
    """
    matching = [entry for entry in visible(entries, at) if covers(entry, purpose, channel)]
    return _weighed(matching, purpose, channel, address_hmac, minimum_evidence)


def readings(
    entries: Iterable[Entry],
    pairs: Iterable[tuple[str, str]],
    *,
    address_hmacs: Mapping[str, str],
    minimum_evidence: Callable[[str, str], int],
) -> dict[tuple[str, str], Reading]:
    """Return the reading of each (purpose, channel) today, as `reading` gives it one by one.

    `address_hmacs` by channel. What the same events say of several purposes is weighed once: one No mostly means them all.
    """
    known = visible(entries, None)
    weighed: dict[tuple[object, ...], Reading] = {}
    found = {}
    for purpose, channel in pairs:
        matching = [entry for entry in known if covers(entry, purpose, channel)]
        needed = minimum_evidence(purpose, channel)
        key = (channel, needed, purpose in SERVICE, *[entry.id for entry in matching])
        if key not in weighed:
            weighed[key] = _weighed(matching, purpose, channel, address_hmacs[channel], needed)
        found[purpose, channel] = weighed[key]
    return found


def _weighed(matching: Sequence[Entry], purpose: str, channel: str, address_hmac: str, minimum_evidence: int) -> Reading:
    """Return what the events that speak about `purpose` on `channel` add up to."""
    negatives = [entry for entry in matching if entry.event in NEGATIVE]
    here = [entry for entry in matching if _is_for(entry, channel, address_hmac)]
    opening = POSITIVE | {"provider_start"} if purpose in SERVICE else POSITIVE
    yeses = [entry for entry in here if entry.event in opening]
    proven = [entry for entry in yeses if entry.evidence_level >= minimum_evidence]
    waiting = [entry for entry in here if entry.event == "pending"]
    waiting += [entry for entry in yeses if entry.evidence_level < minimum_evidence]

    stop = _newest(no for no in negatives if _is_the_clients(no) and not any(outranks(yes, no) for yes in proven))
    standing = [yes for yes in proven if all(outranks(yes, no) for no in negatives)]
    if standing:
        return Reading(State.GRANTED, _newest(standing))
    newer = [one for one in waiting if all(is_after(one, no) for no in negatives)]
    if newer:
        return Reading(State.PENDING, _newest(newer), stop)
    if negatives:
        return Reading(State.WITHDRAWN, _newest(negatives), stop)
    soft = [entry for entry in here if entry.event == "soft_opt_in"]
    return Reading(State.SOFT_OPT_IN, _newest(soft)) if soft else Reading(State.UNKNOWN)


def state(
    entries: Iterable[Entry],
    *,
    purpose: str,
    channel: str,
    address_hmac: str,
    at: dt.datetime | None = None,
    minimum_evidence: int = 0,
) -> State:
    """Return the state alone; the arguments are those of `reading`."""
    return reading(
        entries, purpose=purpose, channel=channel, address_hmac=address_hmac, at=at, minimum_evidence=minimum_evidence
    ).state


def has_objected(entries: Iterable[Entry], *, purpose: str, channel: str, address_hmac: str) -> bool:
    """Return whether a stop that only the client can lift stands against `purpose` on `channel`, not taken back since."""
    matching = [entry for entry in visible(entries, None) if covers(entry, purpose, channel)]
    yeses = [entry for entry in matching if entry.event in POSITIVE and _is_for(entry, channel, address_hmac)]
    stops = [entry for entry in matching if entry.event in HARD_STOPS]
    return any(not any(outranks(yes, no) for yes in yeses) for no in stops)


def affected(purpose: str, channel: str) -> list[tuple[str, str]]:
    """Return every (purpose, channel) that an event with this purpose and channel speaks about."""
    named = {ALL_MARKETING: MARKETING, EVERYTHING: (*MARKETING, *SERVICE)}.get(purpose, (purpose,))
    if purpose in PERSONAL:
        return [(purpose, channel)]
    return [(one, way) for one in named for way in (CHANNELS if channel == ANY_CHANNEL else (channel,))]


def pairs() -> list[tuple[str, str]]:
    """Return every (purpose, channel) that has a state."""
    return [pair for purpose in PURPOSES for pair in affected(purpose, "" if purpose in PERSONAL else ANY_CHANNEL)]


def _is_for(entry: Entry, channel: str, address_hmac: str) -> bool:
    """Return whether a Yes is about the address of today. A purpose without messages has no address."""
    return not channel or (entry.address_hmac != "" and entry.address_hmac == address_hmac)


def _is_the_clients(negative: Entry) -> bool:
    return negative.event in HARD_STOPS or negative.actor_type not in _OUR_OWN_ACTORS


def _newest(entries: Iterable[Entry]) -> Entry | None:
    return max(entries, key=lambda entry: (entry.effective_at, entry.recorded_at, entry.id), default=None)
