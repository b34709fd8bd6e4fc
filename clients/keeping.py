"""What this installation keeps of people, how long and why, from the constants that decide it. Read by the page Privacy.

The rooms above add their lines when they start, since nobody here may look up.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from clients import deletions, opened, requests
from clients.exporting import exports
from clients.importing import jobs
from clients.merging import merges
from clients.models import RetentionRule

Text = str | Promise


@dataclass(frozen=True)
class Kept:
    """One line: what, how long (None: no limit is set), why. `until` says an end that is no length of time."""

    what: Text
    why: Text
    length: dt.timedelta | None = None
    until: Text = ""

    @property
    def how_long(self) -> str:
        """Return how long, in words."""
        if self.until:
            return str(self.until)
        return in_words(self.length) if self.length else _("No limit")


Lines = Callable[[], Sequence[Kept]]
_above: list[Lines] = []


def register(lines: Lines) -> None:
    """Let a room above say what it keeps. Called once, when it starts."""
    if lines not in _above:
        _above.append(lines)


def in_words(length: dt.timedelta) -> str:
    """Return "7 days", "24 hours" or "30 minutes": a day is said in hours, since that is what is counted."""
    minutes = int(length.total_seconds()) // 60
    if minutes > 24 * 60 and minutes % (24 * 60) == 0:
        return ngettext("%(count)d day", "%(count)d days", minutes // (24 * 60)) % {"count": minutes // (24 * 60)}
    if minutes % 60 == 0:
        return ngettext("%(count)d hour", "%(count)d hours", minutes // 60) % {"count": minutes // 60}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def by_rule(code: str, since: str | Promise) -> str:
    """Return how long a thing is kept that a rule ends (`clients.retention_rules`), "" where that rule is switched off."""
    row = RetentionRule.objects.filter(pk=code, is_on=True).first()
    if row is None:
        return ""
    words = ngettext("%(count)d month", "%(count)d months", row.months) % {"count": row.months}
    return f"{words} {since}".strip()


def _health() -> str:
    taken_back = _("Until the client takes the Yes back; then at once")
    rule = by_rule("health", _("after the last visit"))
    return f"{taken_back}. {rule}" if rule else taken_back


def of_clients() -> list[Kept]:
    """Return what is kept of clients, the rooms above included."""
    own = [
        Kept(
            lazy("Client cards"), lazy("The book itself. A card set to inactive stays."),
            until=by_rule("clients", _("after the last contact")),
        ),
        Kept(
            lazy("Cards of people who never came"), lazy("They asked for something once."),
            until=by_rule("prospects", _("after the last contact")),
        ),
        Kept(
            lazy("A deleted card"), lazy("So that an owner can bring it back. If the client asks, it is erased at once."),
            deletions.GRACE,
        ),
        Kept(
            lazy("Answers about marketing, with their proof"),
            lazy("Evidence of who said what, when and how. The database lets no line be changed or deleted by hand."),
            until=by_rule("ledger", _("after the client was erased, without the name")),
        ),
        Kept(
            lazy("Network address of an answer given online"), lazy("Shortened. Part of the proof."),
            until=by_rule("consent_ip", ""),
        ),
        Kept(lazy("Photo or scan of a signed privacy form"), lazy("Encrypted: the proof of the answers on it.")),
        Kept(
            lazy("Health note"), lazy("Encrypted, and only with an own Yes of the client."),
            until=_health(),
        ),
        Kept(
            lazy("Scrambled marks of stopped addresses"),
            lazy("So that nobody who said No, or was erased, is written to again. Without a name."),
        ),
        Kept(
            lazy("Log of requests by clients"), lazy("Proof that they were answered in time."), until=by_rule("requests", ""),
        ),
        Kept(
            lazy("That somebody was erased"),
            lazy("A case number, the day, and what stayed; no name. So that they are erased again after a restore."),
        ),
        Kept(lazy("Cards as they were before a merge"), lazy("Encrypted: so that the merge can be undone."), merges.UNDO_FOR),
    ]  # fmt: skip
    return own + [line for lines in _above for line in lines()]


def of_files() -> list[Kept]:
    """Return what is kept of lists that came in and files that went out."""
    return [
        Kept(
            lazy("A list that was uploaded and not imported"), lazy("So that it can be looked at and started."),
            jobs.FORGET_UPLOADS_AFTER,
        ),
        Kept(
            lazy("What an import changed, and the name of its file"), lazy("So that the import can be undone."), jobs.UNDO_FOR
        ),
        Kept(
            lazy("A file of an export, and what was searched for it"),
            lazy("For the one who asked for it. A small file is kept nowhere."), exports.KEPT_FOR,
        ),
        Kept(lazy("Who exported what, and what for"), lazy("So that it can be said later where the data went.")),
        Kept(lazy("Link by which a client confirms a Yes"), lazy("After that it opens nothing."), requests.VALID_FOR),
    ]  # fmt: skip


def of_the_team() -> list[Kept]:
    """Return what is kept of the people who sign in."""
    idle, most = dt.timedelta(seconds=settings.SESSION_IDLE_SECONDS), dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)
    session = _("%(idle)s after the last page, at most %(most)s") % {"idle": in_words(idle), "most": in_words(most)}
    cards = ngettext("The last %(count)d", "The last %(count)d", opened.KEPT) % {"count": opened.KEPT}
    return [
        Kept(lazy("Session of a browser"), lazy("The desk is a shared computer."), until=session),
        Kept(
            lazy("Name and network address of a browser"), lazy("So that everybody sees where they are signed in."),
            until=lazy("Until the next sign-in after the session has ended"),
        ),
        Kept(lazy("Cards that somebody opened"), lazy("What the search box offers first."), until=cards),
        Kept(lazy("Activity"), lazy("Who did what when: numbers and names of fields, never what stood in them.")),
        Kept(lazy("Link to join the team"), lazy("It works once."), dt.timedelta(days=settings.JOIN_LINK_DAYS)),
        Kept(
            lazy("Link for a forgotten password"), lazy("It works once."),
            dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
        ),
    ]  # fmt: skip
