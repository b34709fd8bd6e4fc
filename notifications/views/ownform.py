"""The privacy form that a client fills in without signing in, and the code on the printed one that leads there.

GET shows the questions with nothing ticked, POST records what was ticked. Late, forged and dead links get the same page.
No cookie is read or set (`salon.core.middleware.of_nobody`).
"""

import io
from collections.abc import Mapping
from typing import Any

import segno
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from clients import access, grid, ownform
from clients.answers import Answer
from clients.models import Client
from notifications import links, said
from notifications.views import preferences
from salon.core import audit, phone
from salon.core.models import Salon
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, public


@csrf_exempt
@public
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
def form(request: HttpRequest, token: str) -> HttpResponse:
    """Show a client their privacy form, and take what they ticked on it."""
    subject_id = links.read_form(token, now=timezone.now())
    client = ownform.client_of(subject_id) if subject_id is not None else None
    language = preferences.language_of(request, client)
    with translation.override(language):
        context: dict[str, Any] = {"language": language, "languages": preferences.LANGUAGES}
        status = 200
        if client is not None and subject_id is not None:
            if request.method == "POST":
                context |= _answered(subject_id, client, request.POST, language)
            status = 422 if context.get("fault") else 200
            context |= _page(client, language)
        response = render(request, "notifications/own_form.html", context, status=status)
        response.headers["Content-Language"] = language
    return response


@allowed(May.RECORD_CONSENT)
@require_GET
def code(request: SignedIn, pk: int) -> HttpResponse:
    """Return the picture that a phone reads to open this client's form. Who had it made is noted."""
    client = access.client_for(request.user, pk)
    url = links.form_url(request.salon, client, now=timezone.now())
    if not url:
        raise Http404
    picture = io.BytesIO()
    segno.make(url, error="m", micro=False).save(picture, kind="svg", border=4, light="#fff", omitsize=True, xmldecl=False)
    audit.record("client.form_linked", client, by=request.user)
    return HttpResponse(picture.getvalue(), content_type="image/svg+xml")


def _answered(subject_id: int, client: Client, sent: Mapping[str, str], language: str) -> dict[str, Any]:
    """Record what was ticked and return what holds now, or what is wrong with the form and what was ticked."""
    ticks = {pair: sent[name] for pair in grid.pairs() if sent.get(name := ":".join(pair)) in {"yes", "no"}}
    if not ticks:
        return {"fault": _("Answer at least one question. What you leave open stays as it is.")}
    events = ownform.answer(subject_id, ticks, words=sent.get("words", ""), language=language, now=timezone.now())
    if events is None:
        return {"fault": _("The words of this form have changed meanwhile, so nothing was saved. Read them again, then send it.")}
    cells = [grid.cell(client, *pair) for pair in ticks]
    return {"told": [(cell, _holds(cell)) for cell in cells]}


def _holds(cell: grid.Cell) -> str:
    """Return what an answer comes to, in the client's words."""
    if cell.answer is Answer.WAITING:
        return _("Yes. It counts once you open the link that we send you.")
    return _("Yes") if cell.answer is Answer.YES else _("No")


def _page(client: Client, language: str) -> dict[str, Any]:
    salon = Salon.objects.current()
    sheet = ownform.sheet(client, salon, language=language)
    number = phone.show(str(client.phone or ""), salon.country)
    addresses = {"email": phone.mask_email(client.email), "sms": phone.mask(number)}
    rows = [
        (row.question, [(box.cell, said.CHANNELS.get(box.cell.channel, ""), said.BARS.get(box.bar, "")) for box in row.boxes])
        for row in sheet.rows
    ]
    return {"sheet": sheet, "rows": rows, "addresses": addresses}
