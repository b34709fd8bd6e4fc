"""What the pages about erasures say of their counts."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from salon.core import dates

register = template.Library()
# What stays after an erasure, by the name of its table. A table without words here is not told: it holds links only.
_WORDS: Mapping[str, str | Promise] = {
    "appointments.appointment": ngettext_lazy("%(count)d visit", "%(count)d visits", "count"),
    "notifications.message": ngettext_lazy(
        "%(count)d message without text", "%(count)d messages without text", "count"
    ),
    "clients.signedform": ngettext_lazy("day of %(count)d signed form", "days of %(count)d signed forms", "count"),
    "clients.rightsrequest": ngettext_lazy(
        "%(count)d entry in the log of requests", "%(count)d entries in the log of requests", "count"
    ),
    "ledger": ngettext_lazy("%(count)d answer about marketing", "%(count)d answers about marketing", "count"),
    "marks": ngettext_lazy("%(count)d scrambled mark of an address", "%(count)d scrambled marks of addresses", "count"),
}  # fmt: skip


@register.filter
def rows_in(tables: Mapping[str, int]) -> int:
    """Return how many rows were touched in all."""
    return sum(tables.values())


@register.filter
def stayed(kept: list[dict[str, Any]]) -> str:
    """Return what stayed after an erasure, in words, with the day until which it does."""
    return ", ".join(_line(line) for line in kept if line["what"] in _WORDS)


def _line(line: Mapping[str, Any]) -> str:
    words = str(_WORDS[line["what"]] % {"count": line["count"]})
    until = dates.read(line["until"]) if line["until"] else None
    return _("%(what)s until %(month)s") % {"what": words, "month": dates.show(until, "F Y")} if until else words
