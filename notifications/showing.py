"""How a text reads to a real client of the salon: for the page on which it is written. Nothing is kept or sent."""

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from appointments.models import Appointment
from appointments.models import State as VisitState
from clients import access as clients_access
from clients.models import Client, Standing
from notifications import filling, kinds, links, rendering, segments, shortlinks, smsaccount, smswords, texts
from notifications.filling import TemplateError
from notifications.kinds import Wanted
from notifications.models import Message, SmsAccount
from salon.core.errors import Refused
from salon.core.models import Salon, User

# A message that it is time to come back is shown with a visit that lies so far back, if there is one.
LONG_AGO = dt.timedelta(weeks=3)


@dataclass(frozen=True)
class Shown:
    """A text as a client gets it; or, in `fault`, why it cannot be shown."""

    name: str = ""
    title: str = ""
    body: str = ""
    fault: str = ""
    # Of an SMS: its length, and what it costs to this client; nothing without a price.
    size: segments.Size | None = None
    cost: Decimal = Decimal(0)
    # Advertising that this client never said Yes to, because nobody did yet: an example, and it would not reach them.
    is_unasked: bool = False


def preview(*, kind: str, channel: str, language: str, text: texts.Text, salon: Salon, user: User, now: dt.datetime) -> Shown:
    """Return how `text` reads to somebody whom `user` may see, in the language that it is written in."""
    text = replace(text, subject=filling.with_choices(text.subject), body=filling.with_choices(text.body))
    try:
        texts.check(kind, channel, text.subject.strip(), text.body.strip(), salon)
    except Refused as refused:
        return Shown(fault=refused.message)
    found = _example(kind, channel, language, user, now)
    if found is None:
        return Shown(fault=_("There is nobody yet to show it with: it takes a client with a visit."))
    message, name = found
    is_unasked = kinds.TABLE[kind].is_marketing and not _said(kind, channel).filter(client=message.client_id).exists()
    shelf = texts.shelf()
    if kinds.TABLE[kind].has_target and not shelf.targets.get(kind):
        shelf = replace(shelf, targets={**shelf.targets, kind: "https://…"})
    message.__dict__["loaded_shelf"] = shelf
    try:
        if channel == smsaccount.CHANNEL:
            account = smsaccount.account() or SmsAccount()
            words = smswords.render(message, salon, account, link=shortlinks.example_url(salon), text=text)
            return Shown(name, "", words.body, size=words.size, cost=words.cost, is_unasked=is_unasked)
        shown = rendering.render(message, salon, link=links.example_url(salon), text=text)
    except TemplateError:
        return Shown(name, fault=_("Something that the text names is not known of this client."))
    return Shown(name, shown.title, shown.body, is_unasked=is_unasked)


def _said(kind: str, channel: str) -> QuerySet[Standing]:
    """Return where clients said Yes to a kind of advertising on a channel."""
    return Standing.objects.filter(purpose=kinds.TABLE[kind].purpose, channel=channel, state=Standing.State.GRANTED)


def _first(rows: Any, said: QuerySet[Standing] | None, client: str, *order: str) -> Any:
    """Return the first of `rows`; of those who `said` Yes to it, if there are any: they would really get it."""
    rows = rows.order_by(*order)
    return (rows.filter(Exists(said.filter(client=OuterRef(client)))).first() if said is not None else None) or rows.first()


def _example(kind: str, channel: str, language: str, user: User, now: dt.datetime) -> tuple[Message, str] | None:
    """Return a message as it would be written today, and whose name it bears: somebody of the salon's book."""
    clients = clients_access.clients_for(user).active()
    wanted, visit = kinds.TABLE[kind].wanted, None
    said = _said(kind, channel) if kinds.TABLE[kind].is_marketing else None
    if wanted is Wanted.ALWAYS:
        client = _first(clients.exclude(first_name=""), said, "pk", "-pk")
    else:
        visits: Any = Appointment.objects.filter(client__in=clients).select_related("client", "service", "staff")
        if wanted is Wanted.DONE:
            visits = visits.filter(state=VisitState.DONE, start_at__lt=now)
        newest = ("client_id", "-start_at", "-pk")
        long_ago = _first(visits.filter(start_at__lt=now - LONG_AGO), said, *newest) if kind == "rebook" else None
        ahead = visits.filter(start_at__gte=now).order_by("start_at", "pk").first()
        visit = long_ago or ahead or _first(visits, said, *newest)
        client = visit.client if visit else None
    if client is None:
        return None
    shown = Client(pk=client.pk, first_name=client.first_name, email=client.email, phone=client.phone, language=language)
    message = Message(
        kind=kind, channel=channel, client=shown, appointment=visit, told_start_at=visit.start_at if visit else None,
        time_version=1, not_before=now, expires_at=now,
    )  # fmt: skip
    return message, client.name
