"""Pulls what should be said out of the book: wanted minus existing, set-based, and takes back what is not wanted any more.

Called every few seconds by the task and by `manage.py plan`. Idempotent: after an outage it simply catches up, but
writes nothing that makes no sense any more. It only fills the outbox; whether a message may leave is the gate's.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, CharField, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, Greatest
from django.utils import timezone

from appointments.models import STANDS, Appointment, AppointmentQuerySet
from appointments.models import State as VisitState
from clients.models import Standing
from notifications import campaigns, facts, heartbeats, kinds, optin, outbox, readdressing, stopping, ways
from notifications.kinds import Kind, Wanted
from notifications.models import Campaign, Message, State, Trigger
from salon.core.models import Salon

# How far back a booking, a move or a cancellation is still news.
NEWS_FOR = dt.timedelta(days=14)
# Why a message was taken back by us, or by the gate for a reason that the planner sees as well.
REVIVABLE = (
    "cancelled", "undone", "over", "moved", "not_wanted", "inactive", "restricted", "client_refused", "no_address",
    "automation_off",
)  # fmt: skip

Visits = AppointmentQuerySet


@dataclass(frozen=True)
class Wish:
    """Visits to speak of in one kind of message, and when at the earliest. `occasion` names the thing said."""

    visits: Visits
    occasion: Any
    not_before: Any


def plan(now: dt.datetime) -> Counter[str]:
    """Bring the outbox in line with the book and return counts by kind of change. Safe to run twice, or two at once."""
    counts: Counter[str] = Counter()
    salon = Salon.objects.filter(pk=1).first()
    if salon is None:
        return counts
    switches = facts.switches()
    counts["cancelled"] += _take_back(switches, now)
    refused = defaultdict(list)
    for message in readdressing.failed(now):
        refused[message.kind].append(message)
    for name, wishes in RULES.items():
        kind, trigger = kinds.TABLE[name], switches[name]
        if not trigger.is_on:
            continue
        for wish in wishes(trigger, salon.zone, now):
            for channel, reachable in ways.split(wish.visits, kind):
                visits: Any = _unstopped(reachable, kind).annotate(occasion=wish.occasion)
                counts["revived"] += outbox.revive(_undone(visits, kind), channel=channel)
                counts[name] += _put(visits, kind, channel, wish, now)
                for message in refused[name]:
                    again = visits.filter(pk=message.appointment_id, occasion=readdressing.occasion_of(message))
                    occasion = Value(readdressing.next_occasion(message), output_field=CharField())
                    counts[name] += _put(again.annotate(occasion=occasion), kind, channel, wish, now)
    counts += campaigns.plan(now)
    counts += optin.plan(now)
    heartbeats.beat("planner", timezone.now())
    return +counts


def _put(visits: Visits, kind: Kind, channel: str, wish: Wish, now: dt.datetime) -> int:
    said = Message.objects.filter(kind=kind.name, client_id=OuterRef("client_id"), occasion=OuterRef("occasion"))
    return outbox.put(
        visits.filter(~Exists(said)),
        kind=kind.name,
        channel=channel,
        now=now,
        said={
            "client_id": F("client_id"),
            "appointment_id": F("pk"),
            "campaign_id": None,
            "occasion": F("occasion"),
            "time_version": F("time_version"),
            "told_start_at": F("start_at"),
            "not_before": wish.not_before,
            "expires_at": F("start_at") - kind.margin if kind.margin else F("start_at"),
        },
    )


def _undone(visits: Any, kind: Kind) -> "QuerySet[Message]":
    """Return the messages taken back earlier that are wanted again, and that no provider can have."""
    ended = Message.objects.filter(
        Q(reason__in=REVIVABLE) | readdressing.suppressed(),
        kind=kind.name, state__in=[State.CANCELLED, State.SUPPRESSED], handoff_at=None, resend_of=None,
    )  # fmt: skip
    again = visits.filter(pk=OuterRef("appointment_id"), client_id=OuterRef("client_id"), occasion=OuterRef("occasion"))
    return ended.filter(Exists(again))


def _unstopped(visits: Visits, kind: Kind) -> Visits:
    """Leave out the visits of which somebody stopped this kind of message by hand, unless they begin at another time now."""
    by_hand = Message.objects.filter(
        kind=kind.name, appointment=OuterRef("pk"), told_start_at=OuterRef("start_at"),
        state=State.CANCELLED, reason__in=[stopping.REASON, stopping.REASON_HELD],
    )  # fmt: skip
    return visits.filter(~Exists(by_hand))


# --- what should be said ------------------------------------------------------------------------------------------


def _news(trigger: Trigger, now: dt.datetime, when: str) -> Any:
    """Return the visits ahead with news for the client, annotated with what the client was told last (told_…)."""
    since = max(now - NEWS_FOR, trigger.switched_on_at or now - NEWS_FOR)
    told = Message.objects.filter(appointment=OuterRef("pk"), state__in=outbox.TOLD).order_by("-handoff_at", "-pk")
    news: Visits = Appointment.objects.filter(**{f"{when}__gte": since}, is_notice_wanted=True, start_at__gt=now)
    return news.annotate(
        told_id=Subquery(told.values("pk")[:1]),
        told_kind=Subquery(told.values("kind")[:1]),
        told_start_at=Subquery(told.values("told_start_at")[:1]),
    )


def _occasion(*parts: Any) -> Any:
    texts = [Cast(part, CharField()) for part in parts]
    joined = [piece for text in texts for piece in (Value(":"), text)][1:]
    return Concat(*joined, output_field=CharField())


def _confirmations(trigger: Trigger, zone: ZoneInfo, now: dt.datetime) -> Iterator[Wish]:
    visits = _news(trigger, now, "time_set_at").standing().filter(told_id=None)
    yield Wish(visits, _occasion("pk", "time_version"), F("time_set_at") + kinds.UNDO_WAIT)


def _changes(trigger: Trigger, zone: ZoneInfo, now: dt.datetime) -> Iterator[Wish]:
    """Yield the visits of which the client was told something else: another time, or that they were cancelled."""
    visits = _news(trigger, now, "time_set_at").standing().filter(told_id__isnull=False)
    visits = visits.exclude(~Q(told_kind="cancellation"), told_start_at=F("start_at"))
    # After what was told last, so that a visit cancelled, told and reinstated can be told again.
    yield Wish(visits, _occasion("pk", "time_version", "told_id"), F("time_set_at") + kinds.UNDO_WAIT)


def _cancellations(trigger: Trigger, zone: ZoneInfo, now: dt.datetime) -> Iterator[Wish]:
    visits = _news(trigger, now, "cancelled_at").filter(state=VisitState.CANCELLED)
    visits = visits.exclude(told_id__isnull=False, told_kind="cancellation")
    yield Wish(visits, _occasion("pk", "time_version", Coalesce("told_id", 0)), F("cancelled_at") + kinds.UNDO_WAIT)


def _reminders(trigger: Trigger, zone: ZoneInfo, now: dt.datetime) -> Iterator[Wish]:
    """Yield, for each local day whose reminder is due by `now`, the visits of that day that can still be reminded of."""
    kind = kinds.TABLE["reminder"]
    told = Message.objects.filter(
        kind="reminder", appointment=OuterRef("pk"), told_start_at=OuterRef("start_at"), state__in=outbox.TOLD
    )
    today = now.astimezone(zone).date()
    for offset in range(trigger.days_before + 2):
        on = today + dt.timedelta(days=offset)
        day = Appointment.objects.standing().filter(start_at__gt=now + kind.margin, **_of_day(on, zone))
        due = reminder_due(on, trigger, zone)
        late = Q(time_set_at__lte=due) | Q(start_at__gte=F("time_set_at") + kinds.REMINDER_LATE_BOOKING)
        for visits, leaves_at in _in_hours(day.filter(late), due, kind, zone):
            if leaves_at <= now:
                not_before = Greatest(F("time_set_at") + kind.waits, Value(leaves_at, output_field=DateTimeField()))
                yield Wish(visits.filter(~Exists(told)), _occasion("pk", "time_version", Value(trigger.days_before)), not_before)


def reminder_due(on: dt.date, trigger: Trigger, zone: ZoneInfo) -> dt.datetime:
    """Return when the reminder of a visit on the local day `on` is due: so many days before, at the wall time.

    A wall time that the clocks skip is taken after the gap; one that comes twice is the first.
    """
    at = trigger.at if isinstance(trigger.at, dt.time) else dt.time.fromisoformat(trigger.at)
    return dt.datetime.combine(on - dt.timedelta(days=trigger.days_before), at, zone).astimezone(dt.UTC)


def leaves_at(visit: Appointment, trigger: Trigger, zone: ZoneInfo) -> dt.datetime:
    """Return when the reminder of this visit leaves, quiet hours and Undo considered; it may lie in the past."""
    kind = kinds.TABLE["reminder"]
    due = reminder_due(visit.start_at.astimezone(zone).date(), trigger, zone)
    hours = kind.hours[kind.channels[0]]
    opens = hours.first(due, zone)
    in_hours = opens if opens + kind.margin <= visit.start_at else hours.last(due, zone)
    return max(in_hours, visit.time_set_at + kind.waits)


def is_early_enough(visit: Appointment, trigger: Trigger, zone: ZoneInfo) -> bool:
    """Return whether the visit was booked or moved early enough to be reminded of at all."""
    due = reminder_due(visit.start_at.astimezone(zone).date(), trigger, zone)
    return visit.time_set_at <= due or visit.start_at >= visit.time_set_at + kinds.REMINDER_LATE_BOOKING


def _in_hours(visits: Visits, due: dt.datetime, kind: Kind, zone: ZoneInfo) -> Iterator[tuple[Visits, dt.datetime]]:
    """Yield the visits with the instant at which their message leaves, out of the quiet hours.

    A message that would wait until too close to the visit leaves before the quiet hours instead.
    """
    hours = kind.hours[kind.channels[0]]
    opens = hours.first(due, zone)
    if opens == due:
        yield visits, due
        return
    yield visits.filter(start_at__gte=opens + kind.margin), opens
    yield visits.filter(start_at__lt=opens + kind.margin), hours.last(due, zone)


def _of_day(on: dt.date, zone: ZoneInfo) -> dict[str, dt.datetime]:
    """Return the filter for visits that begin on the local day `on`, however many hours it has."""
    midnight, next_midnight = (
        dt.datetime.combine(day, dt.time(0), zone).astimezone(dt.UTC) for day in (on, on + dt.timedelta(days=1))
    )
    return {"start_at__gte": midnight, "start_at__lt": next_midnight}


RULES: Mapping[str, Callable[[Trigger, ZoneInfo, dt.datetime], Iterator[Wish]]] = {
    "cancellation": _cancellations,
    "confirmation": _confirmations,
    "change": _changes,
    "reminder": _reminders,
}

# --- what should not be said any more -----------------------------------------------------------------------------


def _take_back(switches: Mapping[str, Trigger], now: dt.datetime) -> int:
    """Cancel every waiting message that is not wanted any more, each with its reason, and return how many."""
    waiting = Message.objects.filter(state__in=[State.PENDING, State.HELD])
    found: defaultdict[str, list[int]] = defaultdict(list)
    for pk, reason in waiting.annotate(against=_against(switches)).exclude(against="").values_list("pk", "against"):
        found[reason].append(pk)
    count = 0
    for reason, ids in found.items():
        for start in range(0, len(ids), 500):
            count += outbox.cancel(Message.objects.filter(pk__in=ids[start : start + 500]), reason=reason, now=now)
    return count


def _against(switches: Mapping[str, Trigger]) -> Case:
    """Return the expression for why a waiting message is not wanted any more, "" if it is. In the gate's order."""
    of = {wanted: [kind.name for kind in kinds.TABLE.values() if kind.wanted == wanted] for wanted in Wanted}
    off = [name for name, trigger in switches.items() if not trigger.is_on]
    marketing = [kind.name for kind in kinds.TABLE.values() if kind.is_marketing]
    stands, cancelled = Q(kind__in=of[Wanted.STANDS]), Q(kind__in=of[Wanted.CANCELLED])
    return Case(
        When(client__erased_at__isnull=False, then=Value("erased")),
        When(client__restricted_at__isnull=False, then=Value("restricted")),
        When(client__inactive_at__isnull=False, then=Value("inactive")),
        When(Q(client=None) | Q(~Q(kind__in=of[Wanted.ALWAYS]), appointment=None), then=Value("gone")),
        When(stands & Q(appointment__state=VisitState.CANCELLED), then=Value("cancelled")),
        When(stands & ~Q(appointment__state__in=STANDS), then=Value("over")),
        When(cancelled & ~Q(appointment__state=VisitState.CANCELLED), then=Value("undone")),
        When(~Q(kind__in=of[Wanted.ALWAYS]) & ~Q(appointment__time_version=F("time_version")), then=Value("moved")),
        When(Q(campaign__state=Campaign.State.STOPPED), then=Value(stopping.REASON)),
        When(Q(client__email="", channel="email") | Q(client__phone="", channel="sms"), then=Value("no_address")),
        *(_against_consent(kind) for kind in kinds.TABLE.values()),
        When(Q(kind__in=marketing, client__blacklisted_at__isnull=False), then=Value("blacklisted")),
        When(Q(kind__in=_ON_NOTICE, resend_of=None, appointment__is_notice_wanted=False), then=Value("not_wanted")),
        When(Q(kind__in=off, resend_of=None), then=Value("automation_off")),
        default=Value(""),
        output_field=CharField(),
    )


_ON_NOTICE = ("confirmation", "change", "cancellation")


def _against_consent(kind: Kind) -> When:
    """Return when the client's answer stands against a kind: without a Yes to advertising, with a No to the rest."""
    answers = Standing.objects.filter(client_id=OuterRef("client_id"), purpose=kind.purpose, channel=OuterRef("channel"))
    if kind.is_marketing:
        return When(Q(kind=kind.name) & ~Exists(answers.filter(state=Standing.State.GRANTED)), then=Value("consent_missing"))
    return When(Q(kind=kind.name) & Exists(answers.filter(state=Standing.State.WITHDRAWN)), then=Value("client_refused"))
