"""Every address of the application, read from the URL configuration."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver


@dataclass(frozen=True)
class Address:
    """A URL name with its namespace, and the view behind it."""

    name: str
    view: Callable[..., Any]

    @property
    def is_ours(self) -> bool:
        """Return whether the view is written in this repository."""
        return self.view.__module__.split(".")[0] in {"salon", "clients", "appointments", "notifications"}


def addresses(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[Address]:
    """Yield every address below `resolver` (default: the whole application)."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from addresses(entry, inner)
        elif isinstance(entry, URLPattern):
            yield Address(f"{namespace}{entry.name}", entry.callback)
