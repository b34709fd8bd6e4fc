"""What the calendar keeps of clients, for the page Privacy. Registered when the app starts."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as lazy

from clients.keeping import Kept, by_rule


def lines() -> Sequence[Kept]:
    """Return what is kept of visits."""
    return [
        Kept(
            lazy("Appointments"),
            lazy("The history on the card. After an erasure the figure stays, without the name: takings and statistics."),
        ),
        Kept(lazy("Notes on appointments"), lazy("For that one day."), until=by_rule("visit_notes", "")),
    ]
