"""The eyes of the matrix see: each kind of fault, put on a page that has none, is found in the looks that have it."""

import itertools
from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from salon.core.models import User
from tests.journeys.eyes import THEMES, WIDTHS, Eyes, Fault, told

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EVERYWHERE = set(itertools.product(WIDTHS, THEMES))
IN_LIGHT, IN_DARK = ({look for look in EVERYWHERE if look[1] == theme} for theme in THEMES)
ON_A_PHONE = {look for look in EVERYWHERE if look[0] == 390}
TWO_SMALL = """() => {
  const head = document.querySelector("h1");
  head.innerHTML = "<button>a</button><button>b</button>";
  [...head.children].forEach(button => { button.style.cssText = "width: 12px; height: 12px; padding: 0"; });
}"""
PLANTED = [
    ("color-contrast", IN_LIGHT, "document.querySelector('h1').style.color = '#b5bcc6'"),
    ("color-contrast", IN_DARK, "document.querySelector('h1').style.color = '#475466'"),
    ("wide", ON_A_PHONE, "document.querySelector('h1').style.width = '500px'"),
    ("wide", EVERYWHERE, "document.querySelector('h1').style.width = '2000px'"),
    ("label", IN_LIGHT, "document.querySelector('label[for=id_login]').remove()"),
    ("target-size", IN_LIGHT, TWO_SMALL),
]


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, owner: User) -> Iterator[Page]:
    """A tab of somebody who is not signed in."""
    context = browser.new_context(base_url=live_server.url, locale="en")
    yield context.new_page()
    context.close()


def test_a_whole_page_has_no_fault_and_each_planted_one_is_found_where_it_is(page: Page) -> None:
    eyes, path = Eyes(page), reverse("account_login")
    page.goto(path)
    assert eyes.look(path) == []
    for rule, looks, plant in PLANTED:
        page.goto(path)
        page.evaluate(plant)
        found = eyes.look(path)
        assert {(fault.width, fault.theme) for fault in found if fault.rule == rule} == looks, (rule, told(found))


def test_the_same_fault_of_many_looks_is_told_once() -> None:
    faults = [Fault("/a/", 390, "light", "label", "<input>"), Fault("/b/", 820, "dark", "label", "<input>")]
    assert told(faults) == "2 x label: <input>\n  /a/ 390 light"
