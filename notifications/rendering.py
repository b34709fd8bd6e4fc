"""The words of a message: files in templates/messages/<kind>/<language>, and a closed list of placeholders.

Called by dispatch outside any transaction. Not Django's templates and not str.format: a text may be written by the
salon one day, and must not reach an object. A value that is missing fails the message rather than greeting nobody.
"""

import datetime as dt
import functools
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from django.conf import settings

from notifications import kinds
from notifications.models import Message
from salon.core import dates, phone
from salon.core.models import Salon

FOLDER = Path(settings.BASE_DIR) / "templates" / "messages"
PLACEHOLDERS = frozenset({
    "first_name", "salon", "legal_name", "service", "staff", "date", "date_long", "time", "address_line", "salon_phone",
    "salon_email",
})  # fmt: skip
# How the languages of the house write a day, short and long; English as it is written in Europe.
_LOCALES = {"en": "en_GB"}
_DAYS = {"de": ("EEE, d. MMM", "EEEE, d. MMMM")}
_DAY = ("EEE d MMM", "EEEE d MMMM")

# {name}, or [words with {name}|words without it]. One pass: what a value holds is never read again.
_NAME = re.compile(r"\{([^{}]{0,40})\}")
_TOKEN = re.compile(r"\[([^\[\]|]{0,400})\|([^\[\]|]{0,400})\]|\{([^{}]{0,40})\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")


class TemplateError(Exception):
    """A text cannot be made: a placeholder nobody knows, a value that is missing, a language without a file."""


@dataclass(frozen=True)
class Rendered:
    """A message in words, ready for its channel."""

    recipient: str
    language: str
    title: str
    body: str


def render(message: Message, salon: Salon) -> Rendered:
    """Return the words of `message` in the client's language, or the salon's where there is none in it.

    Expects client and visit to be loaded. Raises TemplateError.
    """
    client = message.client
    if client is None:
        raise TemplateError("no client")
    language = client.language if _has(message.kind, client.language) else salon.language
    values = _values(message, salon, language)
    footer = "service" if not kinds.TABLE[message.kind].is_marketing else "marketing"
    body = f"{fill(_text(message.kind, language, 'body'), values).strip()}\n\n-- \n{_footer(footer, language, values)}\n"
    title = _CONTROL.sub(" ", fill(_text(message.kind, language, "subject"), values)).strip()
    return Rendered(str(client.email), language, title, body)


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
