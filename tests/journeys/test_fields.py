"""What a page does to its own fields in the browser: a port that follows, errors that go once they are mended."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from salon.core.models import Salon, User
from tests import factories
from tests.journeys.desk import sat_down

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer, salon: Salon, owner: User) -> Iterator[Page]:
    """Olivia's browser."""
    User.objects.filter(pk=owner.pk).update(language="en")
    factories.client()
    with sat_down(browser, live_server.url, owner) as hands:
        yield hands.page


def test_the_port_follows_the_security_until_somebody_types_one(desk: Page) -> None:
    desk.goto("/settings/notifications/sending/")
    port, security = desk.locator("#id_port"), desk.locator("#id_security")
    expect(port).to_have_value("587")
    security.select_option("tls")
    expect(port).to_have_value("465")
    port.fill("2525")
    security.select_option("starttls")
    expect(port).to_have_value("2525")
    port.fill("")
    security.select_option("tls")
    expect(port).to_have_value("465")


def test_what_was_wrong_with_an_export_is_gone_after_the_download(desk: Page) -> None:
    desk.goto("/clients/export/")
    desk.click("#export-lock summary")
    desk.fill("#id_password", "a")
    desk.click("#export-go")
    expect(desk.locator(".s-errors").first).to_be_visible()
    desk.fill("#id_password", "rodile-kamesa-lubano")
    with desk.expect_download():
        desk.click("#export-go")
    expect(desk.locator(".s-errors, .s-summary")).to_have_count(0)
    expect(desk.locator("[aria-invalid]")).to_have_count(0)
    assert not desk.title().startswith("Error:")
