"""What the messages keep of clients, for the page Privacy. Registered when the app starts."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as lazy

from clients.keeping import Kept, by_rule
from notifications import links
from notifications.systems import planning


def lines() -> Sequence[Kept]:
    """Return what is kept of messages and of the addresses they went to."""
    return [
        Kept(
            lazy("Messages: which, when and what became of them"),
            lazy("The card says why a message was or was not sent. After an erasure only that there was one stays."),
        ),
        Kept(
            lazy("Texts of messages and where they went"), lazy("So that it can be seen what was written to whom."),
            until=by_rule("bodies", ""),
        ),
        Kept(
            lazy("SMS that a client sent, and reports of the SMS provider"),
            lazy("On the card with that number. The provider keeps a copy of its own, as long as its account says."),
            until=by_rule("replies", ""),
        ),
        Kept(
            lazy("That a mail server does not know an address"),
            lazy("So that nothing is tried there again. Only a code of the address is kept, not the address."),
        ),
        Kept(
            lazy("Link to the privacy form for a client's own device"), lazy("After that it opens nothing."), links.FORM_VALID_FOR
        ),
        Kept(
            lazy("What a connected system was told: of which card, and when"), lazy("So that it can be told again."),
            planning.KEPT_FOR,
        ),
        Kept(
            lazy("Which system was told by hand, by whom and when"), lazy("So that it can be shown that it was told."),
            planning.KEPT_BY_HAND_FOR,
        ),
    ]  # fmt: skip
