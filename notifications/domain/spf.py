"""Reads what a domain says about who may send for it: SPF, RFC 7208. Nothing is judged about one mail."""

import ipaddress
import re
from dataclasses import dataclass, field

from notifications.domain.lookup import Answer, Lookups, State

# Terms that make a receiver ask the DNS; above this many it gives up, and the whole record counts for nothing (4.6.4).
LOOKUPS_MAX = 10
_TERM = re.compile(r"([+\-~?]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?:([:/])(\S*))?", re.IGNORECASE)
_MODIFIER = re.compile(r"([A-Za-z][\w.-]*)=(\S*)")
_ASKING = frozenset({"include", "a", "mx", "ptr", "exists"})


@dataclass
class Policy:
    """What the record comes to. `fault` is a code: "" none, many broken loop include_empty lookups unfinished.

    `at` is where the fault is, or which other name lets everybody in.
    """

    state: State
    record: str = ""
    ending: str = ""  # "-" "~" "?" "+": what is said of everybody else; "" nothing
    lookups: int = 0
    fault: str = ""
    at: str = ""
    named: set[str] = field(default_factory=set)

    @property
    def is_good(self) -> bool:
        """Return whether receivers can go by it."""
        return bool(self.record) and not self.fault


def read(domain: str, lookups: Lookups) -> Policy:
    """Return what `domain` says, with all that its record leads to."""
    answer = lookups.texts(domain)
    found = records(answer)
    if len(found) > 1:
        return Policy(answer.state, found[0], fault="many")
    if not found:
        return Policy(answer.state)
    policy = Policy(answer.state, found[0])
    policy.ending = _walk(domain, found[0], lookups, policy, path=(domain.lower(),))
    if policy.lookups > LOOKUPS_MAX and policy.fault in {"", "unfinished"}:
        policy.fault, policy.at = "lookups", str(policy.lookups)
    return policy


def records(answer: Answer) -> list[str]:
    """Return the texts that are SPF records: "v=spf1" and then a space or nothing (4.5)."""
    return [text for text in answer.values if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def _walk(domain: str, record: str, lookups: Lookups, policy: Policy, *, path: tuple[str, ...]) -> str:
    """Go through one record and what it includes; return what it says of everybody else."""
    redirect = ""
    for term in record.split()[1:]:
        modifier = _MODIFIER.fullmatch(term)
        if modifier:
            redirect = modifier[2] if modifier[1].lower() == "redirect" else redirect
            continue
        match = _TERM.fullmatch(term)
        if match is None or not _is_sound(match[2].lower(), match[3] or "", match[4] or ""):
            _fail(policy, "broken", term)
            return ""
        sign, mechanism, target = match[1] or "+", match[2].lower(), match[4] or ""
        if mechanism == "all":
            return sign
        policy.lookups += mechanism in _ASKING
        if mechanism == "include" and _follow(target, lookups, policy, path) == "+" == sign:
            policy.at = target  # who lets everybody in there lets everybody in here
            return "+"
        if policy.fault not in {"", "unfinished"} or policy.lookups > LOOKUPS_MAX * 3:
            return ""
    if redirect:
        policy.lookups += 1
        ending = _follow(redirect, lookups, policy, path)
        policy.at = redirect if ending == "+" else policy.at
        return ending
    return ""


def _follow(target: str, lookups: Lookups, policy: Policy, path: tuple[str, ...]) -> str:
    name = target.lower().rstrip(".")
    policy.named.add(name)
    if "%" in name:  # depends on the mail: nothing to follow
        return ""
    if name in path:
        _fail(policy, "loop", name)
        return ""
    answer = lookups.texts(name)
    if not answer.is_sure:
        _fail(policy, "unfinished", name)
        return ""
    found = records(answer)
    if len(found) != 1:
        _fail(policy, "include_empty", name)
        return ""
    return _walk(name, found[0], lookups, policy, path=(*path, name))


def _fail(policy: Policy, fault: str, at: str) -> None:
    if policy.fault in {"", "unfinished"}:
        policy.fault, policy.at = fault, at


def _is_sound(mechanism: str, mark: str, value: str) -> bool:
    """Return whether a term has what it needs behind its name, and nothing else."""
    if mechanism == "all":
        return not mark
    if mechanism in {"include", "exists"}:
        return mark == ":" and bool(value)
    if mechanism in {"ip4", "ip6"}:
        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            return False
        return mark == ":" and network.version == int(mechanism[2])
    return bool(value) if mark else True
