"""The photo of a signed form: drawn anew, encrypted, shown to whom it may be shown, gone with a slip; hostile files refused."""

import datetime as dt
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone
from PIL import Image, PngImagePlugin

from clients import answers, consent, grid, records, sheets
from clients.models import Client, ConsentEvent, SignedForm
from salon.core import apart
from salon.core.errors import Refused
from salon.core.models import AuditEvent, User
from salon.core.roles import Role
from tests.clients.test_pages import body

pytestmark = pytest.mark.django_db
PAPER = ConsentEvent.Source.PAPER_FORM
PROMOTION = "mkt-promotion-email"
SIGNED_ON = (dt.datetime.now(dt.UTC) - dt.timedelta(days=3)).date()


def photo(size: tuple[int, int] = (400, 300), kind: str = "JPEG", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, **more)
    return out.getvalue()


def telling() -> bytes:
    """Return a photo that says where and by whom it was taken, and lies on its side."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8298] = 6, "Camera of Sofia", "Amélie"
    exif.get_ifd(0x8825)[1] = "N"
    return photo((400, 300), exif=exif, comment=b"geheim") + b"<script>alert(1)</script>PK\x03\x04"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int) -> bytes:
    """Return a small PNG that unpacks to side × side dots."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(side * (side // 8 + 1)), 9)) + chunk(b"IEND", b"")


