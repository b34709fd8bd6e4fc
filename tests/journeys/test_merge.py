"""Two cards of one person: ticked in the list, looked at, made one, and given back. In a real browser."""

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from clients.models import Client, ClientContact
from salon.core.models import User
from tests import factories
from tests.clients.test_merge import AMELIE, OTHER
from tests.journeys import desk

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_two_are_ticked_merged_and_given_back(browser: Chromium, live_server: LiveServer, reception: User) -> None:
    one, two = factories.cards([AMELIE, OTHER], by=reception)
    factories.appointment(client=one)
    with desk.sat_down(browser, live_server.url, reception, viewport={"width": 1440, "height": 900}) as hands:
        page = hands.page
        page.goto("/clients/")
        page.get_by_role("checkbox", name="Amélie Bertrand").check()
        merge = page.get_by_role("button", name="Merge")
        expect(merge).to_have_attribute("aria-disabled", "true")
        page.get_by_role("checkbox", name="AMELIE Bertrand", exact=False).last.check()
        expect(merge).to_have_attribute("aria-disabled", "false")
        merge.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Merge 2 clients into one")
        page.get_by_role("radio", name=OTHER["email"]).check()
        page.get_by_role("link", name="Make main: AMELIE Bertrand").click()
        expect(page.get_by_role("columnheader", name="AMELIE Bertrand")).to_contain_text("Main client")
        expect(page.get_by_role("radio", name=OTHER["email"])).to_be_checked()
        page.get_by_role("link", name="Make main: Amélie Bertrand").click()
        expect(page.get_by_role("columnheader", name="Amélie Bertrand")).to_contain_text("Main client")
        page.get_by_role("button", name="Merge 2 clients").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Amélie Bertrand")
        expect(page.locator("#toasts")).to_contain_text("2 clients merged. Undo until")
        assert Client.objects.get(pk=one.pk).email == OTHER["email"]
        assert ClientContact.objects.filter(client=one, address=AMELIE["email"]).exists()
        page.goto(f"/clients/{two.pk}/")
        expect(page).to_have_url(f"{live_server.url}/clients/{one.pk}/")
        page.get_by_role("link", name="Undo merge").click()
        page.get_by_role("button", name="Undo merge").click()
        expect(page.locator("#toasts")).to_contain_text("Merge undone: the other card is back.")
        page.wait_for_load_state("networkidle")
        assert Client.objects.get(pk=one.pk).email == AMELIE["email"]
        assert Client.objects.get(pk=two.pk).email == OTHER["email"]
