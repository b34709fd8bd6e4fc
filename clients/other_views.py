"""The card's page Other: tags, further contacts, family, each changed at its place and undone from the toast."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients import access, cards, contacts, links, lists, slips, table_views, tags, undoing
from clients.forms import ContactForm, LinkForm, TagForm
from clients.models import Client, Tag
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, refuse, safe_next, sent, toast, whole


@allowed(May.SEE_CLIENTS)
def other(request: SignedIn, pk: int) -> HttpResponse:
    """Show what else is known of a client: consent by kind, tags, further contacts, family."""
    client = access.client_for(request.user, pk)
    return page(request, "clients/other.html", _context(request, client), fragment="clients/_details.html")


@require_POST
@allowed(May.EDIT_CLIENTS)
def tag(request: SignedIn, pk: int) -> HttpResponse:
    """Put a tag on the card, or take one off it."""
    client, user = access.client_for(request.user, pk), request.user
    form = TagForm(request.POST)
    known = Tag.objects.filter(pk=whole(request.POST.get("off", "")) or 0).first()
    try:
        if known is not None:
            if tags.remove(client, known, by=user):
                _said(request, client, _("Tag “%(name)s” taken off.") % {"name": known.name}, "untagged", tag=known.pk)
        elif form.is_valid() and (added := tags.add(client, name=form.cleaned_data["name"], by=user)):
            _said(request, client, _("Tag “%(name)s” added.") % {"name": added.name}, "tagged", tag=added.pk)
    except Refused as refused:
        refuse(form, refused)
    return _answer(request, client, "tags", {"tag_form": form} if form.errors and known is None else {})


@require_POST
@allowed(May.EDIT_CLIENTS)
def contact(request: SignedIn, pk: int) -> HttpResponse:
    """Add a further number or e-mail, or take one off."""
    client, user = access.client_for(request.user, pk), request.user
    form = ContactForm(request.POST, country=request.salon.country)
    off = whole(request.POST.get("off", ""))
    try:
        if off is not None:
            if gone := contacts.remove(client, off, by=user):
                facts = {"channel": gone.channel, "address": gone.address, "label": gone.label}
                _said(request, client, _("Contact taken off."), "contact_removed", **facts)
        elif form.is_valid():
            added = contacts.add(client, channel=form.channel, by=user, **form.cleaned_data)
            _said(request, client, _("Contact added."), "contact_added", contact=added.pk)
    except Refused as refused:
        refuse(form, refused)
    return _answer(request, client, "contacts", {"contact_form": form} if form.errors and off is None else {})


@allowed(May.EDIT_CLIENTS)
def link(request: SignedIn, pk: int) -> HttpResponse:
    """Look for somebody who belongs to the client, link them, or take a link away."""
    client, user = access.client_for(request.user, pk), request.user
    form, off = LinkForm(sent(request)), whole(request.POST.get("off", ""))
    try:
        if off is not None and (gone := links.remove(client, off, by=user)):
            _said(request, client, _("Link taken away."), "unlinked", other=gone.other.pk, kind=gone.kind)
        elif off is None and form.is_bound and form.is_valid():
            who = access.client_for(user, form.cleaned_data["other"])
            made = links.add(client, who, kind=form.cleaned_data["kind"], by=user)
            _said(request, client, _("Linked."), "linked", link=made.pk)
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    return _answer(request, client, "links", _found(request, client), is_asked=request.method == "GET")


@require_POST
@allowed(May.EDIT_CLIENTS)
def undo(request: SignedIn, pk: int) -> HttpResponse:
    """Take the last change of tags, contacts or family back."""
    client = access.client_for(request.user, pk)
    try:
        undoing.undo(client, request.POST.get("token", ""), by=request.user, now=timezone.now())
    except Refused as refused:
        toast(request, refused.message, level=messages.WARNING)
    else:
        toast(request, _("Undone."))
    return go(request, safe_next(request, reverse("clients:other", args=[client.pk])))


def _context(request: SignedIn, client: Client) -> dict[str, Any]:
    found = cards.head(request, client, tab="other")
    forms = {"tag_form": TagForm(), "contact_form": ContactForm(country=request.salon.country), "link_form": LinkForm()}
    consents = table_views.table(client, asked=request.GET.get("ask", ""))
    return {**found, **cards.other(request, client, found), **consents, **forms, "asked_name": "", "candidates": None}


def _found(request: SignedIn, client: Client) -> dict[str, Any]:
    """Return the clients whom the words in the field find, to choose from; None before anything was asked."""
    text = request.GET.get("q", "").strip()[:200]
    if not text:
        return {}
    now = timezone.now()
    rows = lists.listing(request.user, request.salon, text=text, status="active", sort="name", number=1, now=now).rows
    return {"asked_name": text, "candidates": [row for row in rows[:8] if row.client.pk != client.pk]}


def _said(request: SignedIn, client: Client, words: str, act: str, **facts: Any) -> None:
    undo = slips.seal(act, client, now=timezone.now(), **facts)
    toast(request, words, undo_url=reverse("clients:undo", args=[client.pk]), undo=undo, about=f"{act}{facts}")


def _answer(request: SignedIn, client: Client, part: str, more: dict[str, Any], *, is_asked: bool = False) -> HttpResponse:
    """Return the part that changed, with the marks in the head; without htmx the page Other, with a fault as a page."""
    is_wrong = any(form.errors for name, form in more.items() if name.endswith("_form"))
    if not is_fragment(request) and not is_wrong and not is_asked:
        return go(request, "clients:other", client.pk)
    context = {**_context(request, client), **more, "is_back": True}
    return page(request, "clients/other.html", context, fragment=f"clients/_{part}_changed.html", status=422 if is_wrong else 200)
