"""Pulls what should be said out of the book: wanted minus existing, set-based, and takes back what is not wanted any more.

Called every few seconds by the task and by `manage.py plan`. Idempotent: after an outage it simply catches up, but
writes nothing that makes no sense any more. It only fills the outbox; whether a message may leave is the gate's.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from appointments.models import STANDS, Appointment
from appointments.models import State as VisitState
from clients import existing, standings
from clients.models import Standing
from notifications import (
    carrying,
    chosen,
    facts,
    heartbeats,
    kinds,
    moments,
    news,
    optin,
    outbox,
    readdressing,
    reminders,
    smsaccount,
    stopping,
    wanting,
)
from notifications.kinds import Kind, Wanted
from notifications.models import BY_ITSELF, Campaign, Message, State, Trigger
from notifications.wanting import Asked, Rule, Wish
from salon.core.models import Salon

# Why a message was taken back by us, or by the gate for a reason that the planner sees as well.
REVIVABLE = (
    "cancelled", "undone", "over", "moved", "not_wanted", "inactive", "restricted", "client_refused", "no_address",
    "automation_off", "consent_missing", "blacklisted", "paused", "booked", "not_done", "no_target", "no_public_address",
    "erased", "channel_off", "profiling_missing", reminders.NOT_CHOSEN,
)  # fmt: skip

RULES: Mapping[str, Rule] = {
    "cancellation": news.cancellations,
    "confirmation": news.confirmations,
    "change": news.changes,
    "reminder": reminders.rule,
    "birthday": moments.birthdays,
    "welcome": moments.welcomes,
    "rebook": moments.rebooks,
    "review": moments.reviews,
}


def plan(now: dt.datetime) -> Counter[str]:
    """Bring the outbox in line with the book and return counts by kind of change. Safe to run twice, or two at once."""
    counts: Counter[str] = Counter()
    salon = Salon.objects.filter(pk=1).first()
    if salon is None:
        return counts
    switches = facts.switches()
    open_to = existing.channels(salon.country)
    counts["cancelled"] += _take_back(switches, now, open_to)
    refused = defaultdict(list)
    for message in readdressing.failed(now):
        refused[message.kind].append(message)
    ended = set(_ended().order_by().values_list("kind", flat=True).distinct())
    for name, rule in RULES.items():
        if not switches[name].is_on:
            continue
        asked = Asked(switches[name], salon, now, until=now, existing=open_to)
        for wish in rule(asked):
            for channel, rows in by_channel(wish, asked):
                if name in ended:
                    counts["revived"] += outbox.revive(_undone(rows, asked.kind), channel=channel)
                counts[name] += _put(rows, wish, asked, channel)
                counts[name] += _put_again(rows, wish, asked, channel, refused[name])
    counts += carrying.plan(now)
    counts += optin.plan(now)
    heartbeats.beat("planner", timezone.now())
    return +counts


def by_channel(wish: Wish, asked: Asked) -> list[tuple[str, Any]]:
    """Return the rows of a wish by the channel on which each is written to: nobody is in two of them."""
    found, order = [], wanting.ways(asked.trigger, asked.kind)
    for channel in order:
        rows = wanting.reachable(wish.rows, asked, channel, order=order)
        if asked.kind.is_about_a_start and asked.kind.name != reminders.KIND.name:
            rows = _unstopped(rows, asked.kind)
        found.append((channel, rows.annotate(occasion=wish.occasion)))
    return found


def unsaid(rows: Any, kind: Kind) -> Any:
    """Leave out what there is a message for already, whatever became of it."""
    client = OuterRef("client_id" if rows.model is Appointment else "pk")
    return rows.filter(~Exists(Message.objects.filter(kind=kind.name, client_id=client, occasion=OuterRef("occasion"))))


def _put_again(rows: Any, wish: Wish, asked: Asked, channel: str, refused: Sequence[Message]) -> int:
    """Write what a mail server refused once more, to the address that the card has now."""
    count = 0
    for message in refused if wish.is_of_visits else ():
        again = rows.filter(pk=message.appointment_id, occasion=readdressing.occasion_of(message))
        occasion = Value(readdressing.next_occasion(message), output_field=CharField())
        count += _put(again.annotate(occasion=occasion), wish, asked, channel)
    return count


def _put(rows: Any, wish: Wish, asked: Asked, channel: str) -> int:
    is_about_a_start = asked.kind.is_about_a_start
    return outbox.put(
        unsaid(rows, asked.kind),
        kind=asked.kind.name,
        channel=channel,
        now=asked.now,
        said={
            "client_id": F("client_id" if wish.is_of_visits else "pk"),
            "appointment_id": F("pk") if wish.is_of_visits else None,
            "campaign_id": None,
            "occasion": F("occasion"),
            "time_version": F("time_version") if is_about_a_start else None,
            "told_start_at": F("start_at") if is_about_a_start else None,
            "not_before": asked.leaves_at(channel) if wish.not_before is None else wish.not_before,
            "expires_at": wish.expires_at,
        },
    )


def _ended() -> "QuerySet[Message]":
    """Return what was taken back earlier and may be wanted again, and what no provider can have."""
    return Message.objects.filter(
        Q(reason__in=REVIVABLE) | readdressing.suppressed(),
        state__in=[State.CANCELLED, State.SUPPRESSED], handoff_at=None, resend_of=None, campaign=None,
    )  # fmt: skip


def _undone(rows: Any, kind: Kind) -> "QuerySet[Message]":
    """Return the messages taken back earlier that are wanted again."""
    again = rows.filter(occasion=OuterRef("occasion"))
    if rows.model is Appointment:
        again = again.filter(pk=OuterRef("appointment_id"), client_id=OuterRef("client_id"))
    else:
        again = again.filter(pk=OuterRef("client_id"))
    return _ended().filter(Exists(again), kind=kind.name)


def _unstopped(visits: Any, kind: Kind) -> Any:
    """Leave out the visits of which somebody stopped this kind of message by hand, unless they begin at another time now."""
    by_hand = Message.objects.filter(
        kind=kind.name, appointment=OuterRef("pk"), told_start_at=OuterRef("start_at"),
        state=State.CANCELLED, reason__in=[stopping.REASON, stopping.REASON_HELD],
    )  # fmt: skip
    return visits.filter(~Exists(by_hand))


# --- what should not be said any more -----------------------------------------------------------------------------


def _take_back(switches: Mapping[str, Trigger], now: dt.datetime, open_to: Collection[str]) -> int:
    """Cancel every waiting message that is not wanted any more, each with its reason, and return how many."""
    waiting = Message.objects.filter(state__in=[State.PENDING, State.HELD])
    found: defaultdict[str, list[int]] = defaultdict(list)
    for pk, reason in waiting.annotate(against=_against(switches, now, open_to)).exclude(against="").values_list("pk", "against"):
        found[reason].append(pk)
    count = 0
    for reason, ids in found.items():
        for start in range(0, len(ids), 500):
            count += outbox.cancel(Message.objects.filter(pk__in=ids[start : start + 500]), reason=reason, now=now)
    return count


def _against(switches: Mapping[str, Trigger], now: dt.datetime, open_to: Collection[str]) -> Case:
    """Return the expression for why a waiting message is not wanted any more, "" if it is. In the gate's order.

    `open_to` are the channels on which offers may go to existing clients without a Yes.
    """
    of = {wanted: [kind.name for kind in kinds.TABLE.values() if kind.wanted == wanted] for wanted in Wanted}
    off = [name for name, trigger in switches.items() if not trigger.is_on]
    marketing = [kind.name for kind in kinds.TABLE.values() if kind.is_marketing]
    by_itself = [kind.name for kind in kinds.TABLE.values() if not kind.is_by_hand]
    stands, cancelled, done = (Q(kind__in=of[wanted]) for wanted in (Wanted.STANDS, Wanted.CANCELLED, Wanted.DONE))
    about_a_start = stands | cancelled
    # What is held waits for a person, and what somebody sends once more does not come back: both stay.
    shut = Q(channel=smsaccount.CHANNEL, kind__in=by_itself, state=State.PENDING, resend_of=None)
    return Case(
        *([] if smsaccount.is_open() else [When(shut, then=Value("channel_off"))]),
        When(client__erased_at__isnull=False, then=Value("erased")),
        When(client__restricted_at__isnull=False, then=Value("restricted")),
        When(client__inactive_at__isnull=False, then=Value("inactive")),
        When(Q(client=None) | Q(~Q(kind__in=of[Wanted.ALWAYS]), appointment=None), then=Value("gone")),
        When(stands & Q(appointment__state=VisitState.CANCELLED), then=Value("cancelled")),
        When(stands & ~Q(appointment__state__in=STANDS), then=Value("over")),
        When(cancelled & ~Q(appointment__state=VisitState.CANCELLED), then=Value("undone")),
        When(done & ~Q(appointment__state=VisitState.DONE), then=Value("not_done")),
        When(about_a_start & ~Q(appointment__time_version=F("time_version")), then=Value("moved")),
        When(Q(kind="rebook") & Exists(_booked_again(now)), then=Value("booked")),
        When(Q(campaign__state=Campaign.State.STOPPED), then=Value(chosen.HALTED)),
        When(Q(client__email="", channel="email") | Q(client__phone="", channel="sms"), then=Value("no_address")),
        *(_against_consent(kind, open_to) for kind in kinds.TABLE.values()),
        When(_BY_HABIT & ~standings.profiled("client_id"), then=Value("profiling_missing")),
        When(Q(kind__in=marketing, client__blacklisted_at__isnull=False), then=Value("blacklisted")),
        When(BY_ITSELF & Q(kind__in=_ON_NOTICE, appointment__is_notice_wanted=False), then=Value("not_wanted")),
        *reminders.unwanted(),
        When(BY_ITSELF & (Q(kind__in=off) | _part_off(switches["rebook"])), then=Value("automation_off")),
        default=Value(""),
        output_field=CharField(),
    )


def _booked_again(now: dt.datetime) -> Any:
    ahead = Appointment.objects.filter(client=OuterRef("client_id"), start_at__gte=now)
    return ahead.filter(state__in=STANDS)


_ON_NOTICE = ("confirmation", "change", "cancellation")
_BY_HABIT = Q(kind="rebook", occasion__contains=f":{kinds.BY_HABIT}")
_ONCE_MORE = Q(kind="rebook", occasion__contains=f":{kinds.ONCE_MORE}")


def _part_off(trigger: Trigger) -> Q:
    """Return the condition for what a trigger that is on does not say any more: by the client's rhythm, or once more."""
    found = Q(pk__in=[])
    if not trigger.is_by_rhythm:
        found |= _BY_HABIT
    return found if trigger.again is not None else found | _ONCE_MORE


def _against_consent(kind: Kind, open_to: Collection[str]) -> When:
    """Return when the client's answer stands against a kind: without a Yes to advertising, with a No to the rest."""
    answers = Standing.objects.filter(client_id=OuterRef("client_id"), purpose=kind.purpose, channel=OuterRef("channel"))
    if kind.is_marketing:
        may_go = Q(state=Standing.State.GRANTED)
        if kind.may_go_to_existing and open_to:
            may_go |= Q(state=Standing.State.SOFT_OPT_IN, channel__in=sorted(open_to))
        return When(Q(kind=kind.name) & ~Exists(answers.filter(may_go)), then=Value("consent_missing"))
    return When(Q(kind=kind.name) & Exists(answers.filter(state=Standing.State.WITHDRAWN)), then=Value("client_refused"))
