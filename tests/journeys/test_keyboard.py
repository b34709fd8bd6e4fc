"""Without a mouse: finding anybody and anything by the search box, the keys of the house, and their switch."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from clients import records
from clients.models import Client
from salon.core.models import AuditEvent, Salon, User
from tests import factories, people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer, salon: Salon, owner: User) -> Iterator[Page]:
    """Olivia's browser, signed in, on her own settings. The mouse is never used here."""
    context = browser.new_context(base_url=live_server.url, locale="en")
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/accounts/login/?next=/me/")
    page.focus("[name=login]")
    page.keyboard.type(owner.email)
    page.focus("[name=password]")
    page.keyboard.type(people.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{live_server.url}/me/")
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def anna(owner: User) -> Client:
    return records.add(by=owner, first_name="Anna", last_name="Berg", phone="+33688210411")


def chosen(page: Page) -> str:
    """Return the text of the option that the field says is the active one."""
    return str(
        page.evaluate(
            "document.getElementById(document.activeElement.getAttribute('aria-activedescendant') || '')?.textContent || ''"
        )
    )


def test_four_digits_and_enter_open_the_card(desk: Page, anna: Client) -> None:
    desk.keyboard.press("/")
    desk.keyboard.type("0411")
    expect(desk.locator("#search-results [aria-selected=true]")).to_contain_text("Anna Berg")
    assert "Anna Berg" in chosen(desk)
    expect(desk.locator("#search")).to_have_attribute("aria-expanded", "true")
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"**/clients/{anna.pk}/")


def test_ctrl_k_takes_the_caret_from_a_field_and_arrows_go_round(desk: Page, anna: Client) -> None:
    desk.goto(f"/clients/{anna.pk}/")
    desk.goto("/me/")
    desk.focus("[name=name]")
    desk.keyboard.press("Control+k")
    expect(desk.locator("#search")).to_be_focused()
    options = desk.locator("#search-results [role=option]")
    expect(options).to_have_count(5)  # one card opened before, four commands
    assert chosen(desk) == "", "nothing is chosen before anything is typed"
    desk.keyboard.press("ArrowDown")
    assert "Anna Berg" in chosen(desk)
    desk.keyboard.press("ArrowUp")
    assert "Export to Excel" in chosen(desk)
    desk.keyboard.press("ArrowUp")
    assert "Import a list" in chosen(desk)
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/clients/import/")


def test_a_command_is_found_in_another_language_and_opened(desk: Page) -> None:
    desk.keyboard.press("/")
    desk.keyboard.type("equipe")
    expect(desk.locator("#search-results [aria-selected=true]")).to_contain_text("Team")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/settings/team/")


@pytest.mark.parametrize(
    ("typed", "field", "value"), [("Zoé Blanc", "last_name", "Blanc"), ("0699 55 44 33", "phone", "0699 55 44 33")]
)
def test_who_is_not_found_becomes_a_new_client(desk: Page, typed: str, field: str, value: str) -> None:
    desk.keyboard.press("/")
    desk.keyboard.type(typed)
    expect(desk.locator("#search-results [aria-selected=true]")).to_contain_text(f"Add “{typed}” as a new client")
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/clients/new/**")
    expect(desk.locator(f"main [name={field}]")).to_have_value(value)


def test_enter_before_the_answer_never_opens_what_was_found_before(desk: Page, anna: Client, owner: User) -> None:
    bea = records.add(by=owner, first_name="Bea", last_name="Low")
    desk.keyboard.press("/")
    desk.keyboard.type("anna")
    expect(desk.locator("#search-results [aria-selected=true]")).to_contain_text("Anna Berg")

    def never(route: Route) -> None:
        if route.request.headers.get("hx-request") == "true":
            return  # the answer does not come
        route.continue_()

    desk.route("**/search/**", never)
    desk.keyboard.press("Control+a")
    desk.keyboard.type("bea")
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"**/clients/{bea.pk}/")  # the one whom the whole page of hits would show


