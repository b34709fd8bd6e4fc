"""The messages as a Django app."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """What the salon says."""

    name = "notifications"
