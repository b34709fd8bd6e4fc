"""What a merge of two cards does where a unique constraint lets only one of two rows stand. Read by `clients.merging`.

A model that points at the client and has such a constraint carries a class `Merging` with `clashes`: for each of these
fields (for a many-to-many field the model that declares it, by the field's name) one of the answers below. A house test
fails on a model without one, and a merge that meets a clash nobody answered refuses.
"""

from enum import StrEnum


class Clash(StrEnum):
    """The answers."""

    # The row of the main card stays; that of the other waits with the merge and comes back when it is undone.
    MAIN = "main"
    # A projection: the rows of all the cards go, and are made anew from what they are made of.
    REBUILT = "rebuilt"
    # A function of the app decides: `clients.merging.pointers.register`.
    BY_HAND = "by_hand"
