"""The page on which somebody writes to clients: who is meant, what it looks like, who gets it. Called by its view.

Reads only. Names and contacts come from the rows that the reader may see.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clients import selection
from clients.fold import NEGATIVE
from clients.models import Client
from notifications import audience, filling, links, rendering, sending
from notifications.audience import Seat
from notifications.campaigns import LIMIT, Words
from notifications.facts import is_on_hold
from notifications.models import Message
from salon.core import public
from salon.core.models import Salon, User

# How many of those left out, and why, in a few words; the rest are "other".
_LEFT_OUT = {
    "no": gettext_lazy("%(count)s said No"),
    "ask": gettext_lazy("%(count)s not asked"),
    "wait": gettext_lazy("%(count)s not confirmed yet"),
    "no_address": gettext_lazy("%(count)s without e-mail"),
    "frequency_cap": gettext_lazy("%(count)s had one lately"),
    "other": gettext_lazy("%(count)s for another reason"),
}


@dataclass(frozen=True)
class Preview:
    """The mail as one of them gets it; or, in `fault`, why it cannot be shown."""

    name: str
    language: str = ""
    title: str = ""
    body: str = ""
    fault: str = ""


@dataclass(frozen=True)
class Composing:
    """The chosen clients, and what became of looking at them with `words`."""

    clients: Sequence[Client]
    salon: Salon
    words: Words
    now: dt.datetime
    seats: list[Seat] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Return how many get it."""
        return sum(seat.is_in for seat in self.seats)

    def preview(self) -> Preview:
        """Return the mail of the first who gets it, or of the first at all. No link in it is anybody's."""
        client = next((seat.client for seat in self.seats if seat.is_in), self.clients[0])
        campaign = self.words.draft()
        message = Message(kind=campaign.kind, channel=campaign.channel, client=client, campaign=campaign)
        try:
            shown = rendering.render(message, self.salon, link=links.example_url(self.salon))
        except filling.TemplateError:
            if found := next((one for one in (campaign.title, campaign.text, campaign.conditions) if filling.fault(one)), ""):
                return Preview(client.name, fault=_("%(found)s stands for nothing.") % {"found": filling.fault(found)})
            return Preview(client.name, fault=_("Without subject and text there is nothing to show."))
        return Preview(client.name, str(dict(settings.LANGUAGES)[shown.language]), shown.title, shown.body)

    def context(self) -> dict[str, Any]:
        """Return what the page and its side show."""
        return {
            "clients": self.clients,
            "seats": self.seats,
            "count": self.count,
            "verdict": _verdict(self.count, len(self.clients)),
            "left_out": _left_out(self.seats),
            "send_label": ngettext("Send %(count)s e-mail", "Send %(count)s e-mails", self.count) % {"count": self.count},
            "preview": self.preview(),
            "length": len(self.words.text),
            "used": sending.describe(self.salon),
            "is_on_hold": is_on_hold(self.salon),
            "has_public_address": public.has_address(self.salon),
            "leaves_at": min((seat.leaves_at for seat in self.seats if seat.leaves_at), default=None),
        }


def chosen(user: User, salon: Salon, given: QueryDict, *, now: dt.datetime) -> list[Client]:
    """Return the clients that a selection names and `user` may see, as the list has them; at most one more than the limit."""
    ticked = selection.read(given, user)
    return list(selection.rows(ticked, user, salon, now=now).order_by("sort_name", "pk")[: LIMIT + 1])


def compose(clients: Sequence[Client], salon: Salon, words: Words, now: dt.datetime) -> Composing:
    """Return the page for `clients` and `words`, with the gate asked about each of them."""
    return Composing(clients, salon, words, now, audience.look(clients, words.draft(), salon, now))


def _verdict(count: int, of: int) -> str:
    if of == 1:
        return _("Will get it.") if count else _("Will not get it.")
    return ngettext("%(count)s of %(all)s will get it.", "%(count)s of %(all)s will get it.", count) % {"count": count, "all": of}


def _left_out(seats: Sequence[Seat]) -> str:
    """Return how many are left out for which kind of reason: "1 said No, 2 not asked"."""
    counts = Counter(_kind_of(seat) for seat in seats if not seat.is_in)
    return ", ".join(str(words) % {"count": counts[name]} for name, words in _LEFT_OUT.items() if counts[name])


def _kind_of(seat: Seat) -> str:
    if seat.reason in {"consent_missing", "marketing_objection"}:
        if seat.event is None:
            return "no" if seat.reason == "marketing_objection" else "ask"
        return "no" if seat.event.event in NEGATIVE else "wait"
    return seat.reason if seat.reason in _LEFT_OUT else "other"
