"""How deleting, erasing and serving the rights of clients are told on the activity page. Registered when the app starts."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext_lazy

from clients.models import RightsRequest
from salon.core import activity
from salon.core.activity import Facts, Kind, Telling, Text


def _served(facts: Facts) -> Mapping[str, Text]:
    return {"kind": dict(RightsRequest.Kind.choices).get(facts.get("kind", ""), "")}


DEEDS: Mapping[str, Telling] = {
    "client.deleted": Telling(Kind.CARDS, "trash", lazy("%(who)s deleted the client")),
    "clients.deletion_started": Telling(
        Kind.CARDS,
        "trash",
        ngettext_lazy(
            "%(who)s started the deletion of %(clients_count)s client",
            "%(who)s started the deletion of %(clients_count)s clients",
            "clients_count",
        ),
    ),
    "clients.deleted": Telling(
        Kind.CARDS,
        "trash",
        ngettext_lazy(
            "%(who)s deleted %(clients_count)s client in one act",
            "%(who)s deleted %(clients_count)s clients in one act",
            "clients_count",
        ),
    ),
    "client.brought_back": Telling(Kind.CARDS, "arrow-back-up", lazy("%(who)s brought the deleted client back")),
    "client.deletion_hastened": Telling(Kind.CARDS, "trash", lazy("%(who)s had the deleted client erased at once")),
    "client.erased": Telling(Kind.CARDS, "trash", lazy("%(who)s erased a client for good")),
    "client.restricted": Telling(Kind.CARDS, "lock", lazy("%(who)s restricted the card")),
    "client.restriction_lifted": Telling(Kind.CARDS, "lock-open", lazy("%(who)s ended the restriction of the card")),
    "client.right_served": Telling(Kind.CARDS, "clipboard", lazy("%(who)s served a right of the client: %(kind)s"), _served),
    "client.kept": Telling(Kind.CARDS, "calendar-plus", lazy("%(who)s had the card kept for another year")),
    "client.let_go": Telling(Kind.CARDS, "calendar-x", lazy("%(who)s had the card kept no longer than others")),
    "retention.changed": Telling(Kind.SETTINGS, "calendar-x", lazy("%(who)s changed how long something is kept")),
    "retention.ran": Telling(Kind.SETTINGS, "calendar-x", lazy("%(who)s deleted what was kept long enough: %(count)s")),
    "processing.changed": Telling(Kind.SETTINGS, "book", lazy("%(who)s changed the record of processing")),
    "processing.reset": Telling(
        Kind.SETTINGS, "book", lazy("%(who)s put the words of Carnet back into the record of processing")
    ),
    "breach.noted": Telling(Kind.SETTINGS, "urgent", lazy("%(who)s wrote a breach down")),
    "breach.changed": Telling(Kind.SETTINGS, "urgent", lazy("%(who)s changed what is known of a breach")),
}


def register() -> None:
    """Say how the codes are told."""
    activity.register(DEEDS, {})
