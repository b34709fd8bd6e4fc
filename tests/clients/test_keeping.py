"""The page "What is kept" says what the program does: its lengths are the constants themselves."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client as Browser

from clients import keeping, requests
from clients.exporting import exports
from clients.importing import jobs
from clients.models import RetentionRule
from salon.core.roles import Role

PATH = "/settings/privacy/"


def text(browser: Browser) -> str:
    return browser.get(PATH).content.decode()


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (dt.timedelta(minutes=30), "30 minutes"),
        (dt.timedelta(minutes=90), "90 minutes"),
        (dt.timedelta(hours=1), "1 hour"),
        (dt.timedelta(hours=24), "24 hours"),
        (dt.timedelta(hours=36), "36 hours"),
        (dt.timedelta(days=7), "7 days"),
    ],
)
def test_a_length_is_said_as_it_is_counted(length: dt.timedelta, words: str) -> None:
    assert keeping.in_words(length) == words


@pytest.mark.parametrize(
    ("where", "name"), [(exports, "KEPT_FOR"), (jobs, "UNDO_FOR"), (jobs, "FORGET_UPLOADS_AFTER"), (requests, "VALID_FOR")]
)
def test_a_changed_constant_changes_the_page(
    signed_in: Callable[[Role], Browser], monkeypatch: pytest.MonkeyPatch, where: object, name: str
) -> None:
    assert "47 days" not in text(signed_in(Role.MANAGER))
    monkeypatch.setattr(where, name, dt.timedelta(days=47))
    assert "47 days" in text(signed_in(Role.MANAGER))


def test_the_rooms_above_say_what_they_keep(signed_in: Callable[[Role], Browser]) -> None:
    page = text(signed_in(Role.RECEPTION))
    assert "Notes on appointments" in page
    assert "Messages: which, when and what became of them" in page
    assert "30 minutes after the last page, at most 12 hours" in page


def test_what_the_owner_set_is_what_the_page_says(signed_in: Callable[[Role], Browser]) -> None:
    assert "29 months" not in text(signed_in(Role.MANAGER))
    RetentionRule.objects.create(pk="clients", months=29, is_on=False)
    assert "29 months" not in text(signed_in(Role.MANAGER))  # it is not done, so it is not said
    RetentionRule.objects.update(is_on=True)
    assert "29 months after the last contact" in text(signed_in(Role.MANAGER))
