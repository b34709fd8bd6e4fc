"""What the apps above want to hear of: they ask here at the start, since the ground floor cannot import them."""

from collections.abc import Callable

from django.core.exceptions import ObjectDoesNotExist
from django.db import models, transaction

_on_country_change: list[Callable[[], object]] = []


def on_country_change(act: Callable[[], object]) -> None:
    """Call `act` after each commit that changed the salon's country."""
    if act not in _on_country_change:
        _on_country_change.append(act)


def country_changed() -> None:
    """Call everybody who asked, once the current transaction has committed."""
    for act in _on_country_change:
        transaction.on_commit(act, robust=True)


_may_vanish: set[type[ObjectDoesNotExist]] = set()


def may_vanish(model: type[models.Model]) -> None:
    """Say that rows of `model` may be removed while a page works on them, between the look and the lock."""
    _may_vanish.add(model.DoesNotExist)  # type: ignore[attr-defined]


def vanished() -> tuple[type[ObjectDoesNotExist], ...]:
    """Return what is raised when such a row is gone."""
    return tuple(_may_vanish)
