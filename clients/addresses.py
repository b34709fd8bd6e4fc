"""One row for each e-mail address and phone number, by keyed hash: stopped or not, whoever has it.

Called by `clients.consent` and by whoever hands messages over. Lock order everywhere: client, address, appointment.
"""

import contextlib
import datetime as dt
import functools
import unicodedata
from collections.abc import Collection

import idna
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import changes
from clients.models import Address, Client
from salon.core import audit, prepared, secrets
from salon.core.errors import Refused
from salon.core.models import User

_UNDELIVERABLE = frozenset({Address.Reason.HARD_BOUNCE, Address.Reason.INVALID})
_ALL, _MARKETING, _DELIVERY, _NONE = Address.Scope.ALL, Address.Scope.MARKETING, Address.Scope.DELIVERY, Address.Scope.NONE
# Whoever has the address gets no marketing by it.
_SHUT = (_MARKETING, _ALL)


def normalise(channel: str, address: str) -> str:
    """Return `address` in the one spelling it is compared in: e-mail in lower case with its domain in ASCII, phone as E.164."""
    text = unicodedata.normalize("NFKC", str(address or "")).strip()
    if channel != "email":
        return text
    box, at, domain = text.lower().rpartition("@")
    with contextlib.suppress(idna.IDNAError):
        domain = _in_ascii(domain) if domain else ""
    return f"{box}{at}{domain}"


@functools.lru_cache(maxsize=1024)
def _in_ascii(domain: str) -> str:
    return idna.encode(domain, uts46=True).decode()


def hash_of(channel: str, address: str) -> str:
    """Return the keyed hash of an address in any spelling, or an empty text for no address."""
    normal = normalise(channel, address)
    return secrets.address_hash(channel, normal) if normal else ""


def lock(channel: str, hmac: str) -> Address:
    """Return the locked row of a hashed address, made on first use. Call it in a transaction, after locking the client."""
    row, _is_new = Address.objects.get_or_create(channel=channel, hmac=hmac)
    return Address.objects.select_for_update().get(pk=row.pk)


def beginning(channel: str, start: str) -> str:
    """Return the whole hash of the address we know whose hash begins with `start`, or an empty text."""
    rows = Address.objects.filter(channel=channel, hmac__startswith=start) if start else Address.objects.none()
    return rows.values_list("hmac", flat=True).first() or ""


def ensure(channel: str, hashes: Collection[str]) -> None:
    """Make the rows of these hashed addresses that are not there yet, so that a hand-over finds them to lock.

    In one statement of its own: it is asked before every batch of messages.
    """
    wanted = sorted(one for one in set(hashes) if one)
    known = {hmac for (hmac,) in prepared.run([_known()], {"channel": channel, "hashes": prepared.as_list(wanted)})[0]}
    missing = [one for one in wanted if one not in known]
    if not missing:
        return
    table, at = connection.ops.quote_name(Address._meta.db_table), connection.ops.adapt_datetimefield_value(timezone.now())
    values = ", ".join(["(%s, %s, '', '', %s)"] * len(missing))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (channel, hmac, scope, reason, created_at) VALUES {values} ON CONFLICT DO NOTHING",  # noqa: S608
            [value for one in missing for value in (channel, one, at)],
        )


@prepared.kept
def _known() -> prepared.Query:
    rows = Address.objects.filter(channel="?channel", hmac__in=prepared.listed("?hashes", "text")).values_list("hmac")
    return prepared.Query(rows, channel="?channel", hashes="?hashes")


def stop(channel: str, address: str, *, scope: str, reason: str, now: dt.datetime) -> Address:
    """Stop an address for `scope` (delivery, marketing, all) and return its row. A stop in force is never weakened."""
    return stop_hash(channel, hash_of(channel, address), scope=scope, reason=reason, now=now)


def stop_hash(channel: str, hmac: str, *, scope: str, reason: str, now: dt.datetime) -> Address:
    """Stop an address of which only the hash is known. Rules as in `stop`."""
    row = lock(channel, hmac)
    before, is_dead = row.scope, row.reason in _UNDELIVERABLE
    if row.scope not in {scope, _ALL}:
        row.scope = scope if row.scope == _NONE else _ALL
        # That a server does not know it is what `try_again` can end, and the No to marketing stays behind.
        row.reason = row.reason if is_dead and scope == _MARKETING else reason
    elif is_dead and scope == _ALL:
        row.reason = reason
    row.stopped_at = now  # the newest stop: who asks for something must have asked after it
    row.save(update_fields=["scope", "reason", "stopped_at"])
    if row.scope != before and row.scope in _SHUT:
        changes.tell_address(channel, hmac, is_refusal=True)
    return row


