"""A salon brings its list, in a real browser against ./run: columns, check, faulty rows mended, progress, bell, undo."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.installation import Installation

pytestmark = pytest.mark.browser

ROWS, BAD_PHONES = 1000, 20
# Every fourth row says no; ten of them are among the faulty ones, which name nobody yet.
NOES = 240
HEADER = ["Vorname", "Nachname", "E-Mail", "Handy", "Geburtsdatum", "Newsletter", "Lieblingsfarbe"]


def mixed_list() -> bytes:
    """Return a list as a German program writes it, of which every fiftieth row has a number that is none."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";")
    writer.writerow(HEADER)
    for row in range(ROWS):
        number = "abends" if row % (ROWS // BAD_PHONES) == 0 else f"06 12 {34 + row // 100} {row % 100:02d} 11"
        said = ("nein", "ja", "", "")[row % 4]
        writer.writerow(["Ada", f"Probe{row:04d}", f"probe{row}@example.org", number, "12.04.1990", said, "blau"])
    return out.getvalue().encode("cp1252")


@pytest.fixture
def carnet(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path / "data", "--demo") as installation:
        yield installation


def sign_in(page: Page, carnet: Installation) -> None:
    password = carnet.printed(r"nadia@\S+\s+\S+").split()[1]
    carnet.printed("Carnet is ready")
    page.goto(f"{carnet.url}/accounts/login/")
    page.locator("#id_login").fill("nadia@atelier-nord.example")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/calendar/"))


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("#id_file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})
    page.get_by_role("button", name="Upload the list").click()
    expect(page.get_by_role("heading", name="What do the columns hold?")).to_be_visible()


def tally(page: Page, name: str) -> int:
    return int(page.locator(f"#tally-{name}").inner_text().replace(",", ""))


def test_a_mixed_list_is_checked_mended_imported_and_undone(page: Page, carnet: Installation) -> None:
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
    sign_in(page, carnet)
    page.goto(f"{carnet.url}/clients/")
    before = page.locator("#count").inner_text()
    page.get_by_role("link", name="Import", exact=True).click()

    upload(page, "kunden.csv", mixed_list())
    expect(page.get_by_label("What is in “Handy”")).to_have_value("mobile")
    expect(page.get_by_label("What is in “Lieblingsfarbe”")).to_have_value("")
    page.get_by_label("What is in “Lieblingsfarbe”").select_option("note")
    page.get_by_role("button", name="Check 1,000 rows").click()
    expect(page.get_by_role("heading", name="Check the list")).to_be_visible()
    assert (tally(page, "new"), tally(page, "errors")) == (ROWS - BAD_PHONES, BAD_PHONES)
    expect(page.get_by_text(f"Marketing, no in the file: {NOES}.")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download {BAD_PHONES} faulty rows").click()
    faulty = Path(download.value.path()).read_bytes()
    assert len(faulty.splitlines()) == BAD_PHONES + 1
    mended = faulty.decode("utf-8-sig").splitlines()
    mended = [mended[0], *(line.replace("abends", f"06 13 34 56 {number:02d}") for number, line in enumerate(mended[1:]))]

    page.get_by_role("button", name=f"Import {ROWS - BAD_PHONES} rows").click()
    expect(page.locator("#job progress")).to_be_visible()
    page.goto(f"{carnet.url}/calendar/")
    expect(page.locator("#bell-count")).to_have_text(re.compile("^1"), timeout=120_000)
    page.locator("#bell").click()
    page.get_by_role("link", name=re.compile(f"Import done: {ROWS - BAD_PHONES} new clients")).click()
    expect(page.get_by_role("heading", name="Import done")).to_be_visible()
    assert (tally(page, "new"), tally(page, "stops")) == (ROWS - BAD_PHONES, NOES)
    expect(page.locator("#bell-count")).to_be_hidden()
    first = page.url

    page.goto(f"{carnet.url}/clients/import/")
    upload(page, "mended.csv", "\r\n".join(mended).encode())
    page.get_by_role("button", name=f"Check {BAD_PHONES} rows").click()
    page.get_by_role("button", name=f"Import {BAD_PHONES} rows").click()
    expect(page.get_by_role("heading", name="Import done")).to_be_visible(timeout=120_000)
    assert tally(page, "new") == BAD_PHONES

    page.goto(f"{carnet.url}/clients/?q=Probe0001")
    page.get_by_role("link", name="Ada Probe0001").click()
    page.get_by_role("link", name="Edit details").click()
    page.locator("#main-data summary", has_text="Address").click()
    page.locator("#id_city").fill("Lyon")
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator("#main-data")).to_contain_text("Lyon")

    page.goto(first)
    page.get_by_role("button", name=f"Take back {ROWS - BAD_PHONES} cards").click()
    expect(page.get_by_role("heading", name="Import undone")).to_be_visible(timeout=120_000)
    assert (tally(page, "back"), tally(page, "kept")) == (ROWS - BAD_PHONES - 1, 1)
    expect(page.get_by_role("row", name=re.compile("Ada Probe0001"))).to_contain_text("The card was changed since.")
    page.goto(f"{carnet.url}/clients/")
    assert int(re.sub(r"\D", "", page.locator("#count").inner_text())) == int(re.sub(r"\D", "", before)) + BAD_PHONES + 1
    assert faults == []
