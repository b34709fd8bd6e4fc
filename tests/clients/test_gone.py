"""A card that an undone import removes while somebody works on it: not found, as ever after, and no fault of ours."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import access, records, stops
from clients.erasure import act
from clients.models import Client
from salon.core import hooks
from salon.core.models import User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db

ACTS = [
    ("tags/", {"name": "VIP"}),
    ("contacts/", {"address": "+33612345679"}),
    ("note/", {"note": "Quiet", "version": "1"}),
    ("consent/", {"what": "marketing", "channel": "email", "answer": "no"}),
    ("consent/kind/", {"cell": "mkt.promotion:email", "answer": "no"}),
]


@pytest.fixture
def vanishing(monkeypatch: pytest.MonkeyPatch, owner: User) -> Client:
    """A client who is there when a page looks, and gone when it locks."""
    card, client_for = factories.client(), access.client_for

    def fetched_and_gone(user: User, pk: int) -> Client:
        client = client_for(user, pk)
        records.remove_many([Client.objects.get(pk=pk)], by=None)
        return client

    monkeypatch.setattr(access, "client_for", fetched_and_gone)
    return card


@pytest.mark.parametrize(("place", "said"), ACTS)
def test_a_card_that_goes_between_look_and_lock_is_not_found(
    vanishing: Client, signed_in: Callable[[Role], Browser], place: str, said: dict[str, str]
) -> None:
    assert signed_in(Role.OWNER).post(f"/clients/{vanishing.pk}/{place}", said).status_code == 404
    assert not Client.objects.exists()


@pytest.mark.parametrize("is_htmx", [True, False])
def test_what_is_sent_to_an_erased_card_is_said_not_to_be_saved_and_leaves_the_page(
    signed_in: Callable[[Role], Browser], is_htmx: bool
) -> None:
    client, browser = factories.client(last_name="Bertrand"), signed_in(Role.OWNER)
    act.erase(client, ground="tidying", by=None, now=timezone.now())
    headers = {"HX-Request": "true"} if is_htmx else {}
    answer = browser.post(f"/clients/{client.pk}/edit/", {"last_name": "Bertrand", "version": "1"}, headers=headers)
    assert answer.status_code == 404
    if is_htmx:
        assert answer.headers["HX-Redirect"] == "/clients/"
        answer = browser.get("/clients/")
    assert "Nothing was saved: this client was deleted meanwhile" in answer.content.decode()
    assert "Bertrand" not in answer.content.decode()


def test_the_control_without_it_the_page_breaks(
    vanishing: Client, signed_in: Callable[[Role], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "vanished", lambda: ())
    with pytest.raises(Client.DoesNotExist):
        signed_in(Role.OWNER).post(f"/clients/{vanishing.pk}/tags/", {"name": "VIP"})


def test_a_link_to_a_card_that_goes_between_look_and_lock_leads_to_nobody(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    card = factories.client()
    link = stops.Link(card.subjects.get().pk, "email", "")
    client_of, looks = stops.client_of, []

    def looked(one: stops.Link) -> Client | None:
        found = client_of(one)
        looks.append(found)
        if len(looks) == 1:
            records.remove_many([Client.objects.get(pk=card.pk)], by=None)
        return found

    monkeypatch.setattr(stops, "client_of", looked)
    assert stops.locked(link) is None
    assert looks == [card, None]
