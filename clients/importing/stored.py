"""A sheet as it waits in the database: read once, compressed, never on a disk of its own."""

import json
import zlib
from dataclasses import asdict, replace

from clients.importing.reading import Line, Sheet

LEVEL = 1  # names and numbers shrink to a third at any level; the time does not


def pack(sheet: Sheet) -> bytes:
    """Return the bytes to keep of a sheet."""
    lines = [[line.number, line.cells] for line in sheet.lines]
    kept = {**asdict(replace(sheet, lines=())), "lines": lines, "blanks": sorted(sheet.blanks)}
    return zlib.compress(json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode(), LEVEL)


def unpack(data: bytes | memoryview) -> Sheet:
    """Return the sheet that `pack` kept."""
    kept = json.loads(zlib.decompress(data))
    return Sheet(
        **{
            **kept,
            "header": tuple(kept["header"]),
            "lines": tuple(Line(number, tuple(cells)) for number, cells in kept["lines"]),
            "blanks": frozenset((row, index) for row, index in kept["blanks"]),
        }
    )
