"""What the findings of the check are called: a sentence of what is, and one of what to do next ("" where there is nothing)."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.domain.check import Report
from notifications.domain.findings import Finding, Level, Part

PARTS = {
    Part.DOMAIN: gettext_lazy("Domain"),
    Part.MX: gettext_lazy("Answers (MX)"),
    Part.SPF: gettext_lazy("Who may send (SPF)"),
    Part.DKIM: gettext_lazy("Signature (DKIM)"),
    Part.DMARC: gettext_lazy("What receivers do (DMARC)"),
    Part.ALIGNMENT: gettext_lazy("Sender and proof"),
}
LEVELS = {
    Level.OK: gettext_lazy("Good"),
    Level.WARN: gettext_lazy("To improve"),
    Level.TROUBLE: gettext_lazy("Trouble"),
}
_ADD = gettext_lazy("Ask whoever keeps your domain to add this TXT record:")
_CHANGE = gettext_lazy("Ask whoever keeps your domain to change the TXT record to this:")
_AGAIN = gettext_lazy("Check again in a few minutes.")
_PROVIDER = gettext_lazy("Ask your mail provider for the DKIM record, and whoever keeps your domain to add it under this name:")

# Code: what is, what to do next.
SAID = {
    "domain_not_public": (
        gettext_lazy("%(domain)s is no domain of the internet: nobody can answer, and most receivers refuse such mail."),
        gettext_lazy("Enter a sender address in the salon's own domain."),
    ),
    "domain_missing": (
        gettext_lazy("There is no domain %(domain)s. Mails from it are refused."),
        gettext_lazy(
            "Look for a typing error in the sender address. If it is right, the domain may have run out: ask whoever keeps it."
        ),
    ),
    "domain_broken": (
        gettext_lazy("The servers of %(domain)s answer with an error, so that receivers cannot check anything."),
        gettext_lazy(
            "Check again in a few minutes. If it stays so, tell whoever keeps your domain: the name servers answer SERVFAIL."
        ),
    ),
    "domain_silent": (
        gettext_lazy("Nobody answered about %(domain)s in time. This says nothing about the domain."),
        gettext_lazy("Check again in a few minutes. If it stays so, this machine may not be allowed to ask the DNS."),
    ),
    "free_own": (
        gettext_lazy(
            "%(domain)s is a free mail service. Your mails leave by its own server, so they count as real; but "
            "such services allow few mails a day, and offers from there often land in spam."
        ),
        gettext_lazy("Get a domain for the salon and send from an address in it."),
    ),
    "free_other": (
        gettext_lazy(
            "%(domain)s is a free mail service, and only its own servers may send for it. Mails that leave by "
            "another server look forged: many are refused or land in spam."
        ),
        gettext_lazy("Send from an address in the salon's own domain, or enter the mail server of that service."),
    ),
    "mx_found": (
        gettext_lazy("Answers and returned mails arrive: %(server)s takes them."),
        "",
    ),
    "mx_implicit": (
        gettext_lazy("%(domain)s does not name a mail server. Receivers try its website instead, which often takes no mail."),
        gettext_lazy("Ask whoever keeps your domain to enter the mail server (MX record)."),
    ),
    "mx_none": (
        gettext_lazy(
            "%(domain)s takes no mail: answers of clients and returned mails are lost, and some receivers refuse such senders."
        ),
        gettext_lazy("Ask whoever keeps your domain to enter the mail server (MX record), or send from another address."),
    ),
    "mx_refused": (
        gettext_lazy("%(domain)s says that it takes no mail at all. Many receivers refuse mails from there."),
        gettext_lazy("Ask whoever keeps your domain to enter the mail server (MX record), or send from another address."),
    ),
    "silent": (
        gettext_lazy("Nobody answered in time. This says nothing about your domain."),
        _AGAIN,
    ),
    "broken": (
        gettext_lazy("The servers of your domain answered this question with an error."),
        gettext_lazy("Check again in a few minutes. If it stays so, tell whoever keeps your domain."),
    ),
    "spf_none": (
        gettext_lazy(
            "Your domain does not say which servers may send for it. Receivers cannot tell your mails from forged ones."
        ),
        _ADD,
    ),
    "spf_none_unknown": (
        gettext_lazy(
            "Your domain does not say which servers may send for it. Receivers cannot tell your mails from forged ones."
        ),
        gettext_lazy("Ask your mail provider for its SPF line, and whoever keeps your domain to add it as a TXT record."),
    ),
    "spf_many": (
        gettext_lazy("Your domain has more than one SPF record. Then none of them counts."),
        gettext_lazy("Ask whoever keeps your domain to make one record of them."),
    ),
    "spf_broken": (
        gettext_lazy("The SPF record has a part that receivers cannot read: %(at)s. The whole record counts for nothing."),
        gettext_lazy("Ask whoever keeps your domain to correct that part."),
    ),
    "spf_loop": (
        gettext_lazy("The SPF record leads back to itself through %(at)s. The whole record counts for nothing."),
        gettext_lazy("Ask whoever keeps your domain to take that part out."),
    ),
    "spf_include_empty": (
        gettext_lazy("The SPF record names %(at)s, where there is no SPF record. The whole record counts for nothing."),
        gettext_lazy("Ask whoever keeps your domain to take that part out, or to correct the name."),
    ),
    "spf_lookups": (
        gettext_lazy(
            "The SPF record makes receivers look up %(at)s other entries. More than 10 are not allowed, and the "
            "whole record counts for nothing."
        ),
        gettext_lazy("Ask whoever keeps your domain to take out services that you no longer use."),
    ),
    "spf_unfinished": (
        gettext_lazy("There is an SPF record. What it says of %(at)s could not be looked up in time."),
        _AGAIN,
    ),
    "spf_strict": (
        gettext_lazy("Your domain names the servers that may send for it, and asks to refuse all others (-all)."),
        "",
    ),
    "spf_soft": (
        gettext_lazy("Your domain names the servers that may send for it, and calls all others suspicious (~all)."),
        "",
    ),
    "spf_neutral": (
        gettext_lazy("Your domain names servers, but says nothing about all others (?all). So it protects little."),
        _CHANGE,
    ),
    "spf_endless": (
        gettext_lazy("Your domain names servers, but does not say what holds for all others."),
        _CHANGE,
    ),
    "spf_open": (
        gettext_lazy("Your domain allows everybody to send for it (+all). Anybody can write in your name."),
        _CHANGE,
    ),
    "spf_open_at": (
        gettext_lazy("Your SPF record relies on %(at)s, which allows everybody to send. Anybody can write in your name."),
        gettext_lazy("Ask whoever keeps your domain to take that part out."),
    ),
    "spf_without": (
        gettext_lazy("The SPF record does not name the provider by whose server your mails leave (%(host)s)."),
        _CHANGE,
    ),
    "dkim_unasked": (
        gettext_lazy("No key was found under the usual names. It may well have another name."),
        gettext_lazy(
            "Enter the DKIM selector above. Your mail provider names it; without one, ask it to switch DKIM on for your domain."
        ),
    ),
    "dkim_none": (
        gettext_lazy("There is no key with the selector %(selector)s. Signatures made with it count for nothing."),
        _PROVIDER,
    ),
    "dkim_many": (
        gettext_lazy("There is more than one key with the selector %(selector)s. Receivers may take the wrong one."),
        gettext_lazy("Ask whoever keeps your domain to leave only the newest one under this name:"),
    ),
    "dkim_broken": (
        gettext_lazy("The key with the selector %(selector)s cannot be read. Perhaps a part was lost when it was copied."),
        _PROVIDER,
    ),
    "dkim_revoked": (
        gettext_lazy("The key with the selector %(selector)s was withdrawn: its record is empty."),
        _PROVIDER,
    ),
    "dkim_weak": (
        gettext_lazy("The key with the selector %(selector)s has only %(bits)s bits. Receivers refuse such short keys."),
        _PROVIDER,
    ),
    "dkim_short": (
        gettext_lazy(
            "The key with the selector %(selector)s is there. With %(bits)s bits it is accepted, but short by today's measure."
        ),
        gettext_lazy("Ask your mail provider for a key of 2048 bits, and whoever keeps your domain to enter it under this name:"),
    ),
    "dkim_testing": (
        gettext_lazy("The key with the selector %(selector)s is there, but marked as a test (t=y). Receivers need not go by it."),
        gettext_lazy("Ask whoever keeps your domain to take t=y out of the record of this name:"),
    ),
    "dkim_found": (
        gettext_lazy("The key with the selector %(selector)s is there and can be read."),
        "",
    ),
    "dmarc_missing": (
        gettext_lazy(
            "Your domain does not say what is to become of forged mails. Gmail, Yahoo and Microsoft ask that of "
            "whoever sends much."
        ),
        _ADD,
    ),
    "dmarc_many": (
        gettext_lazy("There is more than one DMARC record at %(at)s. Then none of them counts."),
        gettext_lazy("Ask whoever keeps your domain to leave only one under this name:"),
    ),
    "dmarc_broken": (
        gettext_lazy("The DMARC record at %(at)s cannot be read, so it counts for nothing."),
        _CHANGE,
    ),
    "dmarc_none": (
        gettext_lazy(
            "%(at)s asks receivers only to watch (p=none). That is enough to be accepted, and protects against nothing yet."
        ),
        gettext_lazy(
            "Nothing must be done. Once signature and SPF have been good for some weeks, p=quarantine protects your name."
        ),
    ),
    "dmarc_quarantine": (
        gettext_lazy("%(at)s asks receivers to put forged mails into spam (p=quarantine)."),
        "",
    ),
    "dmarc_reject": (
        gettext_lazy("%(at)s asks receivers to refuse forged mails (p=reject)."),
        "",
    ),
    "aligned_key": (
        gettext_lazy("The key belongs to %(domain)s, the domain that clients see: mails signed with it pass DMARC."),
        "",
    ),
    "aligned_spf": (
        gettext_lazy(
            "Only SPF speaks for %(domain)s. That is lost when a client's mail is forwarded, or when your "
            "provider puts its own return address."
        ),
        gettext_lazy("Ask your mail provider to switch DKIM on for your domain."),
    ),
    "aligned_none": (
        gettext_lazy("Neither SPF nor DKIM proves that your mails come from %(domain)s. Many land in spam."),
        gettext_lazy("Do first what stands under SPF and DKIM."),
    ),
    "aligned_shut": (
        gettext_lazy(
            "Your domain asks to stop what is not proved, and neither SPF nor DKIM proves your mails. They are "
            "most likely refused or put into spam."
        ),
        gettext_lazy("Do first what stands under SPF and DKIM; until then hold promotions back."),
    ),
}
_UNANSWERED = frozenset({"domain_silent", "silent", "broken", "spf_unfinished"})


@dataclass(frozen=True)
class Line:
    """One finding as the page shows it."""

    name: str
    level: Level
    mark: str
    what: str
    next: str
    record: str
    line: str


def lines(report: Report) -> list[Line]:
    """Return the findings of a report in the words of the reader's language."""
    return [_line(finding) for finding in report.findings]


def _line(finding: Finding) -> Line:
    what, after = SAID[finding.code]
    if after is _CHANGE and not finding.line:  # the next finding has the line that mends both
        after = ""
    return Line(
        str(PARTS[finding.part]), finding.level, str(LEVELS[finding.level]), str(what) % finding.values, str(after),
        finding.name, finding.line,
    )  # fmt: skip


def verdict(report: Report) -> str:
    """Return the sentence that stands above the lines."""
    if report.worst is Level.TROUBLE:
        return _("Mails from %(domain)s may be refused or land in spam.") % {"domain": report.domain}
    if any(finding.code in _UNANSWERED for finding in report.findings):
        return _("Not everything about %(domain)s could be checked.") % {"domain": report.domain}
    if report.worst is Level.WARN:
        return _("Mails from %(domain)s can be checked by receivers; something can be better.") % {"domain": report.domain}
    return _("Mails from %(domain)s can prove where they come from.") % {"domain": report.domain}
