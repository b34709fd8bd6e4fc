"""How the acts of the ground floor are told on the activity page: sign-ins, team, profile. Registered at the start."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext_lazy

from salon.core import activity
from salon.core.activity import Facts, Kind, Named, Telling, Text
from salon.core.models import Salon, User
from salon.core.roles import Role

# Fields whose model has no word for them that a reader knows.
_WORDS: Mapping[str, Text] = {
    "hours": lazy("hours"), "has_shortcuts": lazy("keyboard shortcuts"), "theme": lazy("colours"), "density": lazy("rows"),
}  # fmt: skip


def fields_of(model: type[models.Model], words: Mapping[str, Text] = _WORDS) -> Callable[[Facts], Mapping[str, Text]]:
    """Return what makes "name, town" of the fact `fields`: by `words`, else by the names that the model gives them."""

    def parts(facts: Facts) -> Mapping[str, Text]:
        own: dict[str, Text | None] = {field.name: field.verbose_name for field in model._meta.concrete_fields}
        found = [str(words.get(name) or own.get(name) or name) for name in facts.get("fields", ())]
        return {"fields": ", ".join(dict.fromkeys(found))}

    return parts


def _roles(facts: Facts) -> Mapping[str, Text]:
    names: Mapping[str, Text] = dict(Role.choices)
    return {fact: names.get(facts[fact], facts[fact]) for fact in ("role", "before", "after") if fact in facts}


def _delivery(facts: Facts) -> Text:
    if facts.get("delivery") == Salon.Delivery.HOLD:
        return _("%(who)s paused all sending")
    return _("%(who)s let messages leave again")


def _somebody(facts: Facts) -> Text:
    return _("Somebody")


TELLINGS: Mapping[str, Telling] = {
    "setup.taken": Telling(Kind.SETTINGS, "home", lazy("%(who)s set up the salon")),
    "salon.edited": Telling(
        Kind.SETTINGS, "building-store", lazy("%(who)s changed the profile of the salon: %(fields)s"), fields_of(Salon)
    ),
    "salon.delivery_changed": Telling(Kind.SETTINGS, "clock-pause", _delivery),
    "team.invited": Telling(Kind.TEAM, "user-plus", lazy("%(who)s invited somebody to the team as: %(role)s"), _roles),
    "team.joined": Telling(Kind.TEAM, "user-check", lazy("%(who)s joined the team")),
    "team.role_changed": Telling(
        Kind.TEAM, "user-cog", lazy("%(who)s changed a role: %(before)s, now %(after)s"), _roles
    ),
    "team.edited": Telling(Kind.TEAM, "user-cog", lazy("%(who)s changed somebody of the team: %(fields)s"), fields_of(User)),
    "team.deactivated": Telling(Kind.TEAM, "user-off", lazy("%(who)s closed an account")),
    "team.reactivated": Telling(Kind.TEAM, "user-check", lazy("%(who)s opened an account again")),
    "team.second_factor_removed": Telling(
        Kind.TEAM, "shield-lock", lazy("%(who)s removed the second factor of somebody who had lost it")
    ),
    "user.edited_own": Telling(Kind.TEAM, "user-cog", lazy("%(who)s changed the own settings: %(fields)s"), fields_of(User)),
    "user.signed_in": Telling(Kind.SIGN_IN, "login", lazy("%(who)s signed in")),
    "user.sign_in_failed": Telling(
        Kind.SIGN_IN, "alert-circle", lazy("%(who)s tried to sign in with a wrong password"), nobody=_somebody
    ),
    "user.sign_in_unknown": Telling(
        Kind.SIGN_IN, "alert-circle", lazy("%(who)s tried to sign in with an address that nobody here has"), nobody=_somebody
    ),
    "user.code_failed": Telling(
        Kind.SIGN_IN, "shield-lock", lazy("%(who)s gave the right password and a wrong code"), nobody=_somebody
    ),
    "user.locked_out": Telling(
        Kind.SIGN_IN, "lock", lazy("%(who)s stopped sign-ins for some minutes after too many tries")
    ),
    "user.password_changed": Telling(Kind.SIGN_IN, "key", lazy("%(who)s changed the own password")),
    "user.sessions_ended": Telling(
        Kind.SIGN_IN, "logout",
        ngettext_lazy("%(who)s signed out in %(count)s other browser", "%(who)s signed out in %(count)s other browsers", "count"),
    ),
    "user.factor_added": Telling(Kind.SIGN_IN, "shield-check", lazy("%(who)s set up a second factor")),
    "user.factor_removed": Telling(Kind.SIGN_IN, "shield-lock", lazy("%(who)s removed the own second factor")),
    "user.codes_made": Telling(Kind.SIGN_IN, "shield-check", lazy("%(who)s made new recovery codes")),
}  # fmt: skip


def _people(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    url = reverse("core:team")
    return {pk: Named(name, url) for pk, name in User.objects.filter(pk__in=ids).values_list("pk", "name")}


def _salon(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    return dict.fromkeys(ids, Named(_("Salon"), reverse("core:salon")))


def register() -> None:
    """Say how the codes of the ground floor are told."""
    activity.register(TELLINGS, {"core.user": _people, "core.salon": _salon})
