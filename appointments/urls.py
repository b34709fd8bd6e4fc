"""Addresses of the appointments pages."""

import datetime as dt

from django.urls import URLPattern, path, register_converter

from appointments import card_views, settings_views, views, visit_views
from salon.core import dates


class DateConverter:
    """A day in an address: 2026-11-18."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> dt.date:
        """Return the date; ValueError (no such address) for the 31st of November, or a day no calendar shows."""
        on = dates.read(value)
        if on is None:
            raise ValueError(value)
        return on

    def to_url(self, value: dt.date | str) -> str:
        """Return "2026-11-18"."""
        return value if isinstance(value, str) else value.isoformat()


register_converter(DateConverter, "date")

app_name = "appointments"
urlpatterns: list[URLPattern] = [
    path("calendar/", views.today, name="today"),
    path("calendar/new/", views.book, name="book"),
    path("calendar/<date:iso>/", views.day, name="day"),
    path("appointments/<int:pk>/", visit_views.detail, name="detail"),
    path("appointments/<int:pk>/move/", visit_views.move, name="move"),
    path("appointments/<int:pk>/cancel/", visit_views.cancel, name="cancel"),
    path("appointments/<int:pk>/status/", visit_views.status, name="status"),
    path("appointments/<int:pk>/note/", visit_views.note, name="note"),
    path("appointments/<int:pk>/undo/", visit_views.undo, name="undo"),
    path("clients/<int:pk>/appointments/", views.of_client, name="of_client"),
    path("clients/<int:pk>/usual/", card_views.usual, name="usual"),
    path("clients/<int:pk>/rhythm/", card_views.rhythm, name="rhythm"),
    path("clients/<int:pk>/rhythm/set/", card_views.set_rhythm, name="set_rhythm"),
    path("clients/<int:pk>/usual/set/", card_views.set_usual, name="set_usual"),
    path("settings/services/", settings_views.services, name="services"),
    path("settings/services/new/", settings_views.service_add, name="service_add"),
    path("settings/services/<int:pk>/", settings_views.service_edit, name="service_edit"),
    path("settings/staff/", settings_views.staff, name="staff"),
    path("settings/staff/new/", settings_views.staff_add, name="staff_add"),
    path("settings/staff/<int:pk>/", settings_views.staff_edit, name="staff_edit"),
]
