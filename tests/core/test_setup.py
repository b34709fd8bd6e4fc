"""Taking a new installation: by the newest link, once, and by nobody else."""

import re
import threading
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser

from salon.core import instance, setup
from salon.core.errors import Refused
from salon.core.forms import SetupForm
from salon.core.models import AuditEvent, Salon, SetupLink, User
from salon.core.roles import Role
from salon.core.templatetags import house
from tests import people

PROFILE = setup.Profile(name="Atelier", country="FR", time_zone="Europe/Paris", language="fr", currency="EUR")
FORM = {
    "owner_name": "Olivia Moreau", "owner_email": "Olivia@Example.org", "password": people.PASSWORD, "name": "Atelier Nord",
    "country": "DE", "phone": "0151 23456789", "is_mfa_required": "on",
}  # fmt: skip


def token() -> str:
    return setup.link("http://here").removeprefix("http://here/setup/").rstrip("/")


def take(token: str, email: str = "olivia@example.org") -> User:
    return setup.take(token, PROFILE, name="Olivia", email=email, password=people.PASSWORD)


@pytest.mark.django_db
def test_the_holder_of_the_link_becomes_the_owner() -> None:
    owner = take(token())
    assert owner.role == Role.OWNER
    assert owner.check_password(people.PASSWORD)
    assert instance.is_ours(Salon.objects.current())
    assert AuditEvent.objects.get().action == "setup.taken"


@pytest.mark.django_db(transaction=True)
def test_a_salon_is_never_there_without_the_host_that_sends_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    key = token()
    with monkeypatch.context() as patch:
        patch.setattr(instance, "claim", lambda salon: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            take(key)
    assert not Salon.objects.exists()
    take(key)
    assert instance.is_ours(Salon.objects.current())


@pytest.mark.django_db
def test_a_link_works_once() -> None:
    key = token()
    take(key)
    with pytest.raises(Refused):
        take(key, "second@example.org")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_a_new_link_voids_the_old_one() -> None:
    old, new = token(), token()
    assert not setup.is_open(old)
    assert setup.is_open(new)


@pytest.mark.django_db
def test_only_the_hash_of_a_link_is_kept() -> None:
    key = token()
    assert len(key) >= 43
    assert key not in str(SetupLink.objects.values_list())


@pytest.mark.django_db
def test_an_installation_with_an_owner_prints_no_link(owner: User) -> None:
    assert setup.link("http://here") == ""
    with pytest.raises(CommandError, match="has an owner"):
        call_command("setup_link")


@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_the_same_moment_one_takes_the_installation() -> None:
    key, gate, results = token(), threading.Barrier(4), []

    def one(number: int) -> None:
        gate.wait()
        try:
            take(key, f"owner{number}@example.org")
            results.append("took")
        except Refused:
            results.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["refused"] * 3 + ["took"]
    assert User.objects.count() == Salon.objects.count() == 1


@pytest.mark.django_db
def test_before_set_up_every_page_leads_to_the_words_that_help() -> None:
    for path in ("/", "/clients/", "/accounts/login/", "/settings/team/"):
        assert Browser().get(path).headers["Location"] == "/setup/"
    page = Browser().get("/setup/")
    assert "setup_link" in page.content.decode()
    assert Browser().get("/healthz").content == b"ok"


@pytest.mark.django_db
def test_a_wrong_a_used_and_an_old_link_get_the_same_page() -> None:
    old, used = token(), token()
    before = {Browser().get(f"/setup/{key}/").content for key in ("wrong", old)}
    take(used)
    after = {Browser().get(f"/setup/{key}/").content for key in ("wrong", old, used)}
    assert len(before) == len(after) == 1
    assert Browser().get("/setup/wrong/").status_code == 404


@pytest.mark.django_db
def test_the_page_fills_from_the_country_and_signs_the_owner_in(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    browser = Browser()
    answer = browser.post(f"/setup/{token()}/", FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/settings/first-steps/")
    salon = Salon.objects.current()
    assert (salon.time_zone, salon.currency, salon.language) == ("Europe/Berlin", "EUR", "de")
    assert salon.phone == "+4915123456789"
    assert salon.is_mfa_required
    assert User.objects.get().email == "olivia@example.org"
    # Signed in, and led to the second factor that was asked for.
    assert browser.get("/clients/").headers["Location"] == "/accounts/mfa/totp/activate/"
    assert browser.get("/accounts/mfa/totp/activate/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"), ("password", "password1234"), ("password", "olivia@example.org"), ("owner_email", "no mail"),
        ("name", ""), ("country", ""), ("phone", "ring me"), ("country", "US"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_comes_back_with_what_was_typed(field: str, value: str) -> None:
    answer = Browser().post(f"/setup/{token()}/", {**FORM, field: value})
    assert answer.status_code == 422
    assert "Atelier Nord" in answer.content.decode() or field == "name"
    assert not User.objects.exists()
    assert not Salon.objects.exists()


@pytest.mark.django_db
def test_the_list_of_faults_names_each_field_in_the_order_of_the_page() -> None:
    page = Browser().post(f"/setup/{token()}/", {"is_mfa_required": "on"}).content.decode()
    found = re.findall(r'<li><a href="#id_(\w+)">([^<]+)</a></li>', page)
    assert found == [
        ("owner_name", "Your name: This field is required."),
        ("owner_email", "Your e-mail: This field is required."),
        ("password", "Password: This field is required."),
        ("name", "Name of the salon: This field is required."),
        ("country", "Country: This field is required."),
    ]


def test_a_sentence_that_names_its_field_is_left_alone() -> None:
    field = SetupForm()["password"]
    assert house.named(field, "This password is too short.") == "This password is too short."
