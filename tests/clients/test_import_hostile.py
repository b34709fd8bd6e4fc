"""Files that mean harm, or are not what they say: one sentence, within ten seconds and 400 MB, and nothing is written."""

import contextlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from clients.importing import jobs, reading
from clients.importing.reader import xlsx as excel
from clients.importing.reader.table import Unreadable
from clients.models import Client
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon
from tests import factories
from tests.clients import files

SECONDS, BYTES = 10.0, 400_000_000
ROOT = Path(__file__).resolve().parent.parent.parent
METER = (sys.executable, "-I", str(Path(__file__).resolve().parent / "meter.py"))
# The same reading, by a process that gave up nothing.
FREELY = (
    f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom clients.importing.reader import formats\n"
    "print(len(formats.read(sys.stdin.buffer.read()).rows))"
)
UNLIMITED = (sys.executable, "-I", "-c", FREELY)

NOISE = random.Random(1).randbytes(1_000_000).hex()
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
LAUGHS = "<!DOCTYPE lolz [<!ENTITY a0 'lol'>" + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
XXE = "<!DOCTYPE x [<!ENTITY secret SYSTEM 'file:///etc/passwd'>]>"


def million_rows() -> bytes:
    """1,000,000 rows, about 110 MB when unpacked."""
    return files.with_rows(
        b'<row r="3"><c r="A3" t="inlineStr"><is><t>Somebody with a longer name than that</t></is></c></row>' * 1_000_000
    )


def bomb() -> bytes:
    entries = files.parts(files.xlsx(["Name"], ["Ann"]))
    return files.zipped({**entries, "xl/media/image1.png": b"\0" * 60_000_000})


def tight() -> bytes:
    """No more than the 50 MB, but packed a thousandfold."""
    entries = files.parts(files.xlsx(["Name"], ["Ann"]))
    return files.zipped({**entries, "docProps/thumbnail.wmf": b"\0" * 40_000_000})


def lying() -> bytes:
    """An entry that claims to unpack to ten bytes."""
    data = bomb()
    size = (60_000_000).to_bytes(4, "little")
    assert data.count(size) >= 1
    return data.replace(size, (10).to_bytes(4, "little"))


def many_entries() -> bytes:
    entries = files.parts(files.xlsx(["Name"], ["Ann"]))
    return files.zipped(entries | {f"xl/media/image{n}.png": b"x" for n in range(1_001)})


def far_without_mark() -> bytes:
    """A far cell that no quick look finds, as its element has a prefix: only the limit of memory stops it."""
    return files.patched(
        files.SHEET,
        lambda sheet: (
            b'<?xml version="1.0"?><x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            b'<x:sheetData><x:row r="1"><x:c r="A1"><x:v>1</x:v></x:c></x:row>'
            b'<x:row r="90000"><x:c r="KZ90000"><x:v>1</x:v></x:c></x:row></x:sheetData></x:worksheet>'
        ),
    )


def many_rows() -> bytes:
    cell = '<c r="A{0}" t="inlineStr"><is><t>Ben</t></is></c><c r="B{0}"><v>1</v></c>'
    rows = (f'<row r="{number}">{cell.format(number)}</row>' for number in range(3, 60_003))
    return files.with_rows("".join(rows).encode())


def open_document() -> bytes:
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    return files.zipped({"mimetype": kind, "content.xml": b"<x/>"})


def long_cell() -> bytes:
    return files.with_rows(f'<row r="3"><c r="A3" t="inlineStr"><is><t>{NOISE}</t></is></c></row>'.encode())


def entity_in(name: str) -> bytes:
    def change(xml: bytes) -> bytes:
        declaration, end, rest = xml.partition(b"?>") if xml.startswith(b"<?") else (b"", b"", xml)
        return declaration + end + XXE.encode() + rest

    return files.patched(name, change)


def entity_after_a_comment() -> bytes:
    return files.with_strings(files.strings("&secret;", head=f"<!--{'x' * 200_000}-->{XXE}"))


def entity_in_utf_16() -> bytes:
    text = files.strings("&secret;", head=XXE).decode().replace('"1.0"', '"1.0" encoding="UTF-16"')
    return files.with_strings(text.encode("utf-16"))


def endless_elements() -> bytes:
    return files.patched(files.SHEET, lambda xml: xml.replace(b"<sheetData>", b"<sheetData>" + b"<a>" * 1_500_000))


