"""Deleting a client: hidden at once and erased after 30 days, or erased at once when they ask. Bringing back until the day.

Called by the pages, the worker and `manage.py erase_due`. The erasure itself is `clients.erasure.act`.
"""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from clients import bookings, inactivity
from clients.erasure import above, act, schema, settling
from clients.models import Client, Deletion, Erasure, RightsRequest
from salon.core import audit, bell
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.tries import once_more

log = logging.getLogger(__name__)
GRACE = dt.timedelta(days=30)
# After a restore: time to bring back once more who had been.
PUT_OFF = dt.timedelta(days=7)
# How long a cancellation that the client is to get may take before they are hidden without it: a night, since none leaves then.
TELL_WITHIN = dt.timedelta(hours=12)


@once_more
@transaction.atomic
def delete(
    client: Client,
    *,
    is_asked: bool,
    is_notice_wanted: bool,
    by: User,
    now: dt.datetime,
    known_by: str = "",
    is_at_once: bool = False,
    may_cancel: bool = True,
) -> Deletion:
    """Cancel the visits to come, hide the card and return when it is erased.

    `is_asked`: the client asked for it, so it is erased at once, by `carry_out`; `is_at_once`: so the salon wants it.
    `is_notice_wanted`: the client is told of the visits first, and is hidden when that has left or after twelve hours; never
    one whose card is inactive, to whom nothing is sent. Without `may_cancel` a card with a visit to come is refused.
    `known_by` is how it was made sure that it is they who ask (RightsRequest.Known). Raises Refused for one who is gone,
    being deleted already or restricted, and where nobody says how they were known; then no visit is cancelled either.
    """
    if is_asked and known_by not in RightsRequest.Known.values:
        raise Refused(_("Say how you know that it is the client who asks."), "known_by")
    # The card first, then its visits, as a hand-over, a merge and an erasure take them: a visit that somebody books meanwhile
    # waits and is refused. All of it or nothing: no visit is cancelled for a card that stays.
    card = Client.objects.select_for_update().get(pk=client.pk)
    _check(card)
    is_ahead, is_heard = bool(bookings.ahead_of([card.pk], now=now)), is_notice_wanted and card.inactive_at is None
    if is_ahead and not may_cancel:
        raise Refused(_("A visit was booked meanwhile. Look again."))
    is_telling = is_heard and is_ahead
    cancelled = bookings.cancel_all(card, by=by, now=now, is_notice_wanted=is_heard)
    today = _today(now)
    row = Deletion.objects.create(
        client=card, is_asked=is_asked, erase_on=today if is_asked or is_at_once else today + GRACE, by=by, created_at=now,
        waits_until=now + TELL_WITHIN if is_telling else None,
        was_inactive=card.inactive_at is not None, reason_before=card.inactive_reason, cancelled=cancelled,
    )  # fmt: skip
    if is_asked:
        RightsRequest.objects.create(
            client=card, kind=RightsRequest.Kind.ERASURE, received_on=today, known_by=known_by, by=by, created_at=now
        )
    audit.record("client.deleted", card, by=by, is_asked=is_asked, is_telling=is_telling)
    if is_telling:
        rests_until = max(now + TELL_WITHIN, card.marketing_paused_until or now)
        Client.objects.filter(pk=card.pk).update(marketing_paused_until=rests_until)
    else:
        _hide(card, by=by, now=now)
    bell.ring(bell.ERASURES)
    return row


def _check(card: Client) -> None:
    if card.erased_at is not None or Deletion.objects.filter(client=card).exists():
        raise Refused(_("This client is being deleted already."))
    if card.restricted_at is not None:
        raise Refused(_("This card is restricted: it is only kept until that ends."))


@dataclass(frozen=True)
class Back:
    """A card that was brought back, and how it went with each visit that was cancelled when it was deleted."""

    client: Client
    visits: Sequence[bookings.Returned]


@once_more
@transaction.atomic
def bring_back(row: Deletion, *, by: User, now: dt.datetime) -> Back:
    """Return the card, as it was before it was deleted, and its cancelled visits where their time is free.

    All of it or nothing: what is needed for the visits goes with the row. Raises Refused once its day has come, or where
    the client asked.
    """
    card = Client.objects.select_for_update().get(pk=row.client_id)
    row = _current(row)
    if is_late(row, now):
        raise Refused(_("It is too late: this client is being erased."))
    row.delete()
    if card.inactive_at is not None and not row.was_inactive:
        card = inactivity.make_active(card, by=by, now=now)
    elif row.was_inactive:
        card.inactive_reason = row.reason_before
        card.save(update_fields=["inactive_reason"])
    audit.record("client.brought_back", card, by=by)
    return Back(card, bookings.put_back(row.cancelled, by=by, now=now))


