"""A No reaches the salon's other systems: one is told by itself, the other by somebody who ticks it off, on a phone."""

import time
from collections.abc import Iterator

import pytest
from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY, AUTHENTICATION_METHODS_SESSION_KEY
from axe_playwright_python.sync_playwright import Axe
from django.test import Client as Desk
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from clients import consent
from notifications.systems import planning, sending
from notifications.systems.models import OtherSystem
from salon.core import instance
from salon.core.models import Salon, User
from tests import factories
from tests.fakes.hook_receiver import Receiver

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, salon: Salon, owner: User) -> Iterator[Page]:
    """Olivia's phone, where she has just given her password."""
    instance.claim(salon)
    User.objects.filter(pk=owner.pk).update(language="en")
    key = Desk()
    key.force_login(owner)
    session = key.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time()}]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(owner.pk)
    session.save()
    context = browser.new_context(base_url=live_server.url, viewport={"width": 390, "height": 844})
    context.add_cookies([{"name": "sessionid", "value": key.cookies["sessionid"].value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def fits(page: Page) -> bool:
    assert Axe().run(page).violations_count == 0
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_no_is_told_by_itself_and_by_hand(page: Page, receiver: Receiver) -> None:
    page.goto("/settings/systems/")
    page.get_by_role("link", name="Add a system").click()
    page.locator("#id_name").fill("Newsletter")
    page.get_by_text("Connected: Carnet tells it by itself").click()
    page.get_by_label("Address for events").fill(receiver.url)
    page.get_by_role("button", name="Add the system").click()
    receiver.secrets = [page.locator("#new-secret pre").inner_text()]
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator("#test-result")).to_contain_text("It took the test (204).")
    assert (receiver.requests[0].good_count, fits(page)) == (1, True)

    factories.other_system(way="by_hand")
    client = factories.client(first_name="Zoé", last_name="Roux")
    consent.record(client, purpose="mkt.promotion", channel="email", event="deny", source="in_person")
    planning.plan(timezone.now())
    sending.serve(OtherSystem.objects.get(way="connected").pk)
    assert receiver.requests[1].event["data"]["preferences"]["promotion"]["email"] == "no"
    page.reload()
    expect(page.locator("#deliveries")).to_contain_text("Told")

    page.goto("/messages/systems/")
    expect(page.get_by_role("heading", name="Tell Treatwell: 1 client said No")).to_be_visible()
    assert fits(page)
    page.get_by_role("button", name="Zoé Roux").click()
    expect(page.get_by_text("Everything is told")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Zoé Roux")).to_be_visible()
