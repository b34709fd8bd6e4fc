"""What kinds, states and results are called on a page. The reasons' own words stand in `notifications.reasons`."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from notifications import reasons
from notifications.models import Message, State
from notifications.plans import ReminderTime
from notifications.providers.base import Outcome, Phase, explain
from salon.core.templatetags.house import as_day

KINDS: Mapping[str, str | Promise] = {
    "confirmation": _("Confirmation"),
    "change": _("Change"),
    "cancellation": _("Cancellation"),
    "reminder": _("Reminder"),
    "promotion": _("Promotion"),
    "birthday": _("Birthday greeting"),
    "welcome": _("Welcome"),
    "rebook": _("Time to come back"),
    "review": _("Request for a review"),
    "doi_request": _("Link to confirm a Yes"),
    "choices": _("Link to their choices"),
    "optout_ack": _("Answer to a STOP"),
}
WHEN: Mapping[str, str | Promise] = {
    "confirmation": _("When a visit is booked, after 30 seconds"),
    "change": _("When a visit is moved, after 30 seconds"),
    "cancellation": _("When a visit is cancelled, after 30 seconds"),
    "reminder": _("Before the visit"),
    "birthday": _("On the day, or up to two days late"),
    "welcome": _("When somebody adds a card or books online for the first time"),
    "rebook": _("After the last visit, if nothing is booked"),
    "review": _("After a visit, once in 90 days"),
}


CHANNELS: Mapping[str, str | Promise] = {"email": _("E-mail"), "sms": _("SMS")}
# The buttons that put a placeholder into a text.
PLACEHOLDERS: Mapping[str, str | Promise] = {
    "first_name": _("First name"),
    "service": _("Service"),
    "staff": _("Stylist"),
    "date": _("Day, short"),
    "date_long": _("Day"),
    "time": _("Time"),
    "last_visit_date": _("Day of the last visit"),
    "visit_date": _("Day of the visit"),
    "review_link": _("Link to the page for reviews"),
    "salon": _("Name of the salon"),
    "legal_name": _("Legal name"),
    "address_line": _("Address"),
    "salon_phone": _("Phone of the salon"),
    "salon_email": _("E-mail of the salon"),
}
# Why nobody gets a kind although it is on.
OBSTACLES: Mapping[str, str | Promise] = {
    "no_public_address": _("On, but the salon has no public address for the links in it."),
    "no_target": _("On, but there is no address of a page for reviews."),
    "nobody": _("On, but nobody said Yes to it yet."),
}


PROVIDERS: Mapping[str, str | Promise] = {"smtp": _("mail server"), "console": _("log only"), "twilio": _("Twilio")}
PHASES: Mapping[str, str | Promise] = {
    "connect": _("connecting"),
    "auth": _("signing in"),
    "mail": _("naming the sender"),
    "rcpt": _("naming the recipient"),
    "data": _("sending the text"),
    "dot": _("waiting for the answer"),
    "reply": _("the answer"),
}


@dataclass(frozen=True)
class Group:
    """Messages that stand alike: one tab of the list. `badge` is the look of its mark, `empty` what an empty tab says."""

    name: str
    label: str | Promise
    badge: str
    icon: str
    states: tuple[State, ...]
    empty: str | Promise


GROUPS: Mapping[str, Group] = {
    group.name: group
    for group in (
        Group(
            "waiting", _("Waiting"), "wait", "hourglass", (State.PENDING, State.CLAIMED, State.HANDOFF, State.HELD),
            _("No message waiting."),
        ),
        Group(
            "sent", pgettext_lazy("messages", "Sent"), "ok", "send", (State.ACCEPTED, State.DELIVERED),
            _("No message sent yet."),
        ),
        Group(
            "left-out", _("Not sent (and why)"), "no", "ban", (State.CANCELLED, State.SUPPRESSED, State.EXPIRED),
            _("No message was left out."),
        ),
        Group(
            "failed", pgettext_lazy("messages", "Failed"), "trouble", "alert-triangle",
            (State.FAILED, State.BOUNCED, State.QUARANTINED), _("No message failed."),
        ),
        Group(
            "unknown", _("Fate unknown"), "warn", "help-circle", (State.UNKNOWN, State.CLOSED_UNKNOWN),
            _("No message of unknown fate."),
        ),
    )
}  # fmt: skip

OF_STATE: Mapping[str, Group] = {state.value: group for group in GROUPS.values() for state in group.states}


def kind(name: str) -> str:
    """Return what a kind of message is called."""
    return str(KINDS.get(name, name))


def reminder_time(time: ReminderTime) -> str:
    """Return when a reminder leaves: "2 days before, at 10:00", "3 hours before"."""
    if time.hours_before:
        return ngettext("%(count)s hour before", "%(count)s hours before", time.hours_before) % {"count": time.hours_before}
    days, at = time.days_before or 0, f"{time.at:%H:%M}"
    if not days:
        return gettext("On the day, at %(at)s") % {"at": at}
    return ngettext("%(count)s day before, at %(at)s", "%(count)s days before, at %(at)s", days) % {"count": days, "at": at}


def is_logged_only(message: Message) -> bool:
    """Return whether a message "sent" never left the house, because no mail server was set."""
    return message.state == State.ACCEPTED and message.provider == "console"


def of_result(outcome: str, phase: str, code: str) -> str:
    """Return in words what a result means, or nothing for no code."""
    return explain(outcome, phase, code) if code else ""


def why(message: Message) -> str:
    """Return why a message stands as it does, nothing where there is nothing to say (it was sent, it waits its turn)."""
    if is_logged_only(message):
        return explain(Outcome.ACCEPTED, Phase.REPLY, "logged")
    if message.reason.startswith(reasons.RETURNED) and message.settled_at:
        why, day = reasons.sentence(message.reason), as_day(message.settled_at)
        return gettext("%(why)s Came back on %(day)s.") % {"why": why, "day": day}
    if message.reason in reasons.SENTENCES or message.reason.startswith("turned_"):
        return str(reasons.sentence(message.reason, message.channel))
    phase, _gap, code = message.reason.partition("_")
    if phase not in set(Phase):
        return message.reason
    return explain(Outcome.UNKNOWN if message.state in {State.UNKNOWN, State.CLOSED_UNKNOWN} else Outcome.FAILED, phase, code)