@transaction.atomic
def hasten(row: Deletion, *, by: User, now: dt.datetime) -> Deletion:
    """Have a hidden client erased now and not on their day, and return the row; `work` does it. Raises Refused for one gone."""
    Client.objects.select_for_update().get(pk=row.client_id)
    row = _current(row)
    row.erase_on, row.waits_until = _today(now), None
    row.save(update_fields=["erase_on", "waits_until"])
    audit.record("client.deletion_hastened", row.client, by=by)
    return row


def work(now: dt.datetime) -> int:
    """Hide who has been told, erase whose day has come, and return how many were erased. What goes wrong is tried again.

    First the journal is told how those ended that a killed process left open (`erasure.settling`).
    """
    try:
        settling.settle()
    except Exception as error:  # noqa: BLE001 (a journal that cannot be read must not keep anybody)
        log.warning("journal of erasures: %s, tried again later", type(error).__name__)
    count = 0
    for row in _open(now):
        if row.waits_until is not None and not _is_told(row, now):
            continue
        try:
            if row.waits_until is not None:
                _end_the_wait(row, now)
            count += row.erase_on <= _today(now) and carry_out(row, now=now) is not None
        except Exception as error:  # noqa: BLE001 (one that cannot be erased must not keep the others)
            log.warning("deletion %s: %s, tried again later", row.pk, type(error).__name__)
    return count


def put_off(now: dt.datetime) -> int:
    """Put off for a week what is to be erased sooner without the client having asked, and return how many: after a restore.

    A card that somebody had brought back is to be deleted again there, and its day may be over.
    """
    day = _today(now) + PUT_OFF
    return Deletion.objects.filter(is_asked=False, erase_on__lt=day).update(erase_on=day)


def carry_out(row: Deletion, *, now: dt.datetime) -> Erasure | None:
    """Erase the client of a deletion whose day has come and return what is written down.

    None for one who was brought back, or is restricted. Raises as `act.erase` does.
    """
    ground = Erasure.Ground.ASKED if row.is_asked else Erasure.Ground.TIDYING
    still = Deletion.objects.filter(pk=row.pk, client__restricted_at=None).exists
    return act.erase(row.client, ground=ground, by=row.by, now=now, still=still)


def of(client: Client) -> Deletion | None:
    """Return the deletion of a card that is being deleted, None for any other."""
    return Deletion.objects.filter(client=client).select_related("by").first()


def is_waiting(row: Deletion) -> bool:
    """Return whether a cancellation is still to reach the client."""
    return row.waits_until is not None


def is_late(row: Deletion, now: dt.datetime) -> bool:
    """Return whether the day has come, so that nobody brings the card back any more."""
    return row.is_asked or row.erase_on <= _today(now)


def _open(now: dt.datetime) -> Sequence[Deletion]:
    due = Q(erase_on__lte=_today(now)) | Q(waits_until__isnull=False)
    return list(Deletion.objects.filter(due).select_related("client", "by").order_by("pk"))


def _is_told(row: Deletion, now: dt.datetime) -> bool:
    """Return whether the client was told, or it has taken too long. The planner has had its turn once a message exists."""
    if row.waits_until is None or row.waits_until <= now:
        return True
    is_young = now - row.created_at < dt.timedelta(minutes=1)
    return not is_young and not above.is_telling(schema.cards_of(row.client), now)


@transaction.atomic
def _end_the_wait(row: Deletion, now: dt.datetime) -> None:
    card = Client.objects.select_for_update().get(pk=row.client_id)
    row = _current(row)
    Deletion.objects.filter(pk=row.pk).update(waits_until=None)
    _hide(card, by=row.by, now=now)


def _hide(card: Client, *, by: User | None, now: dt.datetime) -> None:
    if card.inactive_at is None:
        inactivity.make_inactive(card, reason=Client.DELETING, by=by, now=now)
    else:
        card.inactive_reason = Client.DELETING
        card.save(update_fields=["inactive_reason"])


def _current(row: Deletion) -> Deletion:
    """Return the row as it is now, its card being locked. Raises Refused if the client was brought back or erased meanwhile."""
    found = Deletion.objects.filter(pk=row.pk).select_related("client").first()
    if found is None:
        raise Refused(_("Somebody was quicker: look at the list again."))
    return found


def _today(now: dt.datetime) -> dt.date:
    return now.astimezone(Salon.objects.current().zone).date()