def broken_off() -> bytes:
    return (files.card("FN:Ann") + "BEGIN:VCARD\r\nFN:Ben\r\n").encode()


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    # Not what its name says.
    "an xlsx cut in the middle": (lambda: files.xlsx(["Name"], ["Ann"])[:3000], "damaged"),
    "an xlsx without its end": (lambda: files.xlsx(["Name"], ["Ann"])[:-30], "damaged"),
    "an xlsx with a changed byte": (lambda: files.patched(files.SHEET, lambda xml: xml[:400]), "damaged"),
    "a picture": (lambda: PNG, "picture"),
    "a PDF": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "PDF"),
    "a zip with a list in it": (lambda: files.zipped({"list.csv": b"Name\nAnn"}), "archive"),
    "a zip in a zip": (lambda: files.zipped({"inner.xlsx": bomb()}), "archive"),
    "a text document": (lambda: files.zipped({"word/document.xml": b"<x/>"}), "text document"),
    "an OpenDocument list": (open_document, r"\.ods"),
    "an old xls": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 5000, r"\.xls\)"),
    "a locked xlsx": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
    "a binary xlsb": (lambda: files.zipped({"xl/workbook.bin": b"x"}), "xlsb"),
    "a web page called xls": (lambda: b"<html><table><tr><td>Name</td></tr></table></html>", "web page"),
    # Larger inside than outside.
    "a zip bomb": (bomb, "unpacked"),
    "a tightly packed one": (tight, "unpacked"),
    "one that lies about its size": (lying, "damaged|unpacked"),
    "a thousand entries": (many_entries, "unpacked"),
    "a million rows": (million_rows, "unpacked"),
    "a cell at the far end": (lambda: files.with_rows(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "far"),
    "a far cell in disguise": (far_without_mark, "memory or time"),
    "60,000 rows": (many_rows, "50,000"),
    "16,384 columns": (lambda: files.xlsx(["Name"] + ["x"] * 16_383), "far to the right"),
    "a 10 MB cell": (lambda: files.with_strings(files.strings("x" * 10_000_000)), "unpacked"),
    "a cell of 2 MB that hardly packs": (lambda: files.with_strings(files.strings(NOISE)), "32,000"),
    "the same in the sheet": (long_cell, "32,000"),
    "a long cell that many cells show": (lambda: files.with_strings(files.strings(NOISE[:30_000]), 20_000), "memory or time"),
    # XML that reaches out or multiplies.
    "a billion laughs": (lambda: files.with_strings(files.strings("&a11;", head=LAUGHS + "]>")), "definitions"),
    "an entity of a file": (lambda: files.with_strings(files.strings("&secret;", head=XXE)), "definitions"),
    "an entity in the sheet": (lambda: entity_in(files.SHEET), "definitions"),
    "an entity in the relations": (lambda: entity_in(files.RELATIONS), "definitions"),
    "an entity after a long comment": (entity_after_a_comment, "definitions"),
    "an entity in UTF-16": (entity_in_utf_16, "definitions"),
    "endless elements": (endless_elements, "unpacked|damaged"),
    # Text.
    "NUL bytes in a CSV": (lambda: b"Name,Phone\nAnn\0,1\n", "not a text file"),
    "nothing but NUL": (lambda: b"\0" * 1_000_000, "not a text file"),
    "a 10 MB field": (lambda: b"Name\n" + b"x" * 10_000_000, "5 MB"),
    "a 4 MB field": (lambda: b"Name\n" + b"x" * 4_000_000, "32,000"),
    "a quotation mark that never closes": (lambda: b'Name,Phone\nAnn,"1\n' + b"Ben,2\n" * 500_000, "Row 2"),
    "10 million columns": (lambda: b"," * 10_000_000, "5 MB"),
    "5 million columns": (lambda: b"Name" + b"," * 4_900_000 + b"x\n", "60 columns"),
    "2 million rows": (lambda: b"a\n" * 2_400_000, "50,000"),
    "5 million empty rows": (lambda: b"Name\n" + b"\n" * 4_900_000 + b"x", "50,000"),
    "bytes of no encoding": (lambda: b"Name\n" + bytes(range(128, 256)) * 30_000, "32,000|No column|quotation"),
    # Contacts.
    "a vCard line of 10 MB": (lambda: files.card("N:" + "x" * 10_000_000).encode(), "5 MB"),
    "a vCard line of 4 MB": (lambda: files.card("NOTE:" + "x" * 4_000_000).encode(), "32,000"),
    "a vCard note in a million folds": (lambda: files.card("NOTE:" + "\r\n x" * 900_000).encode(), "32,000"),
    "vCards inside each other": (lambda: b"BEGIN:VCARD\r\n" * 40_000, "Contact 1 "),
    "endless vCards inside each other": (lambda: b"BEGIN:VCARD\r\n" * 380_000, "50,000"),
    "a vCard that breaks off": (broken_off, "Contact 2 "),
    "a million vCards": (lambda: files.card("FN:A").encode() * 70_000, "50,000"),
}  # fmt: skip


