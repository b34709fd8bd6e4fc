"""How much a task asks of the hands, counted in a real browser. A number that grows fails here; it may only fall.

Targets: presses from the calendar, signed in, the client found by four digits of the phone. By keys the three dots of a card,
which hold what becomes of it, are one stop on the way to the consents.
"""

from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from clients import answers, records
from clients.duplicates import scan
from clients.models import Client
from salon.core.models import User
from tests.journeys import desk
from tests.journeys.desk import Hands

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def amelie(owner: User) -> Client:
    records.add(by=owner, first_name="Karim", last_name="Benali", phone="+33612447890")
    return records.add(by=owner, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="amelie@example.org")


@pytest.fixture
def hands(browser: Chromium, live_server: LiveServer, owner: User, amelie: Client) -> Iterator[Hands]:
    with desk.sat_down(browser, live_server.url, owner, viewport={"width": 1440, "height": 900}) as found:
        yield found


def told(hands: Hands, task: str, *, presses: int, keys: int, seconds: float) -> None:
    """Say what the task took, and fail if the pages saw more than that."""
    hands.page.wait_for_load_state("networkidle")
    print(f"{task}: {hands.presses} presses, {hands.keys} keys, {hands.seconds} s")
    assert hands.seen("pointerdown") == hands.presses <= presses
    assert hands.seen("keydown") == hands.keys <= keys
    assert hands.seconds <= seconds


