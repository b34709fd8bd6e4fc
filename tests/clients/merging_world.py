"""The whole of what stands on some cards, read apart from the code that merges: to lay before beside after."""

from typing import Any

from django.apps import apps
from django.db import models

from clients import consent, countries
from clients.models import Client, ConsentEvent, HealthNote, Standing
from salon.core.models import Salon
from tests.clients import fold_oracle

# What a merge writes on purpose, or what is made of other rows.
APART = {"clients.merge", "clients.standing", "clients.consentevent", "core.auditevent", "clients.mergedhealthnote"}

MARKETING = ("mkt.birthday", "mkt.welcome", "mkt.promotion", "mkt.rebook", "mkt.review")
PAIRS = [
    *((purpose, channel) for purpose in (*MARKETING, "svc.reminder", "svc.confirmation") for channel in ("email", "sms")),
    *((purpose, "") for purpose in ("profiling", "health_notes", "photos")),
]  # fmt: skip


def rows(*, apart: set[str] = APART) -> dict[str, dict[Any, dict[str, Any]]]:
    """Return every row of every table of ours by its key, as its columns hold it, without the versions of cards."""
    found: dict[str, dict[Any, dict[str, Any]]] = {}
    for label in ("clients", "appointments", "notifications"):
        for model in apps.get_app_config(label).get_models(include_auto_created=True):
            if model._meta.label_lower in apart:
                continue
            found[model._meta.label_lower] = {_key(row): _values(row) for row in model._base_manager.all()}
    return found


def _key(row: models.Model) -> Any:
    """Return by what a row is known: a health note, which nothing points at, by its client."""
    return row.client_id if isinstance(row, HealthNote) else row.pk


def _values(row: models.Model) -> dict[str, Any]:
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    if isinstance(row, HealthNote):
        del values["id"]
    if isinstance(row, Client):
        del values["version"]
        values["phone"] = str(values["phone"] or "")
    return {name: bytes(value) if isinstance(value, memoryview) else value for name, value in values.items()}


def states(client: Client) -> dict[tuple[str, str], str]:
    """Return what the projection says, without what nobody was asked."""
    rows_ = Standing.objects.filter(client=client).exclude(state="unknown").values_list("purpose", "channel", "state")
    return {(purpose, channel): state for purpose, channel, state in rows_}


def folded(client: Client, *, email: str = "", phone: str = "", others: tuple[Client, ...] = ()) -> dict[tuple[str, str], str]:
    """Return what the oracle of the fold makes of the ledgers of some cards for an address and a number."""
    country = Salon.objects.current().country
    events = [entry._asdict() for one in (client, *others) for entry in consent.events_of(one)]
    hashes = {"email": consent.hash_of("email", email), "sms": consent.hash_of("sms", phone), "": ""}
    return {
        (purpose, channel): fold_oracle.verdict(
            events, purpose, channel, hashes[channel], countries.minimum_evidence(country, purpose, channel)
        )
        for purpose, channel in PAIRS
    }


def ledger() -> int:
    """Return how many lines the ledger has."""
    return ConsentEvent.objects.count()


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return a line for every value that is another: a table, a row, a column."""
    found = []
    for table in before.keys() | after.keys():
        old, new = before.get(table, {}), after.get(table, {})
        for key in old.keys() | new.keys():
            one, two = old.get(key, {}), new.get(key, {})
            names = [name for name in one.keys() | two.keys() if one.get(name) != two.get(name)]
            found += [f"{table} {key} {name}: {one.get(name)!r}, now {two.get(name)!r}" for name in names]
    return sorted(found)
