"""The check: asks the DNS about the domain of the sender and judges what came. Keeps nothing, sends nothing."""

from dataclasses import dataclass

import idna

from notifications.domain import hosts, keys, spf
from notifications.domain.findings import Finding, Level, Part
from notifications.domain.lookup import Lookups, State
from notifications.providers.wire import in_ascii

# Ends of names that are on no public network (RFC 6761, RFC 6762, RFC 9476).
_NOT_PUBLIC = frozenset({"localhost", "local", "test", "example", "invalid", "internal", "lan", "home", "alt"})
_ENDINGS = {"-": (Level.OK, "strict"), "~": (Level.OK, "soft"), "?": (Level.WARN, "neutral"), "+": (Level.TROUBLE, "open")}
_LAX = frozenset({"?all", "+all", "all"})


@dataclass(frozen=True)
class Report:
    """What was found for a domain, as people write it; `findings` in the order in which they are to be read."""

    domain: str
    findings: tuple[Finding, ...]

    @property
    def worst(self) -> Level:
        """Return how it stands as a whole. What is only told counts as good."""
        levels = {finding.level for finding in self.findings}
        return next((level for level in (Level.TROUBLE, Level.WARN) if level in levels), Level.OK)


def check(*, sender: str, host: str, selector: str, lookups: Lookups) -> Report:
    """Return what receivers can know of `sender`'s domain, whose mails leave by the server `host` ("" for none known).

    `selector` names the DKIM key; "" tries the usual ones. Takes as long as `lookups` may.
    """
    domain = in_ascii(sender).rpartition("@")[2].lower().rstrip(".")
    shown = _shown(domain)
    if not _is_public(domain):
        return Report(shown, (Finding(Part.DOMAIN, Level.TROUBLE, "domain_not_public", {"domain": shown}),))
    if hosts.is_free(domain):
        code, level = ("free_own", Level.WARN) if hosts.may_send_for(host, domain) else ("free_other", Level.TROUBLE)
        return Report(shown, (Finding(Part.DOMAIN, level, code, {"domain": shown}),))
    exchangers = lookups.exchangers(domain)
    stops = {State.MISSING: "domain_missing", State.BROKEN: "domain_broken", State.SILENT: "domain_silent"}
    if code := stops.get(exchangers.state, ""):
        level = Level.WARN if code == "domain_silent" else Level.TROUBLE
        return Report(shown, (Finding(Part.DOMAIN, level, code, {"domain": shown}),))
    # The direct questions first, in case the chain of SPF uses up the time.
    rule = keys.rule(domain, lookups)
    key = _key(domain, host, selector, lookups)
    policy = spf.read(domain, lookups)
    findings = [
        _mail(domain, shown, exchangers.values, lookups),
        *_spf(domain, host, policy),
        _dkim(domain, host, selector, key),
        _dmarc(domain, sender, rule),
        *_alignment(host, shown, policy, key, rule),
    ]
    return Report(shown, tuple(findings))


def _shown(domain: str) -> str:
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


def _is_public(domain: str) -> bool:
    labels = domain.split(".")
    is_sound = domain.isascii() and len(domain) <= 253 and all(0 < len(label) <= 63 for label in labels)
    return is_sound and len(labels) > 1 and labels[-1] not in _NOT_PUBLIC and not labels[-1].isdigit()


def _mail(domain: str, shown: str, exchangers: tuple[str, ...], lookups: Lookups) -> Finding:
    values = {"domain": shown}
    if exchangers == (".",):
        return Finding(Part.MX, Level.TROUBLE, "mx_refused", values)
    if exchangers:
        return Finding(Part.MX, Level.OK, "mx_found", values | {"server": exchangers[0]})
    found = lookups.addresses(domain)
    if not found.is_sure:
        return _unanswered(Part.MX, found.state)
    if found.state is State.FOUND:
        return Finding(Part.MX, Level.WARN, "mx_implicit", values)
    return Finding(Part.MX, Level.TROUBLE, "mx_none", values)


def _unanswered(part: Part, state: State) -> Finding:
    return Finding(part, Level.WARN, "broken" if state is State.BROKEN else "silent")


