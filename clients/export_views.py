"""The pages of an export: what is in the file and who is left out, its progress, and the file itself."""

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clients import access, filters, lists, selection
from clients.export_forms import ExportForm, choices_in, wanted_of
from clients.exporting import columns, exports, file, people
from clients.exporting.people import Wanted
from clients.models import Export
from salon.core import notices
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, progress, refuse, toast

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
State = Export.State


@allowed(May.EXPORT)
@require_http_methods(["GET", "POST"])
def export(request: SignedIn) -> HttpResponseBase:
    """Show what would be in a file and who is left out; hand it over at once, or have a large one written."""
    given = request.POST if request.method == "POST" else request.GET
    ticked = selection.read(given, request.user)
    if ticked.is_over:
        return _lead_back(request)
    but = ticked.but if ticked.every else selection.unticked(given)
    wanted = wanted_of(given, ticked.wanted or lists.wanted(given), ticked.ids, but)
    # "count" is the button that counts again where nothing runs: a POST, so that no password stands in an address.
    is_wish = request.method == "POST" and "count" not in request.POST
    known = {**choices_in(given), "purpose": given.get("purpose", "")[:200], "password": request.POST.get("password", "")}
    form = ExportForm(request.POST if is_wish else None, user=request.user, initial=known)
    now = timezone.now()
    if form.is_valid():
        try:
            return _give(request, wanted, form.cleaned_data, now)
        except Refused as refused:
            refuse(form, refused)
    context = _choice(request, form, wanted, now)
    return page(request, "clients/export.html", context, fragment="clients/_export.html", status=422 if form.is_bound else 200)


@allowed(May.EXPORT)
@require_GET
def job(request: SignedIn, pk: int) -> HttpResponse:
    """Show an export as it stands. Its progress is asked for every two seconds, and leads on when it is done."""
    row = access.export_for(request.user, pk)
    is_job = row.state == State.RUNNING
    if not is_job and is_fragment(request):
        return go(request, "clients:export_job", pk)
    if is_job:
        context = {"row": row, **progress(request, row.rows_done, row.row_count)}
        return page(request, "clients/export_job.html", context, fragment="clients/_export_job.html")
    notices.read(request.user, now=timezone.now(), url=request.path)
    kept = lists.wanted(QueryDict(f"{urlencode({'q': row.text, 'status': row.status})}&{row.filters}"))
    again = urlencode([("preset", row.preset), ("who", row.who), *(("but", pk) for pk in row.but)])
    context = {
        "row": row, "is_there": exports.is_there(row, now=timezone.now()), "ends_at": exports.ends_at(row),
        "label": columns.PRESETS[row.preset].label, "who": file.who_words(exports.wanted_of(row)),
        "reason": exports.REASONS.get(row.reason, ""), "again_query": f"{lists.query(kept)}&{again}".lstrip("&"),
    }  # fmt: skip
    return page(request, "clients/export_job.html", context)


@allowed(May.EXPORT)
@require_GET
def take(request: SignedIn, pk: int) -> HttpResponseBase:
    """Give a finished file to the one who asked for it."""
    row, now = access.export_for(request.user, pk), timezone.now()
    try:
        pieces = exports.fetch(row, by=request.user, now=now)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
        return go(request, "clients:export_job", pk)
    name = file.name_of(row.settled_at or now, request.salon)
    headers = {"Content-Disposition": content_disposition_header(True, name) or "", "Content-Length": str(row.size)}
    return StreamingHttpResponse(pieces, content_type=XLSX, headers=headers)


@allowed(May.EXPORT)
@require_POST
def start_again(request: SignedIn, pk: int) -> HttpResponse:
    """Have a file written that stopped."""
    try:
        exports.start_again(access.export_for(request.user, pk), by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    return go(request, "clients:export_job", pk)


def _give(request: SignedIn, wanted: Wanted, said: Mapping[str, Any], now: dt.datetime) -> HttpResponseBase:
    """Answer a wish with its file, or with the page of the job that writes it. Raises Refused."""
    wish: dict[str, Any] = {
        "purpose": said["purpose"], "password": said["password"], "by": request.user, "salon": request.salon, "now": now,
    }  # fmt: skip
    rows = people.chosen(
        people.listed(request.user, request.salon, wanted, now=now), wanted.channel, salon=request.salon, now=now
    )
    if rows.order_by().count() > exports.AT_ONCE:
        return go(request, "clients:export_job", exports.start(wanted, **wish).pk)
    _row, content = exports.hand_over(wanted, **wish)
    return FileResponse(content, as_attachment=True, filename=file.name_of(now, request.salon), content_type=XLSX)


def _list_of(wanted: Wanted) -> list[tuple[str, str]]:
    return [("q", wanted.text), ("status", wanted.status), ("sort", wanted.sort), *wanted.filters]


def _lead_back(request: SignedIn) -> HttpResponse:
    toast(request, _("This selection is too old. Select the clients again."), level=messages.WARNING)
    return go(request, "clients:list")


def _choice(request: SignedIn, form: ExportForm, wanted: Wanted, now: dt.datetime) -> dict[str, Any]:
    """Return the context of the page: how many are in the file, and who of the list is not."""
    rows = people.listed(request.user, request.salon, wanted, now=now)
    listed, left = rows.order_by().count(), people.left_out(rows, wanted.channel, salon=request.salon, now=now)
    query = urlencode([*_list_of(wanted), *(("sel", pk) for pk in wanted.ids)])
    return {
        "form": form, "wanted": wanted, "listed": listed, "left": left, "count": listed - left.count,
        "status_label": lists.LABELS[wanted.status], "back_url": f"{reverse('clients:list')}?{query}",
        "is_at_once": listed - left.count <= exports.AT_ONCE, "filter_words": filters.words(wanted.filters),
    }  # fmt: skip
