"""Keyed digests of what an import wrote on a card, by which an undo sees whether it is still as it was. No values are kept."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.crypto import salted_hmac

from clients import records

_SALT = "clients.importing.marks"
_LENGTH = 16
# The mark of a card as a whole.
WHOLE = "*"


def of_whole(card: Mapping[str, Any]) -> dict[str, str]:
    """Return the one mark of a card that was made (its fields by name): over all of them, the empty ones too."""
    return {WHOLE: _digest(WHOLE, "\0".join([_text(card, name) for name in records.FIELDS]))}


def of(card: Mapping[str, Any], names: Iterable[str]) -> dict[str, str]:
    """Return a mark for each of these fields of the card."""
    return {name: _digest(name, _text(card, name)) for name in names}


def changed(card: Mapping[str, Any], marks: Mapping[str, str]) -> set[str]:
    """Return the fields among `marks` that are not as they were; WHOLE for a card that is not as it was made."""
    now = of_whole(card) if WHOLE in marks else of(card, marks)
    return {name for name, mark in marks.items() if now[name] != mark}


def _text(card: Mapping[str, Any], name: str) -> str:
    return str(card.get(name) or "")


def _digest(name: str, text: str) -> str:
    return salted_hmac(_SALT, f"{name}:{text}").hexdigest()[:_LENGTH]
