"""The pages by which a client's rights are served: the copy of their data, a restriction, and the log of requests."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import bookings, cards, datacopy, rights
from clients.models import Client, Restriction, RightsRequest
from clients.rights_forms import CopyForm, CorrectionForm, LiftForm, RestrictForm
from salon.core.errors import Refused
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, page, refuse, sent, toast

SHOWN = 200


@allowed(May.SERVE_RIGHTS)
def data(request: SignedIn, pk: int) -> HttpResponse:
    """Show what the copy holds, and give it out once it is said how the client was known."""
    client, now = rights.client_for(request.user, pk), timezone.now()
    form = CopyForm(sent(request), today=timezone.localdate())
    if form.is_bound and form.is_valid():
        made = datacopy.of(client, request.salon, now=now)
        rights.answered(client, RightsRequest.Kind.COPY, by=request.user, now=now, **form.cleaned_data)
        name = f"data-{client.pk}-{timezone.localdate():%Y-%m-%d}.zip"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return HttpResponse(made, content_type="application/zip", headers=headers)
    context = {"client": client, "form": form, "requests": rights.log().filter(client=client)[:SHOWN]}
    return page(request, "clients/data.html", context, status=422 if form.is_bound else 200)


@allowed(May.SERVE_RIGHTS)
def correction(request: SignedIn, pk: int) -> HttpResponse:
    """Write down that a client asked for a correction, and lead to the form of the card."""
    client, now = rights.client_for(request.user, pk), timezone.now()
    form = CorrectionForm(sent(request), today=timezone.localdate())
    if form.is_bound and form.is_valid():
        rights.answered(client, RightsRequest.Kind.CORRECTION, by=request.user, now=now, **form.cleaned_data)
        toast(request, _("Written down. Correct the card now."))
        return go(request, "clients:restricted") if client.restricted_at else go(request, "clients:edit", client.pk)
    return page(request, "clients/correction.html", {"client": client, "form": form}, status=422 if form.is_bound else 200)


@allowed(May.SERVE_RIGHTS)
def restrict(request: SignedIn, pk: int) -> HttpResponse:
    """Show what a restriction does, and set it."""
    client = rights.client_for(request.user, pk)
    form = RestrictForm(sent(request), today=timezone.localdate())
    if form.is_bound and form.is_valid():
        try:
            rights.restrict(client, by=request.user, now=timezone.now(), **form.cleaned_data)
        except Refused as refused:
            refuse(form, refused)
        else:
            toast(request, _("The card is restricted. It is only kept now."))
            return go(request, "clients:restricted_card", client.pk)
    return page(request, "clients/restrict.html", {"client": client, "form": form}, status=422 if form.is_bound else 200)


@allowed(May.SERVE_RIGHTS)
def restricted(request: SignedIn) -> HttpResponse:
    """Show the restricted cards: the one list on which they are."""
    context = {"rows": rights.restricted(), "today": timezone.localdate()}
    return page(request, "clients/restricted.html", context)


@allowed(May.SERVE_RIGHTS)
def restricted_card(request: SignedIn, pk: int) -> HttpResponse:
    """Show what is kept on a restricted card, under a banner that says why, to be read only."""
    row, now = rights.restriction_of(request.user, pk), timezone.now()
    if row is None:
        raise Http404
    context = {
        "row": row, "client": row.client, "birth": cards.birth_of(row.client, timezone.localdate()),
        "ahead": bookings.ahead_of([pk], now=now).get(pk, []), **cards.address(row.client),
    }  # fmt: skip
    return page(request, "clients/restricted_card.html", context)


@allowed(May.SERVE_RIGHTS)
def lift(request: SignedIn, pk: int) -> HttpResponse:
    """Ask how the client was told, and end the restriction."""
    row = get_object_or_404(Restriction.objects.select_related("client"), pk=pk, lifted_at=None)
    form = LiftForm(sent(request), today=timezone.localdate(), since=timezone.localtime(row.set_at).date())
    if form.is_bound and form.is_valid():
        try:
            client: Client = rights.lift(row, by=request.user, now=timezone.now(), **form.cleaned_data)
        except Refused as refused:
            toast(request, refused.message, level=messages.WARNING)
            return go(request, "clients:restricted")
        toast(request, _("The restriction has ended."))
        return go(request, "clients:card", client.pk)
    return page(request, "clients/lift.html", {"row": row, "form": form}, status=422 if form.is_bound else 200)


@allowed(May.SERVE_RIGHTS)
def requests(request: SignedIn) -> HttpResponse:
    """Show which rights were used, when they were answered, and by whom."""
    return page(request, "clients/requests.html", {"rows": rights.log()[:SHOWN], "shown": SHOWN})
