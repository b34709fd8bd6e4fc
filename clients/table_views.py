"""The consent table on the card's page Other: one cell saved at once, the form to sign, a signed one entered as a whole."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from clients import access, answers, cards, choices, grid, privacyform, sheets
from clients.answers import Answer
from clients.forms import SheetForm
from clients.models import Client, ConsentEvent
from salon.core import public
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, refuse, sent, toast, whole

# What a form holds beside its file.
OTHER_BYTES = 100_000


@require_POST
@allowed(May.RECORD_CONSENT)
def answer(request: SignedIn, pk: int) -> HttpResponse:
    """Record a Yes or No of one cell: a No at once, a Yes once it is known how the client said so."""
    client = access.client_for(request.user, pk)
    said, how = request.POST.get("answer", ""), request.POST.get("how", "")
    pair = dict(_named()).get(request.POST.get("cell", ""))
    if pair is None or said not in {"yes", "no"}:
        return _table(request, client)
    if said == "yes" and how not in answers.HOW:
        return _table(request, client, asked=":".join(pair))
    try:
        events = grid.set_one(
            client, *pair, said, how=how if how in answers.HOW else "other", by=request.user, now=timezone.now()
        )
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
        return _table(request, client, changed=":".join(pair))
    if events:
        words = _words(grid.cell(client, *pair), said)
        undo_url = reverse("clients:consent_undo", args=[pk])
        toast(request, words, undo_url=undo_url, undo=answers.undo_token(events), about=":".join(pair))
    response = _table(request, client, changed=":".join(pair))
    return trigger_client_event(response, cards.CHANGED) if events and is_fragment(request) else response


@allowed(May.RECORD_CONSENT)
def sheet(request: SignedIn, pk: int) -> HttpResponse:
    """Show and take the table of a signed form: the day, and the boxes as they were ticked on paper."""
    client, now = access.client_for(request.user, pk), timezone.now()
    rows = grid.rows(client)
    is_too_large = (whole(request.META.get("CONTENT_LENGTH") or "") or 0) > sheets.MAX_BYTES + OTHER_BYTES
    cells = [cell for row in rows for cell in row.cells]
    files = request.FILES if request.method == "POST" else None
    form = SheetForm(sent(request), files, cells=cells, is_too_large=is_too_large)
    if form.is_bound and form.is_valid():
        said = {"signed_on": form.cleaned_data["signed_on"], "photo": form.cleaned_data["photo"]}
        try:
            events = grid.enter_sheet(client, form.ticks, **said, by=request.user, now=now)
        except Refused as refused:
            refuse(form, refused)
        else:
            words = _entered(events, grid.outweighed(client, form.ticks), has_photo=bool(said["photo"]))
            undo_url = reverse("clients:consent_undo", args=[pk]) if events else ""
            toast(request, words, undo_url=undo_url, undo=answers.undo_token(events))
            return go(request, "clients:other", pk)
    context = {**cards.head(request, client, tab="other"), "form": form, "rows": rows}
    status = 422 if form.is_bound else 200
    return page(request, "clients/sheet.html", context, status=status)


@allowed(May.SEE_ALL_CONTACTS)
@require_GET
def signed_form(request: SignedIn, pk: int, number: int) -> HttpResponse:
    """Show the photo of a signed form, or give a PDF out as a download: it is not ours, so nothing runs it here."""
    client = access.client_for(request.user, pk)
    found = sheets.look_at(client, number, by=request.user)
    if found is None:
        raise Http404
    is_picture = found.content_type == sheets.JPEG
    # Translators: name of a photo that is saved, before its number: short, without spaces
    name = pgettext("file name", "form") + f"-{client.pk}-{number}.{'jpg' if is_picture else 'pdf'}"
    headers = {
        "Content-Disposition": content_disposition_header(not is_picture, name) or "",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(found.data, content_type=found.content_type, headers=headers)


@allowed(May.SEE_CLIENTS)
def privacy_form(request: SignedIn, pk: int) -> HttpResponse:
    """Show the privacy form ready to print, in the client's language. Its boxes are empty, whatever was said before."""
    client, now = access.client_for(request.user, pk), timezone.now()
    found = cards.head(request, client, tab="other")
    with translation.override(client.language):
        form = privacyform.of(request.salon, client.language)
        birth = cards.birth_of(client, timezone.localdate())
        context = {**found, "form": form, "birth": birth, "now": now, "by": request.user, "salon": request.salon}
        # No code for a phone where no phone reaches us.
        has_code = public.has_address(request.salon) and not public.is_of_demo(request.salon)
        context["has_code"] = has_code and request.user.may(May.RECORD_CONSENT)
        paper = render_to_string("clients/_privacy_form.html", context, request)
    return page(request, "clients/privacy_form.html", {**found, "paper": paper})


def table(client: Client, *, asked: str = "", changed: str = "") -> dict[str, Any]:
    """Return what `_consent_table.html` needs. `asked`: the cell whose Yes waits for "how"; `changed`: the last answered."""
    return {
        "rows": grid.rows(client),
        "how": answers.HOW,
        "asked": asked if asked in dict(_named()) else "",
        "changed": changed,
        "paused_until": client.marketing_paused_until if choices.is_paused(client, timezone.now()) else None,
    }


def _named() -> list[tuple[str, tuple[str, str]]]:
    return [(":".join(pair), pair) for pair in grid.pairs()]


def _table(request: SignedIn, client: Client, *, asked: str = "", changed: str = "") -> HttpResponse:
    """Return the table, or the page Other where nothing runs but plain forms."""
    if not is_fragment(request):
        query = f"?{urlencode({'ask': asked})}" if asked else ""
        return go(request, reverse("clients:other", args=[client.pk]) + query + "#consent-table")
    context = {"client": client, **table(client, asked=asked, changed=changed)}
    return page(request, "clients/_consent_table.html", context, fragment="clients/_consent_table.html")


def _entered(events: Sequence[ConsentEvent], outweighed: Sequence[grid.Cell], *, has_photo: bool) -> str:
    """Return what became of a sheet."""
    nothing_new = _("Nothing new on this form. Its photo is kept.") if has_photo else _("Nothing new on this form.")
    words = _("Paper form entered.") if events else nothing_new
    if not outweighed:
        return words
    names = ", ".join(f"{cell.title} ({cell.label})" if cell.channel else str(cell.title) for cell in outweighed)
    return words + " " + _("A No of that day or later stands against its Yes: %(names)s.") % {"names": names}


def _words(cell: grid.Cell, said: str) -> str:
    """Return what became of it: a Yes that does not count yet is not called on."""
    what = f"{cell.title}, {cell.label}" if cell.channel else str(cell.title)
    if said == "no":
        return _("%(what)s: No.") % {"what": what}
    if cell.answer is Answer.WAITING:
        return _("%(what)s: Yes noted. It does not count yet.") % {"what": what}
    return _("%(what)s: Yes.") % {"what": what}
