"""The erasure itself: all of it in one transaction, or nothing. What comes after the commit is `finish`.

Called by `clients.deletions`, by retention and after a restore. It asks nobody: who may and when is decided there.
"""

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.db import Error, transaction
from django.db.models import F

from clients import addresses, consent, fold, lengths
from clients.erasure import above, journal, loose, mentions, outside, schema, wiping
from clients.models import Address, Client, ClientContact, ConsentEvent, Erasure, RightsRequest
from salon.core import audit, bell, failpoints
from salon.core.models import User
from salon.core.privacy import Fate

log = logging.getLogger(__name__)
_CHANNEL = {"email": "email", "phone": "sms"}


def erase(
    client: Client,
    *,
    ground: str,
    by: User | None,
    now: dt.datetime,
    again: uuid.UUID | None = None,
    still: Callable[[], bool] | None = None,
) -> Erasure | None:
    """Forget a person and return what is written down about it. None for one who was forgotten, or merged, already.

    `ground` is one of Erasure.Ground; `again` the case of a journal that a restore had undone. `still` is asked once the
    card is locked: where the reason is gone by then, nothing is done and None returned. Raises Refused while an
    import of a list with them is running, OSError where the journal cannot be written: then nothing is changed.
    """
    case = again or uuid.uuid4()
    written: list[uuid.UUID] = []
    try:
        with transaction.atomic():
            erasure = _erase(client, case, written, ground=ground, by=by, now=now, is_again=again is not None, still=still)
            failpoints.hit("erase_before_commit")
    except Exception:
        if written and _came_to_nothing(client, case):
            journal.take_back(case)
        raise
    failpoints.hit("erase_committed")
    if written:
        _settle(case)
    if erasure is not None:
        bell.ring(bell.ERASURES)
    return erasure


def _settle(case: uuid.UUID) -> None:
    """Say in the journal that it is done. Where that fails now, `settling` says it within a minute: the person is erased."""
    try:
        journal.settle(case)
    except OSError as error:
        log.warning("journal of erasures: %s, said again later", type(error).__name__)


def _came_to_nothing(client: Client, case: uuid.UUID) -> bool:
    """Return whether the database surely did not commit. Where it cannot say so, the line stands: it may have.

    The lock waits for a commit that is still on its way.
    """
    try:
        with transaction.atomic():
            list(Client.objects.select_for_update().filter(pk=client.pk))
            return not Erasure.objects.filter(case=case).exists()
    except Error:
        return False


def _erase(
    client: Client,
    case: uuid.UUID,
    written: list[uuid.UUID],
    *,
    ground: str,
    by: User | None,
    now: dt.datetime,
    is_again: bool,
    still: Callable[[], bool] | None,
) -> Erasure | None:
    cards = _locked(client)
    ids = [card.pk for card in cards]
    card = next(card for card in cards if card.pk == client.pk)
    is_elsewhere = card.merged_into is not None and not is_again  # what was found out was about another card than that one
    if is_gone(card) or is_elsewhere or not (still is None or still()):
        return None
    words, stops = mentions.of(ids), _stops(cards, ids)
    loose.check(ids, words)
    if not is_again:
        made = [(card.pk, card.created_at) for card in cards]
        journal.write(journal.Entry(case, now, ground, made, stops))
        written.append(case)
    failpoints.hit("erase_journal")
    copies = above.copies(ids)
    counts = above.prepare(ids, now)
    failpoints.hit("erase_cancelled")
    for channel, hmac in stops:
        addresses.stop_hash(channel, hmac, scope=Address.Scope.MARKETING, reason=Address.Reason.ERASED, now=now)
    failpoints.hit("erase_suppressed")
    kept = _kept(ids, stops, now)
    _end_consents(cards, now)
    tags = loose.tags_of(ids)
    RightsRequest.objects.filter(client__in=ids, kind=RightsRequest.Kind.ERASURE, answered_at=None).update(
        answered_at=now, case=case
    )
    counts.update(loose.empty(ids, words))
    counts.update(schema.scrub(ids, stays={"erased_at": now, "version": F("version") + 1}))
    counts["clients.tag"] += loose.orphans(tags)
    failpoints.hit("erase_scrubbed")
    erasure = Erasure.objects.create(
        case=case, at=now, ground=ground, by=by, is_again=is_again, tables=dict(sorted((+counts).items())), kept=kept
    )
    outside.note(erasure, copies, now=now)
    audit.record("client.erased", client, by=by, ground=ground, cards_count=len(ids), tables_count=len(erasure.tables))
    return erasure


def is_gone(card: Client) -> bool:
    """Return whether the person of a card was forgotten. A card that another one took in is gone with that one."""
    into = card.merged_into
    return card.erased_at is not None and (into is None or into.erased_at is not None)


def _locked(client: Client) -> list[Client]:
    """Return all cards of the person, locked, lower ids first. One that was taken in meanwhile is among them."""
    ids: list[int] = []
    while ids != (found := schema.cards_of(client)):
        ids = found
        cards = list(Client.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    return cards


def _stops(cards: Sequence[Client], ids: Collection[int]) -> list[tuple[str, str]]:
    """Return channel and keyed hash of every address of the person, in the order in which they are locked."""
    own = [(channel, str(getattr(card, name) or "")) for card in cards for name, channel in _CHANNEL.items()]
    further = ClientContact.objects.filter(client__in=ids).values_list("channel", "address")
    found = {(channel, addresses.hash_of(channel, address)) for channel, address in (*own, *further)}
    return sorted(stop for stop in found if stop[1])


def _end_consents(cards: Sequence[Client], now: dt.datetime) -> None:
    """Write into the ledger that what was agreed to has ended: from this line on its proof is kept, and then deleted."""
    theirs = set(ConsentEvent.objects.filter(subject__client__in=cards).values_list("subject__client", flat=True))
    said = [
        consent.Said(card, fold.ALL_MARKETING, fold.ANY_CHANNEL, "expire", ConsentEvent.Source.RETENTION_JOB)
        for card in cards
        if card.pk in theirs
    ]
    consent.record_many(said, now=now)


def _kept(ids: Collection[int], stops: Sequence[tuple[str, str]], now: dt.datetime) -> list[dict[str, Any]]:
    """Return what stays without the person: a code, how much, and until when (nothing: no day is set)."""
    events = ConsentEvent.objects.filter(subject__client__in=ids).count()
    until = lengths.after(now.date(), lengths.months("ledger")).isoformat()
    lines = [
        {"what": table.label, "count": len(pks), "until": None}
        for table in schema.tables()
        if table.fate is Fate.EMPTIED and table.model is not Client and (pks := table.of(ids))
    ]
    return [
        *lines,
        *([{"what": "ledger", "count": events, "until": until}] if events else []),
        *([{"what": "marks", "count": len(stops), "until": None}] if stops else []),
    ]


def finish(now: dt.datetime) -> bool:
    """Do what comes after the commit: ask providers, write the file anew. Return whether nothing of ours is left to do."""
    late, last = above.glean(), Erasure.objects.order_by("-at", "-pk").first()
    if late and last is not None:
        outside.note(last, late, now=now)
        Erasure.objects.filter(pk=last.pk).update(wiped_at=None)
    outside.work(now)
    return wiping.wipe(now)
