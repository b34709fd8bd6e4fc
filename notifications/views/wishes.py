"""A panel of the card's page Other: which of the salon's reminders a client wants, chosen in place."""

from django.core import signing
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients import access as clients_access
from clients.models import Client
from notifications import reminders, remindertimes, words
from salon.core.roles import May
from salon.core.web import SignedIn, allowed, go, is_fragment, page, safe_next, toast

_UNDO = "notifications.reminders"


@allowed(May.SEE_CLIENTS)
def of_client(request: SignedIn, pk: int) -> HttpResponse:
    """Show which reminders hold for a client: the panel, or what is left of it as a page."""
    return _panel(request, clients_access.client_for(request.user, pk))


@require_POST
@allowed(May.EDIT_CLIENTS)
def set_of_client(request: SignedIn, pk: int) -> HttpResponse:
    """Choose some, all or none of them, or with a token what was chosen before."""
    client = clients_access.client_for(request.user, pk)
    if token := request.POST.get("token", ""):
        try:
            before = signing.loads(token, salt=_UNDO, max_age=600)[str(client.pk)]
        except (signing.BadSignature, KeyError):
            return go(request, "clients:other", pk)
        remindertimes.take_back(client, [(int(slot), was) for slot, was in before], by=request.user)
        toast(request, _("Undone."))
        return go(request, safe_next(request, reverse("clients:other", args=[pk])))
    ticked = request.POST.getlist("slot")
    wanted = {time.slot: str(time.slot) in ticked for time in reminders.times()}
    if changed := remindertimes.set_client(client, wanted, by=request.user):
        undo = signing.dumps({str(client.pk): changed}, salt=_UNDO)
        url = reverse("notifications:set_of_client", args=[pk])
        toast(request, _("Reminders of this client saved."), undo_url=url, undo=undo)
    return _panel(request, client) if is_fragment(request) else go(request, "clients:other", pk)


def _panel(request: SignedIn, client: Client) -> HttpResponse:
    holds = remindertimes.chosen_of(client=client)
    shown = [time for time in reminders.times() if time.is_on or holds[time.slot]]
    lines = [(time.slot, words.reminder_time(time), holds[time.slot]) for time in shown]
    context = {"client": client, "lines": lines}
    return page(request, "notifications/reminders.html", context, fragment="notifications/_reminders.html")
