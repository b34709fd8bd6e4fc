"""The card's pages Address and Other, and their forms. Main data has its own, in views."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from clients import access, cards, records
from clients.editing import Editing
from clients.forms import AddressForm, DetailsForm
from clients.models import Client
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, refuse, sent, toast


@dataclass(frozen=True)
class Part:
    """A part of the card with a form of its own: where it stands, and what shows it when it is not being edited."""

    tab: str
    target: str
    title: str | Promise
    form: type[AddressForm] | type[DetailsForm]
    shown: str

    @property
    def view(self) -> str:
        """Return the name of the page that the part belongs to."""
        return f"clients:{self.tab}"

    @property
    def edit_view(self) -> str:
        """Return the name of the address of the form."""
        return f"clients:{self.target}_edit"


ADDRESS = Part("address", "address", lazy("Address"), AddressForm, "clients/_address.html")
DETAILS = Part("other", "details", lazy("Details"), DetailsForm, "clients/_details.html")


@allowed(May.SEE_CLIENTS)
def address(request: SignedIn, pk: int) -> HttpResponse:
    """Show where a client lives."""
    client = access.client_for(request.user, pk)
    context = {**cards.head(request, client, tab="address"), **cards.address(client), "is_back": is_fragment(request)}
    return page(request, "clients/address.html", context, fragment="clients/_address.html")


@allowed(May.EDIT_CLIENTS)
def address_edit(request: SignedIn, pk: int) -> HttpResponse:
    """Show and take the form of the address, in its place or as a page."""
    return _edit(request, access.client_for(request.user, pk), ADDRESS)


@allowed(May.EDIT_CLIENTS)
def details_edit(request: SignedIn, pk: int) -> HttpResponse:
    """Show and take the form of the details on the page Other, in its place or as a page."""
    return _edit(request, access.client_for(request.user, pk), DETAILS)


def _edit(request: SignedIn, client: Client, part: Part) -> HttpResponse:
    """Show and take the form of one part of a card. The second of two editors is told, field by field."""
    now = timezone.now()
    today = now.astimezone(request.salon.zone).date()
    editing = Editing(request.user, request.salon, client, sent(request), today=today, form=part.form)
    if editing.form.is_bound and editing.form.is_valid():
        try:
            saved = records.edit(client, by=request.user, version=editing.version, now=now, **editing.form.cleaned_data)
        except records.Conflict as conflict:
            editing.meets(conflict.theirs)
        except Refused as refused:
            refuse(editing.form, refused)
        else:
            return _answer_saved(request, saved, part)
    context = {**cards.head(request, client, tab=part.tab), **editing.context(), "part": part}
    return page(request, "clients/part_edit.html", context, fragment="clients/_part_edit.html", status=editing.status)


def _answer_saved(request: SignedIn, client: Client, part: Part) -> HttpResponse:
    toast(request, _("Saved."))
    if not is_fragment(request):
        return go(request, part.view, client.pk)
    context = {**cards.head(request, client, tab=part.tab), **cards.address(client), "is_back": True}
    return page(request, part.shown, context, fragment=part.shown)
