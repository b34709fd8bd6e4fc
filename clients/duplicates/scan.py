"""The search for duplicates: of all cards at night, and of one card soon after it was added or changed.

What changed is read from the audit trail, so that no operation need know of it: an operation that is forgotten here costs a
night. Called by the worker, by `manage.py find_duplicates` and by the pages that add and edit a card.
"""

import datetime as dt
import logging
from collections.abc import Collection, Iterable

from django.db.models import Max

from clients.duplicates import blocks, facts, pairs
from clients.duplicates.blocks import Pair
from clients.duplicates.score import Verdict, verdict
from clients.models import Client, DuplicateSearch
from salon.core import leases
from salon.core.models import AuditEvent, Salon

log = logging.getLogger(__name__)
# Nobody books at this hour, and what was found is there when the salon opens.
NIGHTLY = dt.time(4)
# Acts after which a card is looked at, and those on many cards after which all are.
_ONE = (
    "client.added", "client.edited", "client.contact_added", "client.contact_removed", "client.made_active", "client.unlinked",
)  # fmt: skip
_MANY = ("client.added_many", "client.filled_many", "client.emptied_many")
_AT_ONCE = 200


def all_cards(now: dt.datetime) -> DuplicateSearch:
    """Compare all active cards that share a key, keep what was found, and return the search with its counts."""
    last = AuditEvent.objects.aggregate(last=Max("pk"))["last"] or 0
    found = blocks.every()
    pairs.keep(_verdicts(found.pairs), about=None, now=now)
    counts = {"cards_count": Client.objects.active().count(), "skipped": found.skipped, "event": last}
    row, _is_new = DuplicateSearch.objects.update_or_create(
        pk=1, defaults={**counts, "finished_at": now, "wanted_at": None, "try_count": 0, **leases.FREE}
    )
    return row


def check(ids: Collection[int], *, now: dt.datetime) -> int:
    """Compare these cards with those that share a key with them by an index, and return how many pairs are new."""
    if not ids:
        return 0
    known = facts.of_cards(ids)
    found = {pair for pk, own in known.items() for pair in blocks.around(pk, own)}
    return pairs.keep(_verdicts(found), about=ids, now=now)


def want(now: dt.datetime) -> None:
    """Have all cards compared soon."""
    if not DuplicateSearch.objects.filter(pk=1).update(wanted_at=now):
        DuplicateSearch.objects.bulk_create([DuplicateSearch(pk=1, wanted_at=now)], ignore_conflicts=True)


def work(now: dt.datetime) -> None:
    """Look at the cards that changed, or at all of them where it is night or somebody asked. Lost, late or doubled: no harm."""
    row, _is_new = DuplicateSearch.objects.get_or_create(pk=1)
    if row.wanted_at is None and not _is_due(row, now):
        _catch_up(row, now)
        row.refresh_from_db()
    if row.wanted_at is None and not _is_due(row, now):
        return
    held = leases.take(DuplicateSearch.objects.filter(pk=1))
    if held is None:
        return
    try:
        all_cards(now)
    except Exception as error:
        log.error("search for duplicates: %s", type(error).__name__)  # no more: its text may hold what a card holds
        leases.rest(held)
        raise


def _catch_up(row: DuplicateSearch, now: dt.datetime) -> None:
    """Look at the cards whose acts stand in the audit trail since the last look."""
    last = AuditEvent.objects.aggregate(last=Max("pk"))["last"] or 0
    events = AuditEvent.objects.filter(pk__gt=row.event, pk__lte=last, action__in=(*_ONE, *_MANY)).order_by("pk")
    news = list(events.values_list("pk", "action", "subject_id")[:_AT_ONCE])
    if any(action in _MANY for _pk, action, _card in news):
        want(now)
        return
    check({card for _pk, _action, card in news if card}, now=now)
    seen = news[-1][0] if len(news) == _AT_ONCE else last
    DuplicateSearch.objects.filter(pk=1, event__lt=seen).update(event=seen)


def _is_due(row: DuplicateSearch, now: dt.datetime) -> bool:
    """Return whether a night has begun since all cards were compared, by the salon's clock."""
    if row.finished_at is None:
        return True
    salon = Salon.objects.filter(pk=1).first()
    zone = salon.zone if salon else dt.UTC
    local = now.astimezone(zone)
    night = dt.datetime.combine(local.date(), NIGHTLY, zone)
    if local < night:
        night -= dt.timedelta(days=1)
    return row.finished_at < night


def _verdicts(found: Iterable[Pair]) -> dict[Pair, Verdict]:
    """Return what the score says of each pair, without those it says nothing of."""
    pairs_found = list(found)
    known = facts.of_cards({pk for pair in pairs_found for pk in pair})
    verdicts = {(low, high): verdict(known[low], known[high]) for low, high in pairs_found if low in known and high in known}
    return {pair: one for pair, one in verdicts.items() if one.band}
