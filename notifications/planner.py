"""Pulls what should be said out of the book: wanted minus existing, set-based, and takes back what is not wanted any more.

Called every few seconds by the task and by `manage.py plan`. Idempotent: after an outage it simply catches up, but
writes nothing that makes no sense any more. It only fills the outbox; whether a message may leave is the gate's.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from appointments.models import STANDS, Appointment
from appointments.models import State as VisitState
from clients import existing, standings
from clients.models import Client, Standing
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
from salon.core.lookups import Lookup
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
    found, order = [], asked.ways
    for channel in order:
        rows = wanting.reachable(wish.rows, asked, channel, order=order)
        if asked.kind.is_about_a_start and asked.kind.name != reminders.KIND.name:
            rows = _unstopped(rows, asked.kind)
        found.append((channel, rows.annotate(occasion=wish.occasion)))
    return found


def unsaid(rows: Any, kind: Kind) -> Any:
    """Leave out what there is a message for already, whatever became of it."""
    client = OuterRef("client_id" if rows.model is Appointment else "pk")
    return rows.filter(~Lookup(Message.objects.filter(kind=kind.name, client_id=client, occasion=OuterRef("occasion"))))


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
    return _ended().filter(Lookup(again), kind=kind.name)


def _unstopped(visits: Any, kind: Kind) -> Any:
    """Leave out the visits of which somebody stopped this kind of message by hand, unless they begin at another time now."""
    by_hand = Message.objects.filter(
        kind=kind.name, appointment=OuterRef("pk"), told_start_at=OuterRef("start_at"),
        state=State.CANCELLED, reason__in=[stopping.REASON, stopping.REASON_HELD],
    )  # fmt: skip
    return visits.filter(~Lookup(by_hand))


# --- what should not be said any more -----------------------------------------------------------------------------


def _take_back(switches: Mapping[str, Trigger], now: dt.datetime, open_to: Collection[str]) -> int:
    """Cancel every waiting message that is not wanted any more, each with its reason, and return how many."""
    waiting = Message.objects.filter(state__in=[State.PENDING, State.HELD])
    against = waiting.alias(against=_against(switches, now, open_to)).exclude(against="")
    found: defaultdict[str, list[int]] = defaultdict(list)
    if not against.exists():  # almost always
        return 0
    for pk, reason in against.annotate(reason_against=F("against")).values_list("pk", "reason_against"):
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
    # What is held waits for a person, and what somebody sends once more does not come back: both stay.
    shut = Q(channel=smsaccount.CHANNEL, kind__in=by_itself, state=State.PENDING, resend_of=None)
    return Case(
        *([] if smsaccount.is_open() else [When(shut, then=Value("channel_off"))]),
        When(~_card(**_IN_USE), then=_why_not_in_use()),
        When(~Q(kind__in=of[Wanted.ALWAYS]) & Q(appointment=None), then=Value("gone")),
        When(stands & ~_visit(state__in=STANDS, **_SAME_TIME), then=_why_not_ahead()),
        When(cancelled & ~_visit(state=VisitState.CANCELLED), then=Value("undone")),
        When(cancelled & ~_visit(**_SAME_TIME), then=Value("moved")),
        When(done & ~_visit(state=VisitState.DONE), then=Value("not_done")),
        When(Q(kind="rebook") & Lookup(_booked_again(now)), then=Value("booked")),
        When(Q(campaign__state=Campaign.State.STOPPED), then=Value(chosen.HALTED)),
        When(Q(channel="email") & _card(email="") | Q(channel="sms") & _card(phone=""), then=Value("no_address")),
        *_against_consent(open_to),
        When(_BY_HABIT & ~standings.profiled("client_id"), then=Value("profiling_missing")),
        When(Q(kind__in=marketing) & _card(blacklisted_at__isnull=False), then=Value("blacklisted")),
        When(BY_ITSELF & Q(kind__in=_ON_NOTICE) & _visit(is_notice_wanted=False), then=Value("not_wanted")),
        *reminders.unwanted(),
        When(BY_ITSELF & (Q(kind__in=off) | _part_off(switches["rebook"])), then=Value("automation_off")),
        default=Value(""),
        output_field=CharField(),
    )


_IN_USE = {"erased_at": None, "restricted_at": None, "inactive_at": None}
_SAME_TIME = {"time_version": OuterRef("time_version")}


def _card(**of: Any) -> Q:
    """Return the condition that there is a card of the message's client, and it is so.

    Looked up, as is the visit: joined, a database may read all that there are. So the first look is for what is mostly so.
    """
    return Q(Lookup(Client.objects.filter(pk=OuterRef("client_id"), **of)))


def _visit(**of: Any) -> Q:
    """Return the condition that there is a visit of the message, and it is so."""
    return Q(Lookup(Appointment.objects.filter(pk=OuterRef("appointment_id"), **of)))


def _why_not_in_use() -> Case:
    return Case(
        When(_card(erased_at__isnull=False), then=Value("erased")),
        When(_card(restricted_at__isnull=False), then=Value("restricted")),
        When(_card(inactive_at__isnull=False), then=Value("inactive")),
        default=Value("gone"),
    )


def _why_not_ahead() -> Case:
    return Case(
        When(_visit(state=VisitState.CANCELLED), then=Value("cancelled")),
        When(~_visit(state__in=STANDS), then=Value("over")),
        default=Value("moved"),
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


def _against_consent(open_to: Collection[str]) -> Iterator[When]:
    """Yield when the client's answer stands against a kind: without a Yes to advertising, with a No to the rest."""
    same = defaultdict(list)
    for kind in kinds.TABLE.values():
        same[kind.purpose, kind.is_marketing, bool(kind.may_go_to_existing and open_to)].append(kind.name)
    for (purpose, is_marketing, may_go_to_existing), names in same.items():
        answers = Standing.objects.filter(client_id=OuterRef("client_id"), purpose=purpose, channel=OuterRef("channel"))
        if is_marketing:
            may_go = Q(state=Standing.State.GRANTED)
            if may_go_to_existing:
                may_go |= Q(state=Standing.State.SOFT_OPT_IN, channel__in=sorted(open_to))
            yield When(Q(kind__in=names) & ~Lookup(answers.filter(may_go)), then=Value("consent_missing"))
        else:
            withdrawn = answers.filter(state=Standing.State.WITHDRAWN)
            yield When(Q(kind__in=names) & Lookup(withdrawn), then=Value("client_refused"))
