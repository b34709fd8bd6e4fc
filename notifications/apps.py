"""The messages as a Django app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """What the salon says."""

    name = "notifications"

    def ready(self) -> None:
        """Show the messages in the timeline of the card and on the activity page, which cannot look up here."""
        from clients import inactivity, keeping, rooms  # noqa: PLC0415 (models may be imported only once all apps are loaded)
        from notifications import cardline, deeds, farewell, kept  # noqa: PLC0415

        rooms.register(cardline.ROOM)
        deeds.register()
        keeping.register(kept.lines)
        inactivity.register_untold(farewell.untold)
