"""What the policy table says, read literally. Written apart from the gate: no rule here is taken from its code.

A allow, B block, F block on this channel (another one may do).
"""

import datetime as dt
from typing import Any

#                inactive restricted erased blacklisted stopped bounced no_address suppressed minor
TABLE = """
confirmation     B        B          B      A           F       F       F          A          A
change           B        B          B      A           F       F       F          A          A
cancellation     B        B          B      A           F       F       F          A          A
reminder         B        B          B      A           F       F       F          A          A
welcome          B        B          B      B           B       B       B          B          B
birthday         B        B          B      B           B       B       B          B          B
rebook           B        B          B      B           B       B       B          B          B
review           B        B          B      B           B       B       B          B          B
promotion        B        B          B      B           B       B       B          B          B
doi_request      B        B          B      A           B       B       B          B          B
choices          B        B          B      A           B       B       B          B          B
optout_ack       A        A          B      A           A       B       B          A          A
"""
COLUMNS = ("inactive", "restricted", "erased", "blacklisted", "stopped", "bounced", "no_address", "suppressed", "minor")
POLICY = {line.split()[0]: dict(zip(COLUMNS, line.split()[1:], strict=True)) for line in TABLE.strip().splitlines()}

# Wall clock of the salon, from the table's column on quiet hours and the line below it.
QUIET = {
    "confirmation": (22, 7), "change": (22, 7), "cancellation": (22, 7), "reminder": (21, 8), "doi_request": (22, 7),
    "choices": (22, 7),
    "email": (21, 7), "sms": (20, 8),
}  # fmt: skip
# Links that the client asked for.
ON_DEMAND = {"doi_request", "choices"}
# The answer to a STOP: one, at once, whatever it costs.
ANSWER = "optout_ack"
MARKETING = {"welcome", "birthday", "rebook", "review", "promotion"}


def is_quiet(kind: str, channel: str, local: dt.datetime, holidays: frozenset[dt.date]) -> bool:
    """Whether the salon's wall clock says that nothing of this kind leaves now."""
    evening, morning = QUIET[channel] if kind in MARKETING else QUIET[kind]
    if kind in MARKETING and channel == "sms" and (local.isoweekday() == 7 or local.date() in holidays):
        return True
    return local.hour >= evening or local.hour < morning


def blocks(kind: str, who: dict[str, bool]) -> bool:
    """Whether one of the columns that hold for this client says B or F."""
    return any(POLICY[kind][column] in "BF" for column, holds in who.items() if holds)


def answer(kind: str, channel: str, facts: Any, local: dt.datetime, now: dt.datetime) -> str:
    """Say "send", "wait" or "no" for the plain facts, as somebody with the table in hand would."""
    who = {
        "inactive": facts.is_inactive, "restricted": facts.is_restricted, "erased": facts.is_erased,
        "blacklisted": facts.is_blacklisted, "stopped": facts.scope == "all", "bounced": facts.scope == "delivery",
        "no_address": not facts.has_address, "suppressed": facts.scope == "marketing", "minor": facts.is_minor,
    }  # fmt: skip
    if kind in ON_DEMAND:
        # Once, to an address that was stopped, if the client asked after the stop; a STOP by the client, not any other.
        asked, stopped = facts.asked_at, facts.stopped_at
        if asked is None or not facts.has_public_address:
            return "no"
        if stopped is not None and asked > stopped and not facts.is_repeat:
            who["suppressed"] = False
            who["stopped"] = who["stopped"] and facts.stop_reason != "stop"
    # SMS: the switch of the channel, a number that takes none, money, an answer nobody has read.
    if facts.is_channel_off or facts.is_not_mobile or (facts.is_over_budget and kind != ANSWER):
        return "no"
    if kind in MARKETING and (facts.is_over_cap or facts.has_open_reply):
        return "no"
    if blocks(kind, who) or facts.is_on_hold or facts.client_id is None:
        return "no"
    if facts.is_automatic and not facts.is_switched_on:
        return "no"
    if kind in MARKETING:
        is_open = facts.consent == "granted" or (facts.consent == "soft_opt_in" and facts.is_soft_opt_in_open)
        if not is_open or not facts.has_public_address:
            return "no"
        if facts.paused_until is not None and now < facts.paused_until:
            return "no"
        if facts.marketing_day_count or facts.marketing_month_count > 3 or not facts.has_target:
            return "no"
        # After a completed visit and no other.
        if kind in {"rebook", "review"} and (facts.visit is None or facts.visit.state != "done"):
            return "no"
    elif (
        kind not in ON_DEMAND
        and kind != ANSWER
        and (facts.consent == "withdrawn" or (facts.is_service_opt_in and facts.consent != "granted"))
    ):
        return "no"
    if facts.is_off_day or facts.is_booked or facts.is_asked_lately:
        return "no"
    if facts.is_told or facts.is_stopped or now >= facts.expires_at:
        return "no"
    latest = facts.expires_at
    if kind not in MARKETING and kind not in ON_DEMAND and kind != ANSWER:
        visit = facts.visit
        if visit is None or visit.state != ("cancelled" if kind == "cancellation" else "stands"):
            return "no"
        if (visit.time_version, visit.start_at) != (facts.said_version, facts.said_start_at) or now >= visit.start_at:
            return "no"
        if kind == "reminder":
            if visit.start_at - now < dt.timedelta(hours=1):
                return "no"
            latest = min(latest, visit.start_at - dt.timedelta(hours=1, microseconds=-1))
        latest = min(latest, visit.start_at)
    if facts.is_client_act or kind == ANSWER or not is_quiet(kind, channel, local, facts.holidays):
        return "send"
    # Quiet: walk minute by minute to the end of it.
    at = now.replace(second=0, microsecond=0)
    while is_quiet(kind, channel, at.astimezone(local.tzinfo), facts.holidays):
        at += dt.timedelta(minutes=1)
    return "wait" if at < latest else "no"
