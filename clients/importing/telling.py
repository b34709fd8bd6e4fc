"""The words of an import's notices in the bell. Registered when the app starts."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from salon.core import notices


def register() -> None:
    """Say how each notice of an import is told."""
    notices.register("import_checked", icon="file-spreadsheet", words=_checked)
    notices.register("import_done", icon="circle-check", words=_done)
    notices.register("import_undone", icon="arrow-back-up", words=_undone)
    notices.register("import_failed", icon="alert-triangle", words=_failed)


def _checked(facts: Mapping[str, int]) -> str:
    return _("The list is checked and ready to import.")


def _done(facts: Mapping[str, int]) -> str:
    added, filled = facts.get("new_count", 0), facts.get("updated_count", 0)
    refused = facts.get("refused_count", 0)
    words = ngettext("Import done: %(count)s new client", "Import done: %(count)s new clients", added) % {"count": added}
    if filled:
        words += ngettext(", %(count)s filled in", ", %(count)s filled in", filled) % {"count": filled}
    if not refused:
        return f"{words}."
    return f"{words}. " + ngettext("%(count)s row was refused.", "%(count)s rows were refused.", refused) % {"count": refused}


def _undone(facts: Mapping[str, int]) -> str:
    back, kept = facts.get("taken_back_count", 0), facts.get("kept_count", 0)
    words = ngettext("Import undone: %(count)s card taken back", "Import undone: %(count)s cards taken back", back)
    if not kept:
        return f"{words % {'count': back}}."
    return words % {"count": back} + ngettext(", %(count)s not.", ", %(count)s not.", kept) % {"count": kept}


def _failed(facts: Mapping[str, int]) -> str:
    return _("An import stopped before its end.")
