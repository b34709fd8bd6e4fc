"""Sign-in: passwords, lockout, the second factor that the salon asks for, and how long a session lasts."""

import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.core import mail
from django.core.cache import cache
from django.test import Client as Browser
from django.urls import reverse

from salon import settings as file
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import people

SignIn = Callable[[Role], Browser]


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def log_in(browser: Browser, email: str, password: str = people.PASSWORD) -> int:
    return browser.post("/accounts/login/", {"login": email, "password": password}).status_code


def test_passwords_are_hashed_by_argon2() -> None:
    assert file.PASSWORD_HASHERS[-1] == "django.contrib.auth.hashers.Argon2PasswordHasher"
    assert "PBKDF2" not in str(file.PASSWORD_HASHERS)


def test_who_is_in_the_team_signs_in_in_any_case(owner: User) -> None:
    browser = Browser()
    assert log_in(browser, "OLIVIA@example.org") == 302
    assert browser.get("/me/").status_code == 200


def test_after_five_wrong_passwords_the_right_one_waits_too(owner: User) -> None:
    for _try in range(5):
        assert log_in(Browser(), owner.email, "wrong") == 200
    browser = Browser()
    assert log_in(browser, owner.email) == 200
    assert browser.get("/me/").status_code == 302


def test_a_closed_account_does_not_sign_in(stylist: User) -> None:
    stylist.is_active = False
    stylist.save()
    browser = Browser()
    log_in(browser, stylist.email)
    assert browser.get("/me/").status_code == 302


@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/email/", "/accounts/social/connections/", "/accounts/"])
def test_what_the_house_does_not_use_has_no_address(salon: Salon, path: str) -> None:
    assert Browser().get(path).status_code == 404


def test_a_forgotten_password_answers_the_same_for_known_and_unknown(owner: User) -> None:
    answers = [Browser().post("/accounts/password/reset/", {"email": email}) for email in (owner.email, "stranger@example.org")]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert [message.to for message in mail.outbox] == [[owner.email]]
    assert settings.PASSWORD_RESET_TIMEOUT == 30 * 60


def test_what_a_browser_claims_as_host_stands_in_no_mail(owner: User) -> None:
    answer = Browser().post("/accounts/password/reset/", {"email": owner.email}, headers={"Host": "localhost:6666"})
    assert answer.status_code == 302
    (message,) = mail.outbox
    assert settings.PUBLIC_BASE_URL in message.body
    assert "Atelier Nord" in message.body
    assert message.subject.startswith("[Atelier Nord] ")
    assert "6666" not in f"{message.subject} {message.body}"


