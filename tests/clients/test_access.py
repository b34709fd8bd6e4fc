"""A stylist sees the contact details of the day's own clients and nobody else's, wherever they look."""

import datetime as dt
from collections.abc import Callable, Collection

import pytest
from django.http import Http404
from django.test import Client as Browser
from django.utils import timezone

from clients import access, consent, records
from clients.models import Client
from salon.core.models import Salon, User
from salon.core.roles import Role

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}
PHONE, EMAIL = "06 88 21 04 11", "amelie.bertrand@example.org"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The ids of the stylist's own clients today, in the place of the calendar."""
    ids: set[int] = set()

    def own_client_ids(user: User, on: dt.date) -> Collection[int]:
        return ids if user.role == Role.STYLIST else set()

    monkeypatch.setattr(access, "_own_clients", [own_client_ids])
    return ids


@pytest.fixture
def amelie(reception: User) -> Client:
    return records.add(by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email=EMAIL)


def test_a_stylist_sees_masks(salon: Salon, stylist: User, amelie: Client, own: set[int]) -> None:
    shown = access.contacts(stylist, amelie, salon, now=timezone.now())
    assert (shown.phone, shown.email, shown.dial, shown.is_masked) == ("06 •• •• •• 11", "am•••@example.org", "", True)


def test_a_stylist_sees_the_days_own_client(salon: Salon, stylist: User, amelie: Client, own: set[int]) -> None:
    own.add(amelie.pk)
    shown = access.contacts(stylist, amelie, salon, now=timezone.now())
    assert (shown.phone, shown.email, shown.is_masked) == (PHONE, EMAIL, False)


def test_reception_sees_everybody(salon: Salon, reception: User, amelie: Client, own: set[int]) -> None:
    assert not access.contacts(reception, amelie, salon, now=timezone.now()).is_masked


def test_somebody_without_a_name_is_masked_in_the_place_of_the_name(salon: Salon, stylist: User, own: set[int]) -> None:
    guest = records.add(by=None, phone="+33688210411")
    assert access.contacts(stylist, guest, salon, now=timezone.now()).name == "06 •• •• •• 11"


@pytest.mark.parametrize("text", ["0688", "88 21 04", "0411", "+33688210411", "bertrand@", "@example", EMAIL, "amelie 0411"])
def test_a_search_by_contact_spells_nothing_out_to_a_stylist(
    salon: Salon, stylist: User, reception: User, amelie: Client, own: set[int], text: str
) -> None:
    now = timezone.now()
    assert list(access.found_for(reception, text, salon, now=now)) == [amelie]
    assert list(access.found_for(stylist, text, salon, now=now)) == []
    own.add(amelie.pk)
    assert list(access.found_for(stylist, text, salon, now=now)) == [amelie]


@pytest.mark.parametrize(
    ("text", "is_found"), [("bertrand", True), ("amélie ber", True), ("example", False), ("org", False), ("|", False)]
)
def test_a_word_is_looked_for_in_names_only(
    salon: Salon, stylist: User, amelie: Client, own: set[int], text: str, is_found: bool
) -> None:
    found = list(access.found_for(stylist, text, salon, now=timezone.now()))
    assert found == ([amelie] if is_found else [])


@pytest.mark.parametrize(
    "path",
    ["/clients/", "/clients/?q=bertrand", "/search/?q=bertrand", "/search/", "{card}", "{card}note/", "{card}consent/history/"],
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_no_page_and_no_part_of_one_shows_a_masked_contact(
    signed_in: SignIn, amelie: Client, own: set[int], path: str, headers: dict[str, str]
) -> None:
    browser = signed_in(Role.STYLIST)
    browser.get(f"/clients/{amelie.pk}/")
    body = browser.get(path.format(card=f"/clients/{amelie.pk}/"), headers=headers).content.decode()
    for secret in (PHONE, PHONE.replace(" ", ""), "688210411", EMAIL, "amelie.bertrand"):
        assert secret not in body
    control = signed_in(Role.RECEPTION).get("/clients/?q=bertrand").content.decode()
    assert PHONE in control


@pytest.mark.parametrize("path", ["/search/", "/clients/"])
@pytest.mark.parametrize("text", ["06", EMAIL])
def test_a_stylist_without_clients_today_is_told_that_nobody_is_found(
    signed_in: SignIn, amelie: Client, own: set[int], path: str, text: str
) -> None:
    answer = signed_in(Role.STYLIST).get(path, {"q": text})
    assert answer.status_code == 200
    assert "Bertrand" not in answer.content.decode()


@pytest.mark.parametrize("way", ["add", "edit"])
def test_a_stylist_cannot_ask_the_form_who_has_a_number(signed_in: SignIn, amelie: Client, own: set[int], way: str) -> None:
    path = "/clients/new/" if way == "add" else f"/clients/{amelie.pk}/edit/"
    assert signed_in(Role.STYLIST).post(path, {"check": "1", "phone": PHONE}, headers=HTMX).status_code == 403


@pytest.mark.parametrize("field", ["erased_at", "restricted_at"])
def test_the_forgotten_and_the_restricted_are_nowhere(
    signed_in: SignIn, salon: Salon, owner: User, amelie: Client, field: str
) -> None:
    Client.objects.filter(pk=amelie.pk).update(**{field: timezone.now()})
    with pytest.raises(Http404):
        access.client_for(owner, amelie.pk)
    browser = signed_in(Role.OWNER)
    assert browser.get(f"/clients/{amelie.pk}/").status_code == 404
    assert browser.post(f"/clients/{amelie.pk}/consent/", {"channel": "email", "answer": "no"}).status_code == 404
    assert "Bertrand" not in browser.get("/clients/?q=bertrand").content.decode().split("<main")[1].replace('"bertrand"', "")
    assert consent.events_of(amelie) == []
