"""What the booking and moving pages show beside the fields: clients found, their notes, free times. Reads only."""

import datetime as dt
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from appointments import access, agenda
from appointments.forms import BookForm, WhenForm
from appointments.models import Appointment
from appointments.objections import Objection
from clients import access as clients_access
from clients import inactivity
from clients.models import Client
from salon.core.roles import May
from salon.core.web import SignedIn

HITS, ASLEEP = 8, 3
SLOTS = 48  # a day of twelve hours in quarters: more is no choice but a wall
_PARTS = ((12, lazy("Morning")), (17, lazy("Afternoon")), (24, lazy("Evening")))  # up to which hour, and its word
LEAST_DIGITS = 4


def typed(data: QueryDict, act: str) -> dict[str, Any]:
    """Return everything typed so far, with what a button says on top: pick-12, wake-12, drop, slot-3-2026-11-18T09:30."""
    values: dict[str, Any] = data.dict()
    values["is_notice_wanted"] = "is_notice_wanted" in data
    verb, _, rest = act.partition("-")
    if verb in {"pick", "wake"}:
        values |= {"client": rest, "q": "", "first_name": "", "last_name": "", "phone": "", "email": ""}
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
    found = clients_access.found_for(user, text, salon, now=now).order_by("sort_name")
    hits = list(found.active()[:HITS]) if is_looking else []
    asleep = list(inactivity.asleep(found)[:ASLEEP]) if is_looking and user.may(May.EDIT_CLIENTS) else []
    shown = clients_access.contacts_of(user, [*hits, *asleep, *([client] if client else [])], salon, now=now)
    return {
        "chosen": client,
        "contacts": shown.get(client.pk) if client else None,
        "q": request.POST.get("q", ""),
        "hits": [(hit, shown[hit.pk]) for hit in hits],
        "asleep": [(one, shown[one.pk]) for one in asleep],
        "nobody_found": bool(request.POST.get("q")) and not hits and not asleep and client is None,
        "visit": None,
        **slots(form, except_for=None),
    }


def slots(form: WhenForm, *, except_for: Appointment | None) -> dict[str, Any]:
    """Return the free times of the chosen day by part of the day; if there is none, why, and the first one after it."""
    service, staff, on, time = (_value(form, name) for name in ("service", "staff", "on", "time"))
    people = [staff] if staff else list(form.fields["staff"].queryset)  # type: ignore[attr-defined]
    shown: dict[str, Any] = {
        "parts": [], "has_more": False, "first_slot": None, "no_times": "", "many_people": len(people) > 1, "chosen_time": None,
    }  # fmt: skip
    if service is None:
        return shown | {"no_times": _("Choose a service to see the free times.")}
    if on is None:
        return shown | {"no_times": _("Choose a day to see the free times.")}
    if on < timezone.localdate():
        return shown | {"no_times": _("This day is in the past.")}
    minutes = minutes_after(except_for, service) if except_for else service.duration_minutes
    asked: dict[str, Any] = {"minutes": minutes, "salon": form.salon, "now": timezone.now(), "except_for": except_for}
    found = agenda.slots(on, people, **asked)
    if not found:
        first = agenda.first_slot(on, people, **asked)
        why = _("No free time on this day.") if first else _("No free time on this day and in the three weeks after it.")
        return shown | {"first_slot": first, "no_times": why}
    wall = dt.datetime.combine(on, time, form.salon.zone) if time is not None else None
    few = _few(found, wall)
    return shown | {"chosen_time": wall, "has_more": len(few) < len(found), "parts": _by_part(few)}


def _few(found: list[agenda.Slot], wall: dt.datetime | None) -> list[agenda.Slot]:
    """Return no more than SLOTS: each time with one person if there are too many, then those nearest to `wall`."""
    if len(found) > SLOTS:
        found = list({slot.start_at: slot for slot in reversed(found)}.values())[::-1]
    if wall is not None and len(found) > SLOTS:
        found = sorted(sorted(found, key=lambda slot: abs(slot.start_at - wall))[:SLOTS], key=lambda slot: slot.start_at)
    return found[:SLOTS]


def _by_part(found: list[agenda.Slot]) -> list[tuple[str, list[agenda.Slot]]]:
    """Return the free times of a day under Morning, Afternoon and Evening, as far as there are any."""
    parts: dict[str, list[agenda.Slot]] = {}
    for slot in found:
        hour = timezone.localtime(slot.start_at).hour
        parts.setdefault(next(str(word) for until, word in _PARTS if hour < until), []).append(slot)
    return list(parts.items())


def named(request: SignedIn, against: list[Objection]) -> list[tuple[Objection, str]]:
    """Return each objection with the name of the client in the way, as this reader may see it."""
    visits = [found.visit for found in against if found.visit]
    shown = access.contacts_of(request.user, visits, request.salon, now=timezone.now())
    return [(found, shown[found.visit.pk].name if found.visit and found.visit.pk in shown else "") for found in against]


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
