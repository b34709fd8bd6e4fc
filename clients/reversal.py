"""What each act on cards is called, and how it is taken back. One entry an act; called by the pages."""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext_lazy

from clients import blacklist, inactivity, runs
from clients.models import CardRun, Client
from salon.core.models import User


@dataclass(frozen=True)
class Act:
    """The heading of its page, the sentence for one card by name and for several by count, and its Undo."""

    heading: str | Promise
    one: str | Promise
    many: Promise
    undo: Callable[..., int]


ACTS: Mapping[str, Act] = {
    "inactive": Act(
        lazy("Made inactive"), lazy("%(name)s is inactive now."),
        ngettext_lazy("%(count)d client is inactive now.", "%(count)d clients are inactive now.", "count"),
        inactivity.undo_inactive,
    ),
    "active": Act(
        lazy("Made active"), lazy("%(name)s is active again."),
        ngettext_lazy("%(count)d client is active again.", "%(count)d clients are active again.", "count"),
        inactivity.undo_active,
    ),
    "blacklist": Act(
        lazy("Put on the blacklist"), lazy("%(name)s is on the blacklist now."),
        ngettext_lazy("%(count)d client is on the blacklist now.", "%(count)d clients are on the blacklist now.", "count"),
        blacklist.undo_added,
    ),
    "unblacklist": Act(
        lazy("Taken off the blacklist"), lazy("%(name)s is off the blacklist."),
        ngettext_lazy("%(count)d client is off the blacklist.", "%(count)d clients are off the blacklist.", "count"),
        blacklist.undo_lifted,
    ),
}  # fmt: skip


def undo(run: CardRun, *, by: User, now: dt.datetime) -> int:
    """Take an act back on every card that it changed, and return on how many. Raises Refused where it is too late."""
    return ACTS[run.act].undo(run, by=by, now=now)


def heading(run: CardRun) -> str:
    """Return what the page of the run is called."""
    return str(ACTS[run.act].heading)


def words(run: CardRun) -> str:
    """Return what was done, as a toast says it; of one card that was left as it was, why."""
    act, ids = ACTS[run.act], [*run.changed, *run.waiting]
    if not ids:
        return _only_refused(run)
    if run.waiting and not run.changed:
        return _waiting(run)
    if len(ids) == 1 and not run.refused:
        card = Client.objects.filter(pk__in=ids).first()
        return str(act.one) % {"name": card.name if card else ""}
    return str(act.many % {"count": len(ids)})


def _only_refused(run: CardRun) -> str:
    unchanged = _("No card was changed.")
    if len(run.refused) != 1:
        return unchanged
    return f"{unchanged} {runs.REASONS[next(iter(run.refused.values()))]}."


def _waiting(run: CardRun) -> str:
    if len(run.waiting) > 1:
        return _("The appointments are cancelled. The cards become inactive when the clients have been told.")
    return _("The appointment is cancelled. The card becomes inactive when the client has been told.")
