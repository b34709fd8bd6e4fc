"""The privacy form on paper: the client's language, the words in force, empty boxes, one page."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client as Browser
from playwright.sync_api import Browser as Chromium
from pytest_django.live_server_helper import LiveServer

from clients import grid, records, wording
from clients.models import Client
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories, people
from tests.clients.test_pages import body

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(signed_in: Callable[[Role], Browser]) -> Browser:
    return signed_in(Role.RECEPTION)


def paper_of(browser: Browser, client: Client) -> str:
    found = re.search(r'<article id="paper".*?</article>', body(browser.get(f"/clients/{client.pk}/privacy-form/")), re.DOTALL)
    assert found
    return found[0]


@pytest.mark.parametrize(
    ("language", "title", "printed"),
    [("fr", "Vos données, votre choix", "imprimé"), ("de", "Ihre Daten, Ihre Wahl", "gedruckt"), ("en", "Your data", "printed")],
)
def test_it_speaks_the_clients_language_whoever_prints_it(
    desk: Browser, reception: User, salon: Salon, language: str, title: str, printed: str
) -> None:
    client = records.add(by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", language=language)
    paper = paper_of(desk, client)
    assert f'lang="{language}"' in paper
    assert title in paper
    assert printed in paper
    assert "Sofia Klein" in paper
    assert "2026-1" in paper
    assert "06 88 21 04 11" in paper
    for pair in grid.pairs():
        first_words = wording.in_force(language)[pair].body.split("{channel}")[0].replace("{salon}", salon.name)[:40]
        assert first_words.replace("'", "&#x27;") in paper


def test_the_boxes_are_empty_whatever_was_said(desk: Browser, reception: User) -> None:
    client = records.add(by=reception, last_name="A", email="a@example.org", phone="+33688210411")
    before = paper_of(desk, client)
    for pair in grid.pairs():
        grid.set_one(client, *pair, "yes", how="paper_form", by=reception)
    after = paper_of(desk, client)
    assert before.count("s-paper-box") == after.count("s-paper-box") == 2 * len(grid.pairs())
    assert not re.search("checked|<input", after)


def test_new_words_are_on_the_next_form_with_their_version(desk: Browser, reception: User, owner: User) -> None:
    client = records.add(by=reception, last_name="A")
    body_ = "Oui, {salon} peut m'écrire par {channel} quand le citron est mûr."
    text = wording.publish(purpose="mkt.promotion", channel="sms", language="fr", body=body_, by=owner)
    paper = paper_of(desk, client)
    assert "quand le citron est mûr" in paper
    assert text.version in paper


def test_a_stylist_prints_masks(signed_in: Callable[[Role], Browser], reception: User) -> None:
    client = records.add(by=reception, last_name="A", phone="+33688210411", email="geheim@example.org", street="1 rue Cachée")
    paper = paper_of(signed_in(Role.STYLIST), client)
    assert not re.search("8821|88 21|geheim|Cachée", paper)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_it_is_one_page_of_a4(browser: Chromium, live_server: LiveServer, language: str, transactional_db: None) -> None:
    factories.salon(
        name="Atelier Nord – Coiffure, Barbier et Onglerie", street="12 rue des Lilas prolongée", language=language,
        public_url=live_server.url.replace("localhost", "127.0.0.1"),
    )  # fmt: skip
    client = factories.client(language=language, last_name="Dupont-Montmorency", street="12 rue des Lilas", city="Lyon")
    desk = Browser()
    desk.force_login(people.user_with(Role.RECEPTION))
    context = browser.new_context(base_url=live_server.url)
    cookie: Any = {"name": "sessionid", "value": desk.cookies["sessionid"].value, "url": live_server.url}
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto(f"/clients/{client.pk}/privacy-form/")
    page.wait_for_load_state("networkidle")
    assert page.locator(".s-paper-code img").evaluate("img => img.naturalWidth") > 0, "the code is part of the page"
    pdf = page.pdf(prefer_css_page_size=True)
    page.evaluate("document.querySelector('#paper').style.minHeight = '400mm'")
    longer = page.pdf(prefer_css_page_size=True)
    context.close()
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) == 1
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", longer)) > 1, "control: the count sees a second page"
    (box,) = set(re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf))
    assert [round(float(side) / 72 * 25.4) for side in box] == [210, 297]
