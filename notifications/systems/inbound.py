"""What another system tells us about a client: a No counts at once, a Yes opens nothing.

Called by the public page of a system. Signed, timely, once by its id. Whoever is named by an address is meant with every
card that has it, as with our own stops. The sender is not told its own news.
"""

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from clients import addresses, consent, fold, stops
from clients.models import Address, Client, ConsentEvent, Standing
from notifications.systems import marks, preferences, sending, signing
from notifications.systems.models import OtherSystem, Received
from salon.core import audit, phone
from salon.core.errors import Refused
from salon.core.models import Salon

EVENT = "client.preferences.changed"
# Takes the data of an event and returns whether that meant anything here. Raises Fault.
Taker = Callable[[Mapping[str, Any], dt.datetime], bool]
_WORDS = frozenset({preferences.YES, preferences.NO, preferences.WAITING, preferences.NOT_ASKED})
_ID_MAX = 100
_KINDS_TOLD = ", ".join([preferences.MARKETING, *preferences.KINDS])


class Fault(Exception):
    """The request cannot be taken: its status, a word, and a sentence for whoever programmes the other system."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Said:
    """What was told: whom it is about, each No as purpose and channel, and how many answers were no No."""

    number: int | None
    addresses: Mapping[str, str]
    refusals: list[tuple[str, str]] = field(default_factory=list)
    ignored_count: int = 0


def find(public_id: str) -> OtherSystem | None:
    """Return the connected system with this address. Also one that is switched off: a refusal is never turned away."""
    return OtherSystem.objects.defer(*sending.SEALED).filter(way=OtherSystem.Way.CONNECTED, public_id=public_id).first()


def take(
    system: OtherSystem, headers: Mapping[str, str], body: bytes, *, now: dt.datetime, others: Mapping[str, Taker]
) -> dict[str, Any]:
    """Do what a signed request says and return the answer, as JSON holds it. Raises Fault for one that cannot be taken.

    `others` take the types of event that are not about answers.
    """
    event_id = _checked(system, headers, body, now)
    kind, data = _event(body, others)
    said = _read(data) if kind == EVENT else Said(None, {})
    with transaction.atomic():
        _row, is_new = Received.objects.get_or_create(system=system, event_id=event_id, defaults={"at": now})
        if not is_new:
            return {"result": "duplicate"}
        with marks.coming_from(system):
            if kind != EVENT:
                if not others[kind](data, now):
                    return {"result": "nothing_to_do"}
                audit.record("system.told_us", system, by=None, event=kind)
                return {"result": "recorded"}
            count = _refuse(said, now)
        audit.record("system.told_us", system, by=None, count=count, ignored_count=said.ignored_count)
    result: dict[str, Any] = {"result": "recorded" if said.refusals else "nothing_to_do"}
    if said.ignored_count:
        result["ignored"] = said.ignored_count
        result["why"] = "Only a no is taken over. A yes has to come from the client, through the salon."
    return result


def _checked(system: OtherSystem, headers: Mapping[str, str], body: bytes, now: dt.datetime) -> str:
    """Return the id of a request that is signed and timely. Raises Fault."""
    event_id, moment, signature = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not event_id or not moment or not signature:
        raise Fault(400, "missing_header", "Send webhook-id, webhook-timestamp and webhook-signature.")
    if len(event_id) > _ID_MAX or not event_id.isascii() or not event_id.isprintable():
        raise Fault(400, "bad_id", f"webhook-id is up to {_ID_MAX} printable ASCII characters.")
    if not (moment.isascii() and moment.isdigit() and len(moment) < 12):
        raise Fault(400, "bad_timestamp", "webhook-timestamp is a number of seconds since 1970.")
    keys = sending.keys(OtherSystem.objects.get(pk=system.pk), now)
    if not signing.is_signed(signature, keys, event_id, int(moment), body):
        raise Fault(401, "bad_signature", "The signature does not match. Check the secret, and sign the body as it is sent.")
    if not signing.is_timely(int(moment), now):
        raise Fault(401, "stale", "webhook-timestamp is more than five minutes away. Set the clock, and sign each try anew.")
    return event_id


def _event(body: bytes, others: Collection[str]) -> tuple[str, dict[str, Any]]:
    """Return the type of an event and its data. Raises Fault."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Fault(400, "bad_json", "The body is no JSON.") from error
    data = event.get("data") if isinstance(event, dict) else None
    kind = event.get("type") if isinstance(event, dict) else None
    if not isinstance(data, dict) or not isinstance(kind, str) or kind not in {EVENT, *others}:
        raise Fault(422, "unknown_type", f"Send {{'type': '{EVENT}', 'data': {{…}}}}.")
    return kind, data


