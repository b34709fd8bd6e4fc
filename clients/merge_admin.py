"""Merges in the admin: that there was one, never what stood on the cards. Loaded when the app starts."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as lazy

from clients.admin import OfClient
from clients.models import Merge, MergedHealthNote
from salon.core.backoffice import Everyday, site

MERGES = Everyday(
    lazy("Clients are merged from their list or their card, and a merge is undone from the timeline of the card."),
    lazy("Open the clients"), "clients:list",
)  # fmt: skip


@admin.register(Merge, site=site)
class MergeAdmin(OfClient):
    """Which card took in which others."""

    client = "winner"
    called = lazy("merges")
    everyday = MERGES
    hidden = frozenset({"snapshot"})
    list_display = ("pk", "winner", "taken_in", "by", "at", "undone_at")
    list_select_related = ("winner", "by")
    date_hierarchy = "at"
    ordering = ("-pk",)


@admin.register(MergedHealthNote, site=site)
class MergedHealthNoteAdmin(OfClient):
    """That a card had a health note before a merge."""

    client = "merge__winner"
    called = lazy("health notes of merged cards")
    everyday = MERGES
    hidden = frozenset({"text", "patch_tested_on"})
    list_display = ("merge", "card", "written_at", "written_by")
    list_select_related = ("merge", "written_by")
