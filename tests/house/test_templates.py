"""No page shows a variable that nobody filled: every address is opened with undefined variables as faults."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.template import Context, Template, engines
from django.test import Client as Browser

from salon.core.roles import Role
from tests.house.permissions import TABLE
from tests.house.test_permissions import NOT_YET, PRIVATE, ask

MARK = "UNDEFINED(%s)"


@pytest.fixture
def strict() -> Iterator[None]:
    """Let an undefined variable write its name into the page."""
    engine = engines["django"].engine  # type: ignore[attr-defined]
    before, engine.string_if_invalid = engine.string_if_invalid, MARK
    yield
    engine.string_if_invalid = before


def undefined(page: str) -> set[str]:
    return set(re.findall(r"UNDEFINED\(([^)]*)\)", page))


def test_an_undefined_variable_would_be_found(strict: None) -> None:
    page = Template("{{ nothing }} {{ user.nothing }} {{ there }}").render(Context({"there": 1, "user": object()}))
    assert undefined(page) == {"nothing", "user.nothing"}


@pytest.mark.parametrize("role", [Role.OWNER, Role.STYLIST])
def test_no_page_shows_a_variable_that_nobody_filled(
    role: Role,
    things: dict[str, str],
    signed_in: Callable[[Role], Browser],
    strict: None,
) -> None:
    browser = signed_in(role)
    names = [name for name in PRIVATE if role in TABLE[name].roles and name not in NOT_YET]
    pages = {name: ask(browser, name, things, method) for name in names for method in ("get", "post")}
    found = {name: undefined(page.content.decode()) for name, page in pages.items() if hasattr(page, "content")}
    assert {name: variables for name, variables in found.items() if variables} == {}
