"""The salon's other systems in the admin: which there are, what they are told and what came from them. Looked at alone."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as lazy

from notifications.models import Change, Delivery, OtherSystem, Received
from salon.core.backoffice import Everyday, Looking, site

SYSTEMS = Everyday(
    lazy("Other systems are added and tested under Settings → Other systems."), lazy("Open the systems"), "notifications:systems"
)


@admin.register(OtherSystem, site=site)
class OtherSystemAdmin(Looking):
    """The salon's other systems. Their secrets are not read."""

    called = lazy("other systems")
    everyday = SYSTEMS
    everyday_page = "notifications:system"
    hidden = frozenset({"public_id", "secret", "old_secret"})
    list_display = ("name", "way", "url", "is_on", "off_reason", "failure_count", "last_ok_at")
    list_filter = ("way", "is_on")


@admin.register(Delivery, site=site)
class DeliveryAdmin(Looking):
    """What each system is told."""

    everyday = SYSTEMS
    called = lazy("deliveries")
    list_display = ("created_at", "system", "kind", "client_number", "sequence", "state", "try_count", "status", "code")
    list_filter = ("state", "kind", "system")
    list_select_related = ("system",)
    ordering = ("-pk",)


@admin.register(Change, site=site)
class ChangeAdmin(Looking):
    """Marks that wait to be turned into deliveries."""

    called = lazy("changes to tell")
    everyday = SYSTEMS
    list_display = ("at", "client_number", "channel", "is_refusal", "origin")


@admin.register(Received, site=site)
class ReceivedAdmin(Looking):
    """Ids of what other systems sent."""

    everyday = SYSTEMS
    called = lazy("received events")
    list_display = ("at", "system", "event_id")
