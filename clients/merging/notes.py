"""The client notes of several cards as one text: each whole, with a line that says from where and when."""

import datetime as dt
from collections.abc import Mapping, Sequence

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients.models import Client
from salon.core.models import AuditEvent, Salon
from salon.core.templatetags.house import as_day


def joined(cards: Sequence[Client]) -> str:
    """Return the note of the card that is left, in the salon's language. The main card's own text comes first, as it was."""
    texts = {card.pk: card.note.strip() for card in cards if card.note.strip()}
    if len(set(texts.values())) < 2:
        return next(iter(texts.values()), "")
    written = _written({pk for pk in texts if pk != cards[0].pk})
    parts, known = [], set[str]()
    with translation.override(Salon.objects.current().language):
        for card in cards:
            if card.pk not in texts or texts[card.pk] in known:
                continue
            known.add(texts[card.pk])
            parts.append(texts[card.pk] if card is cards[0] else f"{_heading(card, written)}\n{texts[card.pk]}")
    return "\n\n".join(parts)


def is_joined(cards: Sequence[Client]) -> bool:
    """Return whether more than one card has a note of its own."""
    return len({card.note.strip() for card in cards if card.note.strip()}) > 1


def _heading(card: Client, written: Mapping[int, tuple[dt.datetime, str]]) -> str:
    at, who = written.get(card.pk, (None, ""))
    if at is None:
        return _("From the card of %(name)s, in the book since %(day)s:") % {"name": card.name, "day": _day(card.created_at)}
    if not who:
        return _("From the card of %(name)s, written on %(day)s:") % {"name": card.name, "day": _day(at)}
    return _("From the card of %(name)s, written on %(day)s by %(who)s:") % {"name": card.name, "day": _day(at), "who": who}


def _day(at: dt.datetime) -> str:
    return as_day(timezone.localtime(at).date())


def _written(ids: set[int]) -> dict[int, tuple[dt.datetime, str]]:
    """Return when the notes of these cards were written last and by whom, where the audit trail knows."""
    events = AuditEvent.objects.filter(subject_type=Client._meta.label_lower, subject_id__in=ids, action="client.note_written")
    return {
        event.subject_id: (event.at, event.by.name if event.by else "")
        for event in events.select_related("by").order_by("at", "pk")
        if event.subject_id is not None
    }
