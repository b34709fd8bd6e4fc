"""What a client opens from a message, without signing in: one click to stop, and all their choices.

GET, HEAD and OPTIONS change nothing. A wrong link, an old one and one of a person who was forgotten get the same answer.
No cookie is read or set (`salon.core.middleware.of_nobody`), so there is nothing that another site could ride on.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from clients import choices, stops, wording
from clients.models import Client, ConsentEvent
from clients.stops import Link
from notifications import links, said, smsaccount
from salon.core import phone
from salon.core.models import Salon
from salon.core.web import public

Changes = Mapping[tuple[str, str], bool]
ACTS = ("stop", "everything", "save", "pause", "resume")


@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Stop offers at once on the POST of a mail program (RFC 8058); show a person all their choices, and save them."""
    link, now = links.read(token), timezone.now()
    act = next((name for name in ACTS if name in request.POST), "") if request.method == "POST" else ""
    if request.method == "POST" and not act:
        if link:
            stops.by_click(link, now=now)
        return HttpResponse(b"OK\n", content_type="text/plain")
    language = language_of(request, stops.client_of(link) if link else None)
    with translation.override(language):
        news, changed = _act(link, act, request, language) if link and act else ([], {})
        sheet = choices.sheet(link, language=language, reminder_channels=_reminder_channels(), now=now) if link else None
        news = [*news, *said.of_changes(changed, sheet.fields if sheet else [])]
        context = {"news": news, "language": language, "languages": LANGUAGES, **(_page(sheet) if sheet else {})}
        response = render(request, "notifications/preferences.html", context)
        response.headers["Content-Language"] = language
    return response


# Each language under its own name, as its readers look for it.
LANGUAGES = [(code, translation.get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES]


def _act(link: Link, act: str, request: HttpRequest, language: str) -> tuple[list[str], Changes]:
    """Do what was pressed; return what holds from now on, in sentences, and the ticks that were changed."""
    now, form = timezone.now(), request.POST
    if act == "save":
        return [], _save(link, request, language, now)
    if act == "stop":
        stops.by_click(link, source=ConsentEvent.Source.PREFERENCE_PAGE, now=now)
        return [said.no_offers(link.channel)], {}
    if act == "everything":
        choices.stop_everything(link, now=now)
        return [said.no_offers("*")], {}
    if act == "pause":
        days = {str(days): days for days in choices.PAUSES}.get(form["pause"], choices.PAUSES[0])
        until = choices.pause(link, days, now=now)
        return [said.rests_until(until)] if until else [], {}
    return [str(said.RESUMED)] if choices.end_pause(link, now=now) else [], {}


def _save(link: Link, request: HttpRequest, language: str, now: dt.datetime) -> Changes:
    """Write the ticks that the client changed among those that the page offers, and return them."""
    form, before = request.POST, choices.sheet(link, language=language, reminder_channels=_reminder_channels(), now=now)
    fields = before.fields if before else []
    wanted = {(one.purpose, one.channel): one.name in form for one in fields if (one.name in form) != (f"was:{one.name}" in form)}
    choices.save(link, wanted, language=language, now=now)
    return wanted


def _page(sheet: choices.Sheet) -> dict[str, Any]:
    """Return what the page shows of a sheet."""
    salon = Salon.objects.current()
    rows = [
        {"name": said.KINDS[kind], "ticks": [_tick(one, salon) for one in row], "id": kind.replace(".", "-")}
        for kind, row in sheet.kinds.items()
    ]
    return {
        "sheet": sheet,
        "rows": rows,
        "reminders": [_tick(one, salon) for one in sheet.reminders],
        "profiling": _tick(sheet.profiling, salon) if sheet.profiling else None,
        "address": masked(sheet.client, sheet.channel) if sheet.is_current else "",
        "gets_offers": sheet.gets_offers(sheet.channel),
        "pauses": choices.PAUSES,
    }


def _tick(one: choices.Choice, salon: Salon) -> dict[str, Any]:
    words = wording.shown(one.text, salon) if one.text else ""
    return {"choice": one, "channel": said.CHANNELS.get(one.channel, ""), "words": words, "bar": said.BARS.get(one.bar, "")}


def masked(client: Client, channel: str) -> str:
    """Return the address the page speaks of, as its holder knows it and nobody else learns it."""
    return phone.mask_email(client.email) if channel == "email" else phone.mask(str(client.phone or ""))


def language_of(request: HttpRequest, client: Client | None) -> str:
    """Return the language that was chosen in the head of the page, else the client's, else the browser's."""
    known = dict(settings.LANGUAGES)
    wanted = (request.GET.get("lang", ""), client.language if client else "", translation.get_language() or "")
    return next((code for code in wanted if code in known), settings.LANGUAGE_CODE)


def _reminder_channels() -> Sequence[str]:
    return smsaccount.of_reminders()
