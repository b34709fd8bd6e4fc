"""How merges are told on the activity page. Registered when the app starts."""

from collections.abc import Mapping

from django.utils.translation import ngettext

from salon.core import activity
from salon.core.activity import Facts, Kind, Telling, Text


def _merged(facts: Facts) -> Text:
    count = len(facts.get("cards", ())) or 1
    return ngettext(
        "%(who)s merged another card into this one", "%(who)s merged %(cards_count)s other cards into this one", count
    )


def _parts(facts: Facts) -> Mapping[str, Text]:
    return {"cards_count": str(len(facts.get("cards", ())))}


def _unmerged(facts: Facts) -> Text:
    count = len(facts.get("cards", ())) or 1
    return ngettext(
        "%(who)s undid a merge: the other card is back", "%(who)s undid a merge: %(cards_count)s other cards are back", count
    )


TELLINGS: Mapping[str, Telling] = {
    "client.merged": Telling(Kind.CARDS, "arrow-merge", _merged, _parts),
    "client.unmerged": Telling(Kind.CARDS, "arrow-back-up", _unmerged, _parts),
}


def register() -> None:
    """Say how the codes of merges are told."""
    activity.register(TELLINGS, {})
