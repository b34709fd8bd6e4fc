"""The links that need no sign-in: preferences and one click to stop, a Yes to confirm, a privacy form. Tokens only, no page.

A token names the ledger's subject and the address it was sent to, so it outlives a merge and proves nothing about
another address. It does not end: it can only be used to restrict, or to say Yes for the very address it was sent to.
"""

import base64
import binascii
import datetime as dt
import functools
import hmac
from collections.abc import Sequence

from django.urls import get_script_prefix, reverse

from clients import addresses, consent
from clients.models import Client, Subject
from clients.models.ledger import SubjectQuerySet
from clients.stops import Link
from notifications.models import Message
from salon.core import prepared, public, secrets
from salon.core.models import Salon

# The first byte of a token: by which key it was made. Old keys stay readable.
_KEY_ID = 1
_CHANNELS = {"email": 1, "sms": 2}
_HASH_BYTES, _MAC_BYTES = 8, 16
_LENGTH = 1 + 1 + 8 + _HASH_BYTES + _MAC_BYTES
# How long the code on a printed privacy form opens it.
FORM_VALID_FOR = dt.timedelta(hours=24)
# Shorter than any token, so nobody's.
EXAMPLE = "example"


def token(client: Client, channel: str) -> str:
    """Return the token for a message to the client's present address on `channel` ("email", "sms")."""
    subject = Subject.objects.own_of([client.pk])[client.pk]
    return token_of(subject, channel, consent.address_hash(client, channel))


def load(batch: Sequence[Message]) -> None:
    """Fetch the subjects of a batch of messages in one query, for the tokens in their texts."""
    ids = {message.client_id for message in batch if message.client_id}
    own: dict[int, int] = dict(prepared.run([_subjects()], {"ids": prepared.as_list(ids)})[0])
    for message in batch:
        message.__dict__["loaded_subject"] = own.get(message.client_id, 0) if message.client_id else 0


@prepared.kept
def _subjects() -> prepared.Query:
    rows = Subject.objects.filter(client__in=prepared.listed("?ids")).order_by(*SubjectQuerySet.own_last)
    return prepared.Query(rows.values_list("client_id", "pk"), ids="?ids")


def of(message: Message, address: str) -> str:
    """Return the token of a message to `address`, without a query if its batch was loaded."""
    subject = message.__dict__.get("loaded_subject")
    if subject is None and message.client is not None:
        return token(message.client, message.channel)
    return token_of(subject, message.channel, addresses.hash_of(message.channel, address)) if subject else ""


def token_of(subject_id: int, channel: str, address_hmac: str) -> str:
    """Return the token of a subject for the address with this hash (hexadecimal)."""
    head = bytes([_KEY_ID, _CHANNELS[channel]]) + subject_id.to_bytes(8, "big") + bytes.fromhex(address_hmac)[:_HASH_BYTES]
    return _written(head + _mac(head))


def read(text: str) -> Link | None:
    """Return whom a token stands for, None for one that we did not make. Takes the same time for every wrong one."""
    head, is_ours = _proven(text, _LENGTH)
    channel = next((name for name, number in _CHANNELS.items() if number == head[1]), "")
    if not (is_ours and channel):
        return None
    return Link(int.from_bytes(head[2:10], "big"), channel, head[10:].hex())


def preferences_url(salon: Salon, token: str) -> str:
    """Return the address of the preference page, which is that of the one-click stop too, or "" without a public address."""
    before, after = _around_token(get_script_prefix())
    return public.link(salon, f"{before}{token}{after}")


@functools.lru_cache(maxsize=4)
def _around_token(_prefix: str) -> tuple[str, str]:
    before, _token, after = reverse("notifications:preferences", args=[EXAMPLE]).rpartition(EXAMPLE)
    return before, after


def confirm_url(salon: Salon, event_id: int) -> str:
    """Return the address at which a client confirms what this line of the ledger asks for, "" without a public address."""
    return public.link(salon, reverse("notifications:confirm", args=[confirm_token(event_id)]))


def confirm_token(event_id: int) -> str:
    """Return the token of a request for a confirmation. It is good for that alone, and for as long as the ledger says."""
    head = bytes([_KEY_ID]) + event_id.to_bytes(8, "big")
    return _written(head + _mac(head, "confirm"))


def read_confirm(text: str) -> int | None:
    """Return the line of the ledger that a token asks to confirm, None for one that we did not make."""
    head, is_ours = _proven(text, 1 + 8 + _MAC_BYTES, "confirm")
    return int.from_bytes(head[1:], "big") if is_ours else None


def form_url(salon: Salon, client: Client, *, now: dt.datetime) -> str:
    """Return the address of a client's privacy form, to fill in within FORM_VALID_FOR, "" without a public address."""
    return public.link(salon, reverse("notifications:form", args=[form_token(client, now=now)]))


def form_token(client: Client, *, now: dt.datetime) -> str:
    """Return the token of a client's privacy form. It ends, and it proves nothing about an address."""
    subject = Subject.objects.own_of([client.pk])[client.pk]
    ends = int((now + FORM_VALID_FOR).timestamp())
    head = bytes([_KEY_ID]) + subject.to_bytes(8, "big") + ends.to_bytes(8, "big")
    return _written(head + _mac(head, "form"))


def read_form(text: str, *, now: dt.datetime) -> int | None:
    """Return the subject whose form a token opens, None for one that has ended or that we did not make."""
    raw = _raw(text, 1 + 8 + 8 + _MAC_BYTES)
    head, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    is_ours = hmac.compare_digest(mac, _mac(head, "form"))
    is_open = now.timestamp() < int.from_bytes(head[9:], "big")
    return int.from_bytes(head[1:9], "big") if is_ours and is_open and head[0] == _KEY_ID else None


def example_url(salon: Salon) -> str:
    """Return what stands for such an address where a text is only shown: it looks like one and opens nobody's choices."""
    return preferences_url(salon, EXAMPLE) or f"https://…{reverse('notifications:preferences', args=[EXAMPLE])}"


def _proven(text: str, length: int, use: str = "links") -> tuple[bytes, bool]:
    """Return what stands before the proof of a token of this length, and whether we made it for this use."""
    raw = _raw(text, length)
    head, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    return head, hmac.compare_digest(mac, _mac(head, use)) and head[0] == _KEY_ID


def _raw(text: str, length: int) -> bytes:
    """Return the bytes of a token, zeros for a text that is none. There is one way to write it, no more."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    return raw if len(raw) == length and _written(raw) == text else bytes(length)


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _mac(head: bytes, use: str = "links") -> bytes:
    """Return the proof that we made a token, by a key for each use: that of addresses is never shown to anybody."""
    return hmac.digest(secrets.key(use), head, "sha256")[:_MAC_BYTES]
