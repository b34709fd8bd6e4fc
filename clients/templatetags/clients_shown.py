"""Counts, dates and fields as the clients pages show them."""

import datetime as dt
import functools
from collections.abc import Sequence

from django import forms, template
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from clients import cards, inactivity, timeline, wording
from clients.access import Contacts
from clients.duplicates import telling
from clients.marking import Marker
from clients.models import Client, ConsentText
from salon.core import dates
from salon.core.models import Salon
from salon.core.templatetags import house

register = template.Library()


@register.filter
def as_count(number: int | None) -> str:
    """Return "1,284" as the reader's language groups it; nothing for no number."""
    return "" if number is None else str(formats.number_format(number, decimal_pos=0, use_l10n=True, force_grouping=True))


@register.filter
def as_shown(text: ConsentText, salon: Salon) -> str:
    """Return the words of a consent as the client read them."""
    return wording.shown(text, salon)


@register.filter
def marked(contacts: Contacts, marker: Marker) -> SafeString | str:
    """Return the name with what the search found in it; for somebody without a name their number."""
    if not marker:
        return contacts.name
    return marked_number(contacts, marker) if contacts.name == contacts.phone else marker.words(contacts.name)


@register.filter
def marked_number(contacts: Contacts, marker: Marker) -> SafeString | str:
    """Return the number with the digits that were found. A masked one stays as it is."""
    return marker.number(contacts.phone, contacts.dial) if marker and contacts.dial else contacts.phone


@register.filter
def found_email(contacts: Contacts, marker: Marker) -> SafeString | str:
    """Return the e-mail with what was found, where nothing else says why; nothing for a masked one."""
    which = {"name": contacts.name, "shown": contacts.phone, "e164": contacts.dial}
    return marker.words(contacts.email) if not contacts.is_masked and marker.needs(contacts.email, **which) else ""


@register.filter
def as_dated(day: dt.date) -> SafeString:
    """Return the day in words, as a `<time>` that says which day it is."""
    return _dated(day, house.as_day(day))


@functools.lru_cache(maxsize=2_000)
def _dated(day: dt.date, words: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', day.isoformat(), words)


@register.simple_tag
def badges(*states_and_words: str) -> SafeString:
    """Return a badge for each state and the word behind it: a list shows the same few together in fifty rows."""
    return _badges(tuple(map(str, states_and_words)))


@functools.lru_cache(maxsize=512)
def _badges(pairs: tuple[str, ...]) -> SafeString:
    return SafeString("".join(house.badge(*pair) for pair in zip(pairs[::2], pairs[1::2], strict=True)))


@register.filter
def as_month(moment: dt.datetime) -> str:
    """Return "March 2021" in the salon's zone."""
    # Translators: Django date format for a month with its year
    return formats.date_format(timezone.localtime(moment), pgettext("date format", "F Y"))


@register.filter
def as_birthday(day: dt.date) -> str:
    """Return "4 April 1991"."""
    # Translators: Django date format for a date of birth
    return dates.show(day, pgettext("date format", "j F Y"))


@register.filter
def as_day_month(day: dt.date) -> str:
    """Return "4 April", for a date of birth without its year."""
    # Translators: Django date format for a day and a month
    return dates.show(day, pgettext("date format", "j F"))


@register.filter
def field_of(form: forms.BaseForm, name: str) -> forms.BoundField:
    """Return the field of that name, for forms that are made of what there is."""
    return form[name]


@register.filter
def inactive_reason(code: str) -> str:
    """Return why a card is inactive, in words."""
    return str(_("Is being deleted") if code == inactivity.DELETING else inactivity.REASONS.get(code, ""))


@register.filter
def reasons(codes: Sequence[str]) -> str:
    """Return why two cards may be one person, in words, as a heading begins."""
    words = telling.words(codes)
    return words[:1].upper() + words[1:]


@register.filter
def field_names(names: Sequence[str]) -> str:
    """Return fields of a card as people call them: "phone, date of birth"."""
    return ", ".join(dict.fromkeys(str(timeline.FIELDS.get(name, name)) for name in names))


@register.filter
def born(client: Client) -> str:
    """Return the date of birth, without the year where it is not known; nothing for none."""
    found = cards.birth_of(client, timezone.localdate())
    return "" if not found else as_birthday(found["day"]) if found["has_year"] else as_day_month(found["day"])
