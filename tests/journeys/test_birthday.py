"""The birthday, as an owner sets it up: switch it on, write the French text, see who gets it tomorrow."""

import datetime as dt

import pytest
from django.test import Client as Desk
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from notifications import facts, planner, texts
from notifications.models import Message
from salon.core.models import Salon, User
from tests import factories
from tests.notifications import marketing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_birthday_is_switched_on_its_text_edited_and_tomorrows_list_seen(
    browser: Browser, live_server: LiveServer, salon: Salon, owner: User
) -> None:
    tomorrow = factories.today() + dt.timedelta(days=1)
    zoe, refused = (
        factories.client(first_name=name, last_name="Lang", birth_day=tomorrow.day, birth_month=tomorrow.month)
        for name in ("Zoé", "Noor")
    )
    marketing.says(zoe, "grant", timezone.now(), purpose="mkt.birthday")
    marketing.says(refused, "withdraw", timezone.now(), purpose="mkt.birthday")
    key = Desk()
    key.force_login(owner)
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 1000})
    context.add_cookies([{"name": "sessionid", "value": key.cookies["sessionid"].value, "url": live_server.url}])
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/settings/notifications/triggers/")
    page.locator("#trigger-birthday .s-switch").click()
    page.click("#triggers-save")
    expect(page.locator("#soon-birthday")).to_have_text("1 client")
    page.locator("#trigger-birthday").get_by_role("link", name="Text of Birthday greeting").click()
    page.get_by_label("Subject").fill("Bon anniversaire, de toute l'équipe")
    page.get_by_label("Text", exact=True).fill("Bonjour, une belle journée à vous.")
    page.get_by_label("Text", exact=True).press("Home")
    for _ in "Bonjour":
        page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="First name").click()
    expect(page.locator("#text-side .s-mail-text")).to_contain_text("une belle journée à vous.")
    expect(page.locator("#text-side .s-mail-text")).to_contain_text(
        "Bonjour Zoé,"
    )  # somebody who would get it, not the newest card
    page.click("#text-save")
    expect(page.get_by_text("It is in force from the next message on").first).to_be_visible()
    page.goto("/settings/notifications/triggers/")
    page.click("#soon-birthday")
    expect(page.locator("#soon li")).to_have_count(1)
    expect(page.locator("#soon li")).to_contain_text("Zoé Lang")
    context.close()
    assert faults == []
    assert texts.shelf().text("birthday", "email", "fr").body == "Bonjour[ {first_name}|], une belle journée à vous."
    planner.plan(dt.datetime.combine(tomorrow, dt.time(9), salon.zone))
    assert list(Message.objects.values_list("client", "kind")) == [(zoe.pk, "birthday")]
    assert facts.switches()["birthday"].is_on
