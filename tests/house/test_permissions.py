"""Every address, walked as nobody, as Nina who has no role, and as each role, against one table."""

from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client as Browser
from django.urls import reverse

from salon.core.roles import Role, roles_with
from tests import people
from tests.house.permissions import TABLE
from tests.house.walk import addresses

# allauth has nothing to show there before the second factor is set up.
NOT_YET = {"mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes"}
PRIVATE = [name for name, row in TABLE.items() if not row.is_public]


def methods(name: str) -> tuple[str, ...]:
    return ("post",) if TABLE[name].method == "post" else ("get", "post")


def path_of(name: str, things: dict[str, str]) -> str:
    return reverse(name, kwargs={key: things.get(value, value) for key, value in TABLE[name].args.items()})


def ask(browser: Browser, name: str, things: dict[str, str], method: str = "") -> HttpResponseBase:
    """Return the answer to `browser`, and leave neither it nor the database changed."""
    visitor = Browser()
    visitor.cookies = SimpleCookie(browser.cookies.output(attrs=[], header="", sep=";"))
    with transaction.atomic():
        response: HttpResponseBase = getattr(visitor, method or TABLE[name].method)(path_of(name, things))
        transaction.set_rollback(True)
    return response


def leads_to_sign_in(response: HttpResponseBase) -> bool:
    return response.status_code in {302, 303} and response.headers["Location"].startswith("/accounts/login/")


def entered(response: HttpResponseBase) -> bool:
    """Return whether the visitor came in: any answer but a refusal, a missing page, a wrong method or a crash."""
    return response.status_code < 500 and response.status_code not in {401, 403, 404, 405} and not leads_to_sign_in(response)


def test_every_address_has_one_row_and_every_row_an_address() -> None:
    assert {address.name for address in addresses()} == set(TABLE)


def test_every_view_of_ours_says_who_may_enter() -> None:
    silent = [
        address.name
        for address in addresses()
        if address.is_ours and not hasattr(address.view, "act") and not getattr(address.view, "is_public", False)
    ]
    assert silent == []


def test_the_roles_of_the_table_are_those_of_the_view() -> None:
    wrong = {
        address.name: (sorted(roles_with(act)), sorted(TABLE[address.name].roles))
        for address in addresses()
        if (act := getattr(address.view, "act", None)) and set(roles_with(act)) != TABLE[address.name].roles
    }
    assert wrong == {}


def test_nobody_enters_without_signing_in(things: dict[str, str]) -> None:
    answers = {(name, method): ask(Browser(), name, things, method) for name in PRIVATE for method in methods(name)}
    assert {asked: answer.status_code for asked, answer in answers.items() if not leads_to_sign_in(answer)} == {}


def test_everybody_opens_what_is_public(things: dict[str, str]) -> None:
    answers = {
        name: ask(Browser(), name, things).status_code for name, row in TABLE.items() if row.is_public and not row.is_signed
    }
    assert {name: status for name, status in answers.items() if status not in {200, 302, 404}} == {}


def test_a_report_that_nobody_has_signed_is_refused(things: dict[str, str]) -> None:
    answers = {name: ask(Browser(), name, things).status_code for name, row in TABLE.items() if row.is_signed}
    assert set(answers.values()) == {403}


def test_a_fragment_for_nobody_is_401(things: dict[str, str]) -> None:
    browser = Browser(headers={"HX-Request": "true"})
    paths = {name: path_of(name, things) for name in PRIVATE if ":" in name}
    answers = {name: getattr(browser, TABLE[name].method)(path).status_code for name, path in paths.items()}
    assert {name: status for name, status in answers.items() if status != 401} == {}


def test_nina_who_has_no_role_enters_nowhere(things: dict[str, str]) -> None:
    browser = Browser()
    browser.force_login(people.nina())
    ours = [name for name in PRIVATE if ":" in name]
    answers = {(name, method): ask(browser, name, things, method).status_code for name in ours for method in methods(name)}
    assert {asked: status for asked, status in answers.items() if status != 403} == {}


@pytest.mark.parametrize("role", [*Role])
def test_each_role_enters_where_the_table_says(role: Role, things: dict[str, str], signed_in: Callable[[Role], Browser]) -> None:
    browser = signed_in(role)
    theirs = [name for name in PRIVATE if role in TABLE[name].roles and name not in NOT_YET]
    answers = {name: ask(browser, name, things) for name in theirs}
    others = {name for name in theirs if TABLE[name].is_own and role is not Role.OWNER}
    assert {name: answer.status_code for name, answer in answers.items() if not entered(answer)} == dict.fromkeys(others, 404)


@pytest.mark.parametrize("role", [*Role])
def test_each_role_is_refused_everywhere_else(role: Role, things: dict[str, str], signed_in: Callable[[Role], Browser]) -> None:
    browser = signed_in(role)
    others = [name for name in PRIVATE if role not in TABLE[name].roles]
    answers = {(name, method): ask(browser, name, things, method).status_code for name in others for method in methods(name)}
    assert {asked: status for asked, status in answers.items() if status != 403} == {}


@pytest.mark.parametrize("role", [*Role])
def test_a_page_is_changed_only_by_whom_the_table_says(
    role: Role, things: dict[str, str], signed_in: Callable[[Role], Browser]
) -> None:
    browser = signed_in(role)
    readers = [name for name in PRIVATE if TABLE[name].changed_by is not None and role in TABLE[name].roles]
    answers = {name: ask(browser, name, things, "post").status_code for name in readers}
    expected = {name: role in (TABLE[name].changed_by or ()) for name in readers}
    assert {name: status != 403 for name, status in answers.items()} == expected


def test_the_walk_notices_a_door_that_stands_open(things: dict[str, str], signed_in: Callable[[Role], Browser]) -> None:
    assert entered(ask(signed_in(Role.OWNER), "core:invite", things))
    assert not entered(ask(signed_in(Role.STYLIST), "core:invite", things))
    assert not leads_to_sign_in(ask(Browser(), "core:healthz", things))
