"""What the messages do when a client is forgotten: what waits is cancelled, a text for them alone goes. Registered at start.

The rows themselves are emptied by the erasure, which walks every table.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from django.db import transaction
from django.db.models import Count, Q
from django.utils.functional import Promise
from django.utils.translation import ngettext

from clients.erasure.above import Copy, Room
from notifications.models import Campaign, Message, State

REASON = "erased"
_WAITING = (State.PENDING, State.CLAIMED, State.HELD)


def prepare(ids: Collection[int], now: dt.datetime) -> Mapping[str, int]:
    """Cancel what waits for these clients and clear promotions that were written to them alone. Returns counts by table.

    What a sender has claimed is cancelled too: its hand-over then finds the row to be nobody's. What is handed over
    already ends as it ends, without a word of it here.
    """
    waiting = Message.objects.filter(client__in=ids, state__in=_WAITING)
    count = waiting.update(state=State.CANCELLED, reason=REASON, settled_at=now, lease_token=None, lease_until=None)
    theirs = Campaign.objects.filter(recipients__client__in=ids).values("pk")
    alone = Campaign.objects.filter(pk__in=theirs).annotate(count=Count("recipients")).filter(count=1)
    cleared = Campaign.objects.filter(pk__in=list(alone.values_list("pk", flat=True))).exclude(title="", text="", conditions="")
    return {"notifications.campaign": cleared.update(title="", text="", conditions=""), "cancelled": count}


def copies(ids: Collection[int]) -> Sequence[Copy]:
    """Return what providers call the messages to these clients."""
    rows = Message.objects.filter(client__in=ids).exclude(provider_id="").values_list("provider", "provider_id")
    return [Copy(provider, reference) for provider, reference in rows]


def glean() -> Sequence[Copy]:
    """Forget what a server answered after its client was erased: the message was under way. Returns what it holds."""
    late = Message.objects.filter(client=None).exclude(provider_id="", recipient="", body="", title="")
    if not late.exists():  # asked every minute: without a lock
        return []
    with transaction.atomic():
        rows = list(late.select_for_update().values_list("pk", "provider", "provider_id"))
        Message.objects.filter(pk__in=[pk for pk, _name, _id in rows]).update(provider_id="", recipient="", body="", title="")
    return [Copy(provider, reference) for _pk, provider, reference in rows if reference]


def is_telling(ids: Collection[int], now: dt.datetime) -> bool:
    """Return whether a message about a visit is still on its way to them."""
    on_its_way = Q(state__in=(State.PENDING, State.CLAIMED, State.HANDOFF), kind="cancellation")
    return Message.objects.filter(on_its_way, client__in=ids, expires_at__gt=now).exists()


def erased(ids: Collection[int]) -> Sequence[str | Promise]:
    """Return what goes, for the page that asks."""
    count = Message.objects.filter(client__in=ids).count()
    words = ngettext(
        "The text of %(count)d message and where it went", "The text of %(count)d messages and where they went", count
    )
    return [words % {"count": count}] if count else []


ROOM = Room("messages", prepare, copies, glean, is_telling, erased)