def reopen_service(channel: str, hmac: str) -> None:
    """Let messages about visits through again after a START; marketing stays stopped."""
    row = lock(channel, hmac)
    if row.scope == _ALL and row.reason == Address.Reason.STOP:
        row.scope = _MARKETING
        row.save(update_fields=["scope"])
        changes.tell_address(channel, hmac, is_refusal=False)


def shut_at(channel: str, hmac: str) -> dt.datetime | None:
    """Return since when whoever has the address gets no marketing by it, None if they may."""
    return _shut(channel, hmac).values_list("stopped_at", flat=True).first()


def is_shut(channel: str, hmac: str) -> bool:
    """Return whether whoever has the address gets no marketing by it."""
    return _shut(channel, hmac).exists()


def _shut(channel: str, hmac: str) -> "QuerySet[Address]":
    return Address.objects.filter(channel=channel, hmac=hmac, scope__in=_SHUT)


def is_undeliverable(channel: str, address: str) -> bool:
    """Return whether nothing is sent to the address because a server said that it does not exist."""
    rows = Address.objects.filter(channel=channel, hmac=hash_of(channel, address))
    return rows.filter(scope__in=[_DELIVERY, _ALL], reason__in=_UNDELIVERABLE).exists()


@transaction.atomic
def try_again(client: Client, channel: str, *, by: User) -> None:
    """Let the client's address be written to again that a server did not know; its holder's own No stays.

    Raises Refused if nothing of the kind stands against it.
    """
    card = Client.objects.select_for_update().get(pk=client.pk, merged_into=None)
    address = str((card.email if channel == "email" else card.phone) or "")
    row = lock(channel, hash_of(channel, address)) if address else None
    if row is None or row.scope not in {_DELIVERY, _ALL} or row.reason not in _UNDELIVERABLE:
        raise Refused(_("Nothing stops this address."))
    if row.scope == _ALL:  # it was stopped for marketing before
        row.scope, row.reason = _MARKETING, Address.Reason.MANUAL
    else:
        row.scope, row.reason, row.stopped_at = _NONE, Address.Reason.NONE, None
    row.save(update_fields=["scope", "reason", "stopped_at"])
    audit.record("address.tried_again", card, by=by, channel=channel)


def lift_marketing(channel: str, hmac: str) -> None:
    """Lift a stop of marketing: the holder of the address said Yes again, by its link or on a signed form."""
    row = lock(channel, hmac)
    before = row.scope
    if row.scope == _MARKETING:
        row.scope, row.reason, row.stopped_at = _NONE, Address.Reason.NONE, None
        row.save(update_fields=["scope", "reason", "stopped_at"])
    elif row.scope == _ALL and row.reason in _UNDELIVERABLE:
        row.scope = _DELIVERY
        row.save(update_fields=["scope"])
    if row.scope != before:
        changes.tell_address(channel, hmac, is_refusal=False)


def cards_at(channel: str, address: str) -> "QuerySet[Client]":
    """Return the cards with this address in whatever spelling, without a hash of any: for a request that somebody waits for.

    A database compares letters beyond ASCII as they stand; therefore several spellings are looked for.
    """
    normal = normalise(channel, address)
    cards = Client.objects.filter(erased_at=None)
    if channel != "email":
        return cards.filter(phone=normal).exclude(phone="")
    box, _at, domain = normal.rpartition("@")
    given_box, _at, _domain = unicodedata.normalize("NFKC", address).strip().rpartition("@")
    domains = {domain}
    with contextlib.suppress(idna.IDNAError):
        domains.add(idna.decode(domain))
    boxes, found = {box, given_box, box.upper()}, Q(email__iexact=address)
    for one in domains:
        for name in boxes:
            found |= Q(email__iexact=f"{name}@{one}") | Q(email__iexact=f"{name}@{one.upper()}")
    return cards.filter(found).exclude(email="")


def holders(stopped: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[int]]:
    """Return the ids of the cards that have these addresses (channel and hash), by address.

    Looks at every card, as no table keeps the hash of a card's address: for work in the background.
    """
    found: dict[tuple[str, str], list[int]] = {one: [] for one in stopped}
    for channel, field in (("email", "email"), ("sms", "phone")):
        if any(one == channel for one, _hmac in stopped):
            cards = Client.objects.filter(erased_at=None).exclude(**{field: ""}).values_list("pk", field)
            for pk, address in cards.iterator(chunk_size=2000):
                found.get((channel, hash_of(channel, str(address))), []).append(pk)
    return found
