"""A sheet as it waits in the database: read once, compressed, never on a disk of its own."""

import json
import zlib
from dataclasses import asdict, replace

from clients.importing.reading import Line, Number, Sheet

LEVEL = 1  # names and numbers shrink to a third at any level; the time does not


def pack(sheet: Sheet) -> bytes:
    """Return the bytes to keep of a sheet."""
    lines = [[line.number, [_kept(cell) for cell in line.cells]] for line in sheet.lines]
    kept = {**asdict(replace(sheet, lines=())), "lines": lines, "blanks": sorted(sheet.blanks)}
    return zlib.compress(json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode(), LEVEL)


def unpack(data: bytes | memoryview) -> Sheet:
    """Return the sheet that `pack` kept."""
    kept = json.loads(zlib.decompress(data), parse_int=Number, parse_float=Number)
    return Sheet(
        **{
            **kept,
            "header": tuple(kept["header"]),
            "lines": tuple(Line(int(number), tuple(cells)) for number, cells in kept["lines"]),
            "blanks": frozenset((int(row), int(index)) for row, index in kept["blanks"]),
        }
    )


def _kept(cell: str) -> str | int | float:
    """Return a number of a spreadsheet as a number, so that it is still known as one: its leading zeros are gone."""
    if not isinstance(cell, Number):
        return cell
    return int(cell) if cell.isdigit() else json.loads(cell)
