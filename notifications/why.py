"""Why somebody does or does not get a message: the gate's answer on demand, in words. Read by the card and `manage.py why`.

Looks without locks and changes nothing; the answer that counts is taken again at the hand-over.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from appointments.models import Appointment
from clients.models import Client, ConsentEvent
from notifications import (
    facts,
    gate,
    history,
    kinds,
    outbox,
    planner,
    precedence,
    readdressing,
    reasons,
    refusals,
    reminders,
    smsaccount,
)
from notifications.models import Message, State, Trigger
from notifications.plans import ReminderTime
from salon.core.models import Salon
from salon.core.templatetags.house import as_day, as_time, as_weekday

_NO: dict[str, str | Promise] = {
    "confirmation": gettext_lazy("No confirmation."),
    "change": gettext_lazy("No message about a change."),
    "cancellation": gettext_lazy("No message about a cancellation."),
    "reminder": gettext_lazy("No reminder."),
    "promotion": gettext_lazy("No promotion."),
    "birthday": gettext_lazy("No birthday greeting."),
    "welcome": gettext_lazy("No welcome."),
    "rebook": gettext_lazy("No message that it is time to come back."),
    "review": gettext_lazy("No request for a review."),
}
_YES: dict[str, str | Promise] = {
    "confirmation": gettext_lazy("A confirmation goes out when a visit is booked."),
    "change": gettext_lazy("A message goes out when a visit is moved."),
    "cancellation": gettext_lazy("A message goes out when a visit is cancelled."),
    "reminder": gettext_lazy("A reminder goes out before a visit."),
    "promotion": gettext_lazy("A promotion goes out when somebody sends one."),
    "birthday": gettext_lazy("A greeting goes out on the birthday."),
    "welcome": gettext_lazy("A welcome goes out once, for a new card."),
    "rebook": gettext_lazy("A message goes out when it is time to come back and nothing is booked."),
    "review": gettext_lazy("A request for a review goes out after a visit."),
}
_SENT: dict[str, str | Promise] = {
    "confirmation": gettext_lazy("Confirmation sent (%(day)s, %(time)s)."),
    "change": gettext_lazy("Change sent (%(day)s, %(time)s)."),
    "reminder": gettext_lazy("Reminder sent (%(day)s, %(time)s)."),
}
# Kinds that answer something still to happen to the visit: what was said of it until now says nothing about them.
_TO_COME = frozenset({"change", "cancellation"})
# What is only so because of the visit we asked with, not because of the client.
_OF_THE_VISIT = precedence.OBSOLETE - {"duplicate", "too_late", "past", "over"}


@dataclass(frozen=True)
class Answer:
    """What becomes of one kind of message on one channel. `since` and `how` tell of the event behind a refusal.

    `told` is the message that said it already: then nothing is refused, there is only no second one.
    """

    kind: str
    channel: str
    decision: gate.Decision | None
    sentence: str
    since: dt.datetime | None = None
    how: str = ""
    by: str = ""
    told: history.Line | None = None

    @property
    def icon(self) -> str:
        """Return the name of the mark it gets: how the message stands that was sent, else Yes or No."""
        if self.told:
            return "check" if self.told.group.badge == "ok" else self.told.group.icon
        return "check" if self.is_yes else "ban"

    @property
    def is_yes(self) -> bool:
        """Return whether it goes out, now or when its time comes."""
        return not isinstance(self.decision, gate.Refuse)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return every reason against it, the weightiest first."""
        return self.decision.reasons if isinstance(self.decision, gate.Refuse) else ()


def answers(client: Client, now: dt.datetime) -> list[Answer]:
    """Return the gate's answer for each kind and channel, about the client's next visit or in general."""
    salon = Salon.objects.current()
    visit = Appointment.objects.filter(client=client).upcoming(now).order_by("start_at", "pk").first()
    switches, is_sms_open = facts.switches(), smsaccount.is_open()
    with timezone.override(salon.zone):
        return [
            _answer(_Case(client, visit if kind.is_about_a_start else None, switches.get(kind.name), salon, now), kind, channel)
            for kind in kinds.TABLE.values()
            if kind.kind_class != kinds.Class.SYSTEM
            for channel in kind.channels
            if channel != smsaccount.CHANNEL or is_sms_open
        ]


@dataclass(frozen=True)
class _Case:
    client: Client
    visit: Appointment | None
    trigger: Trigger | None
    salon: Salon
    now: dt.datetime


def _answer(case: _Case, kind: kinds.Kind, channel: str) -> Answer:
    client, visit, trigger, salon, now = case.client, case.visit, case.trigger, case.salon, case.now
    time = _time(kind, visit, salon.zone, now)
    due = _due(visit, time, salon.zone, now)
    message = Message(
        kind=kind.name, channel=channel, client=client, appointment=visit, not_before=due,
        occasion=f"{visit.pk}:{visit.time_version}:{time.slot}" if visit and time else "",
        time_version=visit.time_version if visit else None, told_start_at=visit.start_at if visit else None,
        expires_at=visit.start_at if visit else now + dt.timedelta(days=1),
    )  # fmt: skip
    found = facts.gather(message, facts.look(message))
    decision: gate.Decision | None = gate.decide(found, due)
    if isinstance(decision, gate.Refuse):
        against = tuple(reason for reason in decision.reasons if reason not in _OF_THE_VISIT)
        if "duplicate" in against and (kind.name in _TO_COME or not precedence.OBSOLETE.issuperset(against)):
            against = tuple(reason for reason in against if reason != "duplicate")
        if "duplicate" in against and (told := _told(kind, visit, now)):
            return _was_sent(kind, channel, told, now)
        decision = gate.Refuse(against) if against else None
    if not isinstance(decision, gate.Refuse) and (reason := _of_the_book(kind, visit, trigger, time)):
        decision = gate.Refuse((reason,))
    if isinstance(decision, gate.Refuse):
        return _refused(kind, channel, decision, found)
    return Answer(kind.name, channel, decision, _leaves(kind, visit, decision, due, now))


