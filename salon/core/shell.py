"""What the base template shows on every page: the places of the navigation, the salon, the reader, the bell."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from salon.core import notices, profile
from salon.core.models import User
from salon.core.roles import May


@dataclass(frozen=True)
class Place:
    """One place of the navigation.

    `url` is a URL name, `prefixes` the paths at which the place is current, `key` the letter after g, `on_bar` says
    whether a phone's bottom bar has it (the rest is under More).
    """

    label: str | Promise
    icon: str
    url: str
    act: May
    prefixes: tuple[str, ...]
    key: str
    on_bar: bool = True


PLACES = (
    Place(_("Calendar"), "calendar-event", "appointments:today", May.SEE_CALENDAR, ("/calendar/", "/appointments/"), "c"),
    Place(_("Clients"), "users", "clients:list", May.SEE_CLIENTS, ("/clients/", "/exports/", "/search/"), "l"),
    Place(_("Messages"), "message", "notifications:list", May.SEE_MESSAGES, ("/messages/",), "m"),
    Place(_("Settings"), "settings", "core:settings", May.READ_SETTINGS, ("/settings/", "/me/"), "s", on_bar=False),
)


def context(request: HttpRequest) -> dict[str, Any]:
    """Return `salon` (or None before set-up), `places` (what this user's role may enter) and `place` (the current one).

    `bell` is read from the database only by a page that shows it, `pause` (of all sending) only while there is one.
    `is_factor_due`: the reader has to add a second factor before anything else.
    """
    user = getattr(request, "user", None)
    places = [place for place in PLACES if isinstance(user, User) and user.may(place.act)]
    current = next((place for place in places if request.path.startswith(place.prefixes)), None)
    salon = getattr(request, "salon", None)
    return {
        "salon": salon,
        "places": places,
        "place": current,
        "is_factor_due": getattr(request, "is_factor_due", False),
        "pause": SimpleLazyObject(lambda: profile.pause(salon)) if salon and isinstance(user, User) else None,
        "bell": SimpleLazyObject(lambda: notices.bell(user)) if isinstance(user, User) else None,
    }
