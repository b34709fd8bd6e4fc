"""The main job, in a real browser against ./run itself: from the first start to a reminder that leaves once."""

import csv
import datetime as dt
import re
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.fakes.smtp_sink import Mail, Sink
from tests.journeys.installation import Installation, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.long]

PASSWORD = "four words in a row"
ROWS, FAULTY = 300, 9
# One zone for every hour of the day, without a change of the clocks in the next days wherever possible.
ZONES = (
    "Pacific/Honolulu", "America/Anchorage", "America/Los_Angeles", "America/Phoenix", "America/Chicago", "America/Bogota",
    "America/Puerto_Rico", "America/Sao_Paulo", "America/Noronha", "Atlantic/Cape_Verde", "Africa/Abidjan", "Africa/Lagos",
    "Africa/Johannesburg", "Africa/Nairobi", "Asia/Dubai", "Asia/Tashkent", "Asia/Almaty", "Asia/Bangkok", "Asia/Singapore",
    "Asia/Tokyo", "Australia/Brisbane", "Pacific/Noumea", "Pacific/Tarawa", "Pacific/Tongatapu",
)  # fmt: skip


def late_morning() -> zoneinfo.ZoneInfo:
    """Return a zone where it is between 11 and 13 now: after the hour of tomorrow's reminders, far from quiet hours."""
    zones = (zoneinfo.ZoneInfo(name) for name in ZONES)
    return next(zone for zone in zones if 11 <= dt.datetime.now(zone).hour < 13)


def phone_of(row: int) -> str:
    """Return a number as people in France write it, another one for each row."""
    return f"06 12 34 {40 + row // 100} {row % 100:02d}"


def google_contacts(path: Path) -> None:
    """Write an export of Google Contacts with ROWS rows, of which FAULTY cannot be read."""
    faults = (
        {"Phone 1 - Value": "ring in the evening"},
        {"E-mail 1 - Value": "no at sign"},
        {"First Name": "", "Last Name": "", "Phone 1 - Value": ""},
    )
    names = [
        "First Name", "Middle Name", "Last Name", "Notes", "Labels", "E-mail 1 - Label", "E-mail 1 - Value",
        "Phone 1 - Label", "Phone 1 - Value",
    ]  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for row in range(ROWS):
            good = {
                "First Name": "Grete" if row == 217 else "Amélie",
                "Last Name": f"Müller-{chr(65 + row // 26)}{chr(65 + row % 26)}",
                "Labels": "* myContacts", "E-mail 1 - Label": "*", "E-mail 1 - Value": f"mailbox{row}@example.org",
                "Phone 1 - Label": "Mobile", "Phone 1 - Value": phone_of(row),
            }  # fmt: skip
            writer.writerow({**good, **(faults[row % 3] if row < FAULTY else {})})


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server


@pytest.fixture
def carnet(tmp_path: Path) -> Iterator[Installation]:
    with Installation(tmp_path / "data") as installation:
        yield installation


def set_up(page: Page, carnet: Installation, zone: zoneinfo.ZoneInfo) -> None:
    """Take the installation by the link of its console, sign out, and sign in as the owner."""
    link = carnet.printed(re.escape(carnet.url) + r"/setup/\S+")
    carnet.printed("Carnet is ready: http")
    page.goto(carnet.url)
    expect(page.get_by_role("heading", name="This installation is not set up yet")).to_be_visible()
    page.goto(link)
    page.get_by_label("Your name").fill("Olivia Moreau")
    page.get_by_label("Your e-mail").fill("olivia@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Name of the salon").fill("Atelier Nord")
    page.get_by_label("Country").select_option("FR")
    page.locator("#id_time_zone").select_option(zone.key)
    page.locator("#id_language").select_option("en")
    page.locator("#id_phone").fill("04 72 00 00 00")
    page.get_by_label("Ask owner and managers for a second factor").uncheck()
    page.get_by_role("button", name="Set up the salon").click()
    expect(page.get_by_role("heading", name="Atelier Nord is set up")).to_be_visible()
    assert page.request.get(link).status == 404

    page.get_by_role("button", name="Olivia Moreau").first.click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(carnet.url)
    page.locator("#id_login").fill("olivia@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/calendar/"))


def furnish(page: Page, carnet: Installation, sink: Sink) -> None:
    """Enter a service, somebody who works every day, and the mail server, and see its answer."""
    page.goto(f"{carnet.url}/settings/services/new/")
    page.locator("#id_name").fill("Schnitt")
    page.locator("[name=duration_minutes]").fill("45")
    page.locator("[name=price]").fill("42")
    page.get_by_role("button", name="Add service").click()
    expect(page.get_by_role("link", name="Schnitt")).to_be_visible()
    page.goto(f"{carnet.url}/settings/staff/new/")
    page.locator("[name=name]").fill("Léa")
    page.locator("[name=color]").first.check()
    for weekday in range(7):
        page.locator(f"[name=day{weekday}-starts_at]").fill("08:00")
        page.locator(f"[name=day{weekday}-ends_at]").fill("20:00")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("link", name="Léa")).to_be_visible()
    page.goto(f"{carnet.url}/settings/notifications/sending/")
    page.locator("[name=host]").fill("127.0.0.1")
    page.locator("[name=port]").fill(str(sink.port))
    page.locator("[name=security]").select_option("none")
    page.locator("[name=sender]").fill("bonjour@atelier-nord.example")
    page.get_by_role("button", name="Save sending").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#test-result.s-note-ok")).to_be_visible()
    sink.mails.clear()


