"""The list of clients by keyboard and mouse: ranges, whole pages, everybody, and the way out of each."""

from collections.abc import Iterator

import pytest
from django.test import Client as Desk
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from salon.core.models import Salon, User
from tests import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def list_(browser: Browser, live_server: LiveServer, salon: Salon, owner: User) -> Iterator[Page]:
    """Olivia's browser on the list of sixty clients."""
    User.objects.filter(pk=owner.pk).update(language="en")
    for number in range(60):
        factories.client(last_name=f"Nom{number:02}", sort_name=f"nom{number:02}", language="fr" if number % 2 else "de")
    desk = Desk()
    desk.force_login(owner)
    context = browser.new_context(base_url=live_server.url, locale="en", viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": desk.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/clients/")
    yield page
    context.close()
    assert faults == []


def ticks(page: Page) -> int:
    return page.locator("#sel [name=sel][type=checkbox]:checked").count()


def test_shift_and_a_click_tick_a_range_and_the_ticks_survive_pages(list_: Page) -> None:
    boxes = list_.locator("#sel [name=sel][type=checkbox]")
    boxes.nth(2).click()
    boxes.nth(6).click(modifiers=["Shift"])
    assert ticks(list_) == 5
    expect(list_.locator("#sel-count")).to_have_text("5 selected")
    list_.click("#page-after")
    expect(list_.locator("#client-list, #rows")).to_contain_text("Nom55")
    boxes.nth(0).click()
    expect(list_.locator("#sel-count")).to_have_text("6 selected")
    list_.click("#page-before")
    expect(list_.locator("#rows")).to_contain_text("Nom03")
    assert ticks(list_) == 5
    expect(list_.locator("#sel-count")).to_have_text("6 selected")


def test_the_keys_walk_tick_and_open(list_: Page) -> None:
    list_.keyboard.press("j")
    list_.keyboard.press("j")
    list_.keyboard.press("x")
    assert ticks(list_) == 1
    expect(list_.locator("tr.s-ticked")).to_contain_text("Nom01")
    list_.keyboard.press("Control+a")
    assert ticks(list_) == 50
    list_.locator("#sel [name=sel][type=checkbox]").nth(0).focus()
    list_.keyboard.press("Enter")
    list_.wait_for_url("**/clients/*/?from=*")
    expect(list_.locator("h1")).to_contain_text("Nom00")


def test_escape_clears_the_search_first_and_then_the_selection(list_: Page) -> None:
    list_.locator("#sel [name=sel][type=checkbox]").nth(0).click()
    list_.fill("#q", "nom01")
    expect(list_.locator("#count")).to_have_text("1 client")
    list_.locator("#q").press("Escape")
    expect(list_.locator("#count")).to_have_text("60 clients")
    expect(list_.locator("#sel-count")).to_have_text("1 selected")
    list_.locator("#client-list, #rows").locator("a.s-name").first.focus()
    list_.keyboard.press("Escape")
    expect(list_.locator("#selection-bar")).to_be_hidden()
    assert ticks(list_) == 0


def test_everybody_is_selected_but_who_is_taken_off_on_any_page(list_: Page) -> None:
    list_.locator("#sel [name=sel][type=checkbox]").nth(0).click()
    list_.click("#sel-all")
    expect(list_.locator("#sel-count")).to_have_text("All 60 selected")
    list_.click("#page-after")
    expect(list_.locator("#rows")).to_contain_text("Nom55")
    assert ticks(list_) == 10
    list_.locator("#sel [name=sel][type=checkbox]").nth(0).click()
    expect(list_.locator("#sel-count")).to_have_text("59 selected, all but 1")
    list_.click("#page-before")
    expect(list_.locator("#rows")).to_contain_text("Nom05")
    expect(list_.locator("#sel-count")).to_have_text("59 selected, all but 1")
    list_.locator("#sel [name=sel][type=checkbox]").nth(2).click()
    expect(list_.locator("#sel-count")).to_have_text("58 selected, all but 2")
    list_.click("#page-after")
    expect(list_.locator("#sel [name=sel][type=checkbox]").nth(0)).not_to_be_checked()
    list_.locator("#sel [name=sel][type=checkbox]").nth(0).click()
    expect(list_.locator("#sel-count")).to_have_text("59 selected, all but 1")
    list_.click("#sel-email")
    list_.wait_for_url("**/messages/new/**")
    expect(list_.locator("h1")).to_contain_text("59")
    list_.go_back()
    list_.click("#sel-all")
    expect(list_.locator("#sel-count")).to_have_text("All 60 selected")


def test_a_filter_is_added_in_a_dialog_and_taken_off_at_its_chip_with_the_ticks_kept(list_: Page) -> None:
    list_.locator("#sel [name=sel][type=checkbox]").nth(1).click()
    list_.click("#add-filter")
    expect(list_.locator("#filter-dialog")).to_be_visible()
    list_.select_option("#set-lang", "fr")
    list_.click("#filter-go")
    list_.wait_for_url("**/clients/?*lang=fr")
    expect(list_.locator("#count")).to_have_text("30 clients")
    expect(list_.locator("#sel-count")).to_have_text("1 selected")
    list_.click("#filter-lang")
    expect(list_.locator("#count")).to_have_text("60 clients")
    expect(list_.locator("#add-filter")).to_be_focused()
    expect(list_.locator("#sel-count")).to_have_text("1 selected")
    assert "lang" not in list_.url
    list_.click("#make-a-selection")
    list_.wait_for_url("**/clients/?select=1*")
    expect(list_.locator("#count")).to_have_text("60 clients")
