"""Address labels: who has one, what stands on it, on which place of which sheet."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from clients import labels
from clients.models import Client
from salon.core.models import AuditEvent, Salon
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HOME = {"street": "3 rue Neuve", "postcode": "69001", "city": "Lyon", "country": "FR"}


def body(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_label_has_the_country_only_abroad_in_the_salons_language(salon: Salon) -> None:
    at_home = factories.client(first_name="Zoé", last_name="Roux", **HOME)
    abroad = factories.client(first_name="Jan", last_name="Groß", street="Weg 1", postcode="50667", city="Köln", country="DE")
    shown = labels.of([at_home, abroad], salon)
    assert [label.lines for sheet in shown.sheets for label in sheet if label] == [
        ("Zoé Roux", "3 rue Neuve", "69001 Lyon"),
        ("Jan Groß", "Weg 1", "50667 Köln", "ALLEMAGNE"),
    ]


@pytest.mark.parametrize("lacks", [{"street": ""}, {"postcode": "", "city": ""}, {"first_name": "", "last_name": ""}])
def test_who_has_no_full_address_is_left_out_and_named(salon: Salon, lacks: dict[str, str]) -> None:
    whole, part = factories.client(**HOME), factories.client(**{**HOME, **lacks})
    shown = labels.of([whole, part], salon)
    assert (shown.count, list(shown.without)) == (1, [part])


@pytest.mark.parametrize(
    ("people", "used", "sheets"), [(24, 0, [24]), (25, 0, [24, 1]), (22, 3, [24, 1]), (0, 5, []), (1, 99, [24])]
)
def test_a_sheet_has_24_places_and_a_used_one_is_gone_on_with(salon: Salon, people: int, used: int, sheets: list[int]) -> None:
    shown = labels.of([Client(last_name="A", **HOME) for _ in range(people)], salon, used=used)
    assert [len(sheet) for sheet in shown.sheets] == sheets
    assert shown.count == people


def test_the_page_prints_the_selected_and_writes_down_that_somebody_looked(signed_in: SignIn, salon: Salon) -> None:
    whole, part = factories.client(last_name="Roux", **HOME), factories.client(last_name="Sanzadresse")
    shown = body(signed_in(Role.MANAGER).get(f"/clients/labels/?sel={whole.pk}&sel={part.pk}&first=3"))
    assert "1 client has no full address and is left out" in shown
    assert f'href="/clients/{part.pk}/address/"' in shown
    assert shown.count("<li></li>") == 2
    assert "69001 Lyon" in shown
    assert AuditEvent.objects.get(action="clients.labels_shown").facts == {"clients_count": 1}
    assert signed_in(Role.RECEPTION).get("/clients/labels/", {"sel": [whole.pk]}).status_code == 403
    assert signed_in(Role.MANAGER).get("/clients/labels/").status_code == 303
