"""System checks of the house: they run before every start and every test."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from salon.core import privacy


@register(Tags.models)
def every_field_is_classified(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for each field that no Privacy class names."""
    return [Error(fault.message, hint=fault.hint, obj=fault.model, id="core.E001") for fault in privacy.faults()]


@register(Tags.security)
def keys_are_long_enough(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for a secret that somebody could guess."""
    return [
        Error(f"{name} is too short.", hint="Give at least 32 random characters, or leave it out.", id="core.E002")
        for name, value in (("SECRET_KEY", settings.SECRET_KEY), ("ADDRESS_KEY", settings.ADDRESS_KEY))
        if len(value) < 32
    ]


@register(Tags.security)
def hostile_spreadsheets_are_refused(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return an error without the package by which a spreadsheet that defines entities is found and refused."""
    if find_spec("defusedxml") is not None:
        return []
    return [Error("defusedxml is not installed.", hint="Install requirements.txt: an import relies on it.", id="core.E003")]
