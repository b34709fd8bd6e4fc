"""Campaigns: advertising that somebody sends by hand, to one client or to many. With `carrying` the only writer of Campaign.

`send`, `stop` and `resume` are called by the pages; what the planner does is in `carrying`. The gate decides on each
message again when it leaves.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.models import Client
from clients.selection import ACT_MOST
from notifications import audience, chosen, daysoff, filling, kinds, outbox, smsaccount
from notifications.audience import Seat
from notifications.models import Campaign, State
from salon.core import audit, bell, public, states
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.templatetags.house import as_time, as_weekday

_WAITING, _RUNNING, _DONE, _STOPPED = Campaign.State.WAITING, Campaign.State.RUNNING, Campaign.State.DONE, Campaign.State.STOPPED
TABLE = states.Table(
    {
        _WAITING: frozenset({_RUNNING, _STOPPED}),
        _RUNNING: frozenset({_DONE, _STOPPED}),
        _DONE: frozenset(),
        _STOPPED: frozenset({_WAITING, _RUNNING}),
    }
)
OPEN = (_WAITING, _RUNNING)
# What one act from the list takes.
LIMIT = ACT_MOST
# So many are written down at once; of more the planner does it.
HERE_MOST = 200
HALTED = chosen.HALTED
# How long one can be undone before the first message leaves.
UNDO_WAIT = kinds.TABLE["promotion"].waits
# How far ahead one may be sent.
AHEAD_MOST = dt.timedelta(days=90)
# What has not left by then is no news any more.
LASTS = dt.timedelta(days=3)


@dataclass(frozen=True)
class Words:
    """What somebody wrote. In all but the day {first_name} and {salon} stand for themselves."""

    title: str
    text: str
    valid_until: dt.date | None = None
    conditions: str = ""
    channel: str = "email"

    def draft(self, kind: str = "promotion") -> Campaign:
        """Return a campaign with these words that is not saved: to ask about, and to show."""
        values = {"title": self.title, "text": self.text, "valid_until": self.valid_until, "conditions": self.conditions}
        return Campaign(kind=kind, channel=self.channel, **values)


def send(
    *,
    clients: Sequence[Client],
    words: Words,
    key: str,
    by: User,
    now: dt.datetime,
    expected: int | None = None,
    at: dt.datetime | None = None,
    is_by_habit: bool = False,
) -> Campaign:
    """Write a campaign down for those of `clients` who may get it, with why the others do not, and return it.

    The first message leaves after the wait for Undo, in the morning if that is at night, or at `at`. Of more than HERE_MOST
    the planner writes down who is chosen. `is_by_habit`: they were found by what they did. The same `key` of the same user
    gives the campaign it made the first time. Raises Refused without a public address or, for SMS, an open account, for
    words with a brace of their own, for nobody or too many chosen, for an hour at which no advertising leaves, for nobody
    who may get it, and where it would be another number of people than the `expected` one shown.
    """
    if (known := _made_by(key, by)) is not None:
        return known
    salon, draft = Salon.objects.current(), words.draft()
    draft.is_by_habit = is_by_habit
    _check(words, len(clients), salon)
    draft.created_at = now
    draft.not_before = _begins(draft, salon, at, now)
    draft.expires_at = _ends(draft.valid_until, salon, now if draft.not_before == now + UNDO_WAIT else draft.not_before)
    seats = audience.look(clients, draft, salon, at or now)
    count = sum(seat.is_in for seat in seats)
    if not count:
        raise Refused(_("None of them may get it."))
    if expected is not None and count != expected:
        raise Refused(
            ngettext(
                "Meanwhile something changed: %(count)s client would get it now. Look again, then send.",
                "Meanwhile something changed: %(count)s clients would get it now. Look again, then send.",
                count,
            )
            % {"count": count}
        )
    draft.meant_count = count
    return _write(draft, seats, key=key, by=by)


def _made_by(key: str, by: User) -> Campaign | None:
    known = Campaign.objects.filter(key=key).first()
    if known is not None and known.created_by_id != by.pk:
        raise Refused(_("This form was used already. Open it anew."))
    return known


def _check(words: Words, count: int, salon: Salon) -> None:
    if not public.has_address(salon):
        raise Refused(_("The salon needs a public address first: the link to stop must work on the client's phone."))
    if words.channel == smsaccount.CHANNEL and not smsaccount.is_open():
        raise Refused(_("SMS are switched off in the salon.") if smsaccount.account() else _("No SMS account is entered yet."))
    if any(filling.fault(text) for text in (words.title, words.text, words.conditions)):
        raise Refused(_("Only {first_name} and {salon} can stand in braces."), "text")
    if not 0 < count <= LIMIT:
        raise Refused(_("Choose 1 to %(limit)s clients.") % {"limit": LIMIT})


_OF_DRAFT = (
    "kind", "channel", "title", "text", "valid_until", "conditions", "created_at", "not_before", "expires_at", "meant_count",
    "is_by_habit",
)  # fmt: skip


@transaction.atomic
def _write(draft: Campaign, seats: Sequence[Seat], *, key: str, by: User) -> Campaign:
    is_here = len(seats) <= HERE_MOST
    values = {name: getattr(draft, name) for name in _OF_DRAFT}
    values |= {"created_by": by, "todo": [] if is_here else [seat.client.pk for seat in seats]}
    campaign, is_new = Campaign.objects.get_or_create(key=key, defaults=values)
    if not is_new:  # the same form at the same moment
        return campaign
    if is_here:
        chosen.write(campaign, seats)
    audit.record(
        "campaign.sent", campaign, by=by, kind=campaign.kind, clients_count=len(seats), chosen_count=campaign.meant_count
    )
    bell.ring()
    return campaign


def begins(draft: Campaign, salon: Salon, now: dt.datetime) -> dt.datetime:
    """Return when the first message leaves if somebody sends at `now`: after the wait for Undo, and not at night."""
    ready = now + UNDO_WAIT
    try:
        return _first(draft, salon, ready)
    except LookupError:  # a country without a calendar: the gate lets nothing leave there, and says so of each
        return ready


def _first(draft: Campaign, salon: Salon, at: dt.datetime) -> dt.datetime:
    """Return the first instant at or after `at` at which advertising may leave on the draft's channel."""
    hours = kinds.TABLE[draft.kind].hours[draft.channel]
    return hours.first(at, salon.zone, daysoff.for_hours(hours, salon.country, salon.region, at))


