"""The messages as a Django app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """What the salon says."""

    name = "notifications"

    def ready(self) -> None:
        """Show the messages on the card and on the activity page, and join them in a merge: nobody there can look up."""
        from clients import keeping, rooms  # noqa: PLC0415 (models may be imported only once all apps are loaded)
        from notifications import cardline, deeds, joining, kept  # noqa: PLC0415

        rooms.register(cardline.ROOM)
        deeds.register()
        keeping.register(kept.lines)
        joining.register()