def test_an_answer_that_comes_late_chooses_nothing(desk: Page, anna: Client) -> None:
    desk.keyboard.press("/")
    expect(desk.locator("#search-results [role=option]")).to_have_count(4)
    late = "document.getElementById('search').value = 'bea'; return htmx.ajax('GET', '/search/?q=anna', '#search-results');"
    desk.evaluate(f"() => {{ {late} }}")
    expect(desk.locator("#search-results")).to_contain_text("Anna Berg")
    expect(desk.locator("#search-results [aria-selected=true]")).to_have_count(0)
    desk.keyboard.press("Enter")
    desk.wait_for_url("**/search/?q=bea")


def test_escape_closes_then_clears_then_leaves_the_field(desk: Page, anna: Client) -> None:
    desk.keyboard.press("/")
    desk.keyboard.type("anna")
    results, field = desk.locator("#search-results"), desk.locator("#search")
    expect(results).to_be_visible()
    desk.keyboard.press("Escape")
    expect(results).to_be_hidden()
    expect(field).to_have_value("anna")
    desk.keyboard.press("Escape")
    expect(field).to_have_value("")
    expect(field).not_to_be_focused()


def test_keys_go_to_the_places_and_to_new_things(desk: Page) -> None:
    for keys, address in (("gc", "/calendar/**"), ("gl", "/clients/"), ("gm", "/messages/"), ("gs", "/settings/")):
        for key in keys:
            desk.keyboard.press(key)
        desk.wait_for_url(f"**{address}")
    desk.keyboard.press("c")
    desk.wait_for_url("**/clients/new/")
    desk.goto("/me/")
    desk.keyboard.press("n")
    desk.wait_for_url("**/calendar/new/")


def test_the_keys_of_the_calendar_and_of_a_card(desk: Page) -> None:
    client = factories.appointment().client
    assert client is not None
    desk.goto("/calendar/2026-11-18/")
    desk.keyboard.press("ArrowRight")
    desk.wait_for_url("**/calendar/2026-11-19/")
    desk.keyboard.press("ArrowLeft")
    desk.wait_for_url("**/calendar/2026-11-18/")
    desk.goto(f"/clients/{client.pk}/")
    desk.keyboard.press("2")
    desk.wait_for_url(f"**/clients/{client.pk}/address/")
    desk.keyboard.press("1")
    desk.wait_for_url(f"**/clients/{client.pk}/")
    desk.keyboard.press("e")
    expect(desk.locator("#main-data [name=first_name]")).to_be_visible()
    desk.focus("#main-data [name=first_name]")
    desk.keyboard.press("Control+a")
    desk.keyboard.type("nc?1")  # in a field a letter is a letter
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("#card-head h1")).to_contain_text("nc?1")


def test_the_list_of_keys_opens_and_closes_and_gives_the_focus_back(desk: Page) -> None:
    desk.focus("#me-button")
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    desk.keyboard.press("n")  # nothing behind a dialog hears a key
    desk.keyboard.press("Control+k")
    expect(desk.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("dialog")).to_have_count(0)
    expect(desk.locator("#me-button")).to_be_focused()


def test_single_letters_are_switched_off_in_the_own_menu_and_on_again_by_undo(desk: Page, owner: User, anna: Client) -> None:
    desk.focus("#me-button")
    desk.keyboard.press("ArrowDown")
    for _item in range(3):
        desk.keyboard.press("ArrowDown")
    expect(desk.locator("#shortcuts")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.locator("#toasts")).to_contain_text("Single letters are off.")
    expect(desk.locator("body")).not_to_have_attribute("data-shortcuts", "")
    owner.refresh_from_db()
    assert not owner.has_shortcuts
    for key in ("?", "c", "n", "/"):
        desk.keyboard.press(key)
    desk.wait_for_timeout(300)
    assert desk.url.endswith("/me/")
    expect(desk.get_by_role("dialog")).to_have_count(0)
    desk.keyboard.press("Control+k")
    desk.keyboard.type("0411")
    expect(desk.locator("#search-results [aria-selected=true]")).to_contain_text("Anna Berg")
    desk.keyboard.press("Escape")
    desk.keyboard.press("Escape")
    desk.keyboard.press("Control+z")
    expect(desk.locator("#toasts")).to_contain_text("Single letters are on.")
    desk.keyboard.press("?")
    expect(desk.get_by_role("dialog")).to_be_visible()
    assert AuditEvent.objects.filter(action="user.edited_own", subject_id=owner.pk).count() == 2
