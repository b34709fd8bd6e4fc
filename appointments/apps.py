"""The visits as a Django app."""

from django.apps import AppConfig


class AppointmentsConfig(AppConfig):
    """The visit."""

    name = "appointments"
