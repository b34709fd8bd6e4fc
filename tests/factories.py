"""Rows for tests, made directly: each function fills what the test does not care about."""

import datetime as dt
import itertools
import zoneinfo
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils import timezone

from appointments.models import Appointment, Service, Staff, WorkingHours
from clients import records
from clients.importing import jobs
from clients.models import Client, Export, Import, SignedForm, Subject
from notifications.systems import signing
from notifications.systems.models import OtherSystem
from salon.core import secrets
from salon.core.models import Salon, User

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
_numbers = itertools.count(10_000)


def salon(**fields: Any) -> Salon:
    """Return the salon's profile: a salon in Lyon unless told otherwise."""
    defaults = {
        "name": "Atelier Nord", "street": "12 rue des Lilas", "postcode": "69003", "city": "Lyon", "country": "FR",
        "phone": "+33472000000", "email": "bonjour@atelier-nord.example", "time_zone": "Europe/Paris", "language": "fr",
        "currency": "EUR", "is_mfa_required": False,
    }  # fmt: skip
    row, _ = Salon.objects.update_or_create(pk=1, defaults={**defaults, **fields})
    return row


def today() -> dt.date:
    """Return the salon's day: near midnight another one than in London."""
    return timezone.now().astimezone(Salon.objects.current().zone).date()


def client(**fields: Any) -> Client:
    """Return a client with a subject, as `records.add` would leave them, without going through it."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "first_name": "Amélie", "last_name": f"Bertrand{number}", "email": f"amelie{number}@example.org",
        "phone": f"+336880{number}", "language": "fr",
    }  # fmt: skip
    values = {**defaults, **fields}
    values.setdefault("search_text", f"{values['first_name']} {values['last_name']}".lower())
    values.setdefault("sort_name", f"{values['last_name']} {values['first_name']}".lower())
    row = Client.objects.create(**values)
    Subject.objects.create(client=row)
    return row


def cards(fields: Sequence[Mapping[str, Any]], *, by: User) -> list[Client]:
    """Return clients with these fields, added as the pages add them, in that order."""
    ids = records.add_many(fields, by=by)
    return list(Client.objects.filter(pk__in=ids).order_by("pk"))


def service(**fields: Any) -> Service:
    """Return a service: a cut of 45 minutes for 42."""
    return Service.objects.create(**{"name": "Coupe", "duration_minutes": 45, "price": Decimal("42.00"), **fields})


def staff(**fields: Any) -> Staff:
    """Return somebody who works Monday to Saturday, 9 to 19."""
    row = Staff.objects.create(**{"name": "Léa", **fields})
    WorkingHours.objects.bulk_create(
        WorkingHours(staff=row, weekday=day, starts_at=dt.time(9), ends_at=dt.time(19)) for day in range(6)
    )
    return row


def appointment(**fields: Any) -> Appointment:
    """Return a booked visit, tomorrow at 14:30 in Paris unless `start_at` says otherwise."""
    values = dict(fields)
    for name, make in (("client", client), ("service", service), ("staff", staff)):
        if name not in values:
            values[name] = make()
    if "start_at" not in values:
        tomorrow = dt.datetime.now(PARIS).date() + dt.timedelta(days=1)
        values["start_at"] = dt.datetime.combine(tomorrow, dt.time(14, 30), PARIS)
    values.setdefault("end_at", values["start_at"] + dt.timedelta(minutes=values["service"].duration_minutes))
    values.setdefault("price", values["service"].price)
    values.setdefault("is_notice_wanted", True)
    return Appointment.objects.create(**values)


LIST = "Name,Phone,E-mail,Newsletter\nAnn Lee,0612345678,ann@example.org,no\nBen Low,06 12,ben@example.org,yes\n"


def imported(text: str = LIST, **fields: Any) -> Import:
    """Return an import whose list was uploaded, and nothing more."""
    row = jobs.upload(text.encode(), "list.csv", by=fields.pop("by", None), now=dt.datetime.now(dt.UTC))
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    return row


def signed_form(client: Client, data: bytes = b"\xff\xd8\xff") -> SignedForm:
    """Return a signed form of a client that is kept as a photo."""
    subject = Subject.objects.filter(client=client).latest("pk")
    values = {"signed_on": dt.date(2026, 11, 18), "content_type": "image/jpeg", "data": secrets.seal_bytes(data)}
    return SignedForm.objects.create(subject=subject, **values)


def exported(**fields: Any) -> Export:
    """Return an export whose file waits to be taken."""
    defaults = {
        "state": Export.State.READY, "preset": "contacts", "who": "all", "status": "active", "sort": "name", "row_count": 1,
        "rows_done": 1, "size": 4, "settled_at": dt.datetime.now(dt.UTC),
    }  # fmt: skip
    row = Export.objects.create(**{**defaults, **fields})
    row.parts.create(number=0, data=b"PK..")
    return row


def other_system(**fields: Any) -> OtherSystem:
    """Return a connected system with a secret, or one that is told by hand."""
    is_connected = fields.get("way", "connected") == "connected"
    defaults = {
        "name": "Newsletter",
        "way": "connected",
        "url": "https://newsletter.example/hook",
        "secret": signing.new_secret(),
    }
    by_hand = {"name": "Treatwell", "way": "by_hand"}
    return OtherSystem.objects.create(**{**(defaults if is_connected else by_hand), **fields})
