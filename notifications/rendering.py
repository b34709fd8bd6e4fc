"""The words of a message: files in templates/messages/<kind>/<language>, and a closed list of placeholders.

Called by dispatch outside any transaction. Not Django's templates and not str.format: a text may be written by the
salon one day, and must not reach an object. A value that is missing fails the message rather than greeting nobody.
"""

import datetime as dt
import functools
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from django.conf import settings

from clients import consent, fold
from notifications import kinds, links, optin
from notifications.models import Campaign, Message
from salon.core import dates, phone, public
from salon.core.models import Salon

FOLDER = Path(settings.BASE_DIR) / "templates" / "messages"
# What only a marketing text may say; a service text that tried would have no value for it.
OF_MARKETING = frozenset({
    "offer_title", "offer_text", "valid_until", "conditions", "kind_label", "consent_date", "unsubscribe_link", "opt_out",
    "sender_code",
})  # fmt: skip
PLACEHOLDERS = OF_MARKETING | {
    "first_name", "salon", "legal_name", "service", "staff", "date", "date_long", "time", "address_line", "salon_phone",
    "salon_email", "preferences_link", "request_date", "request_time", "consent_text", "confirm_link",
}  # fmt: skip
# What the salon's own words may ask for.
OWN = ("first_name", "salon")
# How the languages of the house write a day, short and long; English as it is written in Europe.
_LOCALES = {"en": "en_GB"}
_DAYS = {"de": ("EEE, d. MMM", "EEEE, d. MMMM")}
_DAY = ("EEE d MMM", "EEEE d MMMM")

# {name}, or [words with {name}|words without it]. One pass: what a value holds is never read again.
_NAME = re.compile(r"\{([^{}]{0,40})\}")
_TOKEN = re.compile(r"\[([^\[\]|]{0,400})\|([^\[\]|]{0,400})\]|\{([^{}]{0,40})\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_CONTROL_IN_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u2029]+")
_BRACES = re.compile(r"\{[^{}]{0,40}\}|[{}]")
_GAP = re.compile(r"\n{3,}")


class TemplateError(Exception):
    """A text cannot be made: a placeholder nobody knows, a value that is missing, a language without a file."""


@dataclass(frozen=True)
class Rendered:
    """A message in words, ready for its channel."""

    recipient: str
    language: str
    title: str
    body: str
    # Where one click stops advertising: only marketing has it, in its headers as in its text.
    unsubscribe_url: str = ""


def load(batch: Sequence[Message], salon: Salon) -> None:
    """Fetch at once what the texts of a batch need beside client and visit: subjects for links, and campaigns."""
    if public.has_address(salon):
        links.load(batch)
    if ids := {message.campaign_id for message in batch if message.campaign_id}:
        found = Campaign.objects.in_bulk(ids)
        for message in batch:
            if message.campaign_id:
                message.campaign = found[message.campaign_id]


def render(message: Message, salon: Salon, *, link: str = "") -> Rendered:
    """Return the words of `message` in the client's language, or the salon's where there is none in it.

    Expects client and visit to be loaded. `link` stands for the client's own where the text is only shown. Raises
    TemplateError.
    """
    client = message.client
    if client is None:
        raise TemplateError("no client")
    language = client.language if _has(message.kind, client.language) else salon.language
    values = _values(message, salon, language)
    values["preferences_link"] = link or _link(message, salon)
    is_marketing = kinds.TABLE[message.kind].is_marketing
    if is_marketing:
        values |= _of_marketing(message, salon, language, values)
    if message.kind == optin.KIND:
        values |= _of_request(message, salon, language)
    said = _GAP.sub("\n\n", fill(_text(message.kind, language, "body"), values)).strip()
    footer = kinds.TABLE[message.kind].kind_class.value
    title = _CONTROL.sub(" ", fill(_text(message.kind, language, "subject"), values)).strip()
    body = f"{said}\n\n-- \n{_footer(footer, language, values)}\n"
    return Rendered(str(client.email), language, title, body, values.get("unsubscribe_link", ""))


def values_of(message: Message, salon: Salon, language: str) -> dict[str, str]:
    """Return the values for every placeholder that has one for this message, on one line each."""
    return _values(message, salon, language)


def text_of(kind: str, language: str, part: str) -> str:
    """Return a text of a kind in a language: "subject", "body" or, for the other channel, "sms". Raises TemplateError."""
    return _text(kind, language, part).strip()


