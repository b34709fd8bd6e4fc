"""The client book in the admin: every table to look at. Cards, answers and the ledger are written by operations alone."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy

from clients import (
    rights_admin,  # noqa: F401 (registers its own)
    search,
)
from clients.models import (
    Address,
    Client,
    ClientContact,
    ClientLink,
    ConsentEvent,
    ConsentEvidence,
    ConsentText,
    Export,
    ExportPart,
    HealthNote,
    Import,
    ImportedCard,
    OpenedCard,
    SavedFilter,
    SignedForm,
    Standing,
    Subject,
    Tag,
    TagRun,
)
from salon.core.backoffice import Everyday, Looking, site

ANSWERS = Everyday(
    lazy("What a client says about messages is written down on their card, and never changed afterwards."),
    lazy("Open the clients"), "clients:list",
)  # fmt: skip


class OfClient(Looking):
    """Rows of a client: found as the everyday search finds the client, and leading to the card."""

    client = "client"
    everyday = ANSWERS
    search_help_text = lazy("Name, phone digits or e-mail")
    search_fields = ("pk",)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Return the rows of the clients that the everyday search finds."""
        if not search_term:
            return queryset, False
        return queryset.filter(**{f"{self.client}__in": search.find(search_term).values("pk")}), False

    def everyday_path(self, obj: Any) -> str:
        """Return the path of the card."""
        for name in self.client.split("__"):
            obj = getattr(obj, name, None)
        return reverse("clients:card", args=[obj.pk]) if obj is not None else ""


@admin.register(Client, site=site)
class ClientAdmin(Looking):
    """The person. The note is on the card, where it belongs to whom it concerns."""

    called = lazy("clients")
    everyday = Everyday(
        lazy("Clients are added and changed on their card: Clients → the name."), lazy("Open the clients"), "clients:list"
    )
    everyday_page = "clients:card"
    hidden = frozenset({"search_text", "sort_name"})
    list_display = ("name", "phone", "email", "language", "city", "created_at", "inactive_at", "blacklisted_at")
    list_filter = (
        "language", ("inactive_at", admin.EmptyFieldListFilter), ("blacklisted_at", admin.EmptyFieldListFilter),
        ("restricted_at", admin.EmptyFieldListFilter), ("erased_at", admin.EmptyFieldListFilter),
    )  # fmt: skip
    search_fields = ("search_text",)
    search_help_text = OfClient.search_help_text
    date_hierarchy = "created_at"
    ordering = ("sort_name", "pk")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """Return whom the everyday search finds."""
        return search.find(search_term, queryset), False


@admin.register(ConsentEvent, site=site)
class ConsentEventAdmin(OfClient):
    """The ledger: append-only, here as in the database."""

    called = lazy("lines of the ledger of consents")
    client = "subject__client"
    list_display = (
        "recorded_at", "effective_at", "subject", "purpose", "channel", "event", "source", "actor_type", "actor",
    )  # fmt: skip
    list_filter = ("event", "purpose", "channel", "source", "actor_type")
    list_select_related = ("subject", "actor")
    date_hierarchy = "recorded_at"
    ordering = ("-recorded_at", "-pk")


@admin.register(Standing, site=site)
class StandingAdmin(OfClient):
    """What the ledger comes to."""

    called = lazy("states of consent")
    list_display = ("client", "purpose", "channel", "state", "event")
    list_filter = ("state", "purpose", "channel")
    list_select_related = ("client", "event")


@admin.register(Subject, site=site)
class SubjectAdmin(OfClient):
    """Whom a line of the ledger is about."""

    called = lazy("persons in the ledger of consents")
    list_display = ("pk", "client", "created_at")
    list_filter = (("client", admin.EmptyFieldListFilter),)
    list_select_related = ("client",)


@admin.register(ConsentEvidence, site=site)
class ConsentEvidenceAdmin(OfClient):
    """That there is proof of an event; its words stand on the card."""

    called = lazy("proofs of consent")
    client = "event__subject__client"
    hidden = frozenset({"user_agent_hash"})
    list_display = ("event", "page")
    list_select_related = ("event",)


@admin.register(SignedForm, site=site)
class SignedFormAdmin(OfClient):
    """That the sheet of a signed form is kept. It is looked at from the consent history, where each look is noted."""

    called = lazy("signed forms")
    client = "subject__client"
    hidden = frozenset({"data"})
    list_display = ("subject", "signed_on", "content_type", "added_at", "added_by")
    list_select_related = ("subject", "added_by")
    date_hierarchy = "added_at"


@admin.register(ConsentText, site=site)
class ConsentTextAdmin(Looking):
    """The words that clients agreed to."""

    called = lazy("wordings")
    everyday = Everyday(
        lazy("A new wording is a new version, published under Settings → Wording. The old ones stay as they were."),
        lazy("Open the wording"), "clients:wordings",
    )  # fmt: skip
    list_display = ("purpose", "channel", "language", "version", "published_at")
    list_filter = ("purpose", "channel", "language", "version")
    search_fields = ("body",)


