"""What the messages do when a client is forgotten: what waits is cancelled, a text for them alone goes. Registered at start.

The rows themselves are emptied by the erasure, which walks every table.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.erasure import above, outside
from clients.erasure.above import Copy, Room
from notifications import campaigns, outcomes, smsaccount
from notifications.models import Message, Reply, State
from notifications.systems.models import OtherSystem

REASON = "erased"


def prepare(ids: Collection[int], now: dt.datetime) -> Mapping[str, int]:
    """Cancel what waits for these clients and clear promotions that were written to them alone. Returns counts by table.

    What a sender has claimed is cancelled too: its hand-over then finds the row to be nobody's. What is handed over
    already ends as it ends, without a word of it here.
    """
    count = outcomes.drop(Message.objects.filter(client__in=ids), reason=REASON, now=now)
    return {"notifications.campaign": campaigns.clear_alone(ids), "cancelled": count}


def copies(ids: Collection[int]) -> Sequence[Copy]:
    """Return what providers call the messages to these clients."""
    sent = Message.objects.filter(client__in=ids).exclude(provider_id="").values_list("provider", "provider_id")
    came = Reply.objects.filter(client__in=ids).exclude(provider_id="").values_list("provider", "provider_id")
    return [Copy(provider, reference) for provider, reference in dict.fromkeys([*sent, *came])]


def glean() -> Sequence[Copy]:
    """Forget what came in late, the message being under way at the erasure. Returns what providers hold of it."""
    return [Copy(provider, reference) for provider, reference in outcomes.glean()]


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


def kept(ids: Collection[int]) -> Sequence[str | Promise]:
    """Return what stays elsewhere until somebody deletes it by hand, for the page that asks."""
    names = list(OtherSystem.objects.filter(way=OtherSystem.Way.BY_HAND).values_list("name", flat=True))
    words = _("In %(systems)s, until somebody deletes the client there: Messages, Other systems keeps a line to tick off")
    return [words % {"systems": ", ".join(names)}] if names else []


def register() -> None:
    """Take part in erasures, and say how the SMS provider is asked to delete what it holds."""
    above.register(ROOM)
    outside.register(smsaccount.PROVIDER, _forget_sms)


def _forget_sms(reference: str) -> None:
    if not smsaccount.forget(reference):
        raise LookupError("still there")


ROOM = Room("messages", prepare, copies, glean, is_telling, erased, kept)
