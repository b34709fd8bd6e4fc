"""The facts of cards as the score wants them: read from the book a few hundred at a time, names folded in every spelling."""

import re
from collections.abc import Collection, Iterable, Mapping

from clients import runs, search
from clients.duplicates.score import Facts
from clients.models import Channel, Client, ClientContact

_SIGNS = re.compile(r"[\W_]+")
_ROWS = (
    "pk", "first_name", "last_name", "phone", "email", "birth_year", "birth_month", "birth_day", "street", "postcode",
)  # fmt: skip


def of(
    *, first_name: str = "", last_name: str = "", phones: Iterable[str] = (), emails: Iterable[str] = (),
    birth: tuple[int | None, int | None, int | None] = (None, None, None), street: str = "", postcode: str = "",
) -> Facts:  # fmt: skip
    """Return the facts of what is written on a card; `phones` are E.164, `birth` is year, month, day."""
    return Facts(
        spellings(first_name), spellings(last_name),
        frozenset(phone for phone in phones if phone), frozenset(email.lower() for email in emails if email),
        birth, _SIGNS.sub("", search.fold(street)), _SIGNS.sub("", postcode).lower(),
    )  # fmt: skip


def spellings(name: str) -> tuple[str, ...]:
    """Return a name folded both ways, without blanks and signs: "Müller-Lang" is "mullerlang" and "muellerlang"."""
    if not name:
        return ()
    found = dict.fromkeys(_SIGNS.sub("", form) for form in (search.fold(name), search.fold_german(name)))
    return tuple(form for form in found if form)


def of_cards(ids: Collection[int]) -> dict[int, Facts]:
    """Return the facts of the active cards among these, by id. Many are read in one go with all the others."""
    wanted = set(ids)
    found: dict[int, Facts] = {}
    rows, contacts = Client.objects.active(), ClientContact.objects.all()
    if len(wanted) <= runs.CHUNK:
        rows, contacts = rows.filter(pk__in=wanted), contacts.filter(client__in=wanted)
    further: dict[int, list[tuple[str, str]]] = {}
    for pk, channel, address in contacts.values_list("client", "channel", "address").iterator(chunk_size=5000):
        further.setdefault(pk, []).append((channel, address))
    for row in rows.values_list(*_ROWS).iterator(chunk_size=5000):
        if row[0] in wanted:
            found[row[0]] = _of_row(row, further)
    return found


def _of_row(row: tuple[object, ...], further: Mapping[int, list[tuple[str, str]]]) -> Facts:
    pk, first, last, phone, email, year, month, day, street, postcode = row
    more = further.get(pk, ())  # type: ignore[call-overload]
    return of(
        first_name=str(first), last_name=str(last),
        phones=[str(phone or ""), *(address for channel, address in more if channel == Channel.SMS)],
        emails=[str(email), *(address for channel, address in more if channel == Channel.EMAIL)],
        birth=(year, month, day), street=str(street), postcode=str(postcode),  # type: ignore[arg-type]
    )  # fmt: skip
