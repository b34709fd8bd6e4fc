"""A password on an Office file: it opens with it, not without, and memory does not grow with the file."""

import io
import os
import tempfile
import tracemalloc
import zipfile
from typing import IO

import msoffcrypto
import olefile
import pytest
from msoffcrypto.exceptions import InvalidKeyError

from salon.core import padlock

# Below and above the size at which the file's own table of sectors no longer fits into its head, and a small one.
SIZES = (5_000, 6_900_000, 7_300_000, 17_000_000)


def office_file(size: int, file: IO[bytes] | None = None) -> IO[bytes]:
    file = file or io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", os.urandom(size))
    return file


def locked(source: IO[bytes], password: str) -> IO[bytes]:
    target = io.BytesIO()
    padlock.lock(source, target, password)
    return target


def opened(file: IO[bytes], password: str) -> bytes:
    file.seek(0)
    reader, plain = msoffcrypto.OfficeFile(file), io.BytesIO()
    reader.load_key(password=password, verify_password=True)
    reader.decrypt(plain, verify_integrity=True)
    return plain.getvalue()


@pytest.mark.parametrize("size", SIZES)
def test_the_password_opens_the_very_file_and_no_other_does(size: int) -> None:
    source = office_file(size)
    file = locked(source, "Amélie🔒 und der Löwe")
    source.seek(0)
    assert opened(file, "Amélie🔒 und der Löwe") == source.read()
    with pytest.raises(InvalidKeyError):
        opened(file, "Amelie🔒 und der Löwe")


@pytest.mark.parametrize("size", SIZES)
def test_the_compound_file_has_no_defect_a_strict_reader_knows(size: int) -> None:
    file = locked(office_file(size), "a long enough passphrase")
    file.seek(0)
    box = olefile.OleFileIO(file, raise_defects=olefile.DEFECT_UNSURE)
    assert box.parsing_issues == []
    assert {"EncryptedPackage", "EncryptionInfo"} <= {path[-1] for path in box.listdir()}


def test_nothing_of_the_content_is_readable_and_the_same_file_twice_looks_different() -> None:
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("[Content_Types].xml", "Amélie Bertrand " * 1_000)
    first, second = (locked(source, "a long enough passphrase") for _time in range(2))
    first.seek(0)
    second.seek(0)
    one, two = first.read(), second.read()
    assert b"Bertrand" not in one
    assert one[:2] != b"PK"
    assert len(one) == len(two)
    assert sum(a == b for a, b in zip(one[8_192:12_288], two[8_192:12_288], strict=True)) < 200


def test_a_changed_byte_is_noticed() -> None:
    file = locked(office_file(20_000), "a long enough passphrase")
    file.seek(-2_000, os.SEEK_END)
    byte = file.read(1)
    file.seek(-1, os.SEEK_CUR)
    file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(InvalidKeyError, match="integrity"):
        opened(file, "a long enough passphrase")


def test_memory_does_not_grow_with_the_file() -> None:
    peaks = []
    for size in (1_000_000, 16_000_000):
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
            office_file(size, source)
            tracemalloc.start()
            padlock.lock(source, target, "a long enough passphrase")
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_000_000