Metered = Callable[[], dict[str, Any]]


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Metered:
    """Put a meter before the reader; the fixture gives what the last one took: seconds, peak (bytes), code (of its end)."""
    note = tmp_path / "taken.json"
    monkeypatch.setattr(reading, "READER", (*METER, str(note), *reading.READER))
    return lambda: dict(json.loads(note.read_text())) if note.exists() else {}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_one_sentence_and_writes_nothing(db: None, name: str, meter: Metered) -> None:
    make, words = HOSTILE[name]
    data = make()
    factories.salon(language="en")
    trail = AuditEvent.objects.count()
    began = time.monotonic()
    with pytest.raises(Refused, match=words) as refused:
        jobs.bring_in(data, "list.xlsx", by=None, now=timezone.now())
    assert time.monotonic() - began < SECONDS
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert len(sentence) < 140
    assert sentence.endswith(".")
    assert not Client.objects.exists()
    assert AuditEvent.objects.count() == trail
    taken = meter()
    assert bool(taken) == (len(data) <= reading.MAX_BYTES), "what is too large is not even read"
    assert taken.get("peak", 0) < BYTES


def test_what_no_look_at_the_file_finds_is_stopped_by_the_limit_of_memory(meter: Metered) -> None:
    with pytest.raises(Refused, match="memory or time"):
        reading.read(far_without_mark())
    assert meter()["code"] == -signal.SIGABRT


@pytest.mark.chaos
def test_the_control_without_limits_it_takes_more(monkeypatch: pytest.MonkeyPatch, meter: Metered, tmp_path: Path) -> None:
    monkeypatch.setattr(reading, "READER", (*METER, str(tmp_path / "taken.json"), *UNLIMITED))
    monkeypatch.setattr(reading, "TIME_OUT", 120)
    with contextlib.suppress(Refused, ValueError, TypeError):
        reading.read(far_without_mark())
    assert meter()["peak"] > BYTES


def test_a_file_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the reader is busy with, it is ended, and the person gets a sentence."""
    asleep = tmp_path / "asleep.py"
    asleep.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(reading, "READER", (sys.executable, "-I", str(asleep)))
    monkeypatch.setattr(reading, "TIME_OUT", 0.5)
    began = time.monotonic()
    with pytest.raises(Refused, match="memory or time"):
        reading.read(b"Name\nAnn\n")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "act",
    [
        "open('/etc/passwd')",
        "import socket; socket.socket()",
        "import subprocess; subprocess.run(['true'], stdout=subprocess.PIPE)",
        "bytearray(500_000_000)",
    ],
)
def test_a_reader_taken_over_reaches_nothing(act: str) -> None:
    """What an attacker could do who made the parser run his code."""
    start = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom clients.importing.reader.__main__ import confine\n"
        "import socket, subprocess\n"
    )
    free = subprocess.run([sys.executable, "-I", "-c", f"{start}{act}"], capture_output=True, check=False)
    assert free.returncode == 0, "the control: without limits it works"
    confined = subprocess.run([sys.executable, "-I", "-c", f"{start}confine()\n{act}"], capture_output=True, check=False)
    assert confined.returncode != 0


def test_the_reader_knows_none_of_the_installations_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spy = tmp_path / "spy.py"
    spy.write_text("import json, os\nprint(json.dumps({'unreadable': ','.join(os.environ), 'row': 0}))\n")
    monkeypatch.setattr(reading, "READER", (sys.executable, "-I", str(spy)))
    monkeypatch.setenv("SECRET_KEY", "x")
    answer = reading._answer(b"x")
    assert "SECRET_KEY" not in answer["unreadable"]


def test_no_text_of_the_file_is_shown_as_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    liar = tmp_path / "liar.py"
    liar.write_text('print(\'{"unreadable": "call 0900 123 now", "row": 0}\')\n')
    monkeypatch.setattr(reading, "READER", (sys.executable, "-I", str(liar)))
    with pytest.raises(Refused) as refused:
        reading.read(b"Name\nAnn\n")
    assert "0900" not in str(refused.value)


def test_the_control_without_the_guard_a_file_with_entities_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = files.with_strings(files.strings("Ann Lee", head=XXE))
    with pytest.raises(Unreadable, match="entities"):
        excel.read(data)
    monkeypatch.setattr(excel, "_check", lambda archive, packed: None)
    assert excel.read(data).rows == [(2, ["Ann Lee"])]


def test_a_list_that_is_harmless_passes_all_of_this(salon: Salon) -> None:
    data = files.with_strings(files.strings("Ann Lee"))
    assert reading.read(data).lines[0].cells == ("Ann Lee",)


@pytest.mark.parametrize("name", ["clients.xlsx", "CLIENTS.XLS"])
def test_a_line_of_text_that_calls_itself_excel_is_told_what_it_is(name: str) -> None:
    with pytest.raises(Refused, match="not an Excel file"):
        reading.read(b"nothing of the kind", name)
    with pytest.raises(Refused, match="holds nobody"):
        reading.read(b"nothing of the kind", "clients.csv")
