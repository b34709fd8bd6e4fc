"""What becomes of cards, in the admin: acts that can be undone, the blacklist, pairs that may be one person. To look at."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as lazy

from clients.admin import LISTS, OfClient
from clients.models import Blacklisting, CardRun, DuplicatePair, DuplicateSearch
from salon.core.backoffice import Everyday, Looking, site

STATES = Everyday(
    lazy("Who is inactive or on the blacklist is decided on the card or in the list."), lazy("Open the clients"), "clients:list"
)


@admin.register(CardRun, site=site)
class CardRunAdmin(Looking):
    """Acts on one card or many, for as long as they can be undone."""

    called = lazy("acts on cards")
    everyday = LISTS
    list_display = ("act", "by", "created_at", "undone_at")
    list_filter = ("act",)
    list_select_related = ("by",)


@admin.register(Blacklisting, site=site)
class BlacklistingAdmin(OfClient):
    """Who is on the blacklist, and was. The salon's own words are read on the card alone."""

    called = lazy("entries of the blacklist")
    everyday = STATES
    hidden = frozenset({"words"})
    list_display = ("client", "reason", "at", "until", "review_on", "lifted_at", "by")
    list_filter = ("reason", ("lifted_at", admin.EmptyFieldListFilter))
    list_select_related = ("client", "by")


@admin.register(DuplicatePair, site=site)
class DuplicatePairAdmin(OfClient):
    """Cards that may be one person."""

    client = "low"
    called = lazy("possible duplicates")
    everyday = STATES
    list_display = ("low", "high", "score", "band", "state", "found_at")
    list_filter = ("band", "state")
    list_select_related = ("low", "high")


@admin.register(DuplicateSearch, site=site)
class DuplicateSearchAdmin(Looking):
    """When all cards were compared last."""

    everyday = STATES
    called = lazy("searches for duplicates")
    list_display = ("id", "finished_at", "cards_count", "wanted_at")
