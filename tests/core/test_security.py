"""Where somebody is signed in, signing out there, and the password once more before the team is changed."""

from collections.abc import Callable, Iterator

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from salon.core import devices, team
from salon.core.models import AuditEvent, User
from salon.core.roles import Role
from tests import people

SignIn = Callable[[Role], Browser]
PATH = "/settings/security/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/604.1"
EDGE = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"


@pytest.fixture(autouse=True)
def _no_memory_of_other_tests() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def entered(user: User, user_agent: str = FIREFOX, password: str = people.PASSWORD) -> Browser:
    """Return a browser in which `user` has signed in at the page."""
    browser = Browser(headers={"User-Agent": user_agent})
    assert browser.post("/accounts/login/", {"login": user.email, "password": password}).status_code == 302
    browser.get("/me/")
    return browser


def text(browser: Browser) -> str:
    return browser.get(PATH).content.decode()


def is_in(browser: Browser) -> bool:
    return browser.get("/me/").status_code == 200


def test_every_browser_is_listed_and_this_one_is_marked(owner: User) -> None:
    desk, pad = entered(owner), entered(owner, IPAD)
    page = text(desk)
    assert page.index("Firefox, Windows") < page.index("This browser") < page.index("Safari, iPad") < page.index("Sign out there")
    assert text(pad).index("Safari, iPad") < text(pad).index("Firefox, Windows"), "this browser comes first"


def test_signing_out_there_ends_that_session_and_no_other(owner: User) -> None:
    desk, pad, phone = entered(owner), entered(owner, IPAD), entered(owner, EDGE)
    pk = UserSession.objects.get(user_agent=IPAD).pk
    assert desk.post(f"{PATH}sessions/{pk}/end/").status_code == 303
    assert [is_in(browser) for browser in (desk, pad, phone)] == [True, False, True]
    assert "Safari, iPad" not in text(desk)
    event = AuditEvent.objects.get(action="user.sessions_ended")
    assert (event.by, event.facts) == (owner, {"count": 1})


def test_everywhere_else_is_everywhere_but_here(owner: User, stylist: User) -> None:
    desk, pad, phone, other = entered(owner), entered(owner, IPAD), entered(owner, EDGE), entered(stylist)
    desk.post(f"{PATH}sessions/end/")
    assert [is_in(browser) for browser in (desk, pad, phone, other)] == [True, False, False, True]
    assert "Sign out everywhere else" not in text(desk)
    assert "You are signed in nowhere else." in desk.post(f"{PATH}sessions/end/", follow=True).content.decode()
    assert AuditEvent.objects.filter(action="user.sessions_ended").count() == 1


def test_nobody_ends_the_session_of_somebody_else_or_their_own_by_it(owner: User, stylist: User) -> None:
    desk, other = entered(owner), entered(stylist)
    for browser, user in ((desk, stylist), (desk, owner), (other, owner)):
        pk = UserSession.objects.get(user=user).pk
        assert browser.post(f"{PATH}sessions/{pk}/end/").status_code == 404
    assert is_in(desk)
    assert is_in(other)


def test_a_session_that_has_ended_by_itself_is_not_shown(owner: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        entered(owner, IPAD)
        clock.shift(31 * 60)
        desk = entered(owner)
        assert "Safari, iPad" not in text(desk)


def test_a_session_from_before_the_list_is_taken_up(signed_in: SignIn) -> None:
    browser = signed_in(Role.OWNER)
    UserSession.objects.all().delete()
    assert "This browser" in text(browser)


def test_a_new_password_ends_and_forgets_the_other_sessions(owner: User) -> None:
    desk, pad, new = entered(owner), entered(owner, IPAD), "quite another passphrase"
    desk.post("/accounts/password/change/", {"oldpassword": people.PASSWORD, "password1": new, "password2": new})
    assert [is_in(desk), is_in(pad)] == [True, False]
    page = text(desk)
    assert "This browser" in page
    assert "Safari, iPad" not in page


def test_of_a_closed_account_no_address_of_a_browser_is_kept(owner: User, stylist: User) -> None:
    browser = entered(stylist)
    team.deactivate(stylist, by=owner)
    assert not UserSession.objects.filter(user=stylist).exists()
    assert not is_in(browser)
    assert not Session.objects.filter(session_key=browser.cookies["sessionid"].value).exists()


def test_who_joins_is_listed_at_once(owner: User) -> None:
    member = team.invite(email="nora@example.org", name="Nora", role="stylist", language="en", by=owner)
    browser = Browser(headers={"User-Agent": IPAD})
    browser.post(team.join_path(member), {"password": "quite another passphrase"})
    assert [row.user_agent for row in UserSession.objects.filter(user=member)] == [IPAD]


@pytest.mark.parametrize(
    ("claim", "words"), [(FIREFOX, "Firefox, Windows"), (IPAD, "Safari, iPad"), (EDGE, "Edge, Mac"), ("curl/8", ""), ("", "")]
)
def test_a_browser_is_called_as_its_owner_calls_it(claim: str, words: str) -> None:
    assert devices.name(claim) == words


# --- the password once more ----------------------------------------------------------------------------------------


def test_the_team_is_changed_only_after_the_password_was_given_again(owner: User, stylist: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        desk = entered(owner)
        clock.shift(6 * 60)
        asked = desk.post(f"/settings/team/{stylist.pk}/role/", {"role": "reception"})
        assert asked.headers["Location"].startswith("/accounts/reauthenticate/")
        stylist.refresh_from_db()
        assert stylist.role == Role.STYLIST
        assert desk.post(asked.headers["Location"], {"password": "wrong"}).status_code == 200
        stylist.refresh_from_db()
        assert stylist.role == Role.STYLIST
        done = desk.post(asked.headers["Location"], {"password": people.PASSWORD})
        assert done.headers["Location"] == "/settings/team/"
        stylist.refresh_from_db()
        assert stylist.role == Role.RECEPTION, "the form that waited is sent"


def test_who_has_just_signed_in_is_not_asked_again(owner: User, stylist: User) -> None:
    desk = entered(owner)
    assert desk.post(f"/settings/team/{stylist.pk}/role/", {"role": "reception"}).headers["Location"] == "/settings/team/"


@pytest.mark.parametrize("act", ["role", "deactivate", "reactivate", "second-factor"])
def test_every_act_on_the_team_asks(owner: User, stylist: User, act: str) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        desk = entered(owner)
        clock.shift(6 * 60)
        for path in (f"/settings/team/{stylist.pk}/{act}/", "/settings/team/invite/"):
            assert desk.post(path).headers["Location"].startswith("/accounts/reauthenticate/"), path
            assert desk.get("/settings/team/").status_code == 200, "looking is free"


def test_the_owner_sees_who_has_a_second_factor_and_nobody_else_does(signed_in: SignIn, stylist: User) -> None:
    TOTP.activate(stylist, "JBSWY3DPEHPK3PXP")
    page = signed_in(Role.OWNER).get("/settings/team/").content.decode()
    row = page[page.index(f'id="member-{stylist.pk}"') :]
    assert "Second factor" in row[: row.index("</tr>")]
    assert "Password only" in page
    assert "Password only" not in signed_in(Role.MANAGER).get("/settings/team/").content.decode()
