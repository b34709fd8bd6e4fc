"""The visits as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppointmentsConfig(AppConfig):
    """The visit."""

    name = "appointments"
    verbose_name = _("Appointments")

    def ready(self) -> None:
        """Answer the questions that the clients app asks upward."""
        from appointments import access, copyparts, deeds, diary, forgetfulness, forgetting, habits, kept, regulars  # noqa: PLC0415 (models may be imported only once all apps are loaded)
        from clients import bookings, keeping, retention_rules, rooms  # noqa: PLC0415
        from clients.erasure import above  # noqa: PLC0415

        access.register()
        habits.register()
        rooms.register(regulars.ROOM)
        deeds.register()
        keeping.register(kept.lines)
        above.register(forgetting.ROOM)
        copyparts.register()
        retention_rules.register(forgetfulness.NOTES)
        retention_rules.register_contact(forgetfulness.since, visited=forgetfulness.visited)
        bookings.register(diary.DIARY)
