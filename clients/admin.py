"""The client book in the admin: every table to look at. Cards, answers and the ledger are written by operations alone."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy

from clients import search
from clients.models import Address, Client, ConsentEvent, ConsentEvidence, ConsentText, OpenedCard, Standing, Subject
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

    list_display = ("client", "purpose", "channel", "state", "event")
    list_filter = ("state", "purpose", "channel")
    list_select_related = ("client", "event")


@admin.register(Subject, site=site)
class SubjectAdmin(OfClient):
    """Whom a line of the ledger is about."""

    list_display = ("pk", "client", "created_at")
    list_filter = (("client", admin.EmptyFieldListFilter),)
    list_select_related = ("client",)


@admin.register(ConsentEvidence, site=site)
class ConsentEvidenceAdmin(OfClient):
    """That there is proof of an event; its words stand on the card."""

    client = "event__subject__client"
    hidden = frozenset({"user_agent_hash"})
    list_display = ("event", "page")
    list_select_related = ("event",)


@admin.register(ConsentText, site=site)
class ConsentTextAdmin(Looking):
    """The words that clients agreed to."""

    everyday = Everyday(lazy("A new wording is a new version, published with an update. The old ones stay as they were."))
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

    everyday = Everyday(lazy("The search box shows these before anything is typed."), lazy("Open the clients"), "clients:list")
    list_display = ("user", "client", "opened_at")
    list_filter = ("user",)
    list_select_related = ("user", "client")