def find(hands: Hands) -> None:
    page = hands.page
    hands.press(page.get_by_role("combobox", name="Find a client"), answers=0)
    hands.type("0411", answers=1)
    hands.press(page.get_by_role("option", name="Amélie Bertrand"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Amélie Bertrand")


def find_by_keys(hands: Hands) -> None:
    hands.type("/")
    hands.type("0411", answers=1)
    expect(hands.page.get_by_role("option", name="Amélie Bertrand")).to_be_visible()
    hands.key("Enter", answers=1)
    expect(hands.page.get_by_role("heading", level=1)).to_contain_text("Amélie Bertrand")


def test_a_client_is_found_by_phone_with_two_presses(hands: Hands) -> None:
    find(hands)
    told(hands, "Find by phone", presses=2, keys=4, seconds=7.9)


def test_marketing_is_set_to_no_with_three(hands: Hands, amelie: Client) -> None:
    find(hands)
    e_mail = hands.page.get_by_role("group", name="E-mail").first
    hands.press(e_mail.get_by_role("radio", name="No"))
    expect(hands.page.locator("#toasts")).to_contain_text("marketing e-mail off")
    told(hands, "Marketing to No", presses=3, keys=4, seconds=10.8)
    assert answers.front(amelie, "email").answer == "no"


def test_marketing_is_set_to_yes_with_its_proof_with_four(hands: Hands, amelie: Client) -> None:
    find(hands)
    e_mail = hands.page.get_by_role("group", name="E-mail").first
    hands.press(e_mail.get_by_role("radio", name="Yes"))
    hands.press(hands.page.get_by_role("button", name="In the salon"))
    expect(hands.page.locator("#toasts")).to_contain_text("marketing e-mail on")
    told(hands, "Marketing to Yes, with proof", presses=4, keys=4, seconds=13.8)
    line = answers.front(amelie, "email")
    assert (line.answer, line.event and line.event.source) == ("yes", "in_person")


def test_the_list_is_exported_with_four(hands: Hands) -> None:
    page = hands.page
    hands.press(page.get_by_role("link", name="Clients", exact=True).first)
    hands.press(page.get_by_role("button", name="Other actions"), answers=0)
    hands.press(page.get_by_role("link", name="Export 2 clients to Excel"))
    with page.expect_download():
        hands.press(page.get_by_role("button", name="Download 2 clients"))
    told(hands, "Export to Excel", presses=4, keys=0, seconds=11.6)


def test_two_cards_found_by_hand_are_merged_with_six(hands: Hands, owner: User) -> None:
    twin = records.add(by=owner, first_name="Amelie", last_name="Bertrand", phone="+33612440411")
    page = hands.page
    hands.press(page.get_by_role("link", name="Clients", exact=True).first)
    hands.press(page.get_by_role("searchbox", name="Search this list"), answers=0)
    hands.type("0411", answers=1)
    expect(page.locator("#rows")).not_to_contain_text("Karim")
    hands.press(page.get_by_role("checkbox", name="Amélie Bertrand"), answers=0)
    hands.press(page.get_by_role("checkbox", name="Amelie Bertrand"), answers=0)
    hands.press(page.get_by_role("button", name="Merge"))
    hands.press(page.get_by_role("button", name="Merge 2 clients"))
    expect(page.locator("#toasts")).to_contain_text("2 clients merged")
    told(hands, "Merge two found by hand", presses=6, keys=4, seconds=20.1)
    assert Client.objects.get(pk=twin.pk).merged_into_id is not None


def test_two_cards_that_share_a_number_are_merged_from_the_card_with_two(hands: Hands, owner: User) -> None:
    records.add(by=owner, first_name="Amelie", last_name="Bertrand", phone="+33688210411")
    scan.all_cards(timezone.now())
    page = hands.page
    page.goto(f"/clients/{Client.objects.get(first_name='Amélie').pk}/")
    hands.press(page.get_by_role("link", name="Compare and merge"))
    hands.press(page.get_by_role("button", name="Merge 2 clients"))
    expect(page.locator("#toasts")).to_contain_text("2 clients merged")
    told(hands, "Merge from the card", presses=2, keys=0, seconds=6.0)


def test_who_knows_the_keys_needs_one_press_for_a_no(hands: Hands) -> None:
    find_by_keys(hands)
    hands.press(hands.page.get_by_role("group", name="E-mail").first.get_by_role("radio", name="No"))
    expect(hands.page.locator("#toasts")).to_contain_text("marketing e-mail off")
    told(hands, "Marketing to No, keys and mouse", presses=1, keys=6, seconds=7.4)


# --- the same without a mouse (one Tab more since a card has its menu of three dots) ---------------------------------


def test_a_client_is_found_without_a_mouse(hands: Hands) -> None:
    find_by_keys(hands)
    told(hands, "Find by phone, keys only", presses=0, keys=6, seconds=4.0)


def test_marketing_is_set_without_a_mouse(hands: Hands, amelie: Client) -> None:
    page = hands.page
    find_by_keys(hands)
    e_mail = page.get_by_role("group", name="E-mail").first
    hands.tab_to(e_mail.get_by_role("radio", name="Yes"))
    hands.key("ArrowRight", answers=1)
    expect(page.locator("#toasts")).to_contain_text("marketing e-mail off")
    told(hands, "Marketing to No, keys only", presses=0, keys=36, seconds=15.5)  # one for the three dots of the card
    assert answers.front(amelie, "email").answer == "no"


def test_marketing_is_set_to_yes_without_a_mouse(hands: Hands, amelie: Client) -> None:
    page = hands.page
    find_by_keys(hands)
    e_mail = page.get_by_role("group", name="E-mail").first
    hands.tab_to(e_mail.get_by_role("radio", name="Yes"))
    hands.key("Space", answers=1)
    expect(page.get_by_role("button", name="In the salon")).to_be_focused()
    hands.key("Enter", answers=1)
    expect(page.locator("#toasts")).to_contain_text("marketing e-mail on")
    told(hands, "Marketing to Yes, keys only", presses=0, keys=37, seconds=17.4)


def test_the_list_is_exported_without_a_mouse(hands: Hands) -> None:
    page = hands.page
    hands.type("gl", answers=1)
    expect(page.get_by_role("heading", level=1)).to_have_text("Clients")
    hands.tab_to(page.get_by_role("button", name="Other actions"))
    hands.key("ArrowDown")
    expect(page.get_by_role("link", name="Export 2 clients to Excel")).to_be_focused()
    hands.key("Enter", answers=1)
    go = page.get_by_role("button", name="Download 2 clients")
    expect(go).to_be_visible()
    hands.tab_to(go)
    with page.expect_download():
        hands.key("Enter", answers=1)
    told(hands, "Export to Excel, keys only", presses=0, keys=33, seconds=17.3)


def test_a_client_who_asks_is_erased_with_seven(hands: Hands, amelie: Client) -> None:
    find(hands)
    page = hands.page
    hands.press(page.get_by_role("button", name="More for Amélie Bertrand"), answers=0)
    hands.press(page.get_by_role("link", name="Delete…"))
    expect(page.get_by_role("heading", name="Delete Amélie Bertrand")).to_be_focused()
    hands.press(page.get_by_role("radio", name="Known in person at the salon"), answers=0)
    hands.press(page.get_by_label("Type the last name to confirm"), answers=0)
    hands.type("bertrand")
    hands.press(page.get_by_role("button", name="Delete this client"))
    expect(page.locator("#toasts")).to_contain_text("Erased. Case")
    told(hands, "Erase a client who asks", presses=7, keys=12, seconds=30)
    amelie.refresh_from_db()
    assert amelie.erased_at is not None
    assert (amelie.last_name, amelie.email) == ("", "")
