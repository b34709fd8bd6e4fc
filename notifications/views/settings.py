"""Settings → Notifications: the mail server, and which kinds of message go by themselves."""

from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from appointments.models import Service
from clients import access as clients_access
from notifications import ahead, facts, kinds, reminders, remindertimes, sending, triggers, wanting, words
from notifications.domain.forms import SelectorForm
from notifications.editing import SwitchEditing
from notifications.forms import ReminderTimeForm, SendingForm, TriggerForm
from notifications.models import MailServer, Message, State, Trigger
from notifications.plans import TIMES_MAX
from notifications.providers.base import Outcome
from notifications.views import trying
from salon.core import asking
from salon.core.errors import Refused
from salon.core.models import Salon
from salon.core.roles import May
from salon.core.web import MissingAct, SignedIn, allowed, go, page, refuse, sent, toast, whole


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def server(request: SignedIn) -> HttpResponse:
    """Show how mail leaves; the owner changes it."""
    salon, row = Salon.objects.current(), sending.mail_server()
    form = SendingForm(
        request.POST or None,
        initial=SendingForm.of(row, sending.sender(salon).address),
        has_password=MailServer.objects.exclude(password="").exists(),
    )
    if request.method == "POST":
        if not request.user.may(May.EDIT_SENDING):
            raise MissingAct(May.EDIT_SENDING)
        if form.is_valid():
            try:
                sending.save(**form.cleaned_data, by=request.user)
            except Refused as refused:
                refuse(form, refused)
            else:
                toast(request, _("Sending saved. Send a test to see that it works."))
                return go(request, "notifications:sending")
    return page(request, "notifications/sending.html", _sending(request, salon, form), status=422 if form.is_bound else 200)


def _sending(request: SignedIn, salon: Salon, form: SendingForm) -> dict[str, Any]:
    used = sending.describe(salon)
    may_edit = request.user.may(May.EDIT_SENDING)
    return {
        "form": form,
        "selector_form": SelectorForm(),
        "used": used,
        "problem": words.of_result(Outcome.DOWN, "connect", used.problem),
        "security": dict(MailServer.Security.choices).get(used.security, ""),
        "is_environment": bool(settings.EMAIL_URL),
        "saved": sending.mail_server(),
        "waiting_count": Message.objects.filter(channel="email", state__in=[State.PENDING, State.CLAIMED]).count(),
        "may_edit": may_edit,
        "ask": "" if may_edit else asking.sentence(May.EDIT_SENDING),
    }


@allowed(May.EDIT_SENDING)
@require_POST
def test(request: SignedIn) -> HttpResponse:
    """Send a test to the reader's own address; answer in the server's words."""
    result = sending.test(to=request.user.email, salon=Salon.objects.current(), by=request.user)
    return trying.answer(request, result.words, is_good=result.outcome is Outcome.ACCEPTED, back="notifications:sending")


@allowed(May.EDIT_SENDING)
@require_POST
def remove(request: SignedIn) -> HttpResponse:
    """Forget the mail server; with the tick, pause all sending, so that what waits is kept."""
    sending.remove(is_pausing="pause" in request.POST, by=request.user)
    toast(request, _("The mail server is removed, with its password."))
    return go(request, "notifications:sending")


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def switches(request: SignedIn) -> HttpResponse:
    """Show which kinds go by themselves; those who may edit settings change it."""
    editing = SwitchEditing(sent(request))
    if request.method == "POST":
        if not request.user.may(May.EDIT_SETTINGS):
            raise MissingAct(May.EDIT_SETTINGS)
        if editing.is_valid():
            off = {kind for kind, row in editing.rows.items() if not row.is_on}
            try:
                saved = triggers.save(editing.chosen(), seen=editing.seen(), by=request.user)
            except triggers.Changed as changed:
                editing.meets(changed.theirs)
            except Refused as refused:
                refuse(next(form for form in editing.forms.values() if form.kind.has_target), refused)
            else:
                toast(request, _of_saved(request.salon, off.intersection(saved)))
                return go(request, "notifications:triggers")
    return page(request, "notifications/triggers.html", _switches(request, editing), status=editing.status)


def _of_saved(salon: Salon, switched_on: set[str]) -> str:
    """Return what is said of saved switches: what leaves at once of the kinds that were off before."""
    rows = [row for row in facts.switches().values() if row.kind in switched_on & ahead.SCHEDULED and row.is_on]
    counts = {row.kind: ahead.count(row, salon, timezone.now(), days=0) for row in rows}
    found = ", ".join(f"{words.KINDS[kind]} ({count})" for kind, count in counts.items() if count)
    return _("Triggers saved. This leaves at once: %(what)s.") % {"what": found} if found else _("Triggers saved.")


