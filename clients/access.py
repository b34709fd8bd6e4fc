"""Who may see which client, and how much of them. Every view and template gets clients and contact details from here.

A stylist sees the contact details of the day's own clients and masks everywhere else, search included. What "the
day's own clients" and the visits of a list are is told by the room above, which registers here when it starts.
A restricted card, and one that waits for its erasure, is found nowhere; where the row of another table leads to one, it
is shown without a name (docs/adr/0019).
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from clients import search, survivors
from clients.models import Client, ClientQuerySet, Export
from salon.core import phone
from salon.core.errors import Elsewhere, Gone
from salon.core.models import Salon, User
from salon.core.roles import May


class Reachable(Protocol):
    """A card, or what was read of one."""

    @property
    def pk(self) -> Any:
        """Return the card's id."""

    @property
    def first_name(self) -> Any:
        """Return the first name, or nothing."""

    @property
    def last_name(self) -> Any:
        """Return the last name, or nothing."""

    @property
    def name(self) -> str:
        """Return the name to show."""

    @property
    def email(self) -> Any:
        """Return the e-mail address, or nothing."""

    @property
    def e164(self) -> str:
        """Return the number as text, empty for none."""


@dataclass(frozen=True)
class Contacts:
    """How this reader sees a person: name, phone and e-mail as text to show. `dial` is empty where they are masked.

    `is_hidden`: the card may not be seen, and `name` says why instead of who.
    """

    name: str
    phone: str
    email: str
    dial: str
    is_masked: bool
    is_hidden: bool = False


@dataclass(frozen=True)
class Visits:
    """What the list says about a client's visits: day of the last one, start and person of the next one."""

    last_on: dt.date | None = None
    next_at: dt.datetime | None = None
    next_staff: str = ""


OwnClients = Callable[[User, dt.date], Collection[int]]
Columns = Callable[[Collection[int], User, Salon, dt.datetime], Mapping[int, Visits]]
_own_clients: list[OwnClients] = []
_columns: list[Columns] = []


def register_own_clients(ids_of: OwnClients) -> None:
    """Let a room above say whose visits a user has on a day. Called once, when the app starts."""
    if ids_of not in _own_clients:
        _own_clients.append(ids_of)


def register_columns(visits_of: Columns) -> None:
    """Let a room above fill the visit columns of the list: one call a page, one mapping by client id."""
    if visits_of not in _columns:
        _columns.append(visits_of)


def clients_for(user: User) -> ClientQuerySet:
    """Return the clients that `user` may see: none without the right, never the forgotten, the deleted and the restricted."""
    return everybody() if user.may(May.SEE_CLIENTS) else Client.objects.none()


def everybody() -> ClientQuerySet:
    """Return the clients that somebody with the right to see clients may see."""
    return Client.objects.filter(erased_at=None, restricted_at=None).exclude(inactive_reason=Client.DELETING)


def hidden() -> Q:
    """Return the condition by which rows that lead to a card by `client` are about one that may not be seen."""
    return Q(client__restricted_at__isnull=False) | Q(client__inactive_reason=Client.DELETING)


def client_for(user: User, pk: int) -> Client:
    """Return the client if `user` may see them.

    Raises Gone (a 404) otherwise, and for a card taken in by another one Elsewhere.
    """
    client = clients_for(user).filter(pk=pk).first()
    if client is None:
        home = survivors.of(pk)
        if home != pk and clients_for(user).filter(pk=home).exists():
            raise Elsewhere(pk, home)
        words = _("Nothing was saved: this client was deleted meanwhile, or is not for you to see any more.")
        raise Gone(pk, words, "clients:list")
    return client


def found_for(user: User, text: str, salon: Salon, *, now: dt.datetime) -> ClientQuerySet:
    """Return the clients that `user` may see and `text` finds."""
    return clients_for(user).filter(matching(user, text, salon, now=now))


def matching(user: User, text: str, salon: Salon, *, now: dt.datetime) -> Q:
    """Return the condition by which `text` finds clients for `user`.

    Where contact details are masked, a number or a part of an e-mail finds nobody but the day's own clients, and a
    word is looked for in names only: a search must not spell out what the page hides.
    """
    if user.may(May.SEE_ALL_CONTACTS):
        return search.matches(text)
    own = Q(pk__in=_own_today(user, salon, now)) & search.matches(text)
    return own if search.is_by_contact(text) else own | search.matches_name(text)


def contacts(user: User, client: Client, salon: Salon, *, now: dt.datetime) -> Contacts:
    """Return name, phone and e-mail as `user` may see them at `now`."""
    return contacts_of(user, [client], salon, now=now)[client.pk]


def contacts_of(user: User, clients: Iterable[Reachable], salon: Salon, *, now: dt.datetime) -> dict[int, Contacts]:
    """Return the contacts of several clients by id, with one look at the day's visits for all of them."""
    open_ids = None if user.may(May.SEE_ALL_CONTACTS) else _own_today(user, salon, now)
    return {
        client.pk: _hidden(client) or _shown(client, salon, is_masked=open_ids is not None and client.pk not in open_ids)
        for client in clients
    }


def visits_of(client_ids: Collection[int], user: User, salon: Salon, *, now: dt.datetime) -> dict[int, Visits]:
    """Return the visit columns of a page of the list, by client id; nothing for whom nobody knows any."""
    found: dict[int, Visits] = {}
    for column in _columns:
        found.update(column(client_ids, user, salon, now))
    return found


def has_columns() -> bool:
    """Return whether anybody fills the visit columns."""
    return bool(_columns)


def export_for(user: User, pk: int) -> Export:
    """Return the export if `user` asked for it: a file is for nobody else. Raises Http404 otherwise."""
    return get_object_or_404(Export, pk=pk, by=user)


def _own_today(user: User, salon: Salon, now: dt.datetime) -> set[int]:
    day = now.astimezone(salon.zone).date()
    return {pk for ids_of in _own_clients for pk in ids_of(user, day)}


def _hidden(client: Reachable) -> Contacts | None:
    """Return what is said instead of a card that may not be seen. What was read of a card came from `clients_for`."""
    if not isinstance(client, Client) or not client.is_hidden:
        return None
    words = _("Restricted card") if client.restricted_at else _("Deleted client")
    return Contacts(words, "", "", "", is_masked=True, is_hidden=True)


def _shown(client: Reachable, salon: Salon, *, is_masked: bool) -> Contacts:
    e164 = client.e164
    number = phone.show(e164, salon.country)
    has_name = bool(client.first_name or client.last_name)
    if is_masked:
        hidden = phone.mask(number)
        return Contacts(client.name if has_name else hidden, hidden, phone.mask_email(client.email), "", is_masked=True)
    return Contacts(client.name if has_name else number, number, client.email, e164, is_masked=False)
