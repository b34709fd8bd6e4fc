"""By which words a text is known to speak of a person, for the few places that hold texts without saying whose they are."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from clients import search
from clients.models import Client, ClientContact

# Fewer digits than a number has are a price or a year.
_DIGITS = 7
_RUNS = re.compile(r"[\d\s().+/-]{7,}")


@dataclass(frozen=True)
class Words:
    """What names a person: e-mails in lower case, ends of phone numbers, and folded names as (first, last)."""

    emails: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[tuple[str, str]]

    def are_in(self, text: str) -> bool:
        """Return whether a text names the person: by an address, a number, or the last name, or the first where there is no last.

        Somebody else's namesake is taken for them: better a list too much than a person too little.
        """
        folded = search.fold(text)
        return self._by_contact(folded) or any(_has(folded, last or first) for first, last in self.names)

    def _by_contact(self, folded: str) -> bool:
        if any(email in folded for email in self.emails):
            return True
        runs = _RUNS.findall(folded) if self.numbers else []
        digits = ["".join(char for char in run if char.isdigit()) for run in runs]
        return any(number in one for number in self.numbers for one in digits)


def _has(folded: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", folded) is not None


def of(ids: Collection[int]) -> Words:
    """Return the words for the person whose cards these are, from the cards as they are now."""
    cards = list(Client.objects.filter(pk__in=ids).only("first_name", "last_name", "email", "phone"))
    contacts = list(ClientContact.objects.filter(client__in=ids).values_list("channel", "address"))
    emails = [card.email for card in cards] + [address for channel, address in contacts if channel == "email"]
    numbers = [str(card.phone or "") for card in cards] + [address for channel, address in contacts if channel != "email"]
    names = {(search.fold(card.first_name).strip(), search.fold(card.last_name).strip()) for card in cards}
    return Words(
        frozenset(search.fold(email) for email in emails if email),
        frozenset(end for number in numbers if len(end := number.lstrip("+")[2:]) >= _DIGITS),
        frozenset(both for both in names if any(both)),
    )
