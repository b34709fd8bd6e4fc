"""The pages of saved filters: kept under a name, deleted with Undo."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clients import filters, lists, savedfilters
from clients.forms import FilterNameForm
from clients.models import SavedFilter
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, refuse, sent, toast


@allowed(May.SEE_CLIENTS)
@require_GET
def index(request: SignedIn) -> HttpResponse:
    """Show the saved filters: as the menu over the list, or as a page."""
    wanted = lists.wanted(request.GET)
    rows, here = list(SavedFilter.objects.select_related("by")), savedfilters.query_of(wanted)
    can_save = bool(here) and here not in {row.query for row in rows}
    context = {"rows": rows, "here": here, "can_save": can_save, "list_query": lists.query(wanted, number=1)}
    return page(request, "clients/saved_filters.html", context, fragment="clients/_saved_filters.html")


@allowed(May.EDIT_CLIENTS)
def save(request: SignedIn) -> HttpResponse:
    """Ask for a name, and keep the filters of the list under it."""
    wanted = lists.wanted(request.POST if request.method == "POST" else request.GET)
    form = FilterNameForm(sent(request))
    if form.is_valid():
        try:
            row = savedfilters.save(name=form.cleaned_data["name"], wanted=wanted, by=request.user, now=timezone.now())
        except Refused as refused:
            refuse(form, refused)
        else:
            toast(request, _("Filter “%(name)s” saved.") % {"name": row.name})
            return go(request, f"{reverse('clients:list')}?{row.query}")
    on = filters.words(wanted["filters"])
    context = {"form": form, "wanted": wanted, "list_query": lists.query(wanted, number=1), "filter_words": on}
    status = 422 if form.errors else 200
    return page(request, "clients/save_filter.html", context, fragment="clients/_save_filter_dialog.html", status=status)


@allowed(May.EDIT_CLIENTS)
@require_POST
def delete(request: SignedIn, pk: int) -> HttpResponse:
    """Delete a saved filter; Undo brings it back."""
    row = get_object_or_404(SavedFilter, pk=pk)
    token = savedfilters.delete(row, by=request.user)
    undo_url = reverse("clients:filter_undo")
    toast(request, _("Filter “%(name)s” deleted.") % {"name": row.name}, undo_url=undo_url, undo=token)
    return go(request, "clients:list")


@allowed(May.EDIT_CLIENTS)
@require_POST
def undo(request: SignedIn) -> HttpResponse:
    """Bring a deleted filter back."""
    try:
        row = savedfilters.undo(request.POST.get("token", ""), by=request.user)
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
        return go(request, "clients:list")
    toast(request, _("Undone."))
    return go(request, f"{reverse('clients:list')}?{row.query}")