def _switches(request: SignedIn, editing: SwitchEditing) -> dict[str, Any]:
    salon, last = Salon.objects.current(), triggers.last_sent()
    may_edit = request.user.may(May.EDIT_SETTINGS)
    return {
        "rows": [{**_row(row, editing.forms[kind], salon), "last_at": last.get(kind)} for kind, row in editing.rows.items()],
        "forms": editing.forms.values(),
        "editing": editing,
        "may_edit": may_edit,
        "language": salon.language,
        "ask": "" if may_edit else asking.sentence(May.EDIT_SETTINGS),
        "used": sending.describe(salon),
    }


def _row(row: Trigger, form: TriggerForm, salon: Salon) -> dict[str, Any]:
    kind, now = row.kind, timezone.now()
    is_scheduled = kind in ahead.SCHEDULED
    order = wanting.ways(row, kinds.TABLE[kind])
    return {
        "kind": kind,
        "ways": dict(Trigger.Ways.choices).get(" ".join(order), ""),
        "channel": order[0],
        "name": words.KINDS[kind],
        "when": words.WHEN[kind],
        "is_marketing": kinds.TABLE[kind].is_marketing,
        "trigger": row,
        "setting": triggers.of(row),
        "unit": form.unit,
        "form": form,
        "times": [words.reminder_time(time) for time in reminders.times() if time.is_on] if kind == "reminder" else [],
        "soon_count": ahead.count(row, salon, now) if is_scheduled else None,
        "at_once_count": ahead.count(row, salon, now, days=0) if is_scheduled and not row.is_on else None,
        "obstacle": words.OBSTACLES.get(ahead.obstacle(row, salon), "") if row.is_on else "",
    }


@allowed(May.READ_SETTINGS)
def soon(request: SignedIn, kind: str) -> HttpResponse:
    """List who gets a kind of message within the next seven days, as things stand."""
    row = facts.switches().get(kind)
    if row is None or kind not in ahead.SCHEDULED:
        raise Http404
    salon, now = Salon.objects.current(), timezone.now()
    found = ahead.lines(row, salon, now)
    mine = clients_access.clients_for(request.user).filter(pk__in=[line.client.pk for line in found])
    seen = set(mine.values_list("pk", flat=True))
    lines = [line for line in found if line.client.pk in seen]
    context = {
        "name": words.KINDS[kind], "kind": kind, "is_on": row.is_on, "lines": lines, "limit": ahead.LIMIT,
        "obstacle": words.OBSTACLES.get(ahead.obstacle(row, salon), ""),
    }  # fmt: skip
    return page(request, "notifications/soon.html", context)


@allowed(May.READ_SETTINGS)
@require_http_methods(["GET", "POST"])
def times(request: SignedIn) -> HttpResponse:
    """Show when reminders leave, and for which services; those who may edit settings change it."""
    known = {row.slot: row for row in reminders.times()}
    forms = [ReminderTimeForm(request.POST or None, slot=slot, row=known.get(slot)) for slot in range(1, TIMES_MAX + 1)]
    is_bound = request.method == "POST"
    if is_bound:
        if not request.user.may(May.EDIT_SETTINGS):
            raise MissingAct(May.EDIT_SETTINGS)
        if not [form for form in forms if not form.is_valid()]:
            try:
                remindertimes.save({form.slot: form.chosen() for form in forms}, by=request.user)
                remindertimes.set_services(_of_services(request, known), by=request.user)
            except Refused as refused:
                refuse(forms[0], refused)
            else:
                toast(request, _("Reminders saved."))
                return go(request, "notifications:times")
    may_edit = request.user.may(May.EDIT_SETTINGS)
    context = {
        "forms": forms, "may_edit": may_edit, "ask": "" if may_edit else asking.sentence(May.EDIT_SETTINGS),
        "slots": [(row.slot, words.reminder_time(row)) for row in known.values()],
        "services": [(one, remindertimes.chosen_of(service=one)) for one in Service.objects.filter(is_active=True)],
    }  # fmt: skip
    return page(request, "notifications/times.html", context, status=422 if is_bound else 200)


def _of_services(request: SignedIn, known: Collection[int]) -> dict[int, dict[int, bool]]:
    """Return which reminders were ticked for which services: only for those whose line the form had."""
    shown = {found for pk in request.POST.getlist("service") if (found := whole(pk))}
    return {pk: {slot: f"{pk}:{slot}" in request.POST.getlist("holds") for slot in known} for pk in shown}
