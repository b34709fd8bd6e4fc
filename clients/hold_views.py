"""Settings → Privacy → Retention: the cards that will go by themselves, and to keep one."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clients import access, holds, retention_rules
from clients.models import Erasure, RetentionHold
from clients.record_forms import KeepForm
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.templatetags.house import as_day
from salon.core.web import SignedIn, allowed, go, page, refuse, toast

PER_PAGE = 50


@allowed(May.DELETE_CLIENTS)
@require_GET
def due(request: SignedIn) -> HttpResponse:
    """Show which cards go, when and by which rule, those that are kept, and the last runs."""
    return _page(request, None, 0)


@allowed(May.DELETE_CLIENTS)
@require_POST
def keep(request: SignedIn, pk: int) -> HttpResponse:
    """Keep a card for another year, for the reason that is given."""
    client, form = access.client_for(request.user, pk), KeepForm(request.POST)
    if form.is_valid():
        try:
            row = holds.keep(client, by=request.user, now=timezone.now(), **form.cleaned_data)
        except Refused as refused:
            refuse(form, refused)
        else:
            toast(request, _("%(name)s is kept until %(day)s.") % {"name": client.name, "day": as_day(row.until)})
            return go(request, "clients:retention_due")
    return _page(request, form, client.pk)


@allowed(May.DELETE_CLIENTS)
@require_POST
def let_go(request: SignedIn, pk: int) -> HttpResponse:
    """Leave a card to the rules again."""
    row = get_object_or_404(RetentionHold.objects.filter(client__in=access.clients_for(request.user)), pk=pk)
    client = holds.let_go(row, by=request.user)
    toast(request, _("%(name)s is left to the rules again, which warn before a card goes.") % {"name": client.name})
    return go(request, "clients:retention_due")


def _page(request: SignedIn, form: KeepForm | None, asked: int) -> HttpResponse:
    labels = {rule.code: rule.label for rule in retention_rules.every()}
    numbered = Paginator(holds.due(request.user), PER_PAGE).get_page(request.GET.get("page"))
    kept = Paginator(holds.kept(request.user), PER_PAGE).get_page(request.GET.get("kept-page"))
    rows: list[dict[str, Any]] = [
        {
            "row": row, "rule": labels.get(row.code, row.code), "is_asked": row.client_id == asked,
            "form": form if form and row.client_id == asked else KeepForm(auto_id=f"id_{row.client_id}_%s"),
        }
        for row in numbered
    ]  # fmt: skip
    context = {
        "rows": rows, "numbered": numbered, "kept": kept, "form": form or KeepForm(),
        # Each pager keeps the page of the other.
        "due_base": f"page={numbered.number}&", "kept_base": f"kept-page={kept.number}&",
        "erased": Erasure.objects.filter(ground=Erasure.Ground.RETENTION).order_by("-at", "-pk")[:PER_PAGE],
    }  # fmt: skip
    return page(request, "clients/retention_due.html", context, status=422 if form else 200)
