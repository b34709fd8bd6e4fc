"""The consent history as a page shows it: events that were recorded together are one line. Reads only."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clients import fold
from clients.models import Client, ConsentEvent, ConsentText

PURPOSES: dict[str, str | Promise] = {
    "mkt.birthday": _("birthday greeting"),
    "mkt.welcome": _("welcome"),
    "mkt.promotion": _("offers and news"),
    "mkt.rebook": _("time for the next visit"),
    "mkt.review": _("request for a review"),
    "profiling": _("profiling"),
    "existing": _("offers to existing clients"),
    "health_notes": _("health notes"),
    "photos": _("photos"),
    "svc.reminder": _("reminders"),
    "svc.confirmation": _("confirmations"),
    "*": _("all marketing"),
    "**": _("all messages"),
}
EVENTS: dict[str, str | Promise] = {
    "grant": _("Yes"),
    "confirm": _("Yes, confirmed by link"),
    "pending": _("Yes, waiting for the link"),
    "deny": _("No"),
    "withdraw": _("No"),
    "object": _("Objection"),
    "restrict_lift": _("Restriction lifted"),
    "expire": _("Expired"),
    "soft_opt_in": _("Existing client, told and not refused"),
    "address_changed": _("Address changed"),
    "import_claim": _("Yes, claimed by an import"),
    "merge_hold": _("Held back by a merge"),
    "provider_stop": _("STOP"),
    "provider_start": _("START"),
    "complaint": _("Complaint about spam"),
    "void": _("Taken back as a slip"),
}
CHANNELS: dict[str, str | Promise] = {"email": _("E-mail"), "sms": _("SMS"), "*": _("E-mail and SMS"), "": ""}
SIGNS = {"grant": "yes", "confirm": "yes", "pending": "wait", "import_claim": "wait", "soft_opt_in": "ask"}


@dataclass
class Line:
    """One line of the history. `undone_by` names who took it back."""

    event: ConsentEvent
    purposes: list[str | Promise] = field(default_factory=list)
    texts: list[ConsentText] = field(default_factory=list)
    undone_by: str = ""
    undone_at: dt.datetime | None = None

    @property
    def signed_form(self) -> int | None:
        """Return the number of the sheet that proves it."""
        evidence = getattr(self.event, "evidence", None)
        return evidence.signed_form_id if evidence else None

    @property
    def word(self) -> str | Promise:
        """Return what was said."""
        return EVENTS[self.event.event]

    @property
    def sign(self) -> str:
        """Return the badge it gets."""
        return SIGNS.get(self.event.event, "no" if self.event.event in fold.NEGATIVE else "")

    @property
    def channel(self) -> str | Promise:
        """Return the channel in words."""
        return CHANNELS[self.event.channel]

    @property
    def way(self) -> str:
        """Return how it reached us, in words; nothing where nobody was asked: it was only clicked."""
        is_asked = self.event.event == "grant" and self.event.purpose in fold.MARKETING
        return "" if self.event.source == "other" and not is_asked else str(self.event.get_source_display())

    @property
    def is_late(self) -> bool:
        """Return whether it was written down on another day than it was said."""
        return timezone.localtime(self.event.recorded_at).date() != timezone.localtime(self.event.effective_at).date()


def entries(client: Client) -> list[Line]:
    """Return the history of a client, the newest first."""
    events = list(
        ConsentEvent.objects.filter(subject__client=client)
        .select_related("actor", "text", "evidence")
        .order_by("-recorded_at", "-pk")
    )
    return list(_lines(events))


def _lines(events: Iterable[ConsentEvent]) -> Iterable[Line]:
    voids = {event.voids_id: event for event in events if event.event == "void"}
    lines: dict[tuple[object, ...], Line] = {}
    for event in events:
        if event.event == "void":
            continue
        void = voids.get(event.pk)
        key = (
            event.recorded_at,
            event.effective_at,
            event.event,
            event.channel,
            event.source,
            event.actor_id,
            void and void.recorded_at,
        )
        line = lines.setdefault(key, Line(event, [], [], _name(void), void.recorded_at if void else None))
        line.purposes.insert(0, PURPOSES[event.purpose])
        line.texts[:0] = [event.text] if event.text else []
    for line in lines.values():
        if len(line.purposes) == len(fold.MARKETING):
            line.purposes = [PURPOSES["*"]]
    return lines.values()


def _name(void: ConsentEvent | None) -> str:
    return void.actor.name if void and void.actor else ""
