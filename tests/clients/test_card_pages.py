"""The pages of a card beside Main data: the way back, Address, Other, as their reader meets them."""

import re
from collections.abc import Callable, Collection
from typing import Any

import pytest
from django.test import Client as Browser

from clients import access, records
from clients.importing import values
from clients.importing.values import Fault
from clients.models import Client
from salon.core.models import AuditEvent, User
from salon.core.roles import Role
from tests import factories
from tests.clients.test_pages import body, part

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def amelie(reception: User) -> Client:
    return records.add(
        by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="amelie@example.org",
        street="12 rue des Lilas", postcode="69003", city="Lyon", country="FR",
    )  # fmt: skip


@pytest.fixture
def desk(signed_in: SignIn) -> Browser:
    return signed_in(Role.RECEPTION)


@pytest.fixture
def book(reception: User) -> list[Client]:
    """Sixty clients in the order of the list; every second one is called Berg."""
    return factories.cards(
        [{"last_name": f"{'Berg' if number % 2 else 'Arno'}{number:02}"} for number in range(60)], by=reception
    )


def way_back(shown: str) -> dict[str, str]:
    """Return where the links above the head lead, and the text between them."""
    crumb = re.search(r'<p class="s-crumb">(.*?)</p>', shown, re.DOTALL)
    assert crumb
    links = {found[1]: found[2] for found in re.finditer(r'id="([\w-]+)"[^>]*?href="([^"]*)"', crumb[1])}
    return {**links, "text": re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", crumb[1])).strip()}


def test_a_card_says_where_it_stands_in_its_list_and_leads_to_its_neighbours(desk: Browser, book: list[Client]) -> None:
    names = sorted(book, key=lambda client: client.sort_name)
    for at in (0, 30, 59):
        found = way_back(body(desk.get(f"/clients/{names[at].pk}/?from=")))
        assert found["text"] == f"Clients · {at + 1} of 60"
        assert found["back-to-list"] == ("/clients/?page=2" if at == 59 else "/clients/")
        beside = {"client-before": names[at - 1] if at else None, "client-after": names[at + 1] if at < 59 else None}
        assert {side: found.get(side) for side in beside} == {
            side: f"/clients/{other.pk}/?from=" if other else None for side, other in beside.items()
        }


def test_the_neighbours_are_those_of_the_filter_and_the_order_and_keep_the_tab(desk: Browser, book: list[Client]) -> None:
    bergs = sorted((client for client in book if "Berg" in client.last_name), key=lambda client: client.sort_name, reverse=True)
    found = way_back(body(desk.get(f"/clients/{bergs[4].pk}/address/?from=q%3Dberg%26sort%3D-name")))
    assert found["text"] == "Clients · 5 of 30"
    assert found["client-before"] == f"/clients/{bergs[3].pk}/address/?from=q%3Dberg%26sort%3D-name"
    assert found["client-after"] == f"/clients/{bergs[5].pk}/address/?from=q%3Dberg%26sort%3D-name"
    assert found["back-to-list"] == "/clients/?q=berg&amp;sort=-name"


def test_clients_of_one_name_all_have_their_own_place(desk: Browser, reception: User) -> None:
    twins = factories.cards([{"last_name": "Twin"} for _ in range(3)], by=reception)
    places = [way_back(body(desk.get(f"/clients/{twin.pk}/?from=")))["text"] for twin in twins]
    assert places == [f"Clients · {number} of 3" for number in (1, 2, 3)]


def test_a_card_that_left_the_list_or_was_opened_otherwise_shows_no_place(desk: Browser, amelie: Client) -> None:
    for query in ("", "?from=status%3Dblacklist", "?from=q%3Dzzz"):
        found = way_back(body(desk.get(f"/clients/{amelie.pk}/{query}")))
        assert (found["text"], found.get("client-after")) == ("Clients", None)


def test_saving_in_place_keeps_the_way_back(desk: Browser, amelie: Client) -> None:
    at = f"http://testserver/clients/{amelie.pk}/?from=q%3Dbert"
    typed = {"first_name": "Amy", "last_name": "Bertrand", "language": "fr", "version": "1", "phone": "", "email": ""}
    saved = body(desk.post(f"/clients/{amelie.pk}/edit/", typed, headers={**HTMX, "HX-Current-URL": at}))
    assert way_back(saved)["back-to-list"] == "/clients/?q=bert"
    assert "from=q%3Dbert" in re.findall(r'class="s-tab" href="([^"]*)"', saved)[1]


def test_the_tabs_are_the_pages_of_the_card_in_the_order_of_their_keys(desk: Browser, amelie: Client) -> None:
    tabs = re.findall(r'class="s-tab" href="/clients/\d+/([^"]*)"[^>]*data-key="(\d)"', body(desk.get(f"/clients/{amelie.pk}/")))
    assert tabs == [("", "1"), ("address/", "2"), ("appointments/", "3"), ("other/", "4"), ("messages/", "5")]
    for path, key in tabs:
        shown = body(desk.get(f"/clients/{amelie.pk}/{path}"))
        assert re.search(rf'class="s-tab" href="/clients/{amelie.pk}/{path}" aria-current="page" data-key="{key}"', shown)


def address_of(client: Client, **changes: str) -> dict[str, str]:
    """Return what the form of the address posts."""
    first = {name: getattr(client, name) for name in ("street", "postcode", "city", "country")}
    return {**first, **{f"initial-{name}": value for name, value in first.items()}, "version": str(client.version), **changes}


def test_the_address_is_edited_in_place_and_the_answer_equals_the_fresh_page(desk: Browser, amelie: Client) -> None:
    page = f"/clients/{amelie.pk}/address/"
    assert "12 rue des Lilas" in body(desk.get(f"{page}edit/", headers=HTMX))
    saved = body(desk.post(f"{page}edit/", address_of(amelie, street="3 quai Perrache"), headers=HTMX))
    fresh, cancelled = (body(desk.get(page, headers=headers)) for headers in ({}, HTMX))
    assert part(saved, "address") == part(fresh, "address") == part(cancelled, "address")
    assert "3 quai Perrache" in fresh
    assert AuditEvent.objects.filter(action="client.edited").get().facts == {"fields": ["street"]}


def test_the_map_is_a_plain_link_that_says_nothing_of_us(desk: Browser, amelie: Client) -> None:
    shown = body(desk.get(f"/clients/{amelie.pk}/address/"))
    link = re.search(r'<a id="map"[^>]*>', shown)
    assert link
    assert "https://www.openstreetmap.org/search?query=12+rue+des+Lilas%2C+69003+Lyon%2C+France" in link[0]
    assert 'rel="noopener noreferrer"' in link[0]
    Client.objects.update(street="", postcode="", city="")
    assert 'id="map"' not in body(desk.get(f"/clients/{amelie.pk}/address/"))


def test_two_editors_of_an_address_see_both_values_per_field(desk: Browser, amelie: Client, reception: User) -> None:
    mine = address_of(amelie, city="Paris")
    records.edit(amelie, by=reception, version=1, city="Villeurbanne", street="1 rue Neuve")
    answer = desk.post(f"/clients/{amelie.pk}/address/edit/", mine, headers=HTMX)
    shown = body(answer)
    assert answer.status_code == 409
    assert re.search(r'name="pick_city" value="mine" checked', shown)
    assert re.search(r'name="pick_street" value="theirs" checked', shown)
    assert Client.objects.get().city == "Villeurbanne"
    settled = {**mine, "version": "2", "pick_city": "mine", "pick_street": "theirs"}
    assert desk.post(f"/clients/{amelie.pk}/address/edit/", settled).status_code == 303
    saved = Client.objects.get()
    assert (saved.city, saved.street) == ("Paris", "1 rue Neuve")


def test_letters_that_stand_for_no_country_are_none(desk: Browser, amelie: Client) -> None:
    answer = desk.post(f"/clients/{amelie.pk}/address/edit/", address_of(amelie, country="zz"), headers=HTMX)
    assert answer.status_code == 422
    assert "There is no such country" in body(answer)
    with pytest.raises(Fault, match="not known"):
        values.country("ZZ")
    assert desk.post(f"/clients/{amelie.pk}/address/edit/", address_of(amelie, country="be")).status_code == 303
    assert Client.objects.get().country == values.country("Belgien") == "BE"


def test_a_faulty_address_comes_back_with_what_was_typed(desk: Browser, amelie: Client) -> None:
    answer = desk.post(f"/clients/{amelie.pk}/address/edit/", address_of(amelie, country="9!", city="Bourg"), headers=HTMX)
    assert answer.status_code == 422
    assert "Enter it as two letters" in body(answer)
    assert "Bourg" in body(answer)


def test_a_stylist_sees_an_address_on_the_clients_day_only(
    signed_in: SignIn, amelie: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    own: set[int] = set()

    def ids_of(user: User, on: Any) -> Collection[int]:
        return own

    monkeypatch.setattr(access, "_own_clients", [ids_of])
    stylist = signed_in(Role.STYLIST)
    hidden = body(stylist.get(f"/clients/{amelie.pk}/address/"))
    assert "Lilas" not in hidden
    assert 'id="map"' not in hidden
    own.add(amelie.pk)
    shown = body(stylist.get(f"/clients/{amelie.pk}/address/"))
    assert "Lilas" in shown
    assert 'id="edit-address"' not in shown
    assert stylist.post(f"/clients/{amelie.pk}/address/edit/", address_of(amelie, city="X")).status_code == 403


@pytest.mark.parametrize("name", ["", "address/", "other/", "edit/", "consent/history/"])
def test_every_page_of_a_card_stands_under_clients_in_the_navigation(
    signed_in: Callable[[Role], Browser], amelie: Client, name: str
) -> None:
    page = body(signed_in(Role.OWNER).get(f"/clients/{amelie.pk}/{name}"))
    assert re.search(r'href="/clients/" aria-current="true"', page)
