"""The salon's own words for its clients: put on a card, taken off, suggested. Called by the card's page Other."""

from collections import defaultdict
from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from clients import search
from clients.models import Client, Tag
from salon.core import audit, prepared
from salon.core.errors import Refused
from salon.core.models import User

MOST = 20


@transaction.atomic
def add(client: Client, *, name: str, by: User) -> Tag | None:
    """Put the tag called `name` on the card, made if nobody used it yet, and return it; None if the card has it.

    All spellings of a name are one tag. Raises Refused for no name (or one that nobody sees) and for more than 20 tags on a card.
    """
    card = Client.objects.select_for_update().get(pk=client.pk, erased_at=None)
    tag = called(name)
    if card.tags.filter(pk=tag.pk).exists():
        return None
    if card.tags.count() >= MOST:
        raise Refused(_("A card has at most %(count)d tags.") % {"count": MOST}, field="name")
    card.tags.add(tag)
    audit.record("client.tagged", card, by=by, tag=tag.pk)
    return tag


@transaction.atomic
def remove(client: Client, tag: Tag, *, by: User) -> bool:
    """Take the tag off the card, and return whether it was on it."""
    card = Client.objects.select_for_update().get(pk=client.pk, merged_into=None)
    if not card.tags.filter(pk=tag.pk).exists():
        return False
    card.tags.remove(tag)
    audit.record("client.untagged", card, by=by, tag=tag.pk)
    return True


def called(name: str) -> Tag:
    """Return the tag of that name in any spelling, made if nobody used it yet. Raises Refused for no name."""
    words = " ".join(name.split())[:40]
    if not search.is_seen(words):
        raise Refused(_("Enter a tag."), field="name")
    return Tag.objects.get_or_create(folded=search.fold(words)[:80], defaults={"name": words})[0]


def of_clients(client_ids: Collection[int]) -> dict[int, list[str]]:
    """Return the names of the tags of each of these clients that has any, in order, in one query."""
    found: dict[int, list[str]] = defaultdict(list)
    for client_id, name in prepared.run([_of_clients()], {"ids": prepared.as_list(client_ids)})[0]:
        found[client_id].append(name)
    return dict(found)


@prepared.kept
def _of_clients() -> prepared.Query:
    return prepared.Query(Tag.objects.filter(clients__in=prepared.listed("?ids")).values_list("clients", "name"), ids="?ids")


def in_use() -> list[str]:
    """Return the names of the tags that some client has, in order: what the field suggests."""
    return list(Tag.objects.filter(clients__isnull=False).distinct().values_list("name", flat=True))
