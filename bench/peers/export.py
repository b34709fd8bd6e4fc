"""One file of every client, by ours, ours under a password, openpyxl's own loop or django-import-export. Prints a JSON line."""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django


def _rows(names: list[str]) -> Iterator[list[Any]]:
    """Yield the columns as a plain loop would take them from the database: numbers as text, days without a zone."""
    from clients.models import Client  # noqa: PLC0415 (only once Django is set up)

    rows = Client.objects.order_by("sort_name", "pk").values_list(*names)
    for row in rows.iterator(chunk_size=1_000):
        yield [value.date() if hasattr(value, "date") else str(value) if hasattr(value, "as_e164") else value for value in row]


def ours(path: Path, names: list[str]) -> int:
    """Write every column of ours, as the worker does."""
    from django.utils import timezone  # noqa: PLC0415

    from clients.exporting import file, people  # noqa: PLC0415
    from salon.core.models import Salon, User  # noqa: PLC0415

    salon, owner, now = Salon.objects.current(), User.objects.get(role="owner"), timezone.now()
    wanted = people.Wanted("everything")
    ids = people.ids_of(people.chosen(people.listed(owner, salon, wanted, now=now), wanted.channel, salon=salon, now=now))
    with path.open("wb") as target:
        return file.write(target, file.Errand(wanted, owner, salon, "bench", owner.name), ids, now=now)


def locked(path: Path, names: list[str]) -> int:
    """Write the same under a password, as the worker does."""
    from salon.core import padlock  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.xlsx"
        count = ours(plain, names)
        with plain.open("rb") as source, path.open("wb") as target:
            padlock.lock(source, target, "a long enough passphrase")
    return count


def openpyxl(path: Path, names: list[str]) -> int:
    """Append each row to a write-only workbook, which uses lxml where it is installed."""
    from openpyxl import LXML, Workbook  # noqa: PLC0415

    assert LXML
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Clients")
    sheet.append(names)
    count = 0
    for row in _rows(names):
        sheet.append(row)
        count += 1
    book.save(path)
    return count


def import_export(path: Path, names: list[str]) -> int:
    """Export a resource of the model to xlsx, as the package's documentation does."""
    from import_export import resources  # noqa: PLC0415

    from clients.models import Client  # noqa: PLC0415

    class Clients(resources.ModelResource):  # type: ignore[misc]
        """The same columns."""

        class Meta:
            model = Client
            fields = names

    data = Clients().export(Client.objects.order_by("sort_name", "pk"))
    path.write_bytes(data.export("xlsx"))
    return len(data)


def _peak() -> float:
    """Return the most memory that this process had resident, in MiB; what its parent had does not count."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    side, target = sys.argv[1], Path(sys.argv[2])
    if side in {"ours", "locked"}:
        # openpyxl loads numpy where it finds it. A peer of another bench brings it along; a salon has none, nor its memory.
        sys.modules["numpy"] = None  # type: ignore[assignment]
    django.setup()
    sys.modules.pop("numpy", None)  # the driver of PostgreSQL asks there whether it is loaded
    began = time.perf_counter()
    sides = {"ours": ours, "locked": locked, "openpyxl": openpyxl, "import_export": import_export}
    written = sides[side](target, sys.argv[3].split(","))
    print(json.dumps({"seconds": time.perf_counter() - began, "rows": written, "peak_rss_mib": _peak()}))