def find(page: Page, digits: str, name: str) -> None:
    """Open the card that four digits of the phone find from any page."""
    page.locator("#search").fill(digits)
    page.locator("#search-results").get_by_role("option", name=re.compile(name)).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def when(page: Page, on: dt.date, time: str) -> None:
    page.locator("#id_on").fill(on.isoformat())
    page.locator("#id_time").fill(time)


def book(page: Page, on: dt.date, time: str) -> None:
    """Book the visit from the card that is open, once the parts that a change renews are in their place."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)
    page.locator("#book").click()
    page.locator("#id_service").select_option(index=1)
    when(page, on, time)
    page.locator("#book-save").click()
    expect(page.get_by_role("heading", name="New appointment")).to_be_hidden()


def reminders(mails: list[Mail], to: str) -> list[Mail]:
    """Return the reminders to an address: known by the first sentence of the German and of the English text."""
    return [mail for mail in mails if to in mail.recipients and re.search("damit nichts untergeht|so nothing slips", mail.text)]


def test_a_reminder_leaves_once_in_the_clients_language_and_none_where_they_are_off(
    page: Page, carnet: Installation, sink: Sink, tmp_path: Path
) -> None:
    page.set_default_timeout(15_000)
    zone = late_morning()
    tomorrow = dt.datetime.now(zone).date() + dt.timedelta(days=1)
    set_up(page, carnet, zone)
    furnish(page, carnet, sink)

    google_contacts(tmp_path / "contacts.csv")
    carnet.manage("import_clients", str(tmp_path / "contacts.csv"))
    page.goto(f"{carnet.url}/clients/")
    expect(page.get_by_text("No clients yet")).to_be_visible()
    said = carnet.manage("import_clients", str(tmp_path / "contacts.csv"), "--commit")
    assert "291" in said
    assert re.search(rf"\b{FAULTY}\b", said)

    # The first client speaks German and gets the reminder, once.
    page.goto(f"{carnet.url}/clients/")
    expect(page.get_by_text("291").first).to_be_visible()
    find(page, "4217", "Grete")
    card = page.url
    page.get_by_role("link", name="Edit details").click()
    page.locator("[name=language]").select_option("de")
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator("#main-data")).to_contain_text("German")
    book(page, tomorrow, "14:30")
    (first,) = wait_for("the reminder", lambda: reminders(sink.mails, "mailbox217@example.org"), seconds=120)
    assert "Guten Tag Grete" in first.text
    assert "um 14:30 Uhr" in first.text
    assert f"{tomorrow.day}." in first.text
    assert first.parsed["From"].startswith("Atelier Nord")

    # Moved twice: the reminder of the time between never leaves, the new one does, once.
    for time in ("16:00", "17:15"):
        page.goto(f"{card}?show=visits")
        page.locator("#timeline").get_by_role("link", name=re.compile("^Open: ")).first.click()
        page.get_by_role("link", name="Move", exact=True).click()
        when(page, tomorrow, time)
        page.locator("#move-save").click()
        expect(page.locator("#move-form")).to_be_hidden()

    # The second client has reminders switched off: the confirmation comes, no reminder does, and the card says why.
    page.goto(carnet.url)
    find(page, "4218", "Amélie")
    page.locator("label:has(#client-218-reminders-email-no), label:has([id$=-reminders-email-no])").first.click()
    expect(page.locator("[id$=-reminders-email]")).to_contain_text("Off since")
    silent = page.url
    book(page, tomorrow, "11:00")

    wait_for("the new reminder", lambda: reminders(sink.mails, "mailbox217@example.org")[1:], seconds=120)
    wait_for(
        "the confirmation", lambda: [mail for mail in sink.mails if "mailbox218@example.org" in mail.recipients], seconds=120
    )
    page.wait_for_timeout(15_000)
    times = [re.findall(r"um (\d\d:\d\d) Uhr", mail.text)[0] for mail in reminders(sink.mails, "mailbox217@example.org")]
    assert times == ["14:30", "17:15"]
    assert len({mail.message_id for mail in sink.mails}) == len(sink.mails)
    assert reminders(sink.mails, "mailbox218@example.org") == []
    page.goto(silent)
    why = page.locator("#answer-reminder-email")
    expect(why).to_contain_text("No reminder. Switched off since")
    expect(why).to_contain_text("Olivia Moreau")
