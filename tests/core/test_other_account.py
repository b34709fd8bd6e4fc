"""A page made for one person does nothing under the session of another."""

import re

from django.test import Client as Browser

from salon.core.models import User
from tests import people


def signed(browser: Browser, user: User) -> None:
    form = {"login": user.email, "password": people.PASSWORD, "csrfmiddlewaretoken": token(browser)}
    answer = browser.post("/accounts/login/", form)
    assert answer.status_code == 302


def token(browser: Browser, path: str = "/accounts/login/") -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(path).content.decode())
    assert found
    return found.group(1)


def switched(owner: User, browser: Browser, made_for: str) -> int:
    """Send the switch for single letters as htmx does from a page made for `made_for`; return the status."""
    page_user = {"X-Page-User": made_for} if made_for else {}
    answer = browser.post("/me/shortcuts/", {"token": "off"}, headers={"HX-Request": "true", **page_user})
    assert answer.headers.get("HX-Refresh", "") == ("true" if made_for not in {"", str(owner.pk)} else "")
    owner.refresh_from_db()
    return answer.status_code


def test_a_request_of_another_persons_page_is_recorded_nowhere_and_said(owner: User, stylist: User) -> None:
    browser = Browser()
    browser.force_login(owner)
    assert f'"X-Page-User": "{owner.pk}"' in browser.get("/me/").content.decode()
    assert switched(owner, browser, str(stylist.pk)) == 204
    assert owner.has_shortcuts
    assert "Somebody else is signed in here now." in browser.get("/me/").content.decode()
    switched(owner, browser, str(owner.pk))
    assert not owner.has_shortcuts, "the own page is heard"


def test_what_a_page_asks_by_itself_loads_nobodys_page_anew(owner: User, stylist: User) -> None:
    browser = Browser()
    browser.force_login(owner)
    headers = {"HX-Request": "true", "HX-Trigger": "bell-list", "X-Page-User": str(stylist.pk)}
    assert "HX-Refresh" not in browser.get("/notices/", headers=headers).headers


def test_a_plain_form_of_another_persons_page_is_refused(owner: User, stylist: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    signed(browser, owner)
    old = token(browser, "/me/")
    del browser.cookies["sessionid"]
    signed(browser, stylist)
    assert browser.post("/me/shortcuts/", {"token": "off", "csrfmiddlewaretoken": old}).status_code == 403
    stylist.refresh_from_db()
    assert stylist.has_shortcuts
    own = token(browser, "/me/")
    assert browser.post("/me/shortcuts/", {"token": "off", "csrfmiddlewaretoken": own}).status_code in {302, 303}