def _read(data: Mapping[str, Any]) -> Said:
    """Return what was said about answers. Raises Fault where it cannot be understood, before anything is written."""
    client, answers = data.get("client"), data.get("preferences")
    if not isinstance(client, dict) or not isinstance(answers, dict):
        raise Fault(422, "bad_data", "data holds the objects client and preferences.")
    number, known = _who(client)
    refusals, ignored_count = _answers(answers)
    return Said(number, known, refusals, ignored_count)


def _who(client: Mapping[str, Any]) -> tuple[int | None, dict[str, str]]:
    given = {name: client[name] for name in ("id", "email", "phone") if client.get(name) not in (None, "")}
    if not given or not all(isinstance(value, str) and len(value) <= 254 for value in given.values()):
        raise Fault(422, "who", "client names an id, an email or a phone, each as a text.")
    number = given.get("id", "")
    if number and not (number.isascii() and number.isdigit() and len(number) < 19):
        raise Fault(422, "bad_client_id", "client.id is an id that Carnet sent.")
    known = {}
    try:
        if "email" in given:
            validate_email(given["email"].strip())
            known["email"] = given["email"].strip()
        if "phone" in given:
            known["sms"] = phone.read(given["phone"], Salon.objects.current().country)
    except (ValidationError, Refused) as error:
        raise Fault(422, "bad_address", "client.email or client.phone is none. Write phone numbers like +33612345678.") from error
    return (int(number) if number else None), known


def _answers(answers: Mapping[str, Any]) -> tuple[list[tuple[str, str]], int]:
    refusals, ignored_count = [], 0
    for kind, ways in answers.items():
        if (kind != preferences.MARKETING and kind not in preferences.KINDS) or not isinstance(ways, dict):
            raise Fault(422, "unknown_kind", f"preferences holds objects under: {_KINDS_TOLD}.")
        for channel, word in ways.items():
            if channel not in fold.CHANNELS or not isinstance(word, str) or word not in _WORDS:
                raise Fault(422, "unknown_answer", "Each kind holds email or sms: yes, no, waiting or not_asked.")
            if word == preferences.NO:
                refusals.append((fold.ALL_MARKETING if kind == preferences.MARKETING else preferences.KINDS[kind], channel))
            elif word == preferences.YES:
                ignored_count += 1
    return refusals, ignored_count


def _refuse(said: Said, now: dt.datetime) -> int:
    """Write each No to every card that is meant, and stop the addresses; return how many lines that made."""
    cards = _cards(said)
    lines = [
        _line(card, purpose, channel)
        for card in cards
        for purpose, channel in said.refusals
        if not _is_refused(card, purpose, channel)
    ]
    consent.record_many(lines, now=now)
    for purpose, channel in said.refusals:  # also for an address that no card has yet
        if purpose == fold.ALL_MARKETING and channel in said.addresses:
            address, reason = said.addresses[channel], Address.Reason.OBJECT
            addresses.stop(channel, address, scope=Address.Scope.MARKETING, reason=reason, now=now)
    return len(lines)


def _is_refused(card: Client, purpose: str, channel: str) -> bool:
    """Return whether the No stands already: a system that sends everything every night adds nothing to the ledger."""
    if purpose == fold.ALL_MARKETING:
        return stops.has_objected(card, channel, consent.address_hash(card, channel))
    return consent.standing(card, purpose, channel) == Standing.State.WITHDRAWN


def _line(card: Client, purpose: str, channel: str) -> consent.Said:
    """Return the line of the ledger: the client's own word, though another system brings it."""
    event = "object" if purpose == fold.ALL_MARKETING else "withdraw"
    return consent.Said(card, purpose, channel, event, ConsentEvent.Source.API, actor_type=ConsentEvent.Actor.CLIENT)


def _cards(said: Said) -> list[Client]:
    """Return, locked, the card of the id or the one that took it in, and every card at the addresses."""
    ids, number = _at_addresses(said), said.number
    for _step in range(10):  # a card that was merged leads on
        card = Client.objects.filter(pk=number).only("merged_into", "erased_at").first() if number else None
        if card is None or card.merged_into_id is None:
            break
        number = card.merged_into_id
    locked = Client.objects.select_for_update().filter(pk__in=ids | ({number} if number else set()), erased_at=None)
    cards = list(locked.order_by("pk"))
    there = _at_addresses(said)  # again, now that they are locked: a card may have got another address meanwhile
    return [card for card in cards if card.pk == number or card.pk in there]


def _at_addresses(said: Said) -> set[int]:
    return {pk for one in said.addresses.items() for pk in addresses.cards_at(*one).values_list("pk", flat=True)}
