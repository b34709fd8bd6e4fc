"""Where somebody of the team is signed in, and how a session ends. Called by the security page and the middleware."""

import datetime as dt
from dataclasses import dataclass

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest

from salon.core import audit, devices
from salon.core.models import User


@dataclass(frozen=True)
class Sitting:
    """One browser in which somebody is signed in."""

    pk: int
    device: str
    address: str
    began_at: dt.datetime
    seen_at: dt.datetime
    is_current: bool


def is_over(began_at: float, seen_at: float, now: float) -> bool:
    """Return whether a session has ended: nobody used it for half an hour, or it is twelve hours old. In seconds."""
    return now - seen_at > settings.SESSION_IDLE_SECONDS or now - began_at > settings.SESSION_COOKIE_AGE


def note(request: HttpRequest) -> None:
    """Write down from which browser the session of this request is."""
    UserSession.objects.create_from_request(request)


def of(user: User, current_key: str, now: dt.datetime) -> list[Sitting]:
    """Return where `user` is signed in, this browser first, then the last used. What has ended is forgotten."""
    rows = {row.session_key: row for row in UserSession.objects.purge_and_list(user)}
    found = []
    for session in Session.objects.filter(session_key__in=rows):
        row, said = rows[session.session_key], session.get_decoded()
        began, seen = said.get("began_at", row.created_at.timestamp()), said.get("seen_at", row.created_at.timestamp())
        if is_over(began, seen, now.timestamp()):
            continue
        times = dt.datetime.fromtimestamp(began, dt.UTC), dt.datetime.fromtimestamp(seen, dt.UTC)
        found.append(Sitting(row.pk, devices.name(row.user_agent), row.ip, *times, row.session_key == current_key))
    return sorted(found, key=lambda one: (not one.is_current, -one.seen_at.timestamp()))


@transaction.atomic
def end(user: User, pk: int, *, current_key: str) -> bool:
    """Sign `user` out in another browser, and return whether there was such a session of theirs."""
    return bool(_end(user, UserSession.objects.filter(user=user, pk=pk).exclude(session_key=current_key)))


@transaction.atomic
def end_others(user: User, *, current_key: str) -> int:
    """Sign `user` out everywhere but here, and return in how many browsers that was."""
    return _end(user, UserSession.objects.filter(user=user).exclude(session_key=current_key))


def forget(user: User) -> None:
    """End and forget every session of `user`, whose account is closed."""
    for row in UserSession.objects.filter(user=user):
        row.end()


def _end(user: User, rows: "list[UserSession]") -> int:
    ended = list(rows)
    for row in ended:
        row.end()
    if ended:
        audit.record("user.sessions_ended", user, by=user, count=len(ended))
    return len(ended)
