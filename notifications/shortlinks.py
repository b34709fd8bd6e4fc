"""The short link to stop advertising by SMS: an SMS has no room for a long one. Tokens only, no page.

It can only restrict, like the long link, and opens the same page. It carries the ledger's subject and a short proof over it
and the number it was sent to; which number that was is looked for among those that the ledger names for the subject, so the
link outlives a change of number. Nothing is stored.
"""

import hashlib
import hmac

from django.urls import reverse

from clients import consent
from clients.models import Client, ConsentEvent, Subject
from clients.stops import Link
from notifications import links
from salon.core import public, secrets
from salon.core.models import Salon

CHANNEL = "sms"
_LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# 35 bits: guessing one costs ten thousand million tries, and would stop somebody's advertising.
_PROOF = 6
_LONGEST = 11
EXAMPLE = "example"


def url(salon: Salon, client: Client) -> str:
    """Return the short address to stop advertising by SMS to the client's present number, "" without a public address."""
    return public.link(salon, reverse("notifications:short", args=[token(client)]))


def example_url(salon: Salon) -> str:
    """Return what stands for such an address where a text is only shown: as long as one, and nobody's."""
    path = reverse("notifications:short", args=[EXAMPLE])
    return public.link(salon, path) or f"https://…{path}"


def token(client: Client) -> str:
    """Return the short token of a client's present number."""
    subject = Subject.objects.filter(client=client).order_by("-pk").values_list("pk", flat=True).get()
    return token_of(subject, consent.address_hash(client, CHANNEL))


def token_of(subject_id: int, address_hmac: str) -> str:
    """Return the short token of a subject for the number with this hash."""
    return _written(subject_id) + _proof(subject_id, address_hmac)


def read(text: str) -> Link | None:
    """Return whom a short token stands for, None for one that we did not make."""
    head, proof = text[:-_PROOF], text[-_PROOF:]
    if not head or len(text) > _LONGEST + _PROOF or any(letter not in _LETTERS for letter in text) or head[0] == _LETTERS[0]:
        return None
    subject_id = 0
    for letter in head:
        subject_id = subject_id * len(_LETTERS) + _LETTERS.index(letter)
    if subject_id >= 2**63:
        return None
    found = [one for one in _numbers(subject_id) if hmac.compare_digest(_proof(subject_id, one), proof)]
    return Link(subject_id, CHANNEL, found[0][:16]) if found else None


def long_of(link: Link) -> str:
    """Return the token of the long link that opens the same page."""
    hmacs = [one for one in _numbers(link.subject_id) if link.has_address(one)]
    return links.token_of(link.subject_id, CHANNEL, hmacs[0]) if hmacs else links.EXAMPLE


def _numbers(subject_id: int) -> list[str]:
    """Return the hashes of the numbers that the subject has or had with us: the card's, and those of its ledger."""
    client = Client.objects.filter(subjects=subject_id).first()
    current = consent.address_hash(client, CHANNEL) if client else ""
    lines = ConsentEvent.objects.filter(subject=subject_id, channel=CHANNEL).exclude(address_hmac="").order_by()
    known = lines.values_list("address_hmac", flat=True).distinct()
    return [one for one in dict.fromkeys([current, *known]) if one]


def _proof(subject_id: int, address_hmac: str) -> str:
    digest = hmac.new(secrets.key("short"), f"{subject_id}:{address_hmac}".encode(), hashlib.sha256).digest()
    return _written(int.from_bytes(digest, "big"))[-_PROOF:]


def _written(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number, len(_LETTERS))
        text = _LETTERS[rest] + text
    return text
