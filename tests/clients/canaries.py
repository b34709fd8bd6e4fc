"""Rows about a client with a text of its own in every field of every table, made by walking the models: nobody is named here."""

import datetime as dt
import itertools
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db import models
from django.utils import timezone

from clients.models import Client
from salon.core import privacy
from salon.core.models import Salon, User
from tests import factories

# Texts that are codes of the house: what may stand there is no canary. By table, the fields.
CODES: dict[str, set[str]] = {
    "clients.consentevent": {"purpose", "channel", "address_hmac"},
    "clients.standing": {"purpose", "channel"},
    "clients.importedcard": {"outcome"},
    "clients.signedform": {"content_type"},
    "clients.deletion": {"reason_before", "cancelled"},
    "clients.retentionwarning": {"code"},
    "clients.client": {"country"},
    "notifications.message": {"kind", "occasion", "reason", "provider", "address_hmac", "language"},
    "notifications.campaign": {"kind", "key"},
    "notifications.campaignrecipient": {"reason", "address_hmac"},
    "notifications.attempt": {"decision", "phase", "outcome", "code"},
    "notifications.providerevent": {"provider", "status", "code"},
    "notifications.reply": {"provider", "address_hmac"},
}
# What a table asks of its rows.
FIXED: dict[str, dict[str, Any]] = {
    "clients.consentevent": {"purpose": "mkt.promotion", "channel": "email", "event": "grant", "source": "paper_form"},
    "notifications.message": {"kind": "promotion", "channel": "email", "state": "accepted"},
    "appointments.appointment": {"state": "done"},
    "notifications.campaign": {"todo": []},
    "notifications.reminderexception": {"service": None},
}
_numbers = itertools.count(1)


def word() -> str:
    """Return a text that stands nowhere else."""
    return f"canary{uuid.uuid4().hex[:10]}"


def fill(client: Client) -> dict[str, str]:
    """Give the client a row in every table about people, and return each canary with the name of its field."""
    found: dict[str, str] = {}
    # Those nearest to the person first: the others hang on them.
    for model in sorted(privacy.our_models(), key=lambda one: str(one.__dict__["Privacy"].subject).count("__")):
        subject: Any = model.__dict__["Privacy"].subject
        if subject is not None and model is not Client:
            _make(model, client, found)
    return found


def card(**fields: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields of a card full of canaries, and these with the names of their fields."""
    found: dict[str, str] = {}
    values: dict[str, Any] = {"language": "fr", "country": "FR", "birth_day": 4, "birth_month": 4, "birth_year": 1991}
    for name in ("first_name", "last_name", "street", "city", "note"):
        values[name] = _noted(found, Client, name)
    values["postcode"] = _noted(found, Client, "postcode")[:20]
    values["email"] = f"{_noted(found, Client, 'email')}@example.org"
    values["phone"] = f"+3361234{next(_numbers):04d}"
    found[values["phone"][3:]] = "clients.client.phone"
    return {**values, **fields}, found


def _noted(found: dict[str, str], model: type[models.Model], name: str) -> str:
    text = word()
    found[text] = f"{model._meta.label_lower}.{name}"
    return text


def _make(model: type[models.Model], client: Client, found: dict[str, str]) -> models.Model:
    label = model._meta.label_lower
    values: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.primary_key and not isinstance(field, models.OneToOneField):
            continue
        if field.name in FIXED.get(label, {}):
            values[field.name] = FIXED[label][field.name]
        else:
            values[field.name] = _value(field, model, client, found)
    if {"low", "high"} <= values.keys():
        values["low"], values["high"] = sorted((values["low"], values["high"]), key=lambda card: card.pk)
    return model._base_manager.create(**values)


def _value(field: Any, model: type[models.Model], client: Client, found: dict[str, str]) -> Any:
    if isinstance(field, models.ForeignKey):
        return _other(field, model, client, found)
    is_code = field.name in CODES.get(model._meta.label_lower, set())
    if field.choices:
        return next(code for code, _word in field.flatchoices if code)
    match field:
        case models.BinaryField():
            return _noted(found, model, field.name).encode()
        case models.JSONField():
            return {} if is_code else {"x": _noted(found, model, field.name)}
        case models.UUIDField():
            return uuid.uuid4()
        case models.CharField() | models.TextField():
            if is_code:
                return f"c{next(_numbers)}"[: field.max_length]
            return _noted(found, model, field.name)[: field.max_length or 100]
        case models.DateField() if field.null:
            return None
        case models.DateTimeField():
            return timezone.now() - dt.timedelta(days=1)
        case models.DateField():
            return timezone.now().date()
        case models.DecimalField():
            return Decimal("42.00")
        case models.BooleanField():
            return False
        case models.IntegerField():
            return 1
    return None if field.null else field.get_default()


def _other(field: Any, model: type[models.Model], client: Client, found: dict[str, str]) -> Any:
    """Return the row that a link points to: the client, somebody of the team, another one, or one made for it."""
    target = field.related_model
    subject: str = model.__dict__["Privacy"].subject or ""
    if target is Client:
        if subject.split("__")[0] == field.name:
            return client
        return None if field.null else _somebody_else(client)
    if target is model:
        return None
    if target is User:
        return User.objects.first()
    existing = _theirs(target, client)
    is_the_way = subject.split("__")[0] == field.name
    if existing is not None or (field.null and not is_the_way):
        return existing
    return _make(target, client, found)


def _theirs(target: Any, client: Client) -> Any:
    subject = target.__dict__["Privacy"].subject
    rows = target._base_manager.all() if subject is None else target._base_manager.filter(**{subject: client})
    return rows.order_by("pk").first()


def _somebody_else(client: Client) -> Client:
    """Return a card that is younger: of a pair the lower id comes first."""
    return Client.objects.filter(pk__gt=client.pk).order_by("pk").first() or factories.client()


def texts() -> Iterator[tuple[str, str]]:
    """Yield everything that stands in the database, as text, with the table it stands in. Ours and Django's."""
    from django.apps import apps

    for model in apps.get_models(include_auto_created=True):
        for row in model._base_manager.all().values():
            yield model._meta.db_table, " ".join(_text(value) for value in row.values())


def _text(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def left(found: dict[str, str]) -> dict[str, str]:
    """Return the canaries that still stand in the database: field that they were put in, and table where they stand."""
    return {found[one]: table for table, text in texts() for one in found if one in text}


def today() -> dt.date:
    """Return the salon's day."""
    return timezone.now().astimezone(Salon.objects.current().zone).date()
