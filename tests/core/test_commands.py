"""The commands of the search box: found by their words in every language, and only those that the role may do."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.urls import resolve
from django.utils import translation

from clients.search import fold
from salon.core import commands
from salon.core.models import User
from salon.core.roles import May, Role
from tests import people

HTMX = {"HX-Request": "true"}


def urls(user: User, text: str) -> list[str]:
    return [command.url for command in commands.matching(user, text, fold)]


@pytest.mark.parametrize("command", commands.COMMANDS, ids=lambda command: command.url)
def test_a_command_is_offered_to_exactly_those_whom_its_page_lets_in(command: commands.Command) -> None:
    view = resolve(command.path).func
    # allauth's own pages are everybody's who is signed in.
    assert command.act == getattr(view, "act", May.SEE_CALENDAR)


def test_every_command_has_an_address_of_its_own() -> None:
    assert len({command.path for command in commands.COMMANDS}) == len(commands.COMMANDS)


@pytest.mark.parametrize("reader", ["en", "fr", "de"])
@pytest.mark.parametrize("text", ["team", "équipe", "EQUIPE", "equi", "  Team "])
def test_a_command_is_found_by_its_words_in_every_language(owner: User, text: str, reader: str) -> None:
    with translation.override(reader):
        assert "core:team" in urls(owner, text)


def test_each_word_has_to_begin_a_word(owner: User) -> None:
    assert urls(owner, "neu kund") == ["clients:add"]
    assert urls(owner, "new cl") == ["clients:add"]
    assert urls(owner, "eam") == []
    assert urls(owner, "new zebra") == []


def test_what_is_called_so_comes_before_what_is_only_about_it(owner: User) -> None:
    assert urls(owner, "einst")[0] == urls(owner, "settings")[0] == "core:settings"
    assert len(urls(owner, "settings")) == commands.SHOWN


@pytest.mark.parametrize("text", ["", "t", " t ", "0611", "!"])
def test_a_letter_or_a_number_calls_no_command(owner: User, text: str) -> None:
    assert urls(owner, text) == []


def test_a_stylist_is_offered_nothing_of_the_settings(stylist: User) -> None:
    assert urls(stylist, "team") == urls(stylist, "import") == urls(stylist, "new cl") == []
    assert urls(stylist, "passw") == ["account_change_password"]


@pytest.mark.parametrize("role", [*Role])
def test_before_typing_four_commands_of_the_role_are_there(role: Role, signed_in: Callable[[Role], Browser]) -> None:
    page = signed_in(role).get("/search/", headers=HTMX).content.decode()
    offered = commands.first(people.user_with(role))
    assert [command.path for command in offered if f'href="{command.path}"' in page] == [command.path for command in offered]
    assert len(offered) == 4


def test_the_box_answers_with_options_and_the_page_with_links(signed_in: Callable[[Role], Browser]) -> None:
    desk = signed_in(Role.RECEPTION)
    box, page = desk.get("/search/?q=team", headers=HTMX).content.decode(), desk.get("/search/?q=team").content.decode()
    assert 'role="option"' in box
    listed = page[page.index("s-hits-page") :]
    assert 'href="/settings/team/"' in listed
    assert 'role="option"' not in listed
    assert 'tabindex="-1"' not in listed[: listed.index("</main>")], "Tab reaches every link"


def test_who_is_not_found_is_offered_as_a_new_client_after_the_commands(signed_in: Callable[[Role], Browser]) -> None:
    box = signed_in(Role.RECEPTION).get("/search/?q=team", headers=HTMX).content.decode()
    assert box.index("/settings/team/") < box.index("/clients/new/?name=team")
    assert "/clients/new/" not in signed_in(Role.STYLIST).get("/search/?q=zzz", headers=HTMX).content.decode()
