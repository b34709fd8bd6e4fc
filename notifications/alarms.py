"""Tells the owners in their bell that SMS cannot leave, and why: a sender, a country, a key."""

import datetime as dt
from collections.abc import Mapping

from django.urls import reverse
from django.utils.translation import gettext as _

from notifications.providers import codes
from salon.core import notices
from salon.core.models import User
from salon.core.roles import Role

CODE = "sms.trouble"


def ring(code: str, *, now: dt.datetime) -> None:
    """Put what is wrong into the bell of every owner; an unread notice about SMS gives way to it."""
    url = reverse("notifications:sms")
    for owner in User.objects.filter(role=Role.OWNER, is_active=True).order_by("pk"):
        notices.tell(owner, CODE, url=url, now=now, error=int(code))


def register() -> None:
    """Say how the bell tells of it. Called when the app starts."""
    notices.register(CODE, icon="alert-triangle", words=_words)


def _words(facts: Mapping[str, int]) -> str:
    known = codes.WORDS.get(str(facts.get("error", "")))
    return _("An SMS could not leave. %(why)s") % {"why": known() if known else facts.get("error", "")}
