"""How the installation fares, in lines a person understands: what the owner's health page shows. Changes nothing.

That a process lives proves nothing: what counts is how long a due message has been waiting.
"""

import datetime as dt
import time
from dataclasses import dataclass

from django.db import connection
from django.db.models import Min
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import facts, heartbeats, reasons, sending, smsaccount
from notifications.bounces import mailbox
from notifications.models import Message, OtherSystem, Provider, State
from notifications.providers.base import Outcome, explain
from salon.core.models import Salon

LATE = dt.timedelta(minutes=5)
# A mailbox that fails rests for a quarter of an hour at most.
UNREAD = dt.timedelta(minutes=20)


@dataclass(frozen=True)
class Line:
    """One thing looked at. `is_ok` is green or red, `words` say it, `link` is a URL name with more about it."""

    name: str
    is_ok: bool
    words: str
    link: str = ""


def report(salon: Salon, now: dt.datetime) -> list[Line]:
    """Return every line, the weightiest first."""
    return [
        _oldest_due(now),
        _tick("sender", _("Sender"), now),
        _tick("planner", _("Planner"), now),
        _unknown(),
        _server(salon, now),
        *_texts(salon, now),
        *filter(None, [mailbox_line(now)]),
        _systems(),
        _delivery(salon),
        _database(),
    ]


def oldest_due(now: dt.datetime) -> dt.datetime | None:
    """Return since when the oldest message that could have left by `now` is waiting."""
    since: dt.datetime | None = Message.objects.filter(state=State.PENDING, not_before__lte=now).aggregate(at=Min("not_before"))[
        "at"
    ]
    return since


def _oldest_due(now: dt.datetime) -> Line:
    name, since = _("Oldest due message"), oldest_due(now)
    if since is None:
        return Line(name, is_ok=True, words=_("Nothing due is waiting."))
    return Line(name, now - since < LATE, _("Waiting for %(time)s.") % {"time": _length(since, now)}, "notifications:list")


def _tick(key: str, name: str, now: dt.datetime) -> Line:
    at = heartbeats.last(key)
    if at is None:
        return Line(name, is_ok=False, words=_("Has never run."))
    return Line(name, now - at < LATE, _("Ran %(time)s ago.") % {"time": _length(at, now)})


def _unknown() -> Line:
    count = Message.objects.filter(state=State.UNKNOWN).count()
    words = ngettext("%(count)d message.", "%(count)d messages.", count) % {"count": count} if count else _("None.")
    return Line(_("Messages of unknown fate"), count == 0, words, "notifications:unknown" if count else "")


def _server(salon: Salon, now: dt.datetime) -> Line:
    name, used = _("Mail server"), sending.describe(salon)
    if used.problem:
        return Line(name, is_ok=False, words=explain(Outcome.DOWN, "connect", used.problem), link="notifications:sending")
    if not used.is_live:
        return Line(
            name, is_ok=False, words=_("None is set: messages are only written to the log."), link="notifications:sending"
        )
    return _circuit(name, "smtp", f"{used.host}:{used.port}", "notifications:sending", now)


def _texts(salon: Salon, now: dt.datetime) -> list[Line]:
    """Return how the SMS provider fares, nothing where there is none."""
    name, used = _("SMS provider"), smsaccount.describe(salon)
    if not used.is_set:
        return []
    if used.problem:
        return [Line(name, is_ok=False, words=explain(Outcome.DOWN, "connect", used.problem), link="notifications:sms")]
    if not used.is_on:
        words = _("SMS are switched off.") if used.is_proved else _("No SMS leaves yet: the account waits for a test.")
        return [Line(name, is_ok=False, words=words, link="notifications:sms")]
    return [_circuit(name, "twilio", f"Twilio: {used.sender}", "notifications:sms", now)]


def mailbox_line(now: dt.datetime) -> Line | None:
    """Return how the mailbox for returned mail fares, None where there is none."""
    name, link, row = _("Returned mail"), "notifications:mailbox", mailbox.row()
    if row is None:
        return None
    if problem := mailbox.describe().problem:
        return Line(name, is_ok=False, words=explain(Outcome.DOWN, "connect", problem), link=link)
    words = _("The mailbox is read within a minute.")
    if row.looked_at is not None:
        words = _("The mailbox was read %(time)s ago.") % {"time": _length(row.looked_at, now)}
    found = _circuit(name, mailbox.NAME, words, link, now)
    if found.is_ok and now - (row.looked_at or row.changed_at) > UNREAD:
        return Line(name, is_ok=False, words=_("The mailbox is not being read at present."), link=link)
    return found


def _circuit(name: str, provider: str, words: str, link: str, now: dt.datetime) -> Line:
    """Return `words` while nothing stands against a provider, else what does and when it is tried again."""
    circuit = Provider.objects.filter(pk=provider, failure_count__gt=0).first()
    if circuit is None:
        return Line(name, is_ok=True, words=words)
    found = [reasons.of_provider(circuit.reason, "sms" if provider == smsaccount.PROVIDER else "email")]
    if circuit.open_until and circuit.open_until > now:
        found.append(_("Next try in %(time)s.") % {"time": _length(now, circuit.open_until)})
    return Line(name, is_ok=False, words=" ".join(filter(None, found)), link=link)


def _systems() -> Line:
    name, off = _("Other systems"), OtherSystem.objects.filter(is_on=False).exclude(off_reason=OtherSystem.Off.BY_HAND)
    failing = OtherSystem.objects.filter(is_on=True, failure_count__gt=0)
    names = [row.name for row in (off | failing).defer("secret", "old_secret")]
    if names:
        text = _("Cannot be reached: %(names)s.") % {"names": ", ".join(names)}
        return Line(name, is_ok=False, words=text, link="notifications:systems")
    return Line(name, is_ok=True, words=_("All are told, or none is connected."))


def _delivery(salon: Salon) -> Line:
    name = _("Delivery")
    if salon.delivery != Salon.Delivery.LIVE:
        return Line(name, is_ok=False, words=_("Paused: nothing leaves."), link="notifications:pause")
    if facts.is_on_hold(salon):
        return Line(name, is_ok=False, words=_("This is a copy of another installation: nothing leaves from here."))
    return Line(name, is_ok=True, words=_("Live."))


def _database() -> Line:
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    took = (time.perf_counter() - began) * 1000
    words = _("%(engine)s answers in %(count)d ms.") % {"engine": connection.display_name, "count": max(1, round(took))}
    return Line(_("Database"), took < 1000, words)


def _length(since: dt.datetime, until: dt.datetime) -> str:
    seconds = int((until - since).total_seconds())
    if seconds < 60:
        return ngettext("%(count)d second", "%(count)d seconds", max(seconds, 0)) % {"count": max(seconds, 0)}
    return timesince(since, until, depth=1)
