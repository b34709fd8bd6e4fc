"""May we send? One pure function, asked at the hand-over of every message, which returns every reason against it.

Called by dispatch (to send) and by `why` (to explain). Reads nothing: the facts come from `notifications.facts`.
Nothing else may make a `Send`; a channel does not send without one.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from notifications.kinds import Class, Kind, Wanted
from notifications.precedence import PRECEDENCE

# Raised when a rule changes, so that a stored decision says by which rules it was taken.
VERSION = "2026-3"

CHANNELS = frozenset({"email", "sms"})
CONSENTS = frozenset({"granted", "pending", "withdrawn", "soft_opt_in", "unknown"})
SCOPES = frozenset({"", "delivery", "marketing", "all"})
VISIT_STATES = frozenset({"stands", "cancelled", "done", "over"})
_WANTED = frozenset(Wanted)

# How much advertising an address gets, across all kinds, over any such stretch of time.
MARKETING_A_DAY = 1
MARKETING_A_MONTH = 4
DAY = dt.timedelta(hours=24)
MONTH = dt.timedelta(days=30)


@dataclass(frozen=True)
class Visit:
    """The visit a message is about, as it stands now. `state`: stands, cancelled, done, or over (arrived, no-show)."""

    id: int
    time_version: int
    start_at: dt.datetime
    state: str


@dataclass(frozen=True)
class Facts:
    """All that the decision depends on, as plain values: no address, no name, nothing that needs a lookup.

    `scope` and `stop_reason` are those of the address row. `consent` is the fold of the ledger for the kind's
    purpose, the channel and the present address, `event_ids` the ledger lines it was folded from.
    `said_version` and `said_start_at` are the version and the start of the visit that the message speaks of.
    """

    message_id: int
    kind: Kind
    channel: str
    zone: str
    client_id: int | None
    expires_at: dt.datetime
    consent: str = "unknown"
    event_ids: tuple[int, ...] = ()
    address_id: int | None = None
    has_address: bool = True
    scope: str = ""
    stop_reason: str = ""
    is_erased: bool = False
    is_restricted: bool = False
    is_inactive: bool = False
    is_blacklisted: bool = False
    # Until when the client wants no marketing at all.
    paused_until: dt.datetime | None = None
    is_minor: bool = False
    visit: Visit | None = None
    said_version: int | None = None
    said_start_at: dt.datetime | None = None
    is_told: bool = False
    # For a moment in a client's life: not their day, come again or booked, asked often enough, and where it leads.
    is_off_day: bool = False
    is_booked: bool = False
    is_asked_lately: bool = False
    has_target: bool = True
    # Somebody stopped the campaign that the message belongs to; it goes to who was found by habit, without a Yes to that.
    is_stopped: bool = False
    is_unprofiled: bool = False
    is_switched_on: bool = False
    is_automatic: bool = True
    is_client_act: bool = False
    # For a link that the client asked for: when (None: nothing waits for it any more), and whether it was sent before.
    asked_at: dt.datetime | None = None
    is_repeat: bool = False
    # When the address was stopped.
    stopped_at: dt.datetime | None = None
    is_on_hold: bool = False
    # Only with every condition of the soft opt-in met (off by default everywhere).
    is_soft_opt_in_open: bool = False
    # Salons whose country asks for a yes even to reminders.
    is_service_opt_in: bool = False
    has_public_address: bool = False
    marketing_day_count: int = 0
    marketing_month_count: int = 0
    holidays: frozenset[dt.date] = frozenset()
    # Of SMS alone. `has_open_reply`: an answer that may be a stop was not read yet.
    is_channel_off: bool = False
    is_not_mobile: bool = False
    has_open_reply: bool = False
    is_over_budget: bool = False
    is_over_cap: bool = False


@dataclass(frozen=True)
class Send:
    """Leave to hand this message over, now, once. Names what it stands on. Made by `decide` only."""

    message_id: int
    client_id: int
    channel: str
    event_ids: tuple[int, ...]
    address_id: int | None
    visit_id: int | None
    visit_version: int | None
    decided_at: dt.datetime
    version: str = VERSION


@dataclass(frozen=True)
class Wait:
    """Not now: `until` is the first instant at which it may leave."""

    until: dt.datetime
    reason: str


@dataclass(frozen=True)
class Refuse:
    """No, for all of these reasons, the weightiest first. Never empty."""

    reasons: tuple[str, ...]


Decision = Send | Wait | Refuse


def decide(facts: Facts, now: dt.datetime) -> Decision:
    """Say whether the message may leave at `now` (aware). Whatever cannot be understood is refused, never sent.

    The policy: design page "consent and messages", 1.5.
    """
    try:
        _understand(facts, now)
        found = set(_reasons(facts, now))
        if found:
            return Refuse(tuple(reason for reason in PRECEDENCE if reason in found))
        until = _allowed_from(facts, now)
        if until > now:
            return Refuse(("expired",)) if until >= _deadline(facts) else Wait(until, "quiet_hours")
        if facts.client_id is None:
            return Refuse(("gone",))
        return Send(
            message_id=facts.message_id,
            client_id=facts.client_id,
            channel=facts.channel,
            event_ids=facts.event_ids,
            address_id=facts.address_id,
            visit_id=facts.visit.id if facts.visit else None,
            visit_version=facts.visit.time_version if facts.visit else None,
            decided_at=now,
        )
    except Exception:  # noqa: BLE001 (fail closed: an unreadable fact must never become a message)
        return Refuse(("error",))


def _understand(facts: Facts, now: dt.datetime) -> None:
    """Raise ValueError for a value that the rules do not know."""
    known = (
        isinstance(facts.kind, Kind)
        and facts.channel in CHANNELS
        and facts.channel in facts.kind.hours
        and facts.consent in CONSENTS
        and facts.scope in SCOPES
        and (facts.visit is None or facts.visit.state in VISIT_STATES)
        and facts.kind.wanted in _WANTED
        and now.utcoffset() is not None
        and facts.expires_at.utcoffset() is not None
    )
    flags = (
        facts.has_address, facts.is_erased, facts.is_restricted, facts.is_inactive, facts.is_blacklisted, facts.is_minor,
        facts.is_told, facts.is_stopped, facts.is_switched_on, facts.is_automatic, facts.is_client_act, facts.is_on_hold,
        facts.is_soft_opt_in_open, facts.is_service_opt_in, facts.has_public_address, facts.is_repeat,
        facts.is_off_day, facts.is_booked, facts.is_asked_lately, facts.has_target, facts.is_unprofiled,
        facts.is_channel_off, facts.is_not_mobile, facts.has_open_reply, facts.is_over_budget, facts.is_over_cap,
    )  # fmt: skip
    if not known or set(map(type, flags)) != {bool}:
        raise ValueError("a fact the gate does not know")


def _reasons(facts: Facts, now: dt.datetime) -> Iterator[str]:
    """Yield every reason against sending, in no order. The answer to a stop is owed to anybody, whatever it costs."""
    is_answer = facts.kind.is_answer
    plain = {
        "hold": facts.is_on_hold, "channel_off": facts.is_channel_off, "erased": facts.is_erased, "gone": facts.client_id is None,
        "restricted": facts.is_restricted and not is_answer, "inactive": facts.is_inactive and not is_answer,
        "over_budget": facts.is_over_budget and not is_answer,
        "automation_off": facts.is_automatic and not facts.is_switched_on,
    }  # fmt: skip
    yield from (reason for reason, holds in plain.items() if holds)
    yield from _obsolete(facts, now)
    yield from _address(facts)
    if facts.kind.kind_class == Class.SYSTEM:
        yield from () if is_answer else _system(facts)
    else:
        yield from (_marketing(facts, now) if facts.kind.is_marketing else _service(facts))


def _obsolete(facts: Facts, now: dt.datetime) -> Iterator[str]:
    found = {"expired": now >= facts.expires_at, "duplicate": facts.is_told, "halted": facts.is_stopped}
    found |= {"not_the_day": facts.is_off_day, "booked": facts.is_booked, "asked_lately": facts.is_asked_lately}
    yield from (reason for reason, holds in found.items() if holds)
    if facts.kind.wanted == Wanted.ALWAYS:
        return
    if facts.visit is None:
        yield "gone"
        return
    if facts.kind.wanted == Wanted.DONE:
        yield from () if facts.visit.state == "done" else ("not_done",)
        return
    if facts.kind.wanted == Wanted.STANDS and facts.visit.state != "stands":
        yield "cancelled" if facts.visit.state == "cancelled" else "over"
    if facts.kind.wanted == Wanted.CANCELLED and facts.visit.state != "cancelled":
        yield "undone"
    if facts.said_version != facts.visit.time_version or facts.said_start_at != facts.visit.start_at:
        yield "moved"
    if now >= facts.visit.start_at:
        yield "past"
    elif now > facts.visit.start_at - facts.kind.margin:
        yield "too_late"


def _address(facts: Facts) -> Iterator[str]:
    if not facts.has_address:
        yield "no_address"
    if facts.is_not_mobile:
        yield "not_a_mobile"
    if facts.scope == "delivery":
        yield "invalid_address"
    if facts.scope == "all" and not facts.kind.is_answer and not (facts.stop_reason == "stop" and _asked_after_the_stop(facts)):
        yield "channel_stop" if facts.stop_reason == "stop" else "suppressed_all"


def _system(facts: Facts) -> Iterator[str]:
    """A link that the client asked for: once, even to an address that was stopped, if they asked for it after the stop."""
    if facts.asked_at is None:
        yield "answered"
    if facts.scope == "marketing" and not _asked_after_the_stop(facts):
        yield "marketing_objection"
    if facts.is_minor:
        yield "minor"
    if not facts.has_public_address:
        yield "no_public_address"


def _asked_after_the_stop(facts: Facts) -> bool:
    is_later = facts.asked_at is not None and facts.stopped_at is not None and facts.asked_at > facts.stopped_at
    return facts.kind.kind_class == Class.SYSTEM and is_later and not facts.is_repeat


def _service(facts: Facts) -> Iterator[str]:
    if facts.consent == "withdrawn":
        yield "client_refused"
    elif facts.is_service_opt_in and facts.consent != "granted":
        yield "consent_missing"


def _marketing(facts: Facts, now: dt.datetime) -> Iterator[str]:
    if facts.scope == "marketing":
        yield "marketing_objection"
    if facts.consent != "granted" and not (facts.consent == "soft_opt_in" and facts.is_soft_opt_in_open):
        yield "consent_missing"
    if facts.is_unprofiled:
        yield "profiling_missing"
    if facts.has_open_reply:
        yield "reply_waits"
    if facts.is_over_cap:
        yield "over_cap"
    if facts.paused_until is not None and now < facts.paused_until:
        yield "paused"
    if facts.is_blacklisted:
        yield "blacklisted"
    if facts.is_minor:
        yield "minor"
    if not facts.has_public_address:
        yield "no_public_address"
    if not facts.has_target:
        yield "no_target"
    if facts.marketing_day_count >= MARKETING_A_DAY or facts.marketing_month_count >= MARKETING_A_MONTH:
        yield "frequency_cap"


def _allowed_from(facts: Facts, now: dt.datetime) -> dt.datetime:
    """Return the first instant at or after `now` outside the quiet hours of the salon's zone."""
    if facts.is_client_act or facts.kind.is_answer:
        return now
    return facts.kind.hours[facts.channel].first(now, ZoneInfo(facts.zone), facts.holidays)


def _deadline(facts: Facts) -> dt.datetime:
    """Return the instant from which the message makes no sense any more."""
    if facts.visit is None or facts.kind.wanted in {Wanted.ALWAYS, Wanted.DONE}:
        return facts.expires_at
    # A margin is crossed after start − margin, not at it.
    margin = facts.visit.start_at - facts.kind.margin + dt.timedelta(microseconds=1)
    return min(facts.expires_at, margin) if facts.kind.margin else min(facts.expires_at, facts.visit.start_at)
