"""Deletions, erasures, requests and records in the admin: to look at. Operations write them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as lazy

from clients.models import (
    Breach,
    Deletion,
    DeletionRun,
    Erasure,
    ExistingRule,
    OutsideCopy,
    Processing,
    Restriction,
    RetentionHold,
    RetentionRule,
    RetentionWarning,
    RightsRequest,
)
from salon.core.backoffice import Everyday, Looking, site

DELETED = Everyday(
    lazy("Clients are deleted on their card, and erased once their day has come."), lazy("Deleted clients"), "clients:deleted"
)
REQUESTS = Everyday(lazy("Rights are served on the card."), lazy("Requests of clients"), "clients:requests")
RETENTION = Everyday(lazy("How long things are kept is set under Settings."), lazy("Retention"), "clients:retention")


@admin.register(Deletion, site=site)
class DeletionAdmin(Looking):
    """Cards that wait for their day."""

    called = lazy("deletions")
    everyday = DELETED
    list_display = ("client_id", "is_asked", "erase_on", "by", "created_at")
    list_select_related = ("by",)
    ordering = ("erase_on",)


@admin.register(Erasure, site=site)
class ErasureAdmin(Looking):
    """That somebody was erased."""

    called = lazy("erasures")
    everyday = DELETED
    list_display = ("case", "at", "ground", "by", "is_again", "wiped_at")
    list_filter = ("ground", "is_again")
    list_select_related = ("by",)
    date_hierarchy = "at"
    ordering = ("-at",)


@admin.register(OutsideCopy, site=site)
class OutsideCopyAdmin(Looking):
    """What providers were asked to delete."""

    everyday = DELETED
    hidden = frozenset({"reference"})
    called = lazy("outside copies")
    list_display = ("erasure_id", "provider", "state", "try_count", "next_at", "settled_at")
    list_filter = ("state", "provider")


@admin.register(RightsRequest, site=site)
class RightsRequestAdmin(Looking):
    """Which rights were used."""

    called = lazy("requests of clients")
    everyday = REQUESTS
    list_display = ("kind", "received_on", "known_by", "answered_at", "by", "case")
    list_filter = ("kind",)
    list_select_related = ("by",)
    date_hierarchy = "received_on"
    ordering = ("-received_on",)


@admin.register(Restriction, site=site)
class RestrictionAdmin(Looking):
    """Cards that are only kept."""

    called = lazy("restrictions")
    everyday = Everyday(lazy("Cards are restricted on the card."), lazy("Restricted cards"), "clients:restricted")
    list_display = ("client_id", "reason", "until", "set_at", "set_by", "lifted_at")
    list_select_related = ("set_by",)


@admin.register(RetentionRule, site=site)
class RetentionRuleAdmin(Looking):
    """Lengths that the owner changed, and which rules run."""

    called = lazy("rules of retention")
    everyday = RETENTION
    list_display = ("code", "months", "is_on", "changed_at", "changed_by", "ran_on")
    list_select_related = ("changed_by",)


@admin.register(RetentionWarning, site=site)
class RetentionWarningAdmin(Looking):
    """Cards whose time is over soon."""

    called = lazy("warnings before erasing")
    everyday = RETENTION
    list_display = ("client_id", "code", "warned_on", "erase_on")
    ordering = ("erase_on",)


@admin.register(RetentionHold, site=site)
class RetentionHoldAdmin(Looking):
    """Cards that somebody wanted kept."""

    called = lazy("cards kept on purpose")
    everyday = Everyday(lazy("Cards are kept under Settings."), lazy("Cards that will go"), "clients:retention_due")
    list_display = ("client_id", "until", "by", "at")
    list_select_related = ("by",)
    ordering = ("until",)


@admin.register(DeletionRun, site=site)
class DeletionRunAdmin(Looking):
    """Deletions of many."""

    called = lazy("deletions of many cards")
    everyday = Everyday(lazy("Inactive clients are deleted from the list."), lazy("Deleted clients"), "clients:deleted")
    list_display = ("pk", "by", "created_at", "is_at_once", "cards_count", "done_count", "settled_at")
    list_select_related = ("by",)
    ordering = ("-pk",)


@admin.register(ExistingRule, site=site)
class ExistingRuleAdmin(Looking):
    """Where offers may go to existing clients without a Yes."""

    everyday = Everyday(lazy("An owner decides this under Settings."), lazy("Existing clients"), "clients:existing")
    called = lazy("offers to existing clients")
    list_display = ("country", "channel", "switched_on_at", "by")
    list_select_related = ("by",)


@admin.register(Processing, site=site)
class ProcessingAdmin(Looking):
    """Entries of the record that the salon wrote in its own words."""

    everyday = Everyday(lazy("The record is changed under Settings."), lazy("Record of processing"), "clients:processings")
    called = lazy("processings")
    list_display = ("code", "changed_at", "changed_by")
    list_select_related = ("changed_by",)


@admin.register(Breach, site=site)
class BreachAdmin(Looking):
    """Breaches."""

    everyday = Everyday(lazy("Breaches are written down under Settings."), lazy("Breaches"), "clients:breaches")
    called = lazy("breaches")
    list_display = ("pk", "discovered_at", "people_count", "has_health", "authority_at", "persons_at")
    date_hierarchy = "discovered_at"
    ordering = ("-discovered_at",)