def _spf(domain: str, host: str, policy: spf.Policy) -> list[Finding]:
    provider = hosts.known(host)
    wanted = provider.include if provider else ""
    line = f"v=spf1 include:{wanted} ~all" if wanted else ""
    if policy.state in {State.BROKEN, State.SILENT}:
        return [_unanswered(Part.SPF, policy.state)]
    if not policy.record:
        return [Finding(Part.SPF, Level.TROUBLE, "spf_none" if line else "spf_none_unknown", {"host": host}, domain, line)]
    values = {"at": policy.at, "record": policy.record}
    if policy.fault:
        level = Level.WARN if policy.fault == "unfinished" else Level.TROUBLE
        return [Finding(Part.SPF, level, f"spf_{policy.fault}", values)]
    level, code = _ENDINGS.get(policy.ending, (Level.WARN, "endless"))
    if code == "open" and policy.at:
        return [Finding(Part.SPF, level, "spf_open_at", values)]
    is_unnamed = bool(wanted) and wanted not in policy.named
    line = _mended(policy.record, wanted if is_unnamed else "")
    # One line to put in mends both.
    found = [Finding(Part.SPF, level, f"spf_{code}", values, *((domain, line) if level != Level.OK and not is_unnamed else ()))]
    if is_unnamed:
        found.append(Finding(Part.SPF, Level.WARN, "spf_without", {"host": host}, domain, line))
    return found


def _mended(record: str, include: str) -> str:
    """Return a record that names one provider more, and says of all others at least that they are suspicious."""
    # Behind an `include` an ending of its own holds, which behind a `redirect` would not.
    terms = [f"include:{term[9:]}" if term.lower().startswith("redirect=") else term for term in record.split()]
    if include:
        terms.insert(1, f"include:{include}")
    ending = next((term for term in terms if term.lower().lstrip("+-~?") == "all"), "")
    if not ending:
        terms.append("~all")
    elif ending.lower() in _LAX:
        terms[terms.index(ending)] = "~all"
    return " ".join(terms)


def _key(domain: str, host: str, selector: str, lookups: Lookups) -> keys.Key:
    if selector:
        return keys.key(selector, domain, lookups)
    provider = hosts.known(host)
    first = keys.Key(State.EMPTY, "")
    for name in dict.fromkeys([*(provider.selectors if provider else ()), *hosts.USUAL_SELECTORS]):
        tried = keys.key(name, domain, lookups)
        if tried.state is State.FOUND and not tried.fault:  # a dead key that nobody named says nothing
            return tried
        if tried.state is State.SILENT:
            return keys.Key(tried.state, "")
        if tried.state is State.BROKEN:
            first = keys.Key(tried.state, "")
    return first


def _dkim(domain: str, host: str, selector: str, key: keys.Key) -> Finding:
    values, name = {"selector": key.selector, "bits": str(key.bits), "host": host}, f"{key.selector}._domainkey.{domain}"
    if key.state in {State.BROKEN, State.SILENT}:
        return _unanswered(Part.DKIM, key.state)
    if key.state is not State.FOUND:
        if not selector:
            return Finding(Part.DKIM, Level.WARN, "dkim_unasked")
        return Finding(Part.DKIM, Level.TROUBLE, "dkim_none", values, name)
    if key.fault:
        return Finding(Part.DKIM, Level.TROUBLE, f"dkim_{key.fault}", values, name)
    if key.is_testing or 0 < key.bits < keys.BITS_GOOD:
        return Finding(Part.DKIM, Level.WARN, "dkim_testing" if key.is_testing else "dkim_short", values, name)
    return Finding(Part.DKIM, Level.OK, "dkim_found", values)


def _dmarc(domain: str, sender: str, rule: keys.Rule) -> Finding:
    values = {"at": rule.at}
    if rule.state in {State.BROKEN, State.SILENT}:
        return _unanswered(Part.DMARC, rule.state)
    name, line = f"_dmarc.{rule.at or domain}", f"v=DMARC1; p=none; rua=mailto:{in_ascii(sender)}"
    if rule.fault:
        return Finding(Part.DMARC, Level.TROUBLE, f"dmarc_{rule.fault}", values, name, line if rule.fault == "broken" else "")
    if not rule.policy:
        return Finding(Part.DMARC, Level.WARN, "dmarc_missing", values, name, line)
    return Finding(Part.DMARC, Level.OK, f"dmarc_{rule.policy}", values)


def _alignment(host: str, shown: str, policy: spf.Policy, key: keys.Key, rule: keys.Rule) -> list[Finding]:
    """Say whether something bears the domain that clients see: DMARC asks for one of the two (RFC 7489, 3.1).

    A key below the very domain signs for it. SPF counts too as long as mails leave with it as return address, as ours do.
    """
    values = {"domain": shown, "host": host}
    has_key = key.state is State.FOUND and not key.fault
    unsure = {State.BROKEN, State.SILENT} & {policy.state, key.state} or policy.fault == "unfinished"
    if has_key:
        return [Finding(Part.ALIGNMENT, Level.OK, "aligned_key", values)]
    if policy.is_good:
        return [Finding(Part.ALIGNMENT, Level.WARN, "aligned_spf", values)]
    if unsure:
        return []
    shuts = rule.policy in {"quarantine", "reject"}
    return [Finding(Part.ALIGNMENT, Level.TROUBLE, "aligned_shut" if shuts else "aligned_none", values)]
