"""The mailbox in which mail comes back, as the salon entered it. Asked by the pages and the reader; writes its settings.

Tries it on request (`test`), which looks at nothing in it.
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import circuit
from notifications.bounces.imap import Fault, Inbox
from notifications.models import Mailbox
from notifications.providers.base import Outcome, Phase, Result
from notifications.providers.wire import Security, Server
from salon.core import audit
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.secrets import Unreadable

# By this name the circuit remembers it.
NAME = "mailbox"
# A person waits in front of the page.
_IN_A_REQUEST = 15.0


@dataclass(frozen=True)
class Description:
    """What the pages say about it; no password. `problem` is a word of `providers.base.explain`."""

    is_set: bool = False
    host: str = ""
    port: int = 0
    security: str = ""
    user: str = ""
    problem: str = ""


def row() -> Mailbox | None:
    """Return the mailbox without its password, or None."""
    return Mailbox.objects.defer("password").filter(pk=1).first()


def server() -> Server | None:
    """Return where the mailbox is and what signs in, None while there is none. Raises Fault for a password that no key opens."""
    try:
        found = Mailbox.objects.filter(pk=1).first()
    except Unreadable:
        raise Fault("secret") from None
    return Server(found.host, found.port, Security(found.security), found.user, found.password) if found else None


def describe() -> Description:
    """Return which mailbox is read, in words for a page; never a password."""
    found, problem = row(), ""
    if found is None:
        return Description()
    try:
        server()
    except Fault as fault:
        problem = fault.code
    return Description(True, found.host, found.port, found.security, found.user, problem)


@transaction.atomic
def save(*, host: str, port: int, security: str, user: str, password: str, by: User) -> Mailbox:
    """Keep the mailbox. An empty `password` keeps the saved one. Another mailbox is read from its newest mails on.

    What failed with the old settings counts no more. Raises Refused without a password, and where the saved one would go to
    another server, another account or over another kind of connection.
    """
    before = row()
    values: dict[str, Any] = {"host": host, "port": port, "security": security, "user": user}
    is_elsewhere = before is not None and any(getattr(before, name) != value for name, value in values.items())
    if not password and (before is None or is_elsewhere):  # the form asks for the first one
        raise Refused(_("Enter the password again: it was saved for another server or account."), "password")
    changed = sorted(name for name, value in values.items() if before is None or getattr(before, name) != value)
    if password:
        values["password"] = password
        changed.append("password")
    if is_elsewhere:
        values |= {"numbering": 0, "last_number": 0}
    values |= {"changed_at": timezone.now(), "looked_at": None}
    if before is None:
        Mailbox.objects.create(pk=1, **values)
    else:
        Mailbox.objects.filter(pk=1).update(**values)
    circuit.close(NAME)
    saved = Mailbox.objects.defer("password").get(pk=1)
    audit.record("mailbox.changed", saved, by=by, fields=changed)
    return saved


@transaction.atomic
def forget(*, by: User) -> None:
    """Read no mailbox any more, and keep nothing of its settings. Raises Refused if there is none."""
    if not Mailbox.objects.filter(pk=1).delete()[0]:
        raise Refused(_("No mailbox is entered."))
    circuit.close(NAME)
    audit.record("mailbox.forgotten", by=by)


def test(*, by: User) -> Result:
    """Sign in and open the inbox at once, and return what came of it. Waits at most about 15 seconds."""
    try:
        found = server()
        if found is None:
            raise Fault("no_inbox")
        with Inbox(found, seconds=_IN_A_REQUEST):
            outcome, code, phase = Outcome.ACCEPTED, "inbox_open", str(Phase.REPLY)
    except Fault as fault:
        outcome, code, phase = Outcome.DOWN, fault.code, fault.phase
    audit.record("mailbox.tested", by=by, outcome=outcome.value, code=code, phase=phase)
    return Result(outcome, code, phase)
