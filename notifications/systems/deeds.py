"""How the acts around other systems are told on the activity page. Registered when the app starts."""

import datetime as dt
from collections.abc import Collection, Mapping

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext_lazy

from notifications.systems.models import OtherSystem
from salon.core import activity
from salon.core.activity import Facts, Kind, Named, Telling, Text
from salon.core.deeds import fields_of
from salon.core.models import User
from salon.core.roles import May

_FIELDS: Mapping[str, Text] = {
    "name": lazy("name"), "url": lazy("address"), "has_email": lazy("with e-mail"), "has_phone": lazy("with phone"),
}  # fmt: skip


def _switched(facts: Facts) -> Text:
    if facts.get("is_on"):
        return _("%(who)s switched another system on")
    return _("%(who)s switched another system off")


def _told_us(facts: Facts) -> Text:
    match facts.get("event"):
        case "mail.bounced":
            return _("%(who)s heard from another system that an e-mail came back")
        case "mail.complained":
            return _("%(who)s heard from another system that somebody called an e-mail spam")
    return ngettext_lazy(
        "%(who)s took a No over from another system: %(count)s line of the ledger",
        "%(who)s took a No over from another system: %(count)s lines of the ledger",
        "count",
    )


TELLINGS: Mapping[str, Telling] = {
    "system.added": Telling(Kind.SETTINGS, "plug", lazy("%(who)s added another system")),
    "system.changed": Telling(
        Kind.SETTINGS, "plug", lazy("%(who)s changed another system: %(fields)s"), fields_of(OtherSystem, _FIELDS)
    ),
    "system.rotated": Telling(Kind.SETTINGS, "key", lazy("%(who)s made a new secret for another system")),
    "system.switched": Telling(Kind.SETTINGS, "plug", _switched),
    "system.removed": Telling(
        Kind.SETTINGS, "trash",
        ngettext_lazy(
            "%(who)s removed another system, for which %(count)s change waited",
            "%(who)s removed another system, for which %(count)s changes waited",
            "count",
        ),
    ),
    "system.tested": Telling(Kind.SETTINGS, "send", lazy("%(who)s sent another system a test")),
    "system.sent_again": Telling(Kind.SETTINGS, "refresh", lazy("%(who)s had another system told again about a client")),
    "system.gave_up": Telling(
        Kind.SETTINGS, "plug-connected-x",
        ngettext_lazy(
            "%(who)s switched another system off that could not be reached: %(count)s change waits",
            "%(who)s switched another system off that could not be reached: %(count)s changes wait",
            "count",
        ),
    ),
    "system.told_us": Telling(Kind.CONSENT, "plug", _told_us),
    "system.informed": Telling(
        Kind.CONSENT, "clipboard",
        ngettext_lazy(
            "%(who)s told another system about %(count)s client who said No",
            "%(who)s told another system about %(count)s clients who said No",
            "count",
        ),
    ),
    "system.uninformed": Telling(
        Kind.CONSENT, "arrow-back-up",
        ngettext_lazy(
            "%(who)s took it back that another system was told about %(count)s client",
            "%(who)s took it back that another system was told about %(count)s clients",
            "count",
        ),
    ),
    "refusals.exported": Telling(
        Kind.LISTS, "file-spreadsheet",
        ngettext_lazy(
            "%(who)s downloaded the refusals of %(rows_count)s client",
            "%(who)s downloaded the refusals of %(rows_count)s clients",
            "rows_count",
        ),
    ),
}  # fmt: skip


def _systems(user: User, ids: Collection[int], now: dt.datetime) -> Mapping[int, Named]:
    rows = OtherSystem.objects.filter(pk__in=ids).values_list("pk", "name")
    may_open = user.may(May.EDIT_SENDING)
    return {pk: Named(name, reverse("notifications:system", args=[pk]) if may_open else "") for pk, name in rows}


def register() -> None:
    """Say how the codes around other systems are told."""
    activity.register(TELLINGS, {OtherSystem._meta.label_lower: _systems})
