"""Further phone numbers and e-mails of a client: added, taken off, and what the search looks in because of them.

Called by the card's page Other and by `clients.records`. A contact says nothing about consent: messages go to the
card's own number and e-mail only. Another card may have the same one; neither changes the other.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from clients import search
from clients.models import Channel, Client, ClientContact
from salon.core import audit, phone
from salon.core.errors import Refused
from salon.core.models import Salon, User

MOST = 10


@dataclass(frozen=True)
class Shown:
    """A further contact as its reader may see it. `dial` is empty where it is masked or an e-mail."""

    pk: int
    text: str
    label: str
    dial: str
    is_phone: bool


@transaction.atomic
def add(client: Client, *, channel: str, address: str, label: str, by: User) -> ClientContact:
    """Add a further number (E.164) or e-mail (lower case) to the card and return it.

    Raises Refused if the card has it already, or ten of them.
    """
    card = Client.objects.select_for_update().get(pk=client.pk, erased_at=None)
    own = {Channel.EMAIL.value: card.email, Channel.SMS.value: str(card.phone or "")}
    known = ClientContact.objects.filter(client=card)
    if address == own[channel] or known.filter(channel=channel, address=address).exists():
        raise Refused(_("This is on the card already."), field="address")
    if known.count() >= MOST:
        raise Refused(_("A card has at most %(count)d further contacts.") % {"count": MOST}, field="address")
    contact = ClientContact.objects.create(client=card, channel=channel, address=address, label=label.strip())
    _write_search_text(card)
    audit.record("client.contact_added", card, by=by, contact=contact.pk, channel=channel)
    return contact


@transaction.atomic
def remove(client: Client, pk: int, *, by: User) -> ClientContact | None:
    """Take a further contact off the card and return it, as it was; None if it is gone already."""
    card = Client.objects.select_for_update().get(pk=client.pk, merged_into=None)
    contact = ClientContact.objects.filter(client=card, pk=pk).first()
    if contact is None:
        return None
    ClientContact.objects.filter(pk=pk).delete()
    _write_search_text(card)
    audit.record("client.contact_removed", card, by=by, contact=pk, channel=contact.channel)
    return contact


def addresses_of(client_ids: Collection[int]) -> dict[int, list[str]]:
    """Return the further numbers and e-mails by client id, in one query: what the search looks in besides the card's own."""
    found: dict[int, list[str]] = defaultdict(list)
    rows = ClientContact.objects.filter(client__in=client_ids).order_by("pk").values_list("client_id", "address")
    for client_id, address in rows:
        found[client_id].append(address)
    return found


def shown(client: Client, salon: Salon, *, is_masked: bool) -> list[Shown]:
    """Return the further contacts of a card as somebody may see them who sees the card's own like that."""
    return [_shown(contact, salon, is_masked=is_masked) for contact in client.contacts.all()]


def texts_of(is_masked: Mapping[int, bool], salon: Salon) -> dict[int, list[str]]:
    """Return the further contacts of several cards by id as text, in one query. `is_masked` says of each how it is seen."""
    found: dict[int, list[str]] = defaultdict(list)
    for contact in ClientContact.objects.filter(client__in=is_masked).order_by("pk"):
        found[contact.client_id].append(_shown(contact, salon, is_masked=is_masked[contact.client_id]).text)
    return found


def _shown(contact: ClientContact, salon: Salon, *, is_masked: bool) -> Shown:
    is_phone = contact.channel == Channel.SMS
    text = phone.show(contact.address, salon.country) if is_phone else contact.address
    if is_masked:
        hidden = phone.mask(text) if is_phone else phone.mask_email(text)
        return Shown(contact.pk, hidden, "", "", is_phone)
    return Shown(contact.pk, text, contact.label, contact.address if is_phone else "", is_phone)


def _write_search_text(card: Client) -> None:
    """Bring what the search looks in up to date. The card's version stays: no form of the card holds a contact."""
    text = search.text_of(
        first_name=card.first_name, last_name=card.last_name, phone=str(card.phone or ""), email=card.email,
        further=addresses_of([card.pk])[card.pk],
    )  # fmt: skip
    Client.objects.filter(pk=card.pk).update(search_text=text)
