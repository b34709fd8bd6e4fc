"""What the bell says of retention. Registered when the app starts."""

from collections.abc import Mapping

from django.utils.translation import ngettext

from clients import retention_rules
from salon.core import notices


def _words(facts: Mapping[str, int]) -> str:
    count = facts.get("count", 0)
    return ngettext(
        "%(count)d client has been silent for long and is erased in 30 days",
        "%(count)d clients have been silent for long and are erased in 30 days",
        count,
    ) % {"count": count}


def register() -> None:
    """Say how the warning is told."""
    notices.register(retention_rules.NOTICE, icon="calendar-x", words=_words)
