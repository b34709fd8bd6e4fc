"""Puts a password on an Office file, as Excel does itself (agile encryption, AES and SHA-512). Called by the exports.

The keys and the frame of the file are msoffcrypto's. The content passes through in pieces: msoffcrypto alone holds it in
memory five times over, which a list of a million clients would not survive.
"""

import hmac
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from hashlib import sha512
from struct import pack
from typing import IO

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msoffcrypto.method import ecma376_agile as agile
from msoffcrypto.method.container.ecma376_encrypted import (
    DirectoryEntry,
    DSPos,
    ECMA376Encrypted,
    ECMA376EncryptedLayout,
    SectorTypes,
)

_SEGMENT = 4096
_BLOCK = 16
_MAC_KEY, _MAC_VALUE = agile.blkKey_dataIntegrity1, agile.blkKey_dataIntegrity2


def lock(source: IO[bytes], target: IO[bytes], password: str) -> None:
    """Write the Office file `source`, read from its beginning, to the empty file `target` so that `password` opens it."""
    info, key = agile.ECMA376Agile.generate_encryption_parameters(password)
    with tempfile.TemporaryFile() as package:
        mac_key = secrets.token_bytes(info.keyData.hashSize)
        mac = hmac.new(mac_key, digestmod=sha512)
        source.seek(0, 2)
        package.write(head := pack("<Q", source.tell()))
        mac.update(head)
        source.seek(0)
        for piece in _encrypted(source, key, info.keyData.saltValue):
            package.write(piece)
            mac.update(piece)
        info.encryptedHmacKey = _aes(mac_key, key, info.keyData.saltValue + _MAC_KEY)
        info.encryptedHmacValue = _aes(mac.digest(), key, info.keyData.saltValue + _MAC_VALUE)
        _Box(info.getEncryptionDescriptorHeader() + info.toEncryptionDescriptor().encode(), package).save(target)


def _encrypted(source: IO[bytes], key: bytes, salt: bytes) -> Iterator[bytes]:
    number = 0
    while piece := source.read(_SEGMENT):
        yield _aes(piece + bytes(-len(piece) % _BLOCK), key, salt + pack("<I", number))
        number += 1


def _aes(data: bytes, key: bytes, seed: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(sha512(seed).digest()[:_BLOCK])).encryptor()
    return encryptor.update(data) + encryptor.finalize()


class _Box(ECMA376Encrypted):  # type: ignore[misc]
    """The compound file around the encrypted content, which comes last and is copied from a file instead of held."""

    def __init__(self, info: bytes, package: IO[bytes]) -> None:
        self.package = package
        # Only its length is asked for.
        super().__init__(range(package.tell()), info)

    def save(self, target: IO[bytes]) -> None:
        """Write all of it. The package is larger than 4 kB, as every workbook is: smaller ones lie elsewhere."""
        layout = ECMA376EncryptedLayout(self._header.sectorSize)
        self._set_sector_locations_of_streams(layout)
        self._detect_sector_num(layout)
        content = self._dirs[DSPos.iEncryptionPackage]
        self._place(layout, content)
        target.write(bytes(layout.offsetData(content.StartingSectorLocation)))
        target.seek(0)
        self._header.write_to(target)
        self._write_DIFAT(target, layout)
        if layout.difatSectorNum:  # the end of this chain, which msoffcrypto puts one place too far
            target.seek(layout.offsetDifat(layout.difatSectorNum) - 4)
            target.write(pack("<I", SectorTypes.ENDOFCHAIN))
        self._write_FAT_start(target, layout)
        self._write_MiniFAT(target, layout)
        self._write_directory_entries(target, layout)
        content.Content = b""
        self._write_Content(target, layout)
        target.seek(layout.offsetData(content.StartingSectorLocation))
        self.package.seek(0)
        shutil.copyfileobj(self.package, target)
        target.write(bytes(layout.totalSize - target.tell()))
        target.seek(0)

    def _place(self, layout: ECMA376EncryptedLayout, content: DirectoryEntry) -> None:
        """Note in the header and in the directory where everything begins."""
        header, root = self._header, self._dirs[DSPos.iRoot]
        header.firstDirectorySectorLocation = layout.directoryEntryPos
        header.firstMiniFatSectorLocation = layout.miniFatPos
        header.numMiniFatSectors = layout.numMiniFatSectors
        header.numFatSectors, header.numDifatSectors = layout.fatSectorNum, layout.difatSectorNum
        header.difat = [layout.fatPos + number for number in range(min(layout.fatSectorNum, header.FIRSTNUMDIFAT))]
        if layout.difatSectorNum:
            header.firstDifatSectorLocation = layout.difatPos
        root.StartingSectorLocation, root.Content = layout.miniFatDataPos, bytes(64 * layout.miniFatNum)
        content.StartingSectorLocation = layout.encryptionPackagePos