def _told(kind: kinds.Kind, visit: Appointment | None, now: dt.datetime) -> history.Line | None:
    """Return the newest message that told the client of the visit as it stands, one of this kind before all others."""
    if visit is None:
        return None
    rows = Message.objects.filter(appointment=visit, told_start_at=visit.start_at, state__in=outbox.TOLD, kind__in=_SENT)
    found = sorted(rows.order_by("-handoff_at", "-pk"), key=lambda row: row.kind != kind.name)
    return history.lines(found[:1], now)[0] if found else None


def _was_sent(kind: kinds.Kind, channel: str, told: history.Line, now: dt.datetime) -> Answer:
    is_today = timezone.localtime(told.at).date() == timezone.localtime(now).date()
    values = {"day": _("today") if is_today else as_weekday(told.at), "time": as_time(told.at)}
    if told.group.badge == "ok":
        sentence = str(_SENT[told.message.kind]) % values
    else:
        words = {"kind": told.kind, "state": told.state, **values}
        sentence = _("%(kind)s: %(state)s (%(day)s, %(time)s).") % words
    return Answer(kind.name, channel, gate.Refuse(("duplicate",)), sentence, told=told)


def _time(kind: kinds.Kind, visit: Appointment | None, zone: ZoneInfo, now: dt.datetime) -> ReminderTime | None:
    """Return which of the reminders of a visit leaves next; the last one if none is to come."""
    if kind.name != "reminder" or visit is None:
        return None
    times = [time for time in reminders.holding(visit) if reminders.is_early_enough(visit, time, zone)]
    times.sort(key=lambda time: reminders.leaves_at(visit, time, zone))
    return next((time for time in times if reminders.leaves_at(visit, time, zone) > now), times[-1] if times else None)


def _due(visit: Appointment | None, time: ReminderTime | None, zone: ZoneInfo, now: dt.datetime) -> dt.datetime:
    """Return the instant to ask about: now, or when the reminder of the visit is due if that is later."""
    return max(now, reminders.leaves_at(visit, time, zone)) if visit and time else now


def _of_the_book(kind: kinds.Kind, visit: Appointment | None, trigger: Trigger | None, time: ReminderTime | None) -> str:
    """Return why the planner would not write it down, or what ended it before, "" for nothing."""
    if visit is None or trigger is None:
        return ""
    if kind.name == "reminder" and time is None:
        return "too_late" if reminders.holding(visit) else reminders.NOT_CHOSEN
    if kind.name == "confirmation" and not visit.is_notice_wanted:
        return "not_wanted"
    rows = Message.objects.filter(kind=kind.name, appointment=visit, time_version=visit.time_version).order_by("-pk")
    last = (reminders.of_slot(rows, time.slot) if time else rows).first()
    if last is None or last.state in outbox.TOLD or last.state in {State.PENDING, State.CLAIMED}:
        return ""
    is_back = last.reason in planner.REVIVABLE or readdressing.comes_back(last, visit.client.email if visit.client else "")
    return "" if is_back else last.reason


def _refused(kind: kinds.Kind, channel: str, decision: gate.Refuse, found: gate.Facts) -> Answer:
    reason = decision.reasons[0]
    event = ConsentEvent.objects.filter(pk__in=found.event_ids).select_related("actor").first()
    if reason == "client_refused" and event is not None:
        how, by = event.get_source_display(), event.actor.name if event.actor else ""
        values = {"date": as_day(event.effective_at), "how": how, "name": by}
        if event.source == ConsentEvent.Source.OTHER:  # it was only clicked: nobody was asked how it came
            told = _("Switched off since %(date)s (by %(name)s).") if by else _("Switched off since %(date)s.")
        else:
            told = _("Switched off since %(date)s (%(how)s, by %(name)s).") if by else _("Switched off since %(date)s (%(how)s).")
        return Answer(kind.name, channel, decision, f"{_NO[kind.name]} {told % values}", event.effective_at, how, by)
    if kind.is_marketing:
        sentence = f"{_NO[kind.name]} {refusals.sentence(reason, event, found)}"
        return Answer(kind.name, channel, decision, sentence, event.effective_at if event else None)
    return Answer(kind.name, channel, decision, f"{_NO[kind.name]} {reasons.sentence(reason, channel)}")


def _leaves(
    kind: kinds.Kind, visit: Appointment | None, decision: gate.Decision | None, due: dt.datetime, now: dt.datetime
) -> str:
    if kind.name != "reminder" or visit is None:
        return str(_YES[kind.name])
    at = decision.until if isinstance(decision, gate.Wait) else due
    if at <= now:
        return _("A reminder goes out now.")
    return _("A reminder goes out on %(day)s at %(time)s.") % {"day": as_weekday(at), "time": as_time(at)}
