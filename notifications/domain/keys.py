"""Reads the other records of a sender's domain: the key of the signature (DKIM, RFC 6376), the wish of DMARC (RFC 7489)."""

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from notifications.domain.lookup import Lookups, State

# RFC 8301: receivers refuse keys below the first, and signers are to use the second at least.
BITS_LEAST, BITS_GOOD = 1024, 2048
POLICIES = ("none", "quarantine", "reject")


def tags(record: str) -> dict[str, str]:
    """Return the "name=value" pairs of a record; a name said twice makes it none (RFC 6376, 3.2)."""
    found: dict[str, str] = {}
    for part in record.split(";"):
        name, is_pair, value = part.partition("=")
        name = name.strip().lower()
        if name in found:
            return {}
        if is_pair and name:
            found[name] = "".join(value.split()) if name == "p" else value.strip()
    return found


@dataclass(frozen=True)
class Key:
    """The key behind a selector. `fault` is a code: "" none, many broken revoked weak."""

    state: State
    selector: str
    bits: int = 0  # 0 for Ed25519
    fault: str = ""
    is_testing: bool = False


def key(selector: str, domain: str, lookups: Lookups) -> Key:
    """Return what stands behind a selector. Without a record that could be a key: state EMPTY or MISSING."""
    answer = lookups.texts(f"{selector}._domainkey.{domain}")
    # A wildcard of the domain answers for every name: what has no "p" is no key.
    found = [
        read for text in answer.values if "p" in (read := tags(text)) and not text.lower().startswith(("v=spf1", "v=dmarc1"))
    ]
    if not found:
        return Key(State.EMPTY if answer.state is State.FOUND else answer.state, selector)
    if len(found) > 1:
        return Key(answer.state, selector, fault="many")
    bits, fault = _judge(found[0])
    return Key(answer.state, selector, bits, fault, is_testing="y" in found[0].get("t", "").lower().split(":"))


def _judge(read: dict[str, str]) -> tuple[int, str]:
    """Return the length of a key in bits, and what is wrong with it."""
    if not read["p"]:
        return 0, "revoked"
    services = read.get("s", "*").replace(" ", "").split(":")
    if read.get("v", "DKIM1") != "DKIM1" or not {"*", "email"} & set(services):
        return 0, "broken"
    try:
        raw = base64.b64decode(read["p"], validate=True)
        if read.get("k", "rsa").lower() == "ed25519":
            ed25519.Ed25519PublicKey.from_public_bytes(raw)
            return 0, ""
        public = load_der_public_key(raw)
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return 0, "broken"
    if not isinstance(public, rsa.RSAPublicKey):
        return 0, "broken"
    return public.key_size, "weak" if public.key_size < BITS_LEAST else ""


@dataclass(frozen=True)
class Rule:
    """What receivers are asked to do. `at` is the domain that says it; `fault`: "" none, many broken."""

    state: State
    policy: str = ""
    at: str = ""
    fault: str = ""
    is_strict: bool = False


def rule(domain: str, lookups: Lookups) -> Rule:
    """Return the DMARC rule for mails from `domain`: its own, else that of the nearest domain above it."""
    labels = domain.split(".")
    state = State.EMPTY
    for start in range(max(len(labels) - 1, 1)):
        at = ".".join(labels[start:])
        answer = lookups.texts(f"_dmarc.{at}")
        if not answer.is_sure:
            return Rule(answer.state)
        found = [text for text in answer.values if text.replace(" ", "").lower().startswith("v=dmarc1")]
        if len(found) > 1:
            return Rule(answer.state, at=at, fault="many")
        if found:
            return _rule(found[0], at, is_own=not start)
    return Rule(state)


def _rule(record: str, at: str, *, is_own: bool) -> Rule:
    read = tags(record)
    policy = read.get("p", "").lower()
    if not is_own and "sp" in read:
        policy = read["sp"].lower()
    is_sound = policy in POLICIES and read.get("v", "").upper() == "DMARC1"
    is_strict = "s" in {read.get("adkim", "r").lower(), read.get("aspf", "r").lower()}
    return Rule(State.FOUND, policy if is_sound else "", at, "" if is_sound else "broken", is_strict)
