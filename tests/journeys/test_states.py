"""What becomes of cards, by hand: from the list to inactive and back, onto the blacklist, and two cards told apart."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from clients.duplicates import scan
from clients.models import Client, DuplicatePair
from salon.core.models import Salon, User
from tests import factories
from tests.journeys.desk import Hands, sat_down

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sofia(browser: Browser, live_server: LiveServer, salon: Salon, reception: User) -> Iterator[Hands]:
    """Sofia at the desk, with Karim who has a visit to come, and Amélie who stands there twice."""
    User.objects.filter(pk=reception.pk).update(language="en")
    karim, *_others = factories.cards(
        [
            {"first_name": "Karim", "last_name": "Benali", "phone": "+33755103267", "email": "karim@example.org"},
            {"first_name": "Amélie", "last_name": "Bertrand", "phone": "+33688210411", "email": "amelie@example.org"},
            {"first_name": "Amelie", "last_name": "Bertrand", "phone": "+33688210411"},
            {"first_name": "Chloé", "last_name": "Fontaine", "phone": "+33619835544"},
        ],
        by=reception,
    )
    factories.appointment(client=karim, start_at=timezone.now() + dt.timedelta(days=5))
    scan.all_cards(timezone.now())
    with sat_down(browser, live_server.url, reception, viewport={"width": 1440, "height": 900}) as hands:
        yield hands


def test_the_desk_makes_inactive_bars_and_tells_apart_and_takes_each_back(sofia: Hands) -> None:
    page = sofia.page
    page.goto("/clients/")
    for name in ("Chloé Fontaine", "Karim Benali"):
        page.get_by_role("row", name=name).get_by_role("checkbox").check()
    page.locator("#sel-inactive").click()
    dialog = page.get_by_role("dialog", name="Make 2 clients inactive")
    expect(dialog).to_contain_text("Karim Benali")
    page.keyboard.press("ArrowRight")
    expect(dialog.get_by_label("Moved away")).to_be_checked()
    dialog.locator("#inactive-go").press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 client is inactive now. 1 not.")).to_be_visible()
    assert list(Client.objects.filter(inactive_reason="moved_away").values_list("first_name", flat=True)) == ["Chloé"]
    page.keyboard.press("Control+z")
    expect(page.get_by_role("region", name="Latest changes").get_by_text("Undone on 1 card.")).to_be_visible()

    page.get_by_role("link", name="Karim Benali").click()
    page.locator("#card-menu-button").click()
    page.locator("#menu-inactive").click()
    expect(page.locator("#inactive-cancel")).to_be_visible()
    expect(page.locator("#inactive-cancel")).to_have_text("Cancel it and tell them")
    expect(page.get_by_role("dialog").get_by_label("Does not come any more")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("#timeline-visits").click()
    expect(page.locator("#timeline-visits")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("#card-menu-button").click()
    page.locator("#menu-blacklist").click()
    page.get_by_role("dialog").get_by_label("Did not pay").check()
    page.locator("#blacklist-go").click()
    expect(page.locator("#card-head .s-trouble")).to_have_text("Blacklist")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+z")
    expect(page.locator("#card-head .s-trouble")).to_have_count(0)

    page.goto("/clients/")
    page.locator("#chip-duplicates").click()
    page.get_by_role("button", name="One household").click()
    expect(page.get_by_role("region", name="Latest changes").get_by_text("Remembered: one household.")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name="One household")).to_be_visible()
    assert DuplicatePair.objects.get().state == "open"
