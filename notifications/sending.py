"""How mail leaves: EMAIL_URL of the environment, else the salon's own server, else the log. Asked by channels and pages.

Writes the salon's server (`save`, `remove`), sends a test (`test`); never touches a message of the outbox.
"""

import re
import urllib.parse
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, make_msgid, parseaddr
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import circuit
from notifications.models import MailServer
from notifications.providers.base import Envelope, Provider, Result
from notifications.providers.console import ConsoleProvider
from notifications.providers.smtp import SmtpProvider
from notifications.providers.unusable import UnusableProvider
from notifications.providers.wire import PATIENT, Security, Server, TimeOuts, in_ascii
from salon.core import audit, bell, profile
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.secrets import Unreadable

IN_THE_BACKGROUND = PATIENT
# A person waits in front of the page: no ten minutes for the reply to the dot.
IN_A_REQUEST = TimeOuts(connect=5, command=10, block=20, dot=30, quit=2)

_SCHEMES = {
    "smtp": None,
    "smtp+tls": Security.STARTTLS,
    "smtps": Security.TLS,
    "smtp+ssl": Security.TLS,
}
# The port that goes with a kind of connection, where nobody says another one.
PORTS = {Security.STARTTLS.value: 587, Security.TLS.value: 465, Security.NONE.value: 25}
# The default of DEFAULT_FROM_EMAIL: nobody has said who the sender is.
NO_SENDER = "carnet@localhost"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


class Origin(StrEnum):
    """Who said how mail leaves."""

    ENVIRONMENT = "environment"
    SALON = "salon"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Sender:
    """Whom a mail is from, and who gets the answers ("" for the same)."""

    name: str
    address: str
    reply_to: str = ""

    @property
    def header(self) -> str:
        """Return the From line."""
        return formataddr((self.name, in_ascii(self.address)))


@dataclass(frozen=True)
class Description:
    """What the pages say about sending. Holds no password."""

    origin: Origin
    host: str = ""
    port: int = 0
    security: str = ""
    user: str = ""
    sender: str = ""
    problem: str = ""

    @property
    def is_live(self) -> bool:
        """Return whether mails really leave."""
        return self.origin is not Origin.NOBODY


def parse(url: str) -> Server:
    """Return the server that an EMAIL_URL names: smtp://user:password@host:port, smtp+tls:// or smtps://.

    User and password are percent-decoded. Plain smtp:// is unprotected to this machine only; to any other it
    means STARTTLS, so that a password never travels in the open. Raises ValueError for anything else.
    """
    parts = urllib.parse.urlsplit(url.strip())
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError("EMAIL_URL is smtp://user:password@host:port, smtp+tls:// or smtps://")
    security = _SCHEMES[parts.scheme]
    server = Server(
        host=parts.hostname,
        port=parts.port or PORTS[security or Security.STARTTLS],
        security=security or Security.STARTTLS,
        user=urllib.parse.unquote(parts.username or ""),
        password=urllib.parse.unquote(parts.password or ""),
    )
    if security is None and server.is_local:
        return Server(server.host, parts.port or PORTS[Security.NONE], Security.NONE, server.user, server.password)
    return server


def mail_server() -> MailServer | None:
    """Return the salon's server without its password, or None."""
    return MailServer.objects.defer("password").filter(pk=1).first()


def provider(timeouts: TimeOuts | None = None) -> Provider:
    """Return a new provider for the server in force; the caller closes it. Without any server: the log.

    A server that cannot be used (EMAIL_URL garbled, password not readable) gives a provider that is down and says
    why: falling back to another one, or to the log, would lose messages.
    """
    times = timeouts or IN_THE_BACKGROUND
    if settings.EMAIL_URL:
        try:
            return SmtpProvider(parse(settings.EMAIL_URL), timeouts=times)
        except ValueError:
            return UnusableProvider("settings")
    try:
        row = MailServer.objects.filter(pk=1).first()
    except Unreadable:
        return UnusableProvider("secret")
    if row is None:
        return ConsoleProvider()
    return SmtpProvider(Server(row.host, row.port, Security(row.security), row.user, row.password), timeouts=times)


def sender(salon: Salon | None) -> Sender:
    """Return whom mails are from: the salon's name with the address of the server in force."""
    name = _one_line(salon.name) if salon else "Carnet"
    row = None if settings.EMAIL_URL else mail_server()
    if row is not None:
        return Sender(name, row.sender, row.reply_to)
    given_name, given = parseaddr(settings.DEFAULT_FROM_EMAIL)
    of_salon = salon.email if salon else ""
    if given and given != NO_SENDER:
        return Sender(given_name or name, given, of_salon if of_salon != given else "")
    return Sender(name, of_salon or given or NO_SENDER)


