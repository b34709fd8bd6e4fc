"""What is pressed on a page that has lost its session or its line: it waits for its own user, or is not there."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from clients.models import ConsentEvent
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories, people
from tests.journeys.desk import sat_down

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def desk(browser: Browser, live_server: LiveServer, salon: Salon, owner: User) -> Iterator[Page]:
    """Olivia's browser, signed in."""
    with sat_down(browser, live_server.url, owner) as hands:
        yield hands.page


def answering(desk: Page) -> tuple[int, Locator, Locator]:
    """Open a card on which reminders are on and SMS was not asked; return its id, the reminders' Off and the SMS No."""
    client = factories.appointment().client
    assert client is not None
    desk.goto(f"/clients/{client.pk}/")
    desk.wait_for_load_state("networkidle")
    off, no = f"#client-{client.pk}-reminders-email-no", f"#client-{client.pk}-mk-sms-no"
    expect(desk.locator(off)).not_to_be_checked()
    return client.pk, desk.locator(f"label:has({off})"), desk.locator(f"label:has({no})")


@pytest.mark.parametrize("role", [Role.RECEPTION, Role.STYLIST])
def test_a_press_that_waited_is_not_sent_under_somebody_else(desk: Page, role: Role) -> None:
    _pk, off, _no = answering(desk)
    desk.context.clear_cookies(name="sessionid")
    off.click()
    expect(desk.get_by_role("dialog")).to_contain_text("Sign in again")
    other, tab = people.user_with(role), desk.context.new_page()
    tab.goto("/accounts/login/")
    tab.fill("[name=login]", other.email)
    tab.fill("[name=password]", people.PASSWORD)
    tab.click("form .s-btn-primary")
    tab.wait_for_url(lambda url: "login" not in url)
    known = ConsentEvent.objects.count()
    desk.evaluate("window.dispatchEvent(new Event('focus')); document.dispatchEvent(new Event('visibilitychange'))")
    expect(desk.locator("#toasts")).to_contain_text("Somebody else is signed in here now.")
    expect(desk.locator("#signed-out")).to_be_hidden()
    expect(desk.locator("#me-menu")).to_contain_text(other.name)
    assert ConsentEvent.objects.count() == known
    assert not AuditEvent.objects.filter(by=other).exclude(action="user.signed_in").exists()
    tab.close()


def test_a_press_that_waited_is_sent_once_when_its_own_user_comes_back(desk: Page, owner: User) -> None:
    _pk, off, _no = answering(desk)
    kept = [one for one in desk.context.cookies() if one["name"] == "sessionid"]
    desk.context.clear_cookies(name="sessionid")
    off.click()
    expect(desk.get_by_role("dialog")).to_contain_text("Sign in again")
    desk.context.add_cookies(kept)  # type: ignore[arg-type]  # what it gives it takes
    desk.evaluate("window.dispatchEvent(new Event('focus')); document.dispatchEvent(new Event('visibilitychange'))")
    expect(off.locator("input")).to_be_checked()
    expect(desk.locator("#toasts [data-undo]")).to_have_count(1)


@pytest.mark.parametrize("how", ["given up", "refused", "offline"])
def test_an_answer_that_was_not_saved_does_not_stay_on_the_card(desk: Page, how: str) -> None:
    _pk, off, no = answering(desk)
    if how == "given up":
        desk.context.clear_cookies(name="sessionid")
    elif how == "refused":
        desk.route("**/consent/**", lambda route: route.fulfill(status=403, body=""))
    else:
        desk.route("**/consent/**", lambda route: route.abort())
    for press in (no, off):
        press.click()
        if how == "given up":
            expect(desk.locator("#signed-out")).to_be_visible()
            behind = desk.evaluate("getComputedStyle(document.getElementById('signed-out'), '::backdrop').backgroundColor")
            assert behind.startswith("rgb("), "nothing of the card is read through it"
            desk.click("#signed-out [data-close]")
        else:
            expect(desk.locator("#toasts [data-error]").last).to_be_visible()
        expect(press.locator("input")).not_to_be_checked()
    expect(off.locator("xpath=..").locator("input").first).to_be_checked()
    sent: list[str] = []
    desk.on("request", lambda request: sent.append(request.method))
    desk.evaluate("window.dispatchEvent(new Event('focus'))")
    desk.wait_for_timeout(300)
    # The parts of the page that ask by themselves may do so meanwhile.
    assert "POST" not in sent, "what was given up is not sent later"
