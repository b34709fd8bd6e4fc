"""The pages of an import: file, columns, check, progress, what was done, undo. One address for each; the state decides."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clients import access
from clients.import_forms import ColumnsForm, UploadForm
from clients.importing import commit, jobs, reading, report, sample, stored, undoing
from clients.importing.report import Report
from clients.models import Import
from salon.core import notices
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, progress, refuse, toast, whole

State = Import.State
PER_PAGE = 50
SHOWN = 10
# As many rows are checked while the reader waits; more of them in the background.
AT_ONCE = 1500


@allowed(May.IMPORT_CLIENTS)
@require_http_methods(["GET", "POST"])
def imports(request: SignedIn) -> HttpResponse:
    """Take a file, and show the last imports."""
    length = request.META.get("CONTENT_LENGTH") or ""
    is_too_large = (whole(length) or 0) > reading.MAX_BYTES
    form = UploadForm(request.POST, request.FILES, is_too_large=is_too_large) if request.method == "POST" else UploadForm()
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            row = jobs.upload(file.read(), file.name, by=request.user, now=timezone.now())
        except Refused as refused:
            refuse(form, Refused(refused.message, field="file"))
        else:
            return go(request, "clients:import_columns", row.pk)
    rows = Import.objects.exclude(state=State.DISCARDED).exclude(title="").defer("sheet").select_related("by").order_by("-pk")
    context = {"form": form, "rows": rows[:SHOWN], "step": 1}
    return page(request, "clients/imports.html", context, status=422 if form.is_bound else 200)


@allowed(May.IMPORT_CLIENTS)
@require_GET
def template(request: SignedIn) -> HttpResponse:
    """Give the file to begin with."""
    return _download(sample.template(translation.get_language() or "en"), _("clients-template.csv"))


@allowed(May.IMPORT_CLIENTS)
@require_http_methods(["GET", "POST"])
def columns(request: SignedIn, pk: int) -> HttpResponse:
    """Show what each column holds, take corrections, and have the list checked."""
    row = get_object_or_404(Import, pk=pk)
    if not (row.sheet and jobs.TABLE.may(row.state, State.CHECKING)) or row.cards.exists():
        return go(request, "clients:import", pk)
    sheet = stored.unpack(row.sheet)
    form = ColumnsForm(request.POST if request.method == "POST" else None, sheet, row.columns)
    if form.is_valid():
        try:
            row = jobs.choose(row, form.chosen(), by=request.user)
        except Refused as refused:
            refuse(form, refused)
        else:
            if row.row_count <= AT_ONCE:
                jobs.work(only=row.pk)
            return go(request, "clients:import", pk)
    context = {"form": form, "row": row, "step": 2, "has_header": sheet.has_header}
    return page(request, "clients/import_columns.html", context, status=422 if form.is_bound else 200)


@allowed(May.IMPORT_CLIENTS)
@require_GET
def import_(request: SignedIn, pk: int) -> HttpResponse:
    """Show an import as it stands. The progress of a job is asked for every two seconds, and leads on when it is done."""
    row = get_object_or_404(Import.objects.defer("sheet").select_related("by"), pk=pk)
    is_job = row.state in jobs.JOBS
    if row.state == State.UPLOADED or (not is_job and is_fragment(request) and request.htmx.target == "job"):
        return go(request, "clients:import_columns" if row.state == State.UPLOADED else "clients:import", pk)
    if is_job:
        return page(request, "clients/import_job.html", _progress(request, row), fragment="clients/_job.html")
    if not is_fragment(request):
        notices.read(request.user, now=timezone.now(), url=request.path)
    if row.state == State.CHECKED:
        return page(request, "clients/import_check.html", _check(request, row), fragment="clients/_import_problems.html")
    return page(request, "clients/import_done.html", _done(request, row), fragment="clients/_import_problems.html")


@allowed(May.IMPORT_CLIENTS)
@require_POST
def start(request: SignedIn, pk: int) -> HttpResponse:
    """Have a checked list imported, or one that stopped gone on with."""
    return _move(request, pk, lambda row: jobs.start(row, by=request.user))


@allowed(May.IMPORT_CLIENTS)
@require_POST
def undo(request: SignedIn, pk: int) -> HttpResponse:
    """Have an import taken back."""
    return _move(request, pk, lambda row: jobs.undo(row, by=request.user, now=timezone.now()))


@allowed(May.IMPORT_CLIENTS)
@require_POST
def discard(request: SignedIn, pk: int) -> HttpResponse:
    """Throw an uploaded list away."""
    try:
        jobs.discard(get_object_or_404(Import, pk=pk), by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
        return go(request, "clients:import", pk)
    toast(request, _("The list was thrown away. Nothing was imported."))
    return go(request, "clients:imports")


@allowed(May.IMPORT_CLIENTS)
@require_GET
def faulty(request: SignedIn, pk: int) -> HttpResponse:
    """Give the faulty rows as a file to mend and bring in again."""
    row = get_object_or_404(Import.objects.exclude(sheet=b""), pk=pk)
    sheet, lines = commit.faulty(row, request.salon, now=timezone.now())
    data = report.faulty_csv(sheet, lines, country=request.salon.country).encode("utf-8-sig")
    return _download(data, _("faulty-rows.csv"))


def _move(request: SignedIn, pk: int, act: Any) -> HttpResponse:
    try:
        act(get_object_or_404(Import.objects.defer("sheet"), pk=pk))
    except Refused as refused:
        toast(request, refused.message, level=messages.ERROR)
    return go(request, "clients:import", pk)


def _download(data: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(data, content_type="text/csv; charset=utf-8", headers=headers)


def _progress(request: SignedIn, row: Import) -> dict[str, Any]:
    """Return the state of a job; said aloud only when another tenth is done."""
    ahead = Import.objects.filter(state__in=jobs.JOBS, pk__lt=row.pk, lease_token__isnull=False).exists()
    is_waiting = row.lease_token is None and ahead
    is_check = row.state == State.CHECKING
    known = 0 if is_check or is_waiting else row.step_count
    return {"row": row, "is_waiting": is_waiting, "step": 3 if is_check else 4, **progress(request, row.steps_done, known)}


def _check(request: SignedIn, row: Import) -> dict[str, Any]:
    found = Report.loaded(row.report)
    return {"row": row, "report": found, "step": 3, **_problems(request, row, found)}


def _done(request: SignedIn, row: Import) -> dict[str, Any]:
    now, found = timezone.now(), Report.loaded(row.report)
    kept = row.cards.exclude(outcome__in=["", undoing.EMPTIED]).exclude(access.hidden()).select_related("client").order_by("pk")
    left = Paginator(kept, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "row": row, "report": found, "step": 4, "card_count": row.new_count + row.filled_count,
        "may_undo": jobs.may_undo(row, now=now), "undo_until": row.settled_at + jobs.UNDO_FOR if row.settled_at else None,
        "may_check": row.state == State.FAILED and not found.row_count and not row.cards.exists(),
        "kept_page": left, "kept": [(one.client, undoing.reason(one.outcome)) for one in left],
    }  # fmt: skip
    return context | _problems(request, row, found)


def _problems(request: SignedIn, row: Import, found: Report) -> dict[str, Any]:
    """Return the page of the table of rows to look at that is asked for: errors, or what is unclear."""
    default = "errors" if found.faults or not found.warnings else "unclear"
    asked = request.GET.get("show", "")
    show = asked if asked in {"errors", "unclear"} else default
    problems = found.faults if show == "errors" else found.warnings
    total = found.fault_count if show == "errors" else found.warning_count
    paginator = Paginator(problems, PER_PAGE)
    return {
        "show": show, "problems": paginator.get_page(request.GET.get("page")), "unlisted": total - len(problems),
        "has_problems": bool(found.faults or found.warnings),
    }  # fmt: skip
