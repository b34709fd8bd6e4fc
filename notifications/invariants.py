"""What must hold of the messages at any time. Read by the nightly check and after every chaos test; never mends anything."""

import datetime as dt
from collections.abc import Iterator

from django.db.models import Count, F, Q
from django.db.models.functions import Now

from clients.merging import rows
from clients.models import Client
from notifications import gate, grounds, kinds, outbox, proofs
from notifications.models import Attempt, Message, State


def faults() -> Iterator[str]:
    """Yield a line for everything that ought not to be: ids and codes only."""
    yield from _handed_over_twice()
    yield from _without_leave()
    yield from _stuck()
    yield from _waiting_for_nobody()
    yield from _left_behind()


def _handed_over_twice() -> Iterator[str]:
    """I1: at most one hand-over a row of which the provider did not say no, nor proved that it has it not."""
    no = Q(attempts__outcome__in=["retry", "failed", "down", "taken_back", "stumbled", proofs.ABSENT])
    rows = Message.objects.annotate(count=Count("attempts", filter=~no)).filter(count__gt=1)
    for pk, count in rows.values_list("pk", "count"):
        yield f"message {pk}: handed over {count} times"


def _without_leave() -> Iterator[str]:
    """I2: every hand-over stands on a decision that the gate takes again when asked."""
    for pk in Message.objects.filter(state__in=outbox.TOLD, attempts=None, provider__gt="").values_list("pk", flat=True):
        yield f"message {pk}: handed over without a decision"
    kept = Attempt.objects.exclude(decision={}).filter(message__kind__in=kinds.TABLE, decision__has_key="kind")
    for pk, at, decision in kept.values_list("message_id", "at", "decision").iterator():
        if not isinstance(gate.decide(grounds.from_json(decision), at), gate.Send):
            yield f"message {pk}: handed over against its own facts"


def _stuck() -> Iterator[str]:
    """I3: no hand-over whose lease is long over."""
    for pk in Message.objects.filter(state=State.HANDOFF, lease_until__lt=Now() - outbox.HANDOFF_LEASE).values_list(
        "pk", flat=True
    ):
        yield f"message {pk}: hand-over without an end"


def _waiting_for_nobody() -> Iterator[str]:
    """I4: nothing is being prepared for somebody who is gone, once the planner has had its turn."""
    gone = Q(client=None) | Q(client__erased_at__isnull=False) | Q(client__inactive_at__isnull=False)
    waiting = Message.objects.filter(gone, state=State.PENDING, not_before__gte=F("created_at"))
    for pk in waiting.values_list("pk", flat=True):
        yield f"message {pk}: waits for somebody who is gone"


def _left_behind() -> Iterator[str]:
    """I7: no row of any app points at a card that another one took in, once what came late was gathered (by `clients.tidy`)."""
    taken_in = Client.objects.filter(merged_into__isnull=False, erased_at__lt=Now() - dt.timedelta(hours=1))
    gone = list(taken_in.values_list("pk", flat=True))
    for start in range(0, len(gone), 500):
        for pointer, ids in rows.left_over(gone[start : start + 500]):
            yield from (f"{pointer.label} {pk}: points at a card that was merged away" for pk in ids)
