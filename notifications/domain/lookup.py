"""Questions to the DNS, with one limit of time for all of them together. What goes wrong is an answer too, never an error."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import dns.exception
import dns.rdatatype
import dns.resolver

# Seconds: for everything, and for one question. A person waits in front of the page.
TOTAL, EACH = 8.0, 3.0


class State(StrEnum):
    """What became of a question."""

    FOUND = "found"
    EMPTY = "empty"  # the name is there, and has nothing of this kind
    MISSING = "missing"  # there is no such name (NXDOMAIN)
    BROKEN = "broken"  # the servers of the domain answer with a fault (SERVFAIL, REFUSED)
    SILENT = "silent"  # nobody answered in time


@dataclass(frozen=True)
class Answer:
    """What was found, in the order of the answer."""

    state: State
    values: tuple[str, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Return whether the DNS gave an answer, be it that there is nothing."""
        return self.state not in {State.BROKEN, State.SILENT}


def system() -> dns.resolver.Resolver | None:
    """Return a resolver with the servers of this machine, or None where it knows none."""
    try:
        return dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return None


class Lookups:
    """Asks `resolver`, no question twice, and nobody any more once `total` seconds have gone."""

    def __init__(
        self, resolver: dns.resolver.Resolver | None, *, total: float = TOTAL, each: float = EACH,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._resolver, self._each, self._clock = resolver, each, clock
        self._until = clock() + total
        self._known: dict[tuple[str, str], Answer] = {}

    def texts(self, name: str) -> Answer:
        """Return the TXT records of `name`, the pieces of each joined as RFC 7208, 3.3 says."""
        return self._ask(name, "TXT")

    def exchangers(self, name: str) -> Answer:
        """Return who takes mail for `name`, the first choice first; "." for the word that nobody does (RFC 7505)."""
        return self._ask(name, "MX")

    def addresses(self, name: str) -> Answer:
        """Return the IP addresses of `name`."""
        four = self._ask(name, "A")
        return four if four.state in {State.FOUND, State.MISSING} else self._ask(name, "AAAA")

    def _ask(self, name: str, kind: str) -> Answer:
        key = (name.lower().rstrip("."), kind)
        if key not in self._known:
            self._known[key] = self._look(key[0], kind)
        return self._known[key]

    def _look(self, name: str, kind: str) -> Answer:
        left = self._until - self._clock()
        if self._resolver is None or left <= 0:
            return Answer(State.SILENT)
        try:
            found = self._resolver.resolve(f"{name}.", kind, lifetime=min(self._each, left), search=False)
        except dns.resolver.NXDOMAIN:
            return Answer(State.MISSING)
        except dns.resolver.NoAnswer:
            return Answer(State.EMPTY)
        except dns.exception.Timeout:
            return Answer(State.SILENT)
        except (dns.exception.DNSException, OSError, ValueError):  # a fault of a server, or a name that cannot be asked for
            return Answer(State.BROKEN)
        return Answer(State.FOUND, _read(found, kind))


def _read(found: dns.resolver.Answer, kind: str) -> tuple[str, ...]:
    if kind == "TXT":
        return tuple(b"".join(row.strings).decode("utf-8", "replace") for row in found)
    if kind == "MX":
        rows = sorted(found, key=lambda row: row.preference)
        return tuple(row.exchange.to_text(omit_final_dot=len(row.exchange) > 1) for row in rows)
    return tuple(row.address for row in found)
