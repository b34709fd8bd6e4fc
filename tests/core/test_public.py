"""The public address: what links in messages begin with, and what is refused as one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from salon.core import profile, public
from salon.core.errors import Refused
from salon.core.forms import SalonForm
from salon.core.models import Salon, User
from salon.core.roles import Role

REFUSED = (
    "http://book.example.com", "book.example.com", "ftp://book.example.com", "https://", "https://book", "javascript:alert(1)",
    "https://book.example.com/u", "https://book.example.com/?a=1", "https://book.example.com/#a", "https://me:pw@book.example.com",
    "https://book.example.com:port", "https://book example.com", "https://book.example.com\nX: y", "https://[::1", "https://-x.example",
    "http://127.0.0.1.example.com", "https://" + "a" * 250 + ".example.com",
)  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_would_not_work_on_a_phone_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        public.read(text, is_demo=False)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""), (" https://Book.Example.com/ ", "https://book.example.com"), ("HTTPS://book.example.com:8443", "https://book.example.com:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)  # fmt: skip
def test_an_address_is_kept_in_one_spelling(text: str, kept: str) -> None:
    assert public.read(text, is_demo=False) == kept


def test_plain_http_to_this_machine_is_for_demo_and_test_alone(settings: Any, salon: Salon) -> None:
    salon.public_url = settings.PUBLIC_BASE_URL = "http://127.0.0.1:8000"
    assert public.has_address(salon)
    settings.TESTING = False
    assert not public.has_address(salon)
    with pytest.raises(Refused):
        public.read("http://127.0.0.1:8000", is_demo=False)
    salon.is_demo = True
    assert public.has_address(salon)
    assert public.read("http://127.0.0.1:8000", is_demo=True) == "http://127.0.0.1:8000"


def test_the_salon_page_takes_the_address_and_says_what_is_missing(
    signed_in: Callable[[Role], Browser], salon: Salon, settings: Any
) -> None:
    settings.PUBLIC_BASE_URL, settings.ALLOWED_HOSTS = "", ["testserver"]
    browser = signed_in(Role.MANAGER)
    form = {name: value for name, value in SalonForm.of(salon).items() if not isinstance(value, bool)}
    # The demo's and the manager's page say the same; Nadia reads English.
    assert "Without it, no offers are sent" in browser.get("/settings/salon/").content.decode()
    answer = browser.post("/settings/salon/", {**form, "public_url": "http://book.example.com"})
    assert (answer.status_code, "begin with https" in answer.content.decode()) == (422, True)
    assert browser.post("/settings/salon/", {**form, "public_url": "https://book.example.com/"}).status_code == 303
    assert Salon.objects.current().public_url == "https://book.example.com"
    page = browser.get("/settings/salon/").content.decode()
    assert "Carnet does not answer to book.example.com yet" in page
    assert not public.has_address(Salon.objects.current()), "no advertising with links that nobody can open"
    settings.ALLOWED_HOSTS = ["book.example.com", "testserver"]
    assert "Carnet does not answer to" not in browser.get("/settings/salon/").content.decode()
    assert public.has_address(Salon.objects.current())


def test_what_the_environment_gives_is_shown_as_such(signed_in: Callable[[Role], Browser], salon: Salon, settings: Any) -> None:
    settings.PUBLIC_BASE_URL = "https://env.example.com"
    page = signed_in(Role.OWNER).get("/settings/salon/").content.decode()
    assert "In force: https://env.example.com" in page
    assert public.base(salon) == "https://env.example.com"


def test_an_edit_of_the_address_is_audited_by_name(salon: Salon, owner: User) -> None:
    assert profile.edit(salon, by=owner, public_url="https://book.example.com").public_url == "https://book.example.com"