@admin.register(Address, site=site)
class AddressAdmin(Looking):
    """Addresses by their keyed hash: whose they are stands nowhere."""

    everyday = Everyday(
        lazy("An address that came back is tried again from the messages of the client’s card."),
        lazy("Open the clients"), "clients:list",
    )  # fmt: skip
    called = lazy("addresses")
    list_display = ("pk", "channel", "scope", "reason", "stopped_at", "created_at")
    list_filter = ("channel", "scope", "reason")
    date_hierarchy = "created_at"


@admin.register(OpenedCard, site=site)
class OpenedCardAdmin(OfClient):
    """Which cards somebody opened last."""

    called = lazy("opened cards")
    everyday = Everyday(lazy("The search box shows these before anything is typed."), lazy("Open the clients"), "clients:list")
    list_display = ("user", "client", "opened_at")
    list_filter = ("user",)
    list_select_related = ("user", "client")


CARD = Everyday(lazy("This is kept on the client’s card, on the page Other."), lazy("Open the clients"), "clients:list")
IMPORTS = Everyday(
    lazy("Lists are imported, and taken back, under Clients → Other actions → Import a list."),
    lazy("Open the imports"),
    "clients:imports",
)
LISTS = Everyday(lazy("Filters and tags are changed from the list of clients."), lazy("Open the clients"), "clients:list")
EXPORTS = Everyday(
    lazy("Clients are exported from their list: Clients → Other actions."), lazy("Open the clients"), "clients:list"
)


@admin.register(Tag, site=site)
class TagAdmin(Looking):
    """The salon's own words for some clients."""

    called = lazy("tags")
    everyday = CARD
    list_display = ("name",)
    search_fields = ("name", "folded")


@admin.register(ClientContact, site=site)
class ClientContactAdmin(OfClient):
    """Further numbers and addresses."""

    called = lazy("further contacts")
    everyday = CARD
    list_display = ("client", "channel", "address", "label")
    list_filter = ("channel",)
    list_select_related = ("client",)


@admin.register(ClientLink, site=site)
class ClientLinkAdmin(OfClient):
    """Who belongs to whom."""

    called = lazy("ties between clients")
    everyday = CARD
    list_display = ("client", "kind", "other", "created_at")
    list_filter = ("kind",)
    list_select_related = ("client", "other")


@admin.register(HealthNote, site=site)
class HealthNoteAdmin(OfClient):
    """That there is a health note. What it says is read on the card alone, where every look is written down."""

    called = lazy("health notes")
    everyday = CARD
    hidden = frozenset({"text", "patch_tested_on"})
    list_display = ("client", "written_at", "written_by")
    list_select_related = ("client", "written_by")


@admin.register(Import, site=site)
class ImportAdmin(Looking):
    """Lists that were brought. Their rows are shown while they are imported, and nowhere else."""

    called = lazy("imports")
    everyday = IMPORTS
    hidden = frozenset({"title", "sheet", "columns", "report"})
    list_display = ("pk", "state", "by", "created_at", "settled_at", "row_count", "new_count", "filled_count")
    list_filter = ("state",)
    list_select_related = ("by",)
    date_hierarchy = "created_at"
    ordering = ("-pk",)


@admin.register(ImportedCard, site=site)
class ImportedCardAdmin(OfClient):
    """Which card came from which list."""

    called = lazy("imported cards")
    everyday = IMPORTS
    hidden = frozenset({"marks"})
    list_display = ("client", "source", "is_new", "at", "outcome")
    list_filter = ("is_new", "outcome")
    list_select_related = ("client", "source")


@admin.register(Export, site=site)
class ExportAdmin(Looking):
    """Who took which clients out of the house. What was searched may name somebody and is not shown."""

    called = lazy("exports")
    everyday = EXPORTS
    hidden = frozenset({"text"})
    list_display = ("pk", "state", "by", "created_at", "preset", "who", "purpose", "row_count")
    list_filter = ("state", "preset")
    list_select_related = ("by",)
    date_hierarchy = "created_at"
    ordering = ("-pk",)


@admin.register(ExportPart, site=site)
class ExportPartAdmin(Looking):
    """The pieces of files that wait to be taken."""

    called = lazy("parts of exports")
    everyday = EXPORTS
    hidden = frozenset({"data"})
    list_display = ("source", "number")
    list_select_related = ("source",)


@admin.register(SavedFilter, site=site)
class SavedFilterAdmin(Looking):
    """Filters of the list under a name."""

    called = lazy("saved filters")
    everyday = LISTS
    list_display = ("name", "query", "by", "created_at")
    list_select_related = ("by",)


@admin.register(TagRun, site=site)
class TagRunAdmin(Looking):
    """Tags put on many cards at once, for as long as they can be undone."""

    called = lazy("tags put on many cards")
    everyday = LISTS
    list_display = ("tag", "is_added", "by", "created_at", "undone_at")
    list_select_related = ("tag", "by")
