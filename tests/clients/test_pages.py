"""The pages of the client book, as their reader meets them."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from clients import records
from clients.models import Client
from salon.core.models import User
from salon.core.roles import Role

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]


@pytest.fixture
def amelie(reception: User) -> Client:
    return records.add(
        by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="amelie@example.org",
        birth_day=4, birth_month=4, birth_year=1991,
    )  # fmt: skip


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("path", ["", "new/", "{pk}/", "{pk}/edit/", "{pk}/note/", "{pk}/consent/history/"])
def test_every_page_opens_for_who_may(signed_in: SignIn, amelie: Client, role: Role, path: str) -> None:
    answer = signed_in(role).get(f"/clients/{path.format(pk=amelie.pk)}")
    refused = role is Role.STYLIST and path in {"new/", "{pk}/edit/"}
    assert answer.status_code == (403 if refused else 200)
