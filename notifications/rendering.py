"""A message in words: the text in force, filled in with what is known of client, visit and salon, and the footer.

Called by dispatch outside any transaction. The texts are `texts`', filling them in is `filling`'s.
"""

import datetime as dt
import functools
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from babel import Locale
from babel.dates import format_date

from clients import consent, fold
from notifications import eventfile, kinds, links, optin, texts
from notifications.filling import TemplateError, fill, one_line, own
from notifications.models import Campaign, Message
from salon.core import dates, phone, public
from salon.core.models import Salon

# How the languages of the house write a day, short and long; English as it is written in Europe.
_LOCALES = {"en": "en_GB"}
_DAYS = {"de": ("EEE, d. MMM", "EEEE, d. MMMM")}
_DAY = ("EEE d MMM", "EEEE d MMMM")

# Where a message may lead: the first of them that it has is what it is for.
_LEADS = ("review_link", "confirm_link", "preferences_link")
_GAP = re.compile(r"\n{3,}")


@dataclass(frozen=True)
class Rendered:
    """A message in words, ready for its channel."""

    recipient: str
    language: str
    title: str
    body: str
    # Where one click stops advertising: only marketing has it, in its headers as in its text.
    unsubscribe_url: str = ""
    # What its HTML looks like: the class of its kind, and whose it is.
    look: str = "system"
    salon: str = ""
    # The version of the text it was made of: 0 for the house's own.
    text_version: int = 0
    # The visit as a file for calendars, and what a calendar is to do with it.
    event: bytes = b""
    event_method: str = ""
    # What the message is for, if it leads somewhere: the address and the words on its button.
    button: tuple[str, str] = ("", "")


def load(batch: Sequence[Message], salon: Salon) -> None:
    """Fetch at once what the texts of a batch need beside client and visit: texts, subjects for links, and campaigns."""
    shelf = texts.shelf()
    for message in batch:
        message.__dict__["loaded_shelf"] = shelf
    if public.has_address(salon):
        links.load(batch)
    if ids := {message.campaign_id for message in batch if message.campaign_id}:
        found = Campaign.objects.in_bulk(ids)
        for message in batch:
            if message.campaign_id:
                message.campaign = found[message.campaign_id]


def render(message: Message, salon: Salon, *, link: str = "", text: texts.Text | None = None) -> Rendered:
    """Return the words of `message` in the client's language, or the salon's where there is none in it.

    Expects client and visit to be loaded. `link` stands for the client's own where the text is only shown, `text` for the
    one in force. Raises TemplateError.
    """
    client = message.client
    if client is None:
        raise TemplateError("no client")
    kind, shelf = kinds.TABLE[message.kind], texts.on(message)
    language = client.language if texts.has(kind.name, client.language) else salon.language
    text = text or shelf.text(kind.name, message.channel, language)
    values = _values(message, salon, language)
    values["preferences_link"] = link or _link(message, salon)
    if kind.is_marketing:
        values |= _of_marketing(message, salon, language, values)
        values |= of_moment(message, shelf, had_on=_had_on(message, salon, language))
    if kind.name == optin.KIND:
        values |= _of_request(message, salon, language)
    said = _GAP.sub("\n\n", fill(text.body, values)).strip()
    title = one_line(fill(text.subject, values))
    body = f"{said}\n\n-- \n{_footer(kind.kind_class.value, language, values)}\n"
    event = eventfile.of(message, salon, words=values) if kind.event_method else b""
    return Rendered(
        str(client.email), language, title, body, values.get("unsubscribe_link", ""), kind.kind_class.value, salon.name,
        text.version, event, kind.event_method, _button(kind.name, language, values),
    )  # fmt: skip


def _button(kind: str, language: str, values: Mapping[str, str]) -> tuple[str, str]:
    words = texts.button(kind, language)
    return (next((values[name] for name in _LEADS if values.get(name)), ""), words) if words else ("", "")


def values_of(message: Message, salon: Salon, language: str) -> dict[str, str]:
    """Return the values for every placeholder that has one for this message, on one line each."""
    return _values(message, salon, language)


def _footer(name: str, language: str, values: Mapping[str, str]) -> str:
    return fill(texts.read("_footer", language, name), values).strip()


