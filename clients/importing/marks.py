"""Keyed digests of what an import wrote on a card, by which an undo sees whether it is still as it was. No values are kept."""

from collections.abc import Iterable, Mapping

from django.utils.crypto import salted_hmac

from clients import records
from clients.models import Client

_SALT = "clients.importing.marks"
_LENGTH = 16
# The mark of a card as a whole.
WHOLE = "*"


def of_whole(client: Client) -> dict[str, str]:
    """Return the one mark of a card that was made: over all its fields, the empty ones too."""
    return {WHOLE: _digest(WHOLE, "\0".join(_text(client, name) for name in records.FIELDS))}


def of(client: Client, names: Iterable[str]) -> dict[str, str]:
    """Return a mark for each of these fields of the card."""
    return {name: _digest(name, _text(client, name)) for name in names}


def changed(client: Client, marks: Mapping[str, str]) -> set[str]:
    """Return the fields among `marks` that are not as they were; WHOLE for a card that is not as it was made."""
    now = of_whole(client) if WHOLE in marks else of(client, marks)
    return {name for name, mark in marks.items() if now[name] != mark}


def _text(client: Client, name: str) -> str:
    return str(getattr(client, name) or "")


def _digest(name: str, text: str) -> str:
    return salted_hmac(_SALT, f"{name}:{text}").hexdigest()[:_LENGTH]
