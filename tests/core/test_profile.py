"""The salon's profile and the own menu: who changes what, in whose language."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from salon.core import profile
from salon.core.forms import ProfileForm
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role

SignIn = Callable[[Role], Browser]
ME = {"name": "Sofia K.", "language": "de", "theme": "dark", "density": "compact"}


def fields(salon: Salon, **changes: str) -> dict[str, str]:
    values = {name: value for name, value in ProfileForm.of(salon).items() if not isinstance(value, bool)}
    return {**values, **changes}


def test_an_edit_writes_what_changed_and_audits_the_names_alone(salon: Salon, owner: User) -> None:
    profile.edit(salon, by=owner, name="Atelier Sud", city="Lyon")
    assert Salon.objects.current().name == "Atelier Sud"
    assert AuditEvent.objects.get().facts == {"fields": ["name"]}
    profile.edit(salon, by=owner, name="Atelier Sud")
    assert AuditEvent.objects.count() == 1


def test_an_operation_takes_only_the_fields_it_knows(salon: Salon, owner: User) -> None:
    with pytest.raises(TypeError):
        profile.edit(salon, by=owner, instance="other")
    with pytest.raises(TypeError):
        profile.edit_own(owner, role="stylist")


def test_a_manager_edits_the_profile_but_not_the_second_factor(salon: Salon, signed_in: SignIn) -> None:
    salon.is_mfa_required = False
    salon.save()
    form = fields(salon, name="Atelier Sud", is_mfa_required="on")
    assert signed_in(Role.MANAGER).post("/settings/salon/", form).status_code == 303
    salon.refresh_from_db()
    assert salon.name == "Atelier Sud"
    assert not salon.is_mfa_required
    assert signed_in(Role.OWNER).post("/settings/salon/", form).status_code == 303
    salon.refresh_from_db()
    assert salon.is_mfa_required


def test_reception_reads_the_profile(salon: Salon, signed_in: SignIn) -> None:
    page = signed_in(Role.RECEPTION).get("/settings/salon/").content.decode()
    assert salon.address_line in page
    assert '<form class="s-form' not in page


def test_a_wrong_phone_keeps_what_was_typed(salon: Salon, signed_in: SignIn) -> None:
    answer = signed_in(Role.OWNER).post("/settings/salon/", fields(salon, phone="ring me", name="Atelier Sud"))
    assert answer.status_code == 422
    assert "Atelier Sud" in answer.content.decode()
    assert Salon.objects.current().name == salon.name


def test_the_own_menu_changes_how_the_house_looks(salon: Salon, signed_in: SignIn) -> None:
    browser = signed_in(Role.STYLIST)
    page = browser.post("/me/", ME, follow=True).content.decode()
    assert 'lang="de"' in page
    assert 'data-theme="dark"' in page
    assert 'data-density="compact"' in page
    assert "data-shortcuts" not in page
    assert browser.post("/me/", {**ME, "language": "xx"}).status_code == 422


def test_settings_list_what_each_role_may_see(salon: Salon, signed_in: SignIn) -> None:
    owner, stylist = (signed_in(role).get("/settings/").content.decode() for role in (Role.OWNER, Role.STYLIST))
    pages = ("/settings/salon/", "/settings/team/", "/settings/notifications/triggers/", "/me/")
    assert all(f'href="{path}"' in owner for path in pages)
    assert [path for path in pages if f'href="{path}"' in stylist] == ["/me/"]


def test_a_settings_page_leads_back_to_the_list(salon: Salon, signed_in: SignIn) -> None:
    assert '<a href="/settings/">' in signed_in(Role.STYLIST).get("/me/").content.decode()


def test_single_letters_are_switched_off_and_on_again_from_any_page(signed_in: Callable[[Role], Browser]) -> None:
    browser = signed_in(Role.STYLIST)
    answer = browser.post("/me/shortcuts/", {"token": "off", "next": "/clients/"})
    assert answer.headers["Location"] == "/clients/"
    page = browser.get("/clients/").content.decode()
    assert "data-shortcuts" not in page
    assert "Single letters are off." in page
    assert 'name="token" value="on"' in page, "the toast and the menu offer the way back"
    assert '<kbd class="s-kbd">n</kbd>' not in page, "the list of keys has only those that work"
    browser.post("/me/shortcuts/", {"token": "on", "next": "https://evil.example/"})
    page = browser.get("/clients/").content.decode()
    assert "data-shortcuts" in page
    assert '<kbd class="s-kbd">n</kbd>' in page
    assert '<kbd class="s-kbd">c</kbd>' in page, "g c"
    assert page.count('data-key="c"') == 0, "a stylist makes no cards"


def test_a_region_is_asked_for_where_the_country_has_holidays_of_regions(
    signed_in: Callable[[Role], Browser], salon: Salon
) -> None:
    """Kept with the country; another country's region is let go, even one with the same letters."""
    browser = signed_in(Role.OWNER)
    form = fields(salon, phone="")
    page = browser.get("/settings/salon/").content.decode()
    assert "Alsace" in page
    assert "Bayern" not in page
    assert browser.post("/settings/salon/", {**form, "region": "6AE"}).status_code == 303
    assert Salon.objects.get().region == "6AE"
    assert "Alsace" in signed_in(Role.RECEPTION).get("/settings/salon/").content.decode()
    browser.post("/settings/salon/", {**form, "region": "BY"})
    assert Salon.objects.get().region == "", "no region of France"
    Salon.objects.update(country="DE", region="BE")
    browser.post("/settings/salon/", {**form, "country": "CH", "region": "BE"})
    assert (Salon.objects.get().country, Salon.objects.get().region) == ("CH", ""), "Berlin is not Bern"
    browser.post("/settings/salon/", {**form, "country": "CH", "region": "BE"})
    assert Salon.objects.get().region == "BE"
    browser.post("/settings/salon/", {**form, "country": "LU"})
    assert 'name="region"' not in browser.get("/settings/salon/").content.decode()
