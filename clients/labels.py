"""Address labels of the selected clients, on sheets of A4 with 3 by 8. Reads only; called by the page that prints them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils import translation

from clients.models import Client
from salon.core import countries
from salon.core.models import Salon

PER_SHEET = 24
FIELDS = ("first_name", "last_name", "phone", "street", "postcode", "city", "country")


@dataclass(frozen=True)
class Label:
    """One label, line by line."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Labels:
    """The labels on their sheets (None: a place that was used already), and who has no full address."""

    sheets: Sequence[Sequence[Label | None]]
    count: int
    without: Sequence[Client]


def of(clients: Iterable[Client], salon: Salon, *, used: int = 0) -> Labels:
    """Return the labels of `clients` in their order. `used`: how many places of the first sheet are empty already.

    The country stands where it is not the salon's own, as post offices want it: in capitals on the last line.
    """
    labels: list[Label | None] = [None] * min(max(used, 0), PER_SHEET - 1)
    without: list[Client] = []
    first = len(labels)
    for client in clients:
        if not has_address(client):
            without.append(client)
            continue
        abroad = _country(client.country, salon) if client.country and client.country != salon.country else ""
        town = f"{client.postcode} {client.city}".strip()
        labels.append(Label(tuple(line for line in (client.name, client.street, town, abroad) if line)))
    count = len(labels) - first
    sheets = [labels[start : start + PER_SHEET] for start in range(0, len(labels), PER_SHEET)] if count else []
    return Labels(sheets, count, without)


def _country(code: str, salon: Salon) -> str:
    """Return the country as the post office at home reads it."""
    with translation.override(salon.language):
        return countries.name(code).upper()


def has_address(client: Client) -> bool:
    """Return whether a letter finds the client: a name, a street or box, and a town."""
    return bool((client.first_name or client.last_name) and client.street and (client.postcode or client.city))
