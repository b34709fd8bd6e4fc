"""What the calendar keeps of clients, for the page Privacy. Registered when the app starts."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as lazy

from clients.keeping import Kept


def lines() -> Sequence[Kept]:
    """Return what is kept of visits."""
    return [Kept(lazy("Appointments and their notes"), lazy("The history on the card, and when somebody was last here."))]
