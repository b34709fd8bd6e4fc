"""The words of an SMS: one line, in plain letters where that keeps it short, with its length and what it costs.

Called by dispatch outside any transaction, and by the pages that show a text. The texts are `texts`', the values `rendering`'s.
"""

import datetime as dt
import functools
import zoneinfo
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale
from babel.dates import format_date

from notifications import costs, filling, kinds, rendering, segments, shortlinks, texts
from notifications.filling import TemplateError
from notifications.models import Message, SmsAccount
from notifications.rendering import Rendered
from salon.core.models import Salon

# How a day is written where room is dear: "Wed 2 Dec", "mer. 2/12", "Mi. 2.12."
_DAYS = {"en": ("en_GB", "EEE d MMM"), "fr": ("fr", "EEE d/M"), "de": ("de", "EEE d.M.")}
# Words of people and of the salon; everything else in a text is ours.
_NAMES = ("salon", "first_name", "service", "staff", "legal_name")
_MARKS = "{}[]|"
_EMPTY = segments.Size(segments.GSM7, 0, 1)


@dataclass(frozen=True)
class Words(Rendered):
    """An SMS in words: with its length, its parts and their price."""

    size: segments.Size = _EMPTY
    cost: Decimal = Decimal(0)


def render(message: Message, salon: Salon, account: SmsAccount, *, link: str = "", text: texts.Text | None = None) -> Words:
    """Return the words of an SMS in the client's language, or the salon's where there is none in it.

    Of a text that needs a second part the service is left out, if that saves it. `link` stands for the client's own where
    the text is only shown, `text` for the one in force. Raises TemplateError.
    """
    client = message.client
    if client is None:
        raise TemplateError("no client")
    shelf = texts.on(message)
    language = client.language if texts.has(message.kind, client.language, "sms") else salon.language
    values = rendering.values_of(message, salon, language)
    if account.may_tidy_names:
        values |= {name: segments.tidy(values.get(name, "")) for name in _NAMES}
    if message.told_start_at is not None and message.appointment is not None:
        values["date"] = _day(message.told_start_at, salon.time_zone, language)
    unsubscribe = ""
    if kinds.TABLE[message.kind].is_marketing:
        unsubscribe = link or ("" if account.is_heard else shortlinks.url(salon, client))
        values |= _of_marketing(message, values, account, language, unsubscribe)
        had_on = _day(message.appointment.start_at, salon.time_zone, language) if message.appointment else ""
        values |= rendering.of_moment(message, shelf, had_on=had_on)
    found = text or shelf.text(message.kind, "sms", language)
    # The way to stop is never typed by anybody: it stands behind whatever the text says.
    template = tidy_literals(found.body.strip()) + (" {opt_out}" if kinds.TABLE[message.kind].is_marketing else "")
    body = _on_one_line(filling.fill(template, values))
    if segments.measure(body).segments > 1 and values.get("service"):
        body = _shorter(template, values, body)
    size, number = segments.measure(body), str(client.phone or "")
    _count, cost = costs.of(body, number, account.prices)
    stop = "" if account.is_heard else unsubscribe
    return Words(number, language, "", body, stop, salon=salon.name, text_version=found.version, size=size, cost=cost)


def _shorter(template: str, values: dict[str, str], body: str) -> str:
    """Return the words without the service, if they can do without and that saves a part; else `body`."""
    try:
        short = _on_one_line(filling.fill(template, {**values, "service": ""}))
    except TemplateError:  # the salon's own text names it outside brackets
        return body
    return short if segments.measure(short).segments < segments.measure(body).segments else body


def tidy_literals(text: str) -> str:
    """Return a template with its own words in plain letters; names of placeholders and brackets stay."""
    return "".join(char if char in _MARKS else segments.tidy(char) for char in text)


def _of_marketing(message: Message, values: dict[str, str], account: SmsAccount, language: str, link: str) -> dict[str, str]:
    """Return the values of an advertising text. Without a way to stop there is none: then nothing is sent."""
    if kinds.TABLE[message.kind].is_by_hand and message.campaign is None:
        raise TemplateError("no campaign")
    offer = filling.own(segments.tidy(message.campaign.text), values) if message.campaign else ""
    if account.is_heard:
        part = "code" if account.sender.isdigit() else "reply"
        clause = {"sender_code": account.sender}
    else:
        part, clause = "link", {"unsubscribe_link": link}
    opt_out = tidy_literals(texts.read("_opt_out", language, part).strip())
    return {"offer_text": offer, "opt_out": filling.fill(opt_out, clause)}


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


@functools.lru_cache(maxsize=1024)
def _day(at: dt.datetime, zone: str, language: str) -> str:
    locale, pattern = _DAYS.get(language, _DAYS["en"])
    local = at.astimezone(zoneinfo.ZoneInfo(zone)).date()
    return segments.tidy(str(format_date(local, pattern, locale=Locale.parse(locale))))