def language_of(message: Message, salon: Salon, part: str) -> str:
    """Return the client's language if the kind has this part in it, else the salon's."""
    wanted = message.client.language if message.client else ""
    return wanted if (FOLDER / message.kind / wanted / f"{part}.txt").is_file() else salon.language


def fault(text: str) -> str:
    """Return the first thing in braces of the salon's own words that is no placeholder for them, or an empty text."""
    known = {f"{{{name}}}" for name in OWN}
    return next((found for found in _BRACES.findall(text) if found not in known), "")


def own(text: str, values: Mapping[str, str]) -> str:
    """Return the salon's own words for one client: {first_name} and {salon}, and nothing else, are filled in.

    Lines stay lines. Raises TemplateError for any other brace, and for a value that is missing.
    """
    if unknown := fault(text):
        raise TemplateError(f"no placeholder {unknown!r}")
    clean = _CONTROL_IN_TEXT.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if missing := [name for name in OWN if f"{{{name}}}" in clean and not values.get(name)]:
        raise TemplateError(f"no value for {missing[0]}")
    return _NAME.sub(lambda match: values[match.group(1)], clean)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with its placeholders replaced by `values`.

    [with {a name}|without] gives the first half where every value is there, else the second. Raises TemplateError
    for a placeholder outside the closed list, and for a value that is missing or empty outside brackets.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in PLACEHOLDERS:
            raise TemplateError(f"no placeholder {name!r}")
        if not values.get(name):
            raise TemplateError(f"no value for {name}")
        return values[name]

    def token(match: re.Match[str]) -> str:
        full, bare, name = match.groups()
        if name is not None:
            return _NAME.sub(value, match.group(0))
        if unknown := set(_NAME.findall(full)) - PLACEHOLDERS:
            raise TemplateError(f"no placeholder {sorted(unknown)}")
        return _NAME.sub(value, full if all(values.get(one) for one in _NAME.findall(full)) else bare)

    return _TOKEN.sub(token, text)


def _footer(name: str, language: str, values: Mapping[str, str]) -> str:
    return fill(_text("_footer", language, name), values).strip()


@functools.lru_cache(maxsize=256)
def _has(kind: str, language: str) -> bool:
    return (FOLDER / kind / language).is_dir()


@functools.lru_cache(maxsize=256)
def _text(kind: str, language: str, part: str) -> str:
    try:
        return (FOLDER / kind / language / f"{part}.txt").read_text(encoding="utf-8")
    except OSError as error:
        raise TemplateError(f"no text {kind}/{language}/{part}") from error


def _link(message: Message, salon: Salon) -> str:
    if not public.has_address(salon) or message.client is None:
        return ""
    token = links.of(message, message.client.email)
    return links.preferences_url(salon, token) if token else ""


def _of_marketing(message: Message, salon: Salon, language: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the values of a marketing text. The day of the Yes is missing where there is none: then nothing is sent."""
    kind, campaign = kinds.TABLE[message.kind], message.campaign
    client = message.client
    if client is None or campaign is None:
        raise TemplateError("no campaign")
    yes = consent.reading(client, kind.purpose, message.channel)
    said_on = yes.entry.effective_at.astimezone(salon.zone).date() if yes.entry and yes.state is fold.State.GRANTED else None
    return {
        "kind_label": _text(message.kind, language, "label").strip(),
        "consent_date": _day(said_on, language) if said_on else "",
        "unsubscribe_link": values["preferences_link"],
        "offer_title": own(campaign.title, values),
        "offer_text": own(campaign.text, values),
        "conditions": own(campaign.conditions, values),
        "valid_until": _day(campaign.valid_until, language) if campaign.valid_until else "",
    }


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
    values = {
        "first_name": message.client.first_name if message.client else "",
        "salon": salon.name,
        "legal_name": salon.legal_name,
        "address_line": salon.address_line,
        "salon_phone": _phone(salon.phone, salon.country),
        "salon_email": salon.email,
    }
    if message.appointment is not None and message.told_start_at is not None:
        values |= {"service": message.appointment.service.name, "staff": message.appointment.staff.name}
        values |= when(message.told_start_at, salon.time_zone, language)
    return {name: _CONTROL.sub(" ", value).strip() for name, value in values.items()}


_phone = functools.lru_cache(maxsize=8)(phone.show)


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
