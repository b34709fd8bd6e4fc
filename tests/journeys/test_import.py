"""A salon brings its list and writes to it, in a real browser against ./run.

Columns, check, faulty rows mended, progress, bell, undo; then a promotion to five of whom two said Yes, their two ways
to stop it, and a second promotion that reaches nobody while the card says why and since when.
"""

import csv
import io
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.smtp_sink import Mail, Sink
from tests.journeys.installation import Installation, wait_for
from tests.journeys.test_main_job import late_morning

pytestmark = [pytest.mark.browser, pytest.mark.long]

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
        number = "abends" if row % (ROWS // BAD_PHONES) == 0 else f"+33 6 12 {34 + row // 100} {row % 100:02d} 11"
        said = ("nein", "ja", "", "")[row % 4]
        writer.writerow(["Ada", f"Probe{row:04d}", f"probe{row}@example.org", number, "12.04.1990", said, "blau"])
    return out.getvalue().encode("cp1252")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


@pytest.fixture
def carnet(tmp_path: Path, sink: Sink) -> Iterator[Installation]:
    url = f"smtp://127.0.0.1:{sink.port}"
    with Installation(
        tmp_path / "data", "--demo", "GB", EMAIL_URL=url, DEFAULT_FROM_EMAIL="bonjour@atelier-nord.example"
    ) as installation:
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


def live_where_it_is_late_morning(page: Page, carnet: Installation) -> None:
    """Move the salon to a zone where advertising may leave now, whatever the hour of this machine."""
    page.goto(f"{carnet.url}/settings/salon/")
    page.locator("#id_time_zone").select_option(late_morning().key)
    page.get_by_role("button", name="Save profile").click()
    expect(page.locator("#dock")).to_contain_text("aved")


def open_card(page: Page, carnet: Installation, name: str) -> None:
    page.goto(f"{carnet.url}/clients/?q={name}")
    page.get_by_role("link", name=f"Ada {name}").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def say_yes(page: Page, carnet: Installation, name: str, language: str) -> None:
    """Record on the card that this client said Yes to e-mail in the salon, and which language they read."""
    open_card(page, carnet, name)
    page.get_by_role("link", name="Edit details").click()
    page.locator("#main-data [name=language]").select_option(language)
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator("#main-data")).to_contain_text("French" if language == "fr" else "English")
    page.wait_for_load_state("networkidle")
    page.locator("label:has([id$=-mk-email-yes])").first.click()
    page.get_by_role("button", name="In the salon").first.click()
    expect(page.locator("form[id$=-mk-email]")).to_contain_text("Yes since")


def write_to(page: Page, carnet: Installation, names: list[str]) -> None:
    """Tick the clients in the list, open the page to write to them, and write."""
    page.goto(f"{carnet.url}/clients/?q=Probe")
    for name in names:
        page.get_by_role("checkbox", name=f"Ada {name}").check()
    expect(page.locator("#sel-count")).to_have_text(f"{len(names)} selected")
    page.locator("#sel-email").click()
    # Nobody types before the page is there: what is typed earlier is not seen by its scripts.
    page.wait_for_load_state()
    page.locator("#id_title").fill("Ten per cent in December")
    page.locator("#id_text").fill("Dear {first_name}, come and see us.")
    expect(page.locator("#compose-side")).to_contain_text("come and see us")


def offers(mails: list[Mail]) -> list[Mail]:
    return [mail for mail in mails if "come and see us" in mail.text]


def press_one_click(mail: Mail) -> None:
    """Do what a mail program does at its unsubscribe button: RFC 8058, no cookie, no page."""
    assert mail.parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = re.findall(r"<(http[^>]+)>", mail.parsed["List-Unsubscribe"])[0]
    request = urllib.request.Request(url, data=b"List-Unsubscribe=One-Click", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert (answer.status, answer.url) == (200, url)
        assert "Set-Cookie" not in answer.headers


def stop_on_a_phone(browser: Browser, mail: Mail) -> None:
    """Open the link in the text of the mail on a phone, in French, and press the button that stops the offers."""
    link = re.findall(r"http\S+/u/\S+?(?=/)", mail.text)[0] + "/"
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="fr-FR", is_mobile=True, has_touch=True)
    phone = context.new_page()
    phone.goto(link)
    expect(phone.get_by_role("heading", name="Vos choix")).to_be_visible()
    phone.get_by_role("button", name="Arrêter les offres par e-mail").click()
    expect(phone.get_by_role("status")).to_contain_text("Désormais, vous ne recevez plus d'offres par e-mail.")
    assert context.cookies() == []
    context.close()


