"""What the bell says of retention and of a deletion of many. Registered when the app starts."""

from collections.abc import Mapping

from django.utils.translation import ngettext

from clients import clearing, retention_rules
from salon.core import notices


def _words(facts: Mapping[str, int]) -> str:
    count = facts.get("count", 0)
    return ngettext(
        "%(count)d client has been silent for long and is erased in 30 days",
        "%(count)d clients have been silent for long and are erased in 30 days",
        count,
    ) % {"count": count}


def _deleted(facts: Mapping[str, int]) -> str:
    count, refused = facts.get("count", 0), facts.get("refused_count", 0)
    words = ngettext("%(count)d client was deleted", "%(count)d clients were deleted", count) % {"count": count}
    if not refused:
        return words
    return words + ngettext(", %(count)d not", ", %(count)d not", refused) % {"count": refused}


def register() -> None:
    """Say how the warning is told, and the end of a deletion of many."""
    notices.register(clearing.NOTICE, icon="trash", words=_deleted)
    notices.register(retention_rules.NOTICE, icon="calendar-x", words=_words)