def _begins(draft: Campaign, salon: Salon, at: dt.datetime | None, now: dt.datetime) -> dt.datetime:
    """Return when the first message leaves. Raises Refused for an `at` that is no time to send advertising."""
    if at is None:
        first = begins(draft, salon, now)
        if _ends(draft.valid_until, salon, first) <= first:
            raise Refused(_("The offer is over before advertising may leave again."), "valid_until")
        return first
    if not now < at <= now + AHEAD_MOST:
        raise Refused(_("Choose a time to come, at most %(days)s days ahead.") % {"days": AHEAD_MOST.days}, "leave_on")
    first = _first(draft, salon, at)
    if first != at:
        words = _("No advertising leaves at that hour. The next time is %(day)s, %(time)s.")
        raise Refused(words % {"day": as_weekday(first), "time": as_time(first)}, "leave_at")
    if _ends(draft.valid_until, salon, at) <= at:
        raise Refused(_("The offer is over by then."), "leave_on")
    return at


def _ends(valid_until: dt.date | None, salon: Salon, now: dt.datetime) -> dt.datetime:
    """Return until when a message may leave: for some days, and not when the offer is over."""
    if valid_until is None:
        return now + LASTS
    over = dt.datetime.combine(valid_until + dt.timedelta(days=1), dt.time(), salon.zone).astimezone(dt.UTC)
    return min(now + LASTS, over)


@transaction.atomic
def stop(campaign: Campaign, *, by: User, now: dt.datetime) -> int:
    """Stop a campaign and return how many messages will not leave now. One that was handed over cannot be called back.

    Raises Refused when it is over. Locks the campaign, as the planner does, so that no message is written afterwards.
    """
    row = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if not states.move(row, TABLE, to=_STOPPED, ended_at=now):
        raise Refused(_("This is over already. Nothing is left to stop."))
    count = _still_to_write(row) + outbox.cancel(row.messages.all(), reason=HALTED, now=now)
    audit.record("campaign.stopped", row, by=by, kind=row.kind, stopped_count=count)
    campaign.state = row.state
    return count


@transaction.atomic
def resume(campaign: Campaign, *, by: User, now: dt.datetime) -> int:
    """Let a stopped campaign go on, and return how many messages may leave now. Nobody who had it gets it again.

    What the stop took back waits again where it is still wanted; what left stays what it is, and the address is counted at
    each hand-over. Raises Refused when it is not stopped, too late, or nothing is left of it.
    """
    row = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if row.state != _STOPPED:
        raise Refused(_("This is not stopped."))
    if row.expires_at <= now:
        raise Refused(_("It is too late for this promotion. Write a new one."))
    states.move(row, TABLE, to=_WAITING if row.not_before > now else _RUNNING, ended_at=None)
    chosen.revive(row)
    count = _still_to_write(row) + row.messages.filter(state=State.PENDING).count()
    if not count:
        raise Refused(_("Nothing is left to send."))
    audit.record("campaign.resumed", row, by=by, kind=row.kind, count=count)
    bell.ring()
    campaign.state = row.state
    return count


def _still_to_write(row: Campaign) -> int:
    count = chosen.unwritten(row).count()
    return count + (max(row.meant_count - row.recipients.filter(reason="").count(), 0) if row.todo else 0)


def clear_alone(ids: Collection[int]) -> int:
    """Empty the words of campaigns that went to one of these clients alone, as they speak to that person; return how many."""
    theirs = Campaign.objects.filter(recipients__client__in=ids).values("pk")
    alone = Campaign.objects.filter(pk__in=theirs).annotate(count=Count("recipients")).filter(count=1, todo=[])
    rows = Campaign.objects.filter(pk__in=list(alone.values_list("pk", flat=True))).exclude(title="", text="", conditions="")
    return rows.update(title="", text="", conditions="")