def _link(message: Message, salon: Salon) -> str:
    if not public.has_address(salon) or message.client is None:
        return ""
    token = links.of(message, message.client.email)
    return links.preferences_url(salon, token) if token else ""


def _of_marketing(message: Message, salon: Salon, language: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a marketing text. The day of the Yes is missing where there is none: then nothing is sent."""
    kind, campaign, client = kinds.TABLE[message.kind], message.campaign, message.client
    if client is None or (kind.is_by_hand and campaign is None):
        raise TemplateError("no campaign")
    yes = consent.reading(client, kind.purpose, message.channel)
    said_on = yes.entry.effective_at.astimezone(salon.zone).date() if yes.entry and yes.state is fold.State.GRANTED else None
    found = {
        "kind_label": texts.read(message.kind, language, "label").strip(),
        "consent_date": _day(said_on, language) if said_on else "",
        "unsubscribe_link": values["preferences_link"],
    }
    return found if campaign is None else found | _of_campaign(campaign, language, values)


def _of_campaign(campaign: Campaign, language: str, values: Mapping[str, str]) -> dict[str, str]:
    return {
        "offer_title": own(campaign.title, values),
        "offer_text": own(campaign.text, values),
        "conditions": own(campaign.conditions, values),
        "valid_until": _day(campaign.valid_until, language) if campaign.valid_until else "",
    }


def of_moment(message: Message, shelf: texts.Shelf, *, had_on: str) -> dict[str, str]:
    """Return the values of a text about a visit that was, had on a day that is `had_on` in words; and where the kind leads."""
    return {"last_visit_date": had_on, "visit_date": had_on, "review_link": shelf.targets.get(message.kind, "")}


def _had_on(message: Message, salon: Salon, language: str) -> str:
    return _day(message.appointment.start_at.astimezone(salon.zone).date(), language) if message.appointment else ""


def _of_request(message: Message, salon: Salon, language: str) -> dict[str, str]:
    """Return the values of a request to confirm a Yes. Nothing waits, or no words: they are missing, and nothing is sent."""
    words = optin.words(message, salon)
    asked_at = words.pop("asked_at")
    local = asked_at.astimezone(salon.zone) if asked_at else None
    when = {"request_date": _day(local.date(), language), "request_time": f"{local:%H:%M}"} if local else {}
    return {**words, **when}


def _day(on: dt.date, language: str) -> str:
    locale = Locale.parse(_LOCALES.get(language, language))
    pattern = "d. MMMM y" if language == "de" else "d MMMM y"
    return dates.as_written(format_date(on, pattern, locale=locale), on, language)


def _values(message: Message, salon: Salon, language: str) -> dict[str, str]:
    """Return the values for every placeholder that has one, on one line each."""
    client, visit, start_at = message.client, message.appointment, message.told_start_at
    names = (salon.name, salon.legal_name, salon.address_line, salon.email)
    of_salon = _of_salon(names, salon.phone, salon.country)
    values = {"first_name": one_line(client.first_name) if client else "", **of_salon}
    if visit is not None and start_at is not None:
        values |= {"service": one_line(visit.service.name), "staff": one_line(visit.staff.name)}
        values |= when(start_at, salon.time_zone, language)
    return values


@functools.lru_cache(maxsize=8)
def _of_salon(names: tuple[str, ...], number: str, country: str) -> Mapping[str, str]:
    """Return the values that are the same for every message of the salon."""
    values = dict(zip(("salon", "legal_name", "address_line", "salon_email"), names, strict=True))
    values["salon_phone"] = phone.show(number, country)
    return {placeholder: one_line(value) for placeholder, value in values.items()}


@functools.lru_cache(maxsize=1024)
def when(start_at: dt.datetime, zone: str, language: str) -> Mapping[str, str]:
    """Return date, date_long and time of an instant: on the clock of `zone`, in the words of `language`."""
    local = start_at.astimezone(zoneinfo.ZoneInfo(zone))
    locale = Locale.parse(_LOCALES.get(language, language))
    short, long = _DAYS.get(language, _DAY)
    return {
        "date": dates.as_written(format_date(local.date(), short, locale=locale), local.date(), language),
        "date_long": dates.as_written(format_date(local.date(), long, locale=locale), local.date(), language),
        "time": f"{local:%H:%M}",
    }
