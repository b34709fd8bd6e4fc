"""The ground floor as a Django app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Registers the system checks of the house and how its acts are told."""

    name = "salon.core"
    label = "core"
    verbose_name = "Salon"

    def ready(self) -> None:
        """Load the checks, which register themselves, and say how acts are told on the activity page."""
        from salon.core import checks, deeds, ownership  # noqa: F401, PLC0415 (Django asks for it here)

        deeds.register()
        ownership.register()
