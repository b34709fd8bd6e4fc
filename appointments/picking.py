"""What the booking and moving pages show beside the fields: clients found, their notes, free times. Reads only."""

import datetime as dt
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone

from appointments import agenda
from appointments.forms import BookForm, WhenForm
from appointments.models import Appointment
from appointments.objections import Objection
from clients import access as clients_access
from clients.models import Client
from salon.core.web import SignedIn

HITS = 8
SLOTS = 12
LEAST_DIGITS = 4


def typed(data: QueryDict, act: str) -> dict[str, Any]:
    """Return everything typed so far, with what a button says on top: pick-12, drop, slot-3-2026-11-18T09:30."""
    values: dict[str, Any] = data.dict()
    values["is_notice_wanted"] = "is_notice_wanted" in data
    verb, _, rest = act.partition("-")
    if verb == "pick":
        values |= {"client": rest, "q": "", "first_name": "", "last_name": "", "phone": ""}
        values.pop("is_notice_wanted")
    elif verb == "drop":
        values |= {"client": ""}
    elif verb == "slot":
        staff, _, wall = rest.partition("-")
        day, _, time = wall.rpartition("T")
        values |= {"staff": staff, "on": day, "time": time}
    return values


def context(request: SignedIn, form: BookForm) -> dict[str, Any]:
    """Return the chosen client with contacts, those the search finds, and the free times."""
    now, user, salon = timezone.now(), request.user, request.salon
    client = _chosen(form)
    if client is not None and "is_notice_wanted" not in (form.data or form.initial):
        form.initial["is_notice_wanted"] = bool(client.email)
    text = (request.POST.get("q") or request.POST.get("phone") or "").strip()[:100]
    digits = sum(char.isdigit() for char in text)
    is_looking = text and client is None and (request.POST.get("q") or digits >= LEAST_DIGITS)
    hits = list(clients_access.found_for(user, text, salon, now=now).active().order_by("sort_name")[:HITS]) if is_looking else []
    shown = clients_access.contacts_of(user, [*hits, *([client] if client else [])], salon, now=now)
    return {
        "chosen": client,
        "contacts": shown.get(client.pk) if client else None,
        "q": request.POST.get("q", ""),
        "hits": [(hit, shown[hit.pk]) for hit in hits],
        "nobody_found": bool(request.POST.get("q")) and not hits and client is None,
        "visit": None,
        **slots(form, except_for=None),
    }


def slots(form: WhenForm, *, except_for: Appointment | None) -> dict[str, Any]:
    """Return the free times of the chosen day, nearest to the chosen time, and the first one after it if there is none."""
    service, staff, on, time = (_value(form, name) for name in ("service", "staff", "on", "time"))
    people = [staff] if staff else list(form.fields["staff"].queryset)  # type: ignore[attr-defined]
    shown: dict[str, Any] = {"slots": None, "first_slot": None, "many_people": len(people) > 1, "chosen_time": None}
    if service is None or on is None:
        return shown
    minutes = minutes_after(except_for, service) if except_for else service.duration_minutes
    asked: dict[str, Any] = {"minutes": minutes, "salon": form.salon, "now": timezone.now(), "except_for": except_for}
    found = agenda.slots(on, people, **asked)
    if not found and on >= timezone.localdate():
        shown["first_slot"] = agenda.first_slot(on, people, **asked)
    if time is not None:
        wall = shown["chosen_time"] = dt.datetime.combine(on, time, form.salon.zone)
        found = sorted(sorted(found, key=lambda slot: abs(slot.start_at - wall))[:SLOTS], key=lambda slot: slot.start_at)
    return shown | {"slots": found[:SLOTS]}


def named(request: SignedIn, against: list[Objection]) -> list[tuple[Objection, str]]:
    """Return each objection with the name of the client in the way, as this reader may see it."""
    clients = [found.visit.client for found in against if found.visit and found.visit.client]
    shown = clients_access.contacts_of(request.user, clients, request.salon, now=timezone.now())
    return [(found, shown[found.visit.client_id].name if found.visit and found.visit.client_id else "") for found in against]


def minutes_after(visit: Appointment, service: Any) -> int:
    """Return how long the visit lasts after the move: its own length, unless the service changes."""
    if visit.service_id == service.pk:
        return int((visit.end_at - visit.start_at).total_seconds() // 60)
    return int(service.duration_minutes)


def _value(form: forms.Form, name: str) -> Any:
    """Return what stands in a field, checked: None for nothing and for nonsense."""
    try:
        return form.fields[name].clean(form[name].value())
    except forms.ValidationError:
        return None


def _chosen(form: BookForm) -> Client | None:
    found = _value(form, "client")
    return found if isinstance(found, Client) else None