def with_text() -> bytes:
    said = PngImagePlugin.PngInfo()
    said.add_text("Author", "geheim")
    said.add_text("Long", "x" * 3_000_000, zip=True)
    return photo(kind="PNG", pnginfo=said)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "an empty file": (lambda: b" ", "neither a photo"),
    "a drawing with script": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "neither a photo"),
    "a page": (lambda: b"<!doctype html><script>alert(1)</script>", "neither a photo"),
    "a GIF": (lambda: photo(kind="GIF"), "neither a photo"),
    "a TIFF": (lambda: photo(kind="TIFF"), "neither a photo"),
    "PostScript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file", "neither a photo"),
    "a program": (lambda: b"\x7fELF" + bytes(200), "neither a photo"),
    "the head of a photo": (lambda: b"\xff\xd8\xff\xe0", "neither a photo"),
    "a photo cut in the middle": (lambda: photo((900, 900), quality=100)[:9_000], "damaged"),
    "a PNG cut in the middle": (lambda: photo((900, 900), "PNG")[:1_500], "damaged"),
    "a bomb of 900 million dots": (lambda: bomb(30_000), "too many dots"),
    "a bomb that says it is small": (lambda: bomb(30_000).replace(struct.pack(">I", 30_000), bytes(3) + b"8"), "neither|damaged"),
    "words of three million letters": (with_text, "neither|damaged"),
    "a PDF cut in the middle": (lambda: b"%PDF-1.7\n1 0 obj", "incomplete"),
    "a PDF behind a page": (lambda: b"<script>%PDF-1.7\n%%EOF", "neither a photo"),
    "nine million bytes": (lambda: b"\xff\xd8\xff" + bytes(9_000_000), "larger than 8 MB"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_one_sentence(name: str) -> None:
    make, words = HOSTILE[name]
    with pytest.raises(Refused, match=words):
        sheets.read(make())


def test_a_photo_is_drawn_anew_upright_and_says_nothing_any_more() -> None:
    sheet = sheets.read(telling())
    assert sheet.content_type == "image/jpeg"
    drawn = Image.open(io.BytesIO(sheet.data))
    assert (drawn.format, drawn.size) == ("JPEG", (300, 400)), "it was lying on its side"
    assert not dict(drawn.getexif())
    for secret in (b"geheim", b"Sofia", b"script", b"PK\x03\x04", b"Exif"):
        assert secret not in sheet.data
    assert drawn.convert("RGB").getpixel((150, 200))[0] > 150  # type: ignore[index]


def test_a_phones_photo_with_a_second_picture_in_it_is_a_photo() -> None:
    out = io.BytesIO()
    first, second = (Image.new("RGB", (80, 60), color) for color in ("white", "black"))
    first.save(out, "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(sheets.read(out.getvalue()).data)).size == (80, 60)


def test_a_large_photo_is_made_as_small_as_it_can_be_read() -> None:
    sheet = sheets.read(photo((6_000, 4_500)))
    assert Image.open(io.BytesIO(sheet.data)).size == (2_400, 1_800)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_png_becomes_a_photo_on_white(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (50, 40)).save(out, "PNG")
    drawn = Image.open(io.BytesIO(sheets.read(out.getvalue()).data))
    assert (drawn.format, drawn.mode, drawn.size) == ("JPEG", "RGB", (50, 40))
    if mode in {"LA", "RGBA"}:
        assert drawn.getpixel((5, 5)) == (255, 255, 255)


def test_the_program_sees_no_secret_and_its_death_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    spy = tmp_path / "spy.py"
    spy.write_text("import os, sys; sys.stdout.write(repr(dict(os.environ)))")
    assert b"KEY" not in apart.run(apart.program(spy), b"", seconds=5)[1]
    spy.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(sheets, "PICTURE", apart.program(spy))
    monkeypatch.setattr(sheets, "TIME_OUT", 0.3)
    with pytest.raises(Refused, match="damaged"):
        sheets.read(photo())


# --- kept and shown -----------------------------------------------------------------------------------------------


@pytest.fixture
def desk(signed_in: Callable[[Role], Browser]) -> Browser:
    return signed_in(Role.RECEPTION)


@pytest.fixture
def amelie(reception: User) -> Client:
    return records.add(by=reception, first_name="Amélie", last_name="Bertrand", email="amelie@example.org", phone="+33688210411")


def enter(browser: Browser, client: Client, data: bytes | None, name: str = "sheet.jpg", **ticks: str) -> Any:
    fields: dict[str, Any] = {
        "signed_on": SIGNED_ON.isoformat(),
        **(ticks or {PROMOTION: "yes"}),
    }
    if data is not None:
        fields["photo"] = SimpleUploadedFile(name, data)
    return browser.post(f"/clients/{client.pk}/consent/paper/", fields)


def test_the_photo_is_kept_encrypted_beside_the_answers_it_proves(desk: Browser, amelie: Client) -> None:
    ticks = {PROMOTION: "yes", "mkt-review-sms": "no"}
    assert enter(desk, amelie, telling(), **ticks).status_code == 303
    row = SignedForm.objects.get()
    assert (row.subject.client, row.content_type, row.signed_on) == (
        amelie, "image/jpeg", SIGNED_ON,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM clients_signedform")
        stored = bytes(cursor.fetchone()[0])
    assert stored[:5] == b"gAAAA"
    assert b"JFIF" not in stored
    assert {event.evidence.signed_form for event in ConsentEvent.objects.select_related("evidence")} == {row}
    assert AuditEvent.objects.get(action="consent.sheet_kept").facts["sheet"] == row.pk


def test_it_is_shown_from_the_history_and_each_look_is_noted(desk: Browser, amelie: Client) -> None:
    enter(desk, amelie, telling())
    path = f"/clients/{amelie.pk}/consent/paper/{SignedForm.objects.get().pk}/"
    assert path in body(desk.get(f"/clients/{amelie.pk}/consent/history/"))
    for looks in (1, 2):
        shown = desk.get(path)
        assert AuditEvent.objects.filter(action="consent.sheet_viewed", subject_id=amelie.pk).count() == looks
    assert Image.open(io.BytesIO(shown.content)).format == "JPEG"
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert shown.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert shown.headers["Content-Disposition"].startswith("inline;")
    assert shown.headers["Cache-Control"] == "no-store"


def test_a_pdf_stays_as_it_came_and_is_a_download(desk: Browser, amelie: Client) -> None:
    data = b"%PDF-1.7\n1 0 obj <</JS (app.alert(1))>> endobj\n%%EOF\n"
    enter(desk, amelie, data, name="sheet.jpg")
    shown = desk.get(f"/clients/{amelie.pk}/consent/paper/{SignedForm.objects.get().pk}/")
    assert (shown.content, shown.headers["Content-Type"]) == (data, "application/pdf")
    assert shown.headers["Content-Disposition"].startswith("attachment;")


def test_the_sheet_of_another_card_and_one_that_was_erased_are_not_there(desk: Browser, amelie: Client, reception: User) -> None:
    enter(desk, amelie, photo())
    row, other = SignedForm.objects.get(), records.add(by=reception, last_name="B")
    assert desk.get(f"/clients/{other.pk}/consent/paper/{row.pk}/").status_code == 404
    SignedForm.objects.update(data=b"")
    assert desk.get(f"/clients/{amelie.pk}/consent/paper/{row.pk}/").status_code == 404
    assert not AuditEvent.objects.filter(action="consent.sheet_viewed").exists()


def test_a_stylist_who_sees_masks_sees_no_sheet(desk: Browser, amelie: Client, signed_in: Callable[[Role], Browser]) -> None:
    enter(desk, amelie, photo())
    path = f"/clients/{amelie.pk}/consent/paper/{SignedForm.objects.get().pk}/"
    browser = signed_in(Role.STYLIST)
    assert path not in body(browser.get(f"/clients/{amelie.pk}/consent/history/"))
    assert browser.get(path).status_code == 403


def test_a_form_entered_again_with_its_photo_proves_what_stood_already(desk: Browser, amelie: Client) -> None:
    enter(desk, amelie, None)
    assert not SignedForm.objects.exists()
    enter(desk, amelie, photo())
    assert ConsentEvent.objects.count() == 1
    assert ConsentEvent.objects.get().evidence.signed_form == SignedForm.objects.get()


def test_the_page_asks_for_a_photo_and_starts_without_a_fault(desk: Browser, amelie: Client) -> None:
    page = desk.get(f"/clients/{amelie.pk}/consent/paper/")
    assert page.status_code == 200
    assert 'type="file"' in body(page)
    assert 'accept="image/jpeg,image/png,application/pdf"' in body(page)


def test_a_form_with_a_bad_photo_comes_back_and_records_nothing(desk: Browser, amelie: Client) -> None:
    for data, words in ((b"<svg/>", "neither a photo"), (bytes(9_500_000), "larger than 8 MB")):
        answer = enter(desk, amelie, data)
        assert answer.status_code == 422
        assert words in body(answer)
    assert not ConsentEvent.objects.exists()
    assert not SignedForm.objects.exists()


def test_a_slip_taken_back_takes_its_photo_along(desk: Browser, amelie: Client, reception: User) -> None:
    now = timezone.now()
    sheet = sheets.read(photo())
    kept = grid.enter_sheet(amelie, {("mkt.review", "sms"): "no"}, signed_on=SIGNED_ON, photo=sheet, by=reception, now=now)
    slip = grid.enter_sheet(amelie, {("mkt.promotion", "email"): "yes"}, signed_on=SIGNED_ON, photo=sheet, by=reception, now=now)
    assert SignedForm.objects.count() == 2
    consent.void_many([event.pk for event in slip], by=reception, now=now)
    (left,) = SignedForm.objects.all()
    assert [proof.event for proof in left.evidence.all()] == kept
    assert answers.front(amelie, "email").answer == "ask"
