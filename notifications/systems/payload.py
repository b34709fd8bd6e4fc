"""What an event says, read when it leaves: the whole state of a client's answers, so that the newest alone is enough."""

import datetime as dt
import json
from typing import Any

from clients.models import Client
from notifications.systems import preferences
from notifications.systems.models import Delivery, OtherSystem
from salon.core.models import Salon

Kind = Delivery.Kind


def of(delivery: Delivery, system: OtherSystem, now: dt.datetime) -> bytes | None:
    """Return the body of an event, None if it is not true any more: the card is gone, or is there again."""
    data = _data(delivery, system, now)
    if data is None:
        return None
    event = {
        "type": delivery.kind,
        "timestamp": _moment(now),
        "data": {"sequence": delivery.sequence, "origin": _origin(delivery), **data},
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _data(delivery: Delivery, system: OtherSystem, now: dt.datetime) -> dict[str, Any] | None:
    if delivery.kind == Kind.TEST:
        return {"client": None, "preferences": {}}
    client = Client.objects.filter(pk=delivery.client_number).first()
    if delivery.kind == Kind.CHANGED:
        return _changed(client, system, now) if client and client.erased_at is None else None
    if client is None or client.erased_at != delivery.about_at:
        return None
    into = {"into": {"id": str(client.merged_into_id)}} if client.merged_into_id else {}
    return {"client": {"id": str(client.pk)}, **into}


def _changed(client: Client, system: OtherSystem, now: dt.datetime) -> dict[str, Any]:
    who: dict[str, str | None] = {"id": str(client.pk)}
    if system.has_email:
        who["email"] = client.email or None
    if system.has_phone:
        who["phone"] = str(client.phone or "") or None
    until = client.marketing_paused_until
    return {
        "client": who,
        "preferences": preferences.of([client])[client.pk],
        "marketing_paused_until": _moment(until) if until and until > now else None,
    }


def _origin(delivery: Delivery) -> str:
    """Return where it began: in this installation, or in another system by its number here."""
    if delivery.origin_id:
        return f"system:{delivery.origin_id}"
    return f"carnet:{Salon.objects.current().instance}"


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
