"""The cards that somebody opened last: what the search box offers before anything is typed."""

import datetime as dt

from clients import access
from clients.models import Client, OpenedCard
from salon.core.models import User

KEPT = 8


def remember(user: User, client: Client, *, now: dt.datetime) -> None:
    """Put `client` first among the cards `user` opened and forget all but the last 8."""
    OpenedCard.objects.bulk_create(
        [OpenedCard(user=user, client=client, opened_at=now)],
        update_conflicts=True,
        unique_fields=["user", "client"],
        update_fields=["opened_at"],
    )
    kept = list(OpenedCard.objects.filter(user=user).order_by("-opened_at", "-pk").values_list("pk", flat=True)[: KEPT + 1])
    if len(kept) > KEPT:
        OpenedCard.objects.filter(user=user).exclude(pk__in=kept[:KEPT]).delete()


def last(user: User) -> list[Client]:
    """Return the clients whose cards `user` opened last, the newest first, without those no longer open to them."""
    ids = list(OpenedCard.objects.filter(user=user).order_by("-opened_at", "-pk").values_list("client_id", flat=True)[:KEPT])
    found = access.clients_for(user).in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]
