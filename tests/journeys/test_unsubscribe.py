"""A client on a phone, in French: opens the link of a message, stops the offers, and the salon's card says since when."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client as Desk
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from clients import consent
from clients.models import Client, ConsentEvent, ConsentText
from notifications import links
from salon.core.models import Salon
from salon.core.roles import Role
from tests import factories, people
from tests.journeys.eyes import Eyes, Fault, told
from tests.notifications import letters

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def amelie(transactional_db: None, salon: Salon) -> Client:
    client = factories.client(email="amelie@example.org", language="fr")
    letters.grant(client, at=timezone.now() - dt.timedelta(days=40))
    return client


def phone(browser: Browser, live_server: LiveServer, **more: Any) -> Page:
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 390, "height": 844}, locale="fr-FR", is_mobile=True, has_touch=True, **more
    )
    return context.new_page()


def test_the_offers_stop_with_one_press_and_the_card_says_since_when(
    browser: Browser, live_server: LiveServer, amelie: Client
) -> None:
    page = phone(browser, live_server, java_script_enabled=False)
    page.goto(letters.url(amelie))
    expect(page.get_by_role("heading", name="Vos choix")).to_be_visible()
    expect(page.get_by_text("am•••@example.org")).to_be_visible()
    page.get_by_role("button", name="Arrêter les offres par e-mail").click()
    expect(page.get_by_role("status")).to_contain_text("Désormais, vous ne recevez plus d'offres par e-mail.")
    expect(page.get_by_role("button", name="Arrêter les offres par e-mail")).to_have_count(0)
    assert page.context.cookies() == []
    assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")

    desk = Desk()
    desk.force_login(people.user_with(Role.RECEPTION))
    shown = desk.get(f"/clients/{amelie.pk}/").content.decode()
    line = shown.partition(f'id="client-{amelie.pk}-mk-email"')[2].partition("</form>")[0]
    today = factories.today()
    assert re.search(rf'value="no" checked|id="client-{amelie.pk}-mk-email-no"[^>]*checked', line)
    assert re.search(rf"{today.day} \w+\.? {today.year}", line)
    assert f'id="client-{amelie.pk}-mk-email-yes" name="answer" value="yes" disabled' in line
    assert consent.standing(amelie, "mkt.promotion", "email") == "withdrawn"


def test_ticks_are_saved_with_one_button_and_can_be_taken_back(browser: Browser, live_server: LiveServer, amelie: Client) -> None:
    page = phone(browser, live_server)
    page.goto(letters.url(amelie))
    row = page.get_by_role("group", name="Offres et actualités")
    row.get_by_role("checkbox").first.uncheck()
    page.get_by_role("button", name="Enregistrer mes choix").click()
    expect(page.get_by_role("status")).to_contain_text("Offres et actualités, par e-mail")
    assert consent.standing(amelie, "mkt.promotion", "email") == "withdrawn"
    row.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Enregistrer mes choix").click()
    expect(page.get_by_role("status")).to_contain_text("activé dès maintenant")
    assert consent.standing(amelie, "mkt.promotion", "email") == "granted"
    page.get_by_role("link", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Ihre Auswahl")).to_be_visible()
    page.get_by_role("button", name="Alles beenden").click()
    expect(page.get_by_role("status")).to_contain_text("gar keine Angebote mehr")


def test_a_yes_is_confirmed_on_a_phone(browser: Browser, live_server: LiveServer, amelie: Client) -> None:
    Salon.objects.update(country="DE")
    text = ConsentText.objects.get(purpose="mkt.review", channel="email", language="fr", version="2026-1")
    event = consent.record(amelie, purpose="mkt.review", channel="email", event="pending", source="widget", text=text)
    page = phone(browser, live_server, java_script_enabled=False)
    page.goto(f"/c/{links.confirm_token(event.pk)}/")
    expect(page.get_by_text("peut me demander un avis par e-mail")).to_be_visible()
    page.get_by_role("button", name="Oui, confirmer").click()
    expect(page.get_by_role("heading", name="Confirmé")).to_be_visible()
    assert ConsentEvent.objects.filter(event="confirm").count() == 1


@pytest.mark.parametrize("language", ["en", "fr", "de"])
@pytest.mark.matrix
def test_the_pages_of_clients_are_whole(browser: Browser, live_server: LiveServer, amelie: Client, language: str) -> None:
    Salon.objects.update(country="DE")
    text = ConsentText.objects.get(purpose="mkt.review", channel="email", language=language, version="2026-1")
    other = factories.client(language=language)
    event = consent.record(other, purpose="mkt.review", channel="email", event="pending", source="widget", text=text)
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    eyes, faults = Eyes(page), list[Fault]()
    for path in (letters.url(amelie), letters.url(other), f"/c/{links.confirm_token(event.pk)}/", "/u/none/", "/c/none/"):
        page.goto(f"{path}?lang={language}")
        faults += eyes.look(path)
    context.close()
    assert faults == [], told(faults)
