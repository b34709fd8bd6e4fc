"""Credentials at rest, and keyed hashes of addresses. The keys come from the installation, never from the database."""

import functools
import hashlib
import hmac
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])


class Unreadable(Exception):
    """A credential cannot be decrypted: the key of the installation was changed or lost."""


def seal(text: str) -> str:
    """Return `text` encrypted with the installation's newest key. An empty text stays empty."""
    return _box().encrypt(text.encode()).decode() if text else text


def unseal(sealed: str) -> str:
    """Return the plain text. Raises Unreadable when none of the installation's keys opens it."""
    try:
        return _box().decrypt(sealed.encode()).decode() if sealed else sealed
    except InvalidToken as error:
        raise Unreadable("No key of this installation opens the stored credential.") from error


def seal_bytes(data: bytes) -> bytes:
    """Return `data` encrypted with the installation's newest key."""
    return _box().encrypt(data)


def unseal_bytes(sealed: bytes) -> bytes:
    """Return the plain bytes. Raises Unreadable when none of the installation's keys opens them."""
    try:
        return _box().decrypt(sealed)
    except InvalidToken as error:
        raise Unreadable("No key of this installation opens the stored file.") from error


class EncryptedField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted in the database and plain in Python. An empty text stays empty.

    Raises Unreadable on loading a value that none of the installation's keys opens.
    """

    def get_prep_value(self, value: Any) -> Any:
        """Return the ciphertext to store."""
        text = super().get_prep_value(value)
        return seal(text) if text else text

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        """Return the plain text."""
        return unseal(value) if value else value


def address_hash(channel: str, address: str) -> str:
    """Return the keyed hash (64 hex digits) by which `address` is known where the address itself must not stand.

    `address` is already normalised: an e-mail in lower case, a phone number as E.164. A plain hash would not do:
    phone numbers can be counted through.
    """
    return hmac.digest(settings.ADDRESS_KEY.encode(), f"{channel}:{address}".encode(), "sha256").hex()


def key(use: str) -> bytes:
    """Return the key for proofs of one use ("links"), made from that of addresses, which is never shown to anybody."""
    return _key(use, settings.ADDRESS_KEY)


@functools.lru_cache(maxsize=16)
def _key(use: str, secret: str) -> bytes:
    return hashlib.sha256(f"{use}:{secret}".encode()).digest()


def token_hash(token: str) -> str:
    """Return the hash under which a long random token is stored (64 hex digits)."""
    return hashlib.sha256(token.encode()).hexdigest()
