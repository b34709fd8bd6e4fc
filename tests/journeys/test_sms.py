"""A client answers STOP by SMS, as Twilio posts it: the desk hears it in the bell and sees it on the card, since when."""

import re

import pytest
from django.test import Client as Desk
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from clients.models import Client
from salon.core import instance
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import people
from tests.journeys.desk import sat_down
from tests.notifications import texting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_stop_by_sms_shows_on_the_card_and_an_unclear_answer_waits_to_be_read(
    browser: Browser, live_server: LiveServer, transactional_db: None, salon: Salon
) -> None:
    instance.claim(salon)
    texting.lets_all_pass(salon)
    texting.account()
    client = texting.client(first_name="Nora", last_name="Vidal")
    sofia = people.user_with(Role.RECEPTION)
    assert texting.answers("Bitte keine Werbung mehr, stop damit", sid="SM1").status_code == 200

    with sat_down(browser, live_server.url, sofia) as hands:
        story(hands.page, sofia, client)


def story(page: Page, sofia: User, client: Client) -> None:
    page.goto(f"/clients/{client.pk}/")
    expect(page.get_by_text("Bitte keine Werbung mehr, stop damit")).to_be_visible()
    expect(page.locator("#sms-stopped")).to_have_count(0)
    page.locator("#bell").click()
    page.get_by_role("link", name=re.compile("An SMS may be a stop")).click()
    row = page.get_by_role("row", name=re.compile("Nora Vidal"))
    expect(row).to_contain_text("Perhaps a stop")
    row.get_by_role("button", name="It is no stop").click()
    expect(page.get_by_role("row", name=re.compile("Nora Vidal"))).to_contain_text("Read")

    assert texting.answers("Arrêt !", sid="SM2").status_code == 200
    page.goto(f"/clients/{client.pk}/")
    expect(page.locator("#sms-stopped")).to_contain_text("STOP by SMS since")
    expect(page.locator(".s-timeline")).to_contain_text("Arrêt !")
    desk = Desk()
    desk.force_login(sofia)
    assert "No reminder. The client answered STOP" in desk.get(f"/clients/{client.pk}/messages/").content.decode()
