"""Whether somebody on the blacklist stands behind a card, an e-mail address or a number. Asked by `clients.blacklist`."""

from collections.abc import Collection, Iterable

from django.db.models import Q

from clients.models import Channel, Client, ClientContact, ClientLink, DuplicatePair
from salon.core import phone as phones
from salon.core.errors import Refused

# So many cards with one address are looked at: a salon's own number stands on more.
_MOST = 50
_DOTLESS = {"gmail.com", "googlemail.com"}
Key = tuple[str, str]


def mail_key(address: str) -> str:
    """Return what all spellings of a mailbox have in common: capitals, "+shop", and at Google dots make no other one."""
    box, at, domain = address.strip().casefold().rpartition("@")
    if not at:
        return ""
    box, domain = box.partition("+")[0], domain.rstrip(".")
    return f"{box.replace('.', '')}@gmail.com" if domain in _DOTLESS else f"{box}@{domain}"


def phone_key(number: str, country: str) -> str:
    """Return the number as E.164, however it is written; "" for none."""
    try:
        return phones.read(number, country) if number.strip() else ""
    except Refused:
        return ""


def keys_of(client_ids: Collection[int]) -> dict[int, set[Key]]:
    """Return every address of these cards, further contacts included, by id: two queries."""
    found: dict[int, set[Key]] = {pk: set() for pk in client_ids}
    for pk, email, number in Client.objects.filter(pk__in=client_ids).values_list("pk", "email", "phone"):
        found[pk] |= {(Channel.EMAIL.value, mail_key(email)), (Channel.SMS.value, str(number or ""))}
    for pk, channel, address in ClientContact.objects.filter(client__in=client_ids).values_list("client", "channel", "address"):
        found[pk].add((channel, mail_key(address) if channel == Channel.EMAIL else address))
    return {pk: {key for key in keys if key[1]} for pk, keys in found.items()}


def with_address(*, email: str, number: str) -> set[int]:
    """Return the ids of the cards that have this e-mail or number (E.164), as their own or as a further contact."""
    own, further = Q(pk__in=()), Q(pk__in=())
    if email:
        own |= Q(email=email.strip().lower())
        further |= Q(channel=Channel.EMAIL, address=email.strip().lower())
    if number:
        own |= Q(phone=number)
        further |= Q(channel=Channel.SMS, address=number)
    ids = Client.objects.filter(own, erased_at=None).values_list("pk", flat=True)[:_MOST]
    more = ClientContact.objects.filter(further, client__erased_at=None).values_list("client", flat=True)[:_MOST]
    return {*ids, *more}


def together(client_ids: Collection[int], others: Iterable[int]) -> set[tuple[int, int]]:
    """Return the pairs of one of these cards and one of `others` that staff said are two people: a household, a family."""
    known = set(others)
    pairs = DuplicatePair.objects.exclude(state=DuplicatePair.State.OPEN).filter(Q(low__in=client_ids) | Q(high__in=client_ids))
    links = ClientLink.objects.filter(Q(client__in=client_ids) | Q(other__in=client_ids))
    found = [*pairs.values_list("low", "high"), *links.values_list("client", "other")]
    both_ways = {*found, *((b, a) for a, b in found)}
    return {(one, other) for one, other in both_ways if one in client_ids and other in known}


def survivor(client: Client) -> Client:
    """Return the card that took this one in, or the card itself."""
    seen = {client.pk}
    while (following := client.merged_into) is not None and following.pk not in seen:
        client = following
        seen.add(client.pk)
    return client