def promote_until_they_say_no(page: Page, browser: Browser, carnet: Installation, sink: Sink) -> None:
    """Write to five of whom two said Yes; both stop it, each in a way of their own; the next one reaches nobody."""
    live_where_it_is_late_morning(page, carnet)
    yes = {"Probe0050": "fr", "Probe0150": "en"}
    for name, language in yes.items():
        say_yes(page, carnet, name, language)
    five = [*yes, "Probe0100", "Probe0200", "Probe0250"]
    write_to(page, carnet, five)
    expect(page.locator("#who-title")).to_contain_text("2 of 5")
    expect(page.locator("#seats")).to_contain_text("Import")
    page.get_by_role("button", name="Send 2 e-mails").click()
    both = wait_for("the two offers", lambda: offers(sink.mails) if len(offers(sink.mails)) >= 2 else [], seconds=150)
    to = {mail.recipients[0]: mail for mail in both}
    assert set(to) == {"probe50@example.org", "probe150@example.org"}
    stop_on_a_phone(browser, to["probe50@example.org"])
    press_one_click(to["probe150@example.org"])
    press_one_click(to["probe150@example.org"])

    write_to(page, carnet, list(yes))
    expect(page.locator("#seats")).to_contain_text("Preference page")
    expect(page.locator("#seats")).to_contain_text("Unsubscribe link")
    expect(page.locator("#compose-send")).to_be_disabled()
    for name, way in (("Probe0050", "Preference page"), ("Probe0150", "Unsubscribe link")):
        open_card(page, carnet, name)
        line = page.locator("form[id$=-mk-email]")
        expect(line).to_contain_text(re.compile(rf"No since .*{way}", re.DOTALL))
        expect(line).to_contain_text("Only they can turn it on")
        expect(page.locator("[id$=-mk-email-yes]")).to_be_disabled()
    assert len(offers(sink.mails)) == 2


def test_a_list_is_mended_imported_and_undone_and_who_says_no_gets_no_second_offer(
    page: Page, browser: Browser, carnet: Installation, sink: Sink
) -> None:
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
    sign_in(page, carnet)
    page.goto(f"{carnet.url}/clients/")
    before = page.locator("#count").inner_text()
    page.locator("#other-actions-button").click()
    page.get_by_role("link", name="Import a list").click()

    upload(page, "kunden.csv", mixed_list())
    expect(page.get_by_label("What is in “Handy”")).to_have_value("mobile")
    expect(page.get_by_label("What is in “Lieblingsfarbe”")).to_have_value("")
    page.get_by_label("What is in “Lieblingsfarbe”").select_option("note")
    page.get_by_role("button", name="Check 1,000 rows").click()
    expect(page.get_by_role("heading", name="Check the list")).to_be_visible()
    assert (tally(page, "new"), tally(page, "errors")) == (ROWS - BAD_PHONES, BAD_PHONES)
    expect(page.get_by_text(f"Answers No to marketing, e-mail and SMS counted apart: {NOES}.")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download {BAD_PHONES} faulty rows").click()
    faulty = Path(download.value.path()).read_bytes()
    assert len(faulty.splitlines()) == BAD_PHONES + 1
    mended = faulty.decode("utf-8-sig").splitlines()
    mended = [mended[0], *(line.replace("abends", f"+33 6 13 34 56 {number:02d}") for number, line in enumerate(mended[1:]))]

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
    page.get_by_role("button", name=f"Take back {ROWS - BAD_PHONES} imported cards").click()
    expect(page.get_by_role("heading", name="Import undone")).to_be_visible(timeout=120_000)
    assert (tally(page, "back"), tally(page, "kept")) == (ROWS - BAD_PHONES - 1, 1)
    expect(page.get_by_role("row", name=re.compile("Ada Probe0001"))).to_contain_text("The card was changed since.")
    page.goto(f"{carnet.url}/clients/")
    assert int(re.sub(r"\D", "", page.locator("#count").inner_text())) == int(re.sub(r"\D", "", before)) + BAD_PHONES + 1
    promote_until_they_say_no(page, browser, carnet, sink)
    assert faults == []
