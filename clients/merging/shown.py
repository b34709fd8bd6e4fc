"""The values of cards as words, for the pages about a merge."""

import datetime as dt

from django.conf import settings
from django.utils import formats
from django.utils.translation import pgettext

from clients.merging.fields import Group, Words
from clients.models import CameThrough, Channel, Client
from salon.core import countries, dates, phone
from salon.core.models import Salon


def text(group: Group, card: Client, salon: Salon) -> Words:  # noqa: PLR0911 (one for each field)
    """Return what stands on a card, or nothing."""
    match group.name:
        case "phone":
            return phone.show(str(card.phone or ""), salon.country)
        case "birth":
            return _birth(card)
        case "address":
            return _address(card, salon)
        case "language":
            return dict(settings.LANGUAGES).get(card.language, card.language)
        case "preferred_channel":
            return dict(Channel.choices).get(card.preferred_channel, "")
        case "came_through":
            return dict(CameThrough.choices).get(card.came_through, "")
        case _:
            return str(getattr(card, group.name))


def count(number: int) -> str:
    """Return "1,284" as the reader's language groups it."""
    return str(formats.number_format(number, decimal_pos=0, use_l10n=True, force_grouping=True))


def _birth(card: Client) -> str:
    if not card.birth_day or not card.birth_month:
        return ""
    try:
        day = dt.date(card.birth_year or 2000, card.birth_month, card.birth_day)
    except ValueError:
        return f"{card.birth_day}.{card.birth_month}."
    # Translators: Django date format for a date of birth
    pattern = pgettext("date format", "j F Y") if card.birth_year else pgettext("date format", "j F")
    return dates.show(day, pattern)


def _address(card: Client, salon: Salon) -> str:
    country = countries.name(card.country) if card.country and card.country != salon.country else ""
    lines = [card.street, f"{card.postcode} {card.city}".strip(), country]
    return ", ".join(line for line in lines if line)
