"""The messages as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NotificationsConfig(AppConfig):
    """What the salon says."""

    name = "notifications"
    verbose_name = _("Messages")

    def ready(self) -> None:
        """Show the messages on the card and on the activity page, join them in a merge, forget them in an erasure."""
        from clients import changes, inactivity, keeping, retention_rules, rooms, ways  # noqa: PLC0415 (models may be imported only once all apps are loaded)
        from notifications import (  # noqa: PLC0415
            alarms,
            answering,
            cardline,
            carrying,
            copyparts,
            deeds,
            farewell,
            forgetfulness,
            forgetting,
            joining,
            kept,
            smsaccount,
        )
        from notifications.systems import deeds as system_deeds  # noqa: PLC0415
        from notifications.systems import marks, words  # noqa: PLC0415

        rooms.register(cardline.ROOM)
        rooms.register(cardline.REPLIES)
        alarms.register()
        answering.register()
        carrying.register()
        deeds.register()
        keeping.register(kept.lines)
        joining.register()
        forgetting.register()
        copyparts.register()
        retention_rules.register(forgetfulness.BODIES)
        retention_rules.register_contact(forgetfulness.since)
        retention_rules.register(forgetfulness.REPLIES)
        system_deeds.register()
        words.register()
        changes.register(marks.LISTENER)
        inactivity.register_untold(farewell.untold)
        ways.register(smsaccount.of_reminders)