def test_the_link_of_a_forgotten_password_lasts_half_an_hour_and_works_once(owner: User) -> None:
    Browser().post("/accounts/password/reset/", {"email": owner.email})
    found = re.search(re.escape(settings.PUBLIC_BASE_URL) + r"(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert found
    with time_machine.travel("2099-01-01"):
        assert "action_url" not in str(Browser().get(found[1], follow=True).content)
    browser = Browser()
    page = browser.get(found[1], follow=True)
    new = "quite another passphrase"
    browser.post(page.redirect_chain[-1][0], {"password1": new, "password2": new})
    owner.refresh_from_db()
    assert owner.check_password(new)


@pytest.mark.parametrize("role", [Role.OWNER, Role.MANAGER])
def test_owner_and_manager_are_led_to_the_second_factor(role: Role, salon: Salon, signed_in: SignIn) -> None:
    browser = signed_in(role)
    assert browser.get("/clients/").status_code == 200
    salon.is_mfa_required = True
    salon.save()
    assert browser.get("/clients/").headers["Location"] == "/accounts/mfa/totp/activate/"
    assert browser.get("/clients/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/accounts/mfa/totp/activate/"
    assert browser.get("/accounts/logout/").status_code == 200
    TOTP.activate(people.user_with(role), "JBSWY3DPEHPK3PXP")
    assert browser.get("/clients/").status_code == 200


def test_after_the_second_factor_the_reader_comes_to_the_page_they_wanted(salon: Salon, owner: User) -> None:
    Salon.objects.update(is_mfa_required=True)
    browser = Browser()
    log_in(browser, owner.email)
    assert browser.get("/settings/first-steps/").headers["Location"] == "/accounts/mfa/totp/activate/"
    page = browser.get("/accounts/mfa/totp/activate/")
    assert "Your salon asks owners and managers for a second factor" in page.content.decode()
    browser.get("/clients/?q=anna")
    TOTP.activate(owner, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(owner)
    assert 'href="/clients/?q=anna"' in browser.get("/accounts/mfa/recovery-codes/").content.decode()
    browser.get("/clients/")
    assert 'href="/clients/?q=anna"' not in browser.get("/accounts/mfa/recovery-codes/").content.decode()


@pytest.mark.parametrize("role", [Role.RECEPTION, Role.STYLIST])
def test_the_desk_and_stylists_are_not_asked(role: Role, salon: Salon, signed_in: SignIn) -> None:
    salon.is_mfa_required = True
    salon.save()
    assert signed_in(role).get("/clients/").status_code == 200


def test_with_a_second_factor_the_password_alone_does_not_open(owner: User) -> None:
    TOTP.activate(owner, "JBSWY3DPEHPK3PXP")
    browser = Browser()
    answer = browser.post("/accounts/login/", {"login": owner.email, "password": people.PASSWORD})
    assert answer.headers["Location"].startswith("/accounts/mfa/authenticate/")
    assert browser.get("/me/").status_code == 302


def test_the_seed_of_the_app_is_encrypted_in_the_database(owner: User) -> None:
    TOTP.activate(owner, "JBSWY3DPEHPK3PXP")
    assert "JBSWY3DPEHPK3PXP" not in str(Authenticator.objects.get().data)


def test_a_session_ends_after_half_an_hour_without_a_page(salon: Salon, signed_in: SignIn) -> None:
    browser = signed_in(Role.RECEPTION)
    with time_machine.travel("2026-11-18 09:00", tick=False) as clock:
        browser.force_login(people.user_with(Role.RECEPTION))
        assert browser.get("/me/").status_code == 200
        for _page in range(3):
            clock.shift(29 * 60)
            assert browser.get("/me/").status_code == 200
        clock.shift(31 * 60)
        assert browser.get("/me/", headers={"HX-Request": "true"}).status_code == 401
        assert browser.get("/me/").headers["Location"] == "/accounts/login/?next=/me/"


@pytest.mark.parametrize("part", ["bell-list", "job", "health"])
def test_a_page_left_open_that_asks_by_itself_keeps_no_session_alive(salon: Salon, signed_in: SignIn, part: str) -> None:
    with time_machine.travel("2026-11-18 09:00", tick=False) as clock:
        browser = signed_in(Role.OWNER)
        assert browser.get("/me/").status_code == 200
        for _minute in range(31):
            clock.shift(60)
            last = browser.get("/notices/", headers={"HX-Request": "true", "HX-Trigger": part}).status_code
        assert last == 401


def test_a_session_ends_after_twelve_hours_however_busy(salon: Salon, signed_in: SignIn) -> None:
    with time_machine.travel("2026-11-18 07:00", tick=False) as clock:
        browser = signed_in(Role.RECEPTION)
        for minutes in range(0, 1000, 25):  # noqa: B007 (read after the loop)
            answer = browser.get("/me/")
            if answer.status_code != 200:
                break
            clock.shift(25 * 60)
        assert (answer.status_code, minutes) == (302, 12 * 60 + 5)


def test_personal_pages_are_kept_out_of_caches_and_frames(salon: Salon, signed_in: SignIn) -> None:
    headers = signed_in(Role.OWNER).get("/me/").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_next_that_leaves_the_house_is_not_followed(owner: User) -> None:
    answer = Browser().post("/accounts/login/?next=https://evil.example/", {"login": owner.email, "password": people.PASSWORD})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/"])
def test_the_entrance_says_e_mail_once_and_in_the_label(salon: Salon, path: str) -> None:
    html = Browser().get(path, headers={"Accept-Language": "en"}).content.decode()
    assert ">E-mail<" in html
    assert "Email" not in html
    assert "placeholder" not in html


@pytest.mark.parametrize("name", ["account_change_password", "mfa_activate_totp"])
def test_no_field_of_the_account_has_a_placeholder(signed_in: SignIn, name: str) -> None:
    html = signed_in(Role.OWNER).get(reverse(name), follow=True).content.decode()
    fields = re.findall(r'<input[^>]*name="(?:\w*password\w*|code)"[^>]*>', html)
    assert (len(fields) > 0, [field for field in fields if "placeholder" in field]) == (True, [])
