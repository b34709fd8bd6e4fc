"""What the apps above want to hear of: they ask here at the start, since the ground floor cannot import them."""

from collections.abc import Callable

from django.db import transaction

_on_country_change: list[Callable[[], object]] = []


def on_country_change(act: Callable[[], object]) -> None:
    """Call `act` after each commit that changed the salon's country."""
    if act not in _on_country_change:
        _on_country_change.append(act)


def country_changed() -> None:
    """Call everybody who asked, once the current transaction has committed."""
    for act in _on_country_change:
        transaction.on_commit(act, robust=True)
