"""The ground floor as a Django app."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Registers the system checks of the house."""

    name = "salon.core"
    label = "core"
    verbose_name = "Salon"

    def ready(self) -> None:
        """Load the checks, which register themselves."""
        from salon.core import checks  # noqa: F401, PLC0415 (Django asks for it here)
