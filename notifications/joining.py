"""What becomes of the messages of two cards that are made one, and of an undo: nobody is told a thing twice, nothing is lost.

Registered with the merge when the app starts; called with the cards locked. A row keeps its place in the history, and the
one that says most keeps the plain occasion: by it the planner knows that a thing is said.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Exists, F, Model, OuterRef
from django.db.models.functions import Greatest

from clients.merging import pointers, snapshots
from clients.merging.pointers import ByHand, Joining
from notifications import outbox, stopping
from notifications.models import CampaignRecipient, Message, State
from notifications.plans import ReminderException

DUPLICATE = "merged_duplicate"
_WAITING = (State.PENDING, State.CLAIMED, State.HELD)
_BY_HAND = (stopping.REASON, stopping.REASON_HELD)


def register() -> None:
    """Say what a merge does with messages and with the chosen of a campaign."""
    pointers.register(Message, ByHand(_join_messages, _part_messages))
    # Who gets a campaign before who was left out; who does not want a reminder before who does.
    pointers.register(CampaignRecipient, _one_each(CampaignRecipient, "campaign", lambda row: not row.address_hmac))
    pointers.register(ReminderException, _one_each(ReminderException, "time", lambda row: row.is_on))


def _join_messages(joining: Joining) -> dict[str, Any]:
    """Let one of two rows that say the same stand for both, and take from senders what they prepare for a card that goes."""
    _let_go(joining)
    kept: dict[str, Any] = {"renamed": {}, "cancelled": {}}
    for rows in _same(joining):
        first, *others = sorted(rows, key=lambda row: (_rank(row), joining.cards.index(row.client_id or 0), row.pk))
        for row in others:
            kept["renamed"][row.pk] = row.occasion
            suffix = f":merged{row.pk}"
            Message.objects.filter(pk=row.pk).update(occasion=row.occasion[: 80 - len(suffix)] + suffix)
            if row.state in _WAITING:
                kept["cancelled"][row.pk] = [_resting(row), row.reason, first.pk, first.state in outbox.TOLD]
                _cancel(row, joining)
    return kept


def _part_messages(joining: Joining, kept: dict[str, Any]) -> None:
    """Give rows their occasion back, and let wait again what was cancelled: not what the joined person was told since."""
    _let_go(joining)
    for pk, occasion in kept["renamed"].items():
        row = Message.objects.filter(pk=pk).first()
        if row is not None and not Message.objects.filter(kind=row.kind, client=row.client_id, occasion=occasion).exists():
            Message.objects.filter(pk=pk).update(occasion=occasion)
    for pk, (state, reason, twin, was_told) in kept["cancelled"].items():
        told = Message.objects.filter(pk=twin, state__in=outbox.TOLD)
        if not was_told and told.exists():
            continue
        waiting = {"state": State.PENDING, "reason": reason, "settled_at": None}
        is_back = Message.objects.filter(pk=pk, state=State.CANCELLED, reason=DUPLICATE).update(**waiting)
        if is_back and state == State.HELD:
            Message.objects.filter(pk=pk, state=State.PENDING).update(state=State.HELD)


def _same(joining: Joining) -> Iterable[list[Message]]:
    """Return the rows of different cards that say the same thing, in groups."""
    twin = Message.objects.filter(client__in=joining.cards, kind=OuterRef("kind"), occasion=OuterRef("occasion"))
    rows = Message.objects.filter(Exists(twin.exclude(pk=OuterRef("pk"))), client__in=joining.cards)
    groups: defaultdict[tuple[str, str], list[Message]] = defaultdict(list)
    for row in rows.only("pk", "client", "kind", "occasion", "state", "reason").order_by("pk"):
        groups[row.kind, row.occasion].append(row)
    return groups.values()


def _rank(row: Message) -> int:
    """Return how much a row says: told, stopped by a person, waiting, ended without a word."""
    if row.state in outbox.TOLD:
        return 0
    if row.state == State.CANCELLED and row.reason in _BY_HAND:
        return 1
    return 2 if row.state in _WAITING else 3


def _resting(row: Message) -> str:
    return State.HELD if row.state == State.HELD else State.PENDING


def _cancel(row: Message, joining: Joining) -> None:
    ended = {"state": State.CANCELLED, "reason": DUPLICATE, "settled_at": joining.now, "lease_token": None, "lease_until": None}
    Message.objects.filter(pk=row.pk, state__in=_WAITING).update(**ended)


def _let_go(joining: Joining) -> None:
    """Take from senders what they prepare: their hand-over waits for the lock of the client, and then finds it is not its own."""
    claimed = Message.objects.filter(client__in=joining.cards, state=State.CLAIMED)
    claimed.update(state=State.PENDING, lease_token=None, lease_until=None, claim_count=Greatest(F("claim_count") - 1, 0))


def _one_each(model: type[Model], of: str, last: Callable[[Any], bool]) -> ByHand:
    """Leave one row of the joined cards for each `of`: one for which `last` is true goes first, then those of later cards."""

    def join(joining: Joining) -> list[dict[str, Any]]:
        gone, known = [], set[int]()
        rows: list[Any] = list(model._default_manager.filter(client__in=joining.cards))
        rows.sort(key=lambda row: (last(row), joining.cards.index(row.client_id or 0)))
        for row in rows:
            if getattr(row, f"{of}_id") in known:
                gone.append(snapshots.row(row))
                row.delete()
            known.add(getattr(row, f"{of}_id"))
        return gone

    def part(_joining: Joining, gone: list[dict[str, Any]]) -> None:
        for row in gone:
            if not model._default_manager.filter(**{name: row["fields"][name] for name in (of, "client")}).exists():
                snapshots.put_back([row])

    return ByHand(join, part)
