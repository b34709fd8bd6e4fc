"""A second reading of the rule for consent, written from its words and not from the code it judges.

It goes by truth tables over pairs of events and asks the questions in the order of the text. Slow and plain on purpose.
"""

from typing import Any

NO = ["deny", "withdraw", "object", "expire", "provider_stop", "complaint", "merge_hold"]


def verdict(events: list[dict[str, Any]], purpose: str, channel: str, address: str, minimum: int) -> str:
    """Return granted, pending, withdrawn, soft_opt_in or unknown for one purpose, channel and current address."""
    seen: dict[int, dict[str, Any]] = {}
    for event in events:
        seen[event["id"]] = event
    left_out = set()
    for event in seen.values():
        if event["event"] == "void":
            left_out.add(event["id"])
            left_out.add(event["voids"])
    about = [event for event in seen.values() if event["id"] not in left_out and speaks(event, purpose, channel)]

    noes = [event for event in about if event["event"] in NO]
    mine = [event for event in about if channel == "" or event["address_hmac"] == address]
    if channel != "" and address == "":
        mine = []
    yeses, waits, softs = [], [], []
    for event in mine:
        kind = event["event"]
        counts = kind == "grant" or kind == "confirm" or (kind == "provider_start" and purpose.startswith("svc."))
        if counts and event["evidence_level"] >= minimum:
            yeses.append(event)
        elif counts or kind == "pending":
            waits.append(event)
        elif kind == "soft_opt_in":
            softs.append(event)

    for yes in yeses:
        if not [no for no in noes if not beats(yes, no)]:
            return "granted"
    for one in waits:
        if not [no for no in noes if not comes_later(one, no)]:
            return "pending"
    if noes:
        return "withdrawn"
    return "soft_opt_in" if softs else "unknown"


def speaks(event: dict[str, Any], purpose: str, channel: str) -> bool:
    """Return whether the event is about this purpose on this channel."""
    if purpose.startswith("mkt."):
        right_purpose = event["purpose"] == purpose or event["purpose"] == "*" or event["purpose"] == "**"
    elif purpose.startswith("svc."):
        right_purpose = event["purpose"] == purpose or event["purpose"] == "**"
    else:
        return bool(event["purpose"] == purpose)
    return bool(right_purpose and (event["channel"] == channel or event["channel"] == "*"))


def comes_later(yes: dict[str, Any], no: dict[str, Any]) -> bool:
    """Return whether the Yes is the later one: by its date, and in the book too if the No was written at once."""
    if no["recorded_at"] == no["effective_at"] and no["id"] > yes["id"]:
        return False
    return bool(yes["effective_at"] > no["effective_at"])


def beats(yes: dict[str, Any], no: dict[str, Any]) -> bool:
    """Return whether this Yes stands against this No."""
    if not comes_later(yes, no):
        return False
    signed_form = yes["evidence_level"] == 2 and yes["source"] == "paper_form"
    if no["event"] == "object" or no["event"] == "provider_stop" or no["event"] == "complaint":
        return bool(signed_form or yes["evidence_level"] == 3)
    if no["actor_type"] == "client" or no["actor_type"] == "provider":
        return bool(yes["evidence_level"] >= 2)
    return bool(yes["evidence_level"] >= 2 or yes["origin"] == no["origin"])
