"""Long words and long languages: nothing leaves its box, nothing hides what stands beside it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Desk
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from clients.models import Tag
from salon.core.models import Salon, User
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer, salon: Salon, owner: User) -> Iterator[Page]:
    """Olivia's browser in German, signed in. What htmx finds wrong fails the test."""
    User.objects.filter(pk=owner.pk).update(language="de")
    key = Desk()
    key.force_login(owner)
    context = browser.new_context(base_url=live_server.url, locale="de", viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": key.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "htmx:" in line.text else None)
    yield page
    context.close()
    assert faults == []


def box(part: Locator) -> Any:
    """Return where something stands: left, top, right and bottom."""
    return part.evaluate("el => { const b = el.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; }")


def test_a_name_without_a_space_leaves_the_other_columns_in_view(desk: Page) -> None:
    factories.client(last_name="Xy" * 50, sort_name="xy")
    plain = factories.client(first_name="Marie-Antoinette", last_name="Desrochers", sort_name="d")
    for width in (1440, 820, 390):
        desk.set_viewport_size({"width": width, "height": 900})
        desk.goto("/clients/")
        wrap = box(desk.locator(".s-table-wrap"))
        assert all(box(badges)[2] <= wrap[2] for badges in desk.locator(".s-badges").all()), width
        assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    desk.set_viewport_size({"width": 1440, "height": 900})
    assert desk.locator(f"#client-{plain.pk}").evaluate("el => el.getClientRects().length") == 1, "a usual name stays on its line"


@pytest.mark.parametrize("width", [1440, 390])
def test_a_toast_with_a_long_word_keeps_its_close(desk: Page, width: int) -> None:
    desk.set_viewport_size({"width": width, "height": 900})
    desk.goto("/clients/new/")
    desk.fill("[name=last_name]", "Xy" * 50)
    desk.click("#new-client .s-btn-primary")
    toast = desk.locator("#toasts [data-toast]").first
    expect(toast).to_be_visible()
    assert box(toast.locator("[data-close-toast]"))[2] <= box(toast)[2] <= width


@pytest.mark.parametrize("width", [1440, 390])
def test_a_tag_of_forty_letters_keeps_its_cross_inside(desk: Page, width: int) -> None:
    client = factories.client()
    client.tags.add(Tag.objects.create(name="W" * 40))
    desk.set_viewport_size({"width": width, "height": 900})
    desk.goto(f"/clients/{client.pk}/other/")
    chip = desk.locator("#tags .s-chip-still")
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert all(box(badge)[2] <= width for badge in desk.locator("#card-head .s-badge").all())
    assert box(chip.locator(".s-chip-x"))[2] <= box(chip)[2] <= box(desk.locator("#tags"))[2]


def test_the_days_before_a_reminder_can_be_read_in_german(desk: Page) -> None:
    for width in (1440, 820, 390):
        desk.set_viewport_size({"width": width, "height": 900})
        desk.goto("/settings/notifications/triggers/")
        days = desk.locator("#triggers-form input[type=number]").first
        assert box(days)[2] - box(days)[0] >= 60, width
        switch = desk.locator("#triggers-form .s-switch").last
        assert box(switch)[2] <= box(desk.locator(".s-table-wrap"))[2], "the switch stays in view"


@pytest.mark.parametrize("width", [1440, 820, 390])
def test_the_pill_of_an_answer_ends_before_its_buttons(desk: Page, width: int) -> None:
    client = factories.client()
    desk.set_viewport_size({"width": width, "height": 900})
    desk.goto(f"/clients/{client.pk}/")
    pill = desk.locator(f"#client-{client.pk}-mk-email .s-badge")
    pill.evaluate("el => { el.lastChild.textContent = 'Wartet auf den Kunden'; }")
    segment = desk.locator(f"#client-{client.pk}-mk-email .s-segment")
    assert box(pill)[2] <= box(segment)[0]


def test_saving_the_form_on_its_own_page_leads_on_to_the_card(desk: Page) -> None:
    client = factories.client()
    desk.goto(f"/clients/{client.pk}/edit/")
    desk.fill("[name=last_name]", "Neumann")
    desk.click("#save-details")
    desk.wait_for_url(f"**/clients/{client.pk}/")
    expect(desk.locator("h1")).to_contain_text("Neumann")
    expect(desk.locator("#toasts")).to_contain_text("Gespeichert.")


def test_the_answers_stand_at_the_right_edge_of_a_row_and_beside_no_number(desk: Page) -> None:
    factories.client(first_name="Ann", last_name="Lee", phone="")
    factories.client(first_name="Ben", last_name="Low", phone="+33639983748")
    for width in (390, 360):
        desk.set_viewport_size({"width": width, "height": 900})
        desk.goto("/clients/?select=1")
        rows = desk.locator("#rows tbody tr").all()
        ends = {box(row)[2] - box(row.locator(".s-badge").last)[2] for row in rows}
        assert len(rows) == 2
        assert len(ends) == 1, (width, ends)
        number = box(desk.locator("#rows .s-tel"))
        answers = [box(badge) for badge in desk.locator("#rows tbody tr", has=desk.locator(".s-tel")).locator(".s-badge").all()]
        assert all(number[2] < answer[0] for answer in answers), width


def test_the_tab_that_is_open_is_in_view_on_a_phone(desk: Page) -> None:
    client = factories.client()
    desk.set_viewport_size({"width": 390, "height": 900})
    desk.goto(f"/clients/{client.pk}/messages/")
    tab = box(desk.locator(".s-tab[aria-current]"))
    assert 0 <= tab[0] < tab[2] <= 390


def test_the_words_of_the_rail_stay_in_their_tiles(desk: Page) -> None:
    desk.set_viewport_size({"width": 820, "height": 900})
    desk.goto("/settings/")
    for place in desk.locator(".s-nav .s-place:not(.s-place-me)").all():
        assert place.evaluate("el => el.scrollWidth <= el.clientWidth"), place.inner_text()


def test_the_first_free_time_stays_in_its_card_on_a_phone(desk: Page) -> None:
    service, staff = factories.service(duration_minutes=60), factories.staff(name="Maximiliane-Charlotte")
    full = factories.today() + dt.timedelta(days=7)
    start = dt.datetime.combine(full, dt.time(0), tzinfo=dt.UTC)
    factories.appointment(service=service, staff=staff, start_at=start, end_at=start + dt.timedelta(hours=24))
    desk.set_viewport_size({"width": 360, "height": 900})
    desk.goto(f"/calendar/new/?service={service.pk}&staff={staff.pk}&on={full}")
    desk.get_by_role("button", name="Freie Zeiten anzeigen").click()
    assert box(desk.locator("#slot-first"))[2] < box(desk.locator("#book-form"))[2]


def test_the_switches_of_the_triggers_are_in_view_and_each_column_under_its_heading(desk: Page) -> None:
    for width in (1440, 1200, 820):
        desk.set_viewport_size({"width": width, "height": 900})
        desk.goto("/settings/notifications/triggers/")
        wrap = box(desk.locator("#triggers-form .s-table-wrap"))
        assert all(box(switch)[2] < wrap[2] for switch in desk.locator("#triggers-form .s-switch").all()), width
    heads = desk.locator("#triggers-form thead th").all_inner_texts()
    row = desk.locator("#trigger-reminder").locator("th, td")
    assert row.nth(heads.index("Nächste 7 Tage")).locator("#soon-reminder").count() == 1
