"""Cards of the transaction in hand, as the ledger takes them: nobody else sees them, and nothing was said of them before."""

from typing import NamedTuple

from clients.models import Client


class Newcomer(NamedTuple):
    """A card that `records.make_many` has just made. Neither locked nor looked up by what writes in the same transaction."""

    pk: int
    subject_id: int
    email: str
    phone: str


Card = Client | Newcomer
