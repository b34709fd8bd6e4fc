"""The words of an export's notices in the bell. Registered when the app starts."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from salon.core import notices


def register() -> None:
    """Say how each notice of an export is told."""
    notices.register("export_ready", icon="file-spreadsheet", words=_ready)
    notices.register("export_failed", icon="alert-triangle", words=_failed)


def _ready(facts: Mapping[str, int]) -> str:
    count = facts.get("rows_count", 0)
    words = ngettext("The file with %(count)s client is ready.", "The file with %(count)s clients is ready.", count)
    return words % {"count": count}


def _failed(facts: Mapping[str, int]) -> str:
    return _("An export stopped before its end.")
