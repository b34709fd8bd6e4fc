"""The pages of the client book: search, card, add, edit, note. The list has its own, in list_views, and consent too."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import trigger_client_event

from clients import access, cards, lists, opened, records, rights
from clients import search as searching
from clients.duplicates import scan
from clients.editing import Editing
from clients.forms import NoteForm
from clients.marking import Marker
from clients.models import Client
from salon.core import commands
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, refuse, toast


@allowed(May.SEE_CLIENTS)
def search(request: SignedIn) -> HttpResponse:
    """Show the first 8 clients and the commands that the search box finds; before anything is typed, what was opened last.

    Who is inactive is shown where nobody else is found. Enter opens the card at once where only one is found.
    """
    now, status = timezone.now(), "active"
    text = request.GET.get("q", "").strip()[:200]
    if text:
        found = lists.found_first(request.user, request.salon, text=text, now=now)
        status = found.status
        rows, count, is_capped = found.rows[: opened.KEPT], found.count, found.is_capped
        if count == 1 and not is_fragment(request):
            return go(request, "clients:card", rows[0].client.pk)
    else:
        rows = lists.rows_of(request.user, request.salon, opened.last(request.user), now=now)
        count, is_capped = len(rows), False
    context = {"rows": rows, "count": count, "is_capped": is_capped, "text": text, "marker": Marker(text), "status": status}
    known = commands.matching(request.user, text, searching.fold) if text else commands.first(request.user)
    context |= {"commands": known, "is_box": is_fragment(request)}
    return page(request, "clients/search.html", context, fragment="clients/_hits.html")


@allowed(May.SEE_CLIENTS)
def card(request: SignedIn, pk: int) -> HttpResponse:
    """Show a client's card: main data, timeline, note, consent, and the panel of the messages. A restricted one elsewhere."""
    if rights.restriction_of(request.user, pk):
        return go(request, "clients:restricted_card", pk)
    client = access.client_for(request.user, pk)
    if is_fragment(request) and request.htmx.target == "timeline":
        return page(request, "clients/card.html", cards.told(request, client), fragment="clients/_timeline.html")
    if not is_fragment(request):
        opened.remember(request.user, client, now=timezone.now())
    context = cards.card(request, client)
    part = "clients/_note.html" if request.htmx.target == "client-note" else "clients/_main_data.html"
    return page(request, "clients/card.html", {**context, "is_back": bool(request.htmx)}, fragment=part)


@allowed(May.EDIT_CLIENTS)
def add(request: SignedIn) -> HttpResponse:
    """Show and take the form of a new client."""
    editing = _editing(request, None)
    if "check" in request.POST:
        return page(request, "clients/add.html", editing.context(), fragment="clients/_warnings.html")
    if request.method == "POST" and editing.form.is_valid():
        try:
            client = records.add(by=request.user, now=timezone.now(), **editing.form.cleaned_data)
        except Refused as refused:
            refuse(editing.form, refused)
        else:
            scan.check({client.pk}, now=timezone.now())
            toast(request, _("%(name)s added.") % {"name": client.name})
            return go(request, "clients:card", client.pk)
    return page(request, "clients/add.html", editing.context(), fragment="clients/_add.html", status=editing.status)


@allowed(May.EDIT_CLIENTS)
def edit(request: SignedIn, pk: int) -> HttpResponse:
    """Show and take the form of a card, in its place on the card or as a page. The second of two editors is told."""
    client = access.client_for(request.user, pk)
    editing = _editing(request, client)
    context = cards.head(request, client, tab="main")
    if "check" in request.POST:
        return page(request, "clients/edit.html", {**context, **editing.context()}, fragment="clients/_warnings.html")
    if request.method == "POST" and editing.form.is_valid():
        words = " ".join([_("Saved."), *(line.text for line in editing.ending_answers())])
        try:
            saved = records.edit(
                client, by=request.user, version=editing.version, now=timezone.now(), **editing.form.cleaned_data
            )
        except records.Conflict as conflict:
            editing.meets(conflict.theirs)
        except Refused as refused:
            refuse(editing.form, refused)
        else:
            scan.check({saved.pk}, now=timezone.now())
            return _answer_saved(request, saved, words, fragment="clients/_saved.html")
    return page(
        request, "clients/edit.html", {**context, **editing.context()}, fragment="clients/_edit.html", status=editing.status
    )


@allowed(May.WRITE_NOTES)
def note(request: SignedIn, pk: int) -> HttpResponse:
    """Show and take the client note. The second of two writers gets both texts."""
    client = access.client_for(request.user, pk)
    form = NoteForm(request.POST or None, initial={"note": client.note, "version": client.version})
    status, theirs = 200, None
    if request.method == "POST" and form.is_valid():
        try:
            saved = records.write_note(client, by=request.user, **form.cleaned_data)
        except records.Conflict as conflict:
            status, theirs = 409, conflict.theirs
            form = NoteForm({"note": form.cleaned_data["note"], "version": theirs.version})
        else:
            return _answer_saved(request, saved, _("Note saved."), fragment="clients/_note.html")
    elif request.method == "POST":
        status = 422
    context = {**cards.head(request, client, tab="main"), "form": form, "theirs": theirs}
    return page(request, "clients/note.html", context, fragment="clients/_note_form.html", status=status)


def _answer_saved(request: SignedIn, client: Client, words: str, *, fragment: str) -> HttpResponse:
    toast(request, words)
    # The form as a page of its own has no card around it whose parts could be renewed: on to the card.
    is_own_page = (request.htmx.current_url_abs_path or "").split("?")[0] == request.path
    if is_own_page or not is_fragment(request):
        return go(request, "clients:card", client.pk)
    answer = page(request, "clients/card.html", {**cards.card(request, client), "is_back": True}, fragment=fragment)
    return trigger_client_event(answer, cards.CHANGED)


def _editing(request: SignedIn, client: Client | None) -> Editing:
    today = timezone.now().astimezone(request.salon.zone).date()
    data = request.POST if request.method == "POST" else None
    return Editing(request.user, request.salon, client, data, today=today, start=_typed(request.GET.get("name", "")))


def _typed(name: str) -> dict[str, Any]:
    """Return the first values of a new card from what was searched: a number, an address, or a name."""
    text = name.strip()[:200]
    if "@" in text:
        return {"email": text}
    if any(char.isdigit() for char in text):
        return {"phone": text}
    first, _space, last = text.rpartition(" ")
    return {"first_name": first, "last_name": last} if first else {"last_name": last}
