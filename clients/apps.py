"""The client book as a Django app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from salon.core import hooks


class ClientsConfig(AppConfig):
    """The person."""

    name = "clients"
    verbose_name = _("Clients")

    def ready(self) -> None:
        """Ask to be called when the country changes: it decides what a Yes must prove. Say how the jobs are told in the bell.

        And how acts are told on the activity page. An import may be undone while somebody has a card of it open.
        """
        from clients import (  # noqa: PLC0415 (models are not ready before)
            copyparts,
            deeds,
            merge_admin,  # noqa: F401
            retention_own,
            rights_deeds,
            rights_telling,
            standings,
            state_admin,  # noqa: F401 (registers its tables)
            state_deeds,
        )
        from clients.exporting import telling as exports  # noqa: PLC0415
        from clients.importing import telling as imports  # noqa: PLC0415
        from clients.merging import deeds as merges  # noqa: PLC0415
        from clients.merging import handles  # noqa: PLC0415

        hooks.on_country_change(standings.rebuild)
        hooks.may_vanish(self.get_model("Client"))
        imports.register()
        exports.register()
        deeds.register()
        merges.register()
        handles.register()
        rights_deeds.register()
        rights_telling.register()
        copyparts.register()
        retention_own.register()
        state_deeds.register()
