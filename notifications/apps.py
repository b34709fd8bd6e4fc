"""The messages as a Django app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """What the salon says."""

    name = "notifications"

    def ready(self) -> None:
        """Show the messages in the timeline of the card and on the activity page, which cannot look up here."""
        from clients import keeping, rooms, ways  # noqa: PLC0415 (models may be imported only once all apps are loaded)
        from notifications import alarms, answering, cardline, deeds, kept, smsaccount  # noqa: PLC0415

        rooms.register(cardline.ROOM)
        rooms.register(cardline.REPLIES)
        alarms.register()
        answering.register()
        deeds.register()
        keeping.register(kept.lines)
        ways.register(smsaccount.of_reminders)
