"""What is known of mail providers: what to put into SPF for their servers, the DKIM selector they begin with, whose mail is free.

From their public setup pages. Nothing hangs on a missing one: the page then says whom to ask.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """A mail provider: the `include` of SPF, and the usual selectors of DKIM."""

    include: str
    selectors: tuple[str, ...] = ()


# By the end of the server's name.
_KNOWN = {
    "gmail.com": Known("_spf.google.com", ("google",)),
    "google.com": Known("_spf.google.com", ("google",)),
    "office365.com": Known("spf.protection.outlook.com", ("selector1",)),
    "outlook.com": Known("spf.protection.outlook.com", ("selector1",)),
    "ovh.net": Known("mx.ovh.com"),
    "mailjet.com": Known("spf.mailjet.com", ("mailjet",)),
    "sendgrid.net": Known("sendgrid.net", ("s1",)),
    "mailgun.org": Known("mailgun.org"),
    "amazonaws.com": Known("amazonses.com"),
    "infomaniak.com": Known("spf.infomaniak.ch"),
    "gandi.net": Known("_mailcust.gandi.net", ("gm1",)),
    "fastmail.com": Known("spf.messagingengine.com", ("fm1",)),
    "messagingengine.com": Known("spf.messagingengine.com", ("fm1",)),
    "ionos.de": Known("_spf-eu.ionos.com", ("s1-ionos",)),
    "ionos.fr": Known("_spf-eu.ionos.com", ("s1-ionos",)),
    "ionos.co.uk": Known("_spf-eu.ionos.com", ("s1-ionos",)),
}
# Tried where nobody entered a selector and the provider has none of its own.
USUAL_SELECTORS = ("default", "mail", "dkim", "s1")

# Free mail: the domain, and how the names of its own servers end.
_MICROSOFT = ("office365.com", "outlook.com")
_YAHOO = ("yahoo.com", "aol.com")
_UNITED = ("gmx.net", "gmx.com", "web.de", "mail.com")
_FREE = {
    "gmail.com": ("gmail.com", "google.com"), "googlemail.com": ("gmail.com", "googlemail.com", "google.com"),
    **dict.fromkeys(
        ("outlook.com", "outlook.fr", "outlook.de", "hotmail.com", "hotmail.fr", "hotmail.de", "hotmail.co.uk", "live.com",
         "live.fr", "live.de", "live.co.uk", "msn.com"), _MICROSOFT),
    **dict.fromkeys(("yahoo.com", "yahoo.fr", "yahoo.de", "yahoo.co.uk", "ymail.com", "aol.com", "aol.fr", "aol.de"), _YAHOO),
    **dict.fromkeys(("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com", "gmx.fr", "web.de", "mail.com"), _UNITED),
    **dict.fromkeys(("orange.fr", "wanadoo.fr"), ("orange.fr", "wanadoo.fr")),
    **dict.fromkeys(("sfr.fr", "neuf.fr", "numericable.fr", "club-internet.fr"), ("sfr.fr",)),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), ("me.com", "icloud.com")),
    **dict.fromkeys(("proton.me", "protonmail.com", "pm.me"), ("protonmail.ch", "proton.me")),
    **dict.fromkeys(("btinternet.com", "btopenworld.com"), ("btinternet.com",)),
    **{own: (own,) for own in (
        "free.fr", "laposte.net", "bbox.fr", "t-online.de", "freenet.de", "arcor.de", "vodafone.de", "posteo.de", "sky.com",
        "virginmedia.com", "talktalk.net", "ntlworld.com",
    )},
}  # fmt: skip


def known(host: str) -> Known | None:
    """Return what is known of the provider of a mail server, by its name."""
    return next((one for end, one in _KNOWN.items() if _is_in(host, end)), None)


def is_free(domain: str) -> bool:
    """Return whether anybody can have an address in this domain."""
    return domain.lower() in _FREE


def may_send_for(host: str, domain: str) -> bool:
    """Return whether a server belongs to the free mail that the domain is of."""
    return any(_is_in(host, end) for end in _FREE.get(domain.lower(), ()))


def _is_in(host: str, domain: str) -> bool:
    name = host.lower().rstrip(".")
    return name == domain or name.endswith(f".{domain}")
