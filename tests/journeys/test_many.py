"""A promotion to all that a filter finds: the number on the button, how far it is, stopped, taken up again, done."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from notifications import dispatch, planner, sending
from notifications.models import Campaign, Message, State
from salon.core import instance
from salon.core.models import Salon
from salon.core.roles import Role
from tests import factories, people
from tests.fakes.provider import FakeProvider
from tests.journeys.desk import sat_down
from tests.notifications import workers
from tests.notifications.marketing import AFTER_UNDO, willing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> FakeProvider:
    fake = FakeProvider()
    monkeypatch.setattr(sending, "provider", lambda *args, **kwargs: fake)
    return fake


def leave(count: int) -> None:
    """Let `count` more of the messages leave, as the worker would; the others wait."""
    now = timezone.now()
    Campaign.objects.update(not_before=now - AFTER_UNDO)
    planner.plan(now)
    waiting = Message.objects.filter(state=State.PENDING).order_by("pk")
    waiting.update(not_before=now + 10 * AFTER_UNDO)
    Message.objects.filter(pk__in=list(waiting.values_list("pk", flat=True)[:count])).update(not_before=now)
    dispatch.deliver_due(now=now)
    planner.plan(timezone.now())


def test_a_promotion_to_a_filter_is_watched_stopped_and_taken_up_again(
    browser: Browser, live_server: LiveServer, transactional_db: None, salon: Salon, provider: FakeProvider
) -> None:
    Salon.objects.update(time_zone=workers.midday_zone(), public_url="https://salon.example", delivery=Salon.Delivery.LIVE)
    instance.claim(Salon.objects.get())
    now = timezone.now()
    for number in range(12):
        willing(now, language="de", email=f"c{number}@example.org", last_name=f"Berg{number:02}")
    factories.client(language="de", last_name="Unasked")
    willing(now, language="fr", email="other@example.org")
    with sat_down(browser, live_server.url, people.user_with(Role.MANAGER)) as hands:
        story(hands.page, provider)


def story(page: Page, provider: FakeProvider) -> None:
    page.goto("/clients/?lang=de&select=1")
    page.locator("#sel-all").click()
    expect(page.locator("#sel-count")).to_contain_text("All 13 selected")
    page.locator("#sel-email").click()
    page.wait_for_load_state()
    page.locator("#id_title").fill("Ten per cent in December")
    page.locator("#id_text").fill("Dear {first_name}, come and see us.")
    expect(page.locator("#compose-side")).to_contain_text("come and see us")
    expect(page.locator("#who-title")).to_have_text("12 of 13 will get it.")
    page.get_by_role("button", name="Send 12 e-mails").click()
    expect(page.get_by_role("region", name="Latest changes")).to_contain_text("12 e-mails leave in 30 seconds.")
    leave(5)
    expect(page.locator("#campaign-progress")).to_contain_text("5 of 12", timeout=10_000)
    page.locator("#campaign-stop").click()
    expect(page.get_by_role("region", name="Latest changes")).to_contain_text("7 e-mails do not leave")
    leave(12)
    assert len(provider.delivered) == 5, "while it is stopped nothing leaves"
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#campaign-progress")).to_contain_text("5 of 12")
    leave(12)
    expect(page.locator("#parts")).to_contain_text(re.compile(r"Sent\s*12"), timeout=10_000)
    expect(page.locator("#campaign-progress")).to_have_count(0)
    assert sorted(provider.recipients) == sorted(f"c{number}@example.org" for number in range(12))
    page.goto("/clients/")
    page.locator("#bell").click()
    expect(page.get_by_role("link", name=re.compile("The promotion is done: 12 sent"))).to_be_visible()
