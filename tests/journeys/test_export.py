"""The book leaves as an Excel file, in a real browser: read by two other programs, brought in again, and under a password."""

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msoffcrypto
import openpyxl
import pytest
import python_calamine
from django.utils import timezone
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from clients import answers
from clients.importing import jobs
from clients.models import Client, ConsentEvent
from salon.core.models import User
from tests import factories
from tests.journeys import desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "Kirschen im Nachbargarten"


@pytest.fixture
def book(owner: User) -> list[Client]:
    found = factories.cards(
        [
            {"first_name": "Amélie", "last_name": "Bertrand", "phone": "+33688210411", "email": "amelie@example.org"},
            {"first_name": "=HYPERLINK(1)", "last_name": "Çelik", "birth_day": 1, "birth_month": 8, "note": "+1 coffee"},
            {"first_name": "Jürgen", "last_name": "Groß", "phone": "+491713004127", "language": "de", "postcode": "01003"},
        ],
        by=owner,
    )
    answers.set_channel(found[0], "email", "yes", how="paper_form", by=owner)
    # Long enough ago that nobody can take it back as a slip: until then a list says its No for itself.
    answers.set_channel(found[2], "sms", "no", by=owner, now=timezone.now() - dt.timedelta(hours=1))
    return found


@pytest.fixture
def page(browser: Chromium, live_server: LiveServer, owner: User, book: list[Client]) -> Iterator[Page]:
    with desk.sat_down(browser, live_server.url, owner) as hands:
        yield hands.page


def to_the_export(page: Page) -> None:
    page.get_by_role("link", name="Clients", exact=True).first.click()
    page.get_by_role("button", name="Other actions").click()
    page.get_by_role("link", name="Export 3 clients to Excel").click()


def downloaded(page: Page, button: str) -> bytes:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button).click()
    assert waiting.value.suggested_filename.endswith(".xlsx")
    page.wait_for_load_state("networkidle")
    return Path(waiting.value.path()).read_bytes()


def by_openpyxl(data: bytes) -> list[dict[str, Any]]:
    header, *rows = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(values_only=True)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def by_calamine(data: bytes) -> list[dict[str, Any]]:
    header, *rows = python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def snapshot() -> list[Any]:
    return [list(Client.objects.order_by("pk").values_list()), list(ConsentEvent.objects.order_by("pk").values_list())]


def test_the_file_is_read_by_two_programs_and_brought_in_again_changes_nothing(page: Page, owner: User) -> None:
    to_the_export(page)
    page.get_by_role("radio", name="Everything I may see").check()
    data = downloaded(page, "Download 3 clients")
    for rows in (by_openpyxl(data), by_calamine(data)):
        assert [row["Last name"] for row in rows] == ["Bertrand", "Çelik", "Groß"]
        assert [row["First name"] for row in rows] == ["Amélie", "=HYPERLINK(1)", "Jürgen"]
        assert (rows[0]["Phone"], rows[0]["Marketing by e-mail"], rows[2]["Marketing by SMS"]) == ("06 88 21 04 11", "Yes", "No")
        assert (rows[1]["Date of birth"], rows[1]["Client note"], rows[2]["Postcode"]) == ("1 August", "+1 coffee", "01003")
    before = snapshot()
    done = jobs.bring_in(data, "clients.xlsx", by=owner, now=timezone.now())
    assert (done.state, done.new_count, done.filled_count, done.report["faults"]) == ("done", 0, 0, [])
    assert snapshot() == before


def test_a_password_stays_typed_while_the_columns_change_and_stands_in_no_address(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    to_the_export(page)
    page.get_by_text("Protect the file with a password").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("radio", name="Yes to e-mail", exact=True).check()
    expect(page.get_by_role("button", name="Download 1 client")).to_be_visible()
    assert page.get_by_label("Password").input_value() == PASSWORD
    data = downloaded(page, "Download 1 client")
    assert [url for url in asked if "Kirschen" in url] == []
    with pytest.raises(Exception):  # noqa: B017, PT011 (whatever openpyxl says of a file that it cannot read)
        by_openpyxl(data)
    reader, plain = msoffcrypto.OfficeFile(io.BytesIO(data)), io.BytesIO()
    reader.load_key(password=PASSWORD, verify_password=True)
    reader.decrypt(plain, verify_integrity=True)
    assert [row["Last name"] for row in by_calamine(plain.getvalue())] == ["Bertrand"]


def test_a_weak_password_is_answered_beside_its_field(page: Page) -> None:
    to_the_export(page)
    page.get_by_text("Protect the file with a password").click()
    page.get_by_label("Password").fill("short")
    page.get_by_role("button", name="Download 3 clients").click()
    expect(page.locator("#id_password_error, .s-errors").first).to_contain_text("at least 12 characters")
    expect(page.get_by_label("Password")).to_be_visible()
    assert page.get_by_label("Password").input_value() == "short"