def describe(salon: Salon | None) -> Description:
    """Return how mail leaves at present, in words for a page; never a password."""
    address = sender(salon).address
    if settings.EMAIL_URL:
        try:
            server = parse(settings.EMAIL_URL)
        except ValueError:
            return Description(Origin.ENVIRONMENT, sender=address, problem="settings")
        return Description(Origin.ENVIRONMENT, server.host, server.port, server.security, server.user, address)
    row = mail_server()
    if row is None:
        return Description(Origin.NOBODY, sender=address)
    problem = ""
    try:
        MailServer.objects.only("password").get(pk=1)
    except Unreadable:
        problem = "secret"
    return Description(Origin.SALON, row.host, row.port, row.security, row.user, row.sender, problem)


@transaction.atomic
def save(*, host: str, port: int, security: str, user: str, password: str, sender: str, reply_to: str, by: User) -> MailServer:
    """Keep the salon's mail server. An empty `password` keeps the saved one, unless there is no user to go with it.

    What failed with the old settings counts no more. Raises Refused while EMAIL_URL decides, and for an empty password
    where the saved one would go to another server, another account or over another kind of connection.
    """
    if settings.EMAIL_URL:
        raise Refused(_("EMAIL_URL of the environment decides how mail leaves."))
    values: dict[str, object] = {
        "host": host, "port": port, "security": security, "user": user, "sender": sender, "reply_to": reply_to,
        "changed_at": timezone.now(),
    }  # fmt: skip
    if password or not user:
        values["password"] = password
    row = mail_server()
    asked_by = {"host": host, "port": port, "user": user, "security": security}
    is_elsewhere = row is not None and any(getattr(row, name) != value for name, value in asked_by.items())
    had_password = MailServer.objects.exclude(password="").exists()
    if is_elsewhere and "password" not in values and had_password:
        raise Refused(_("Enter the password again: it was saved for another server or account."), "password")
    changed = sorted(
        name for name, value in values.items() if name != "password" and value != (getattr(row, name) if row else "")
    )
    if row is None:
        MailServer.objects.create(pk=1, **values)
    else:
        MailServer.objects.filter(pk=1).update(**values)
    if "password" in values and (password or had_password):
        changed.append("password")
    row = MailServer.objects.defer("password").get(pk=1)
    circuit.close(SmtpProvider.name)
    audit.record("sending.changed", row, by=by, fields=[name for name in changed if name != "changed_at"])
    bell.ring()
    return row


@transaction.atomic
def remove(*, is_pausing: bool, by: User) -> None:
    """Forget the salon's mail server with its password. Does nothing where there is none.

    `is_pausing` pauses all sending first, so that what waits is kept: without a server it would be written to the log only.
    """
    if is_pausing and not settings.EMAIL_URL:
        profile.pause_sending(Salon.objects.current(), by=by)
    row = mail_server()
    if row is None:
        return
    audit.record("sending.removed", row, by=by, is_pausing=is_pausing)
    MailServer.objects.filter(pk=1).delete()
    circuit.close(SmtpProvider.name)


def _one_line(text: str) -> str:
    """Return a text as it may stand in a header."""
    return _CONTROL.sub(" ", text).strip()


def test(*, to: str, salon: Salon, by: User) -> Result:
    """Send one mail to `to` at once, and return what the server said. Waits at most about a minute."""
    from_ = sender(salon)
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["Subject"] = _("Test from %(salon)s") % {"salon": _one_line(salon.name)}
    message["From"] = from_.header
    message["To"] = in_ascii(to)
    message["Message-ID"] = make_msgid("test", domain=in_ascii(from_.address).rpartition("@")[2] or "localhost")
    message["Date"] = timezone.now()
    message.set_content(_("This mail shows that %(salon)s can send messages.") % {"salon": salon.name})
    result = hand_over(Envelope(str(message["Message-ID"]), from_.address, to, message.as_bytes()))
    audit.record("sending.tested", by=by, outcome=result.outcome.value, code=result.code, phase=str(result.phase))
    return result


def show(*, title: str, body: str, to: str, salon: Salon, by: User) -> Result:
    """Send one example of a text to `to`, one of the team, at once; no client's link is in it. Waits at most about a minute."""
    from_ = sender(salon)
    message = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    message["Subject"] = _("Test: %(title)s") % {"title": _one_line(title)}
    message["From"] = from_.header
    message["To"] = in_ascii(to)
    message["Message-ID"] = make_msgid("test", domain=in_ascii(from_.address).rpartition("@")[2] or "localhost")
    message["Date"] = timezone.now()
    message.set_content(body)
    result = hand_over(Envelope(str(message["Message-ID"]), from_.address, to, message.as_bytes()))
    audit.record("campaign.tested", by=by, outcome=result.outcome.value, code=result.code, phase=str(result.phase))
    return result


def hand_over(envelope: Envelope, carrier: Provider | None = None) -> Result:
    """Carry one mail at once, outside the outbox: staff mail and tests only. Short time-outs, no second try.

    With a `carrier` (see `provider`) the database is not asked. It is closed afterwards and may be used again.
    """
    carrier = carrier or provider(IN_A_REQUEST)
    try:
        ready = carrier.prepare(envelope)
        return ready if isinstance(ready, Result) else ready.deliver()
    finally:
        carrier.close()
