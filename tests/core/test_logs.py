"""The log: what went wrong and where, without a name or a value."""

import logging
import logging.config
import re
from collections.abc import Callable, Iterator
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client as Browser
from django.urls import get_resolver

from salon import settings
from salon.core import views
from salon.core.logs import Line
from salon.core.models import Salon
from salon.core.roles import Role

SECRET = "Key (email)=(amelie@example.org) already exists."


def told(write: Callable[[logging.Logger], object]) -> str:
    """Return what `write` leaves in the log through the handler and the formatter of the settings."""
    out = StringIO()
    logger = logging.Logger("test")
    handler = logging.StreamHandler(out)
    spec = dict(settings.LOGGING["formatters"]["line"])
    assert spec.pop("()") == "salon.core.logs.Line"
    handler.setFormatter(Line(fmt=spec["format"], style=spec["style"]))
    logger.addHandler(handler)
    write(logger)
    return out.getvalue()


def fail() -> None:
    try:
        raise ValueError(f"Failing row contains (7, {SECRET})")
    except ValueError as error:
        raise IntegrityError(SECRET) from error


def caught() -> IntegrityError:
    try:
        fail()
    except IntegrityError as error:
        return error
    raise AssertionError


def test_an_exception_is_written_as_type_and_place() -> None:
    text = told(lambda log: log.error("broke", exc_info=caught()))
    assert "amelie" not in text
    assert "Failing row" not in text
    assert "django.db.utils.IntegrityError" in text
    assert "builtins.ValueError" in text, "what led to it too"
    assert "test_logs.py:" in text
    assert " fail" in text


@pytest.mark.parametrize(
    "write",
    [
        lambda log: log.error("message %s: %s", 7, caught()),
        lambda log: log.error(caught()),
        lambda log: log.error("%(name)s: %(exc)s", {"name": "task", "exc": repr(caught())}, exc_info=caught()),
        lambda log: log.error("Error handling request %s", "/search/?q=amelie@example.org"),
    ],
)
def test_an_exception_among_the_words_is_its_type(write: Callable[[logging.Logger], object]) -> None:
    assert "amelie" not in told(write)


def test_a_text_that_another_handler_left_is_not_used() -> None:
    def write(log: logging.Logger) -> None:
        record = log.makeRecord("test", logging.ERROR, __file__, 1, "broke", (), (IntegrityError, caught(), None))
        logging.Formatter().format(record)
        assert SECRET in str(record.exc_text), "control: the usual way of writing tells it"
        log.handle(record)

    assert "amelie" not in told(write)


@pytest.fixture
def house_log() -> Iterator[StringIO]:
    """What the settings' own configuration writes while the test runs."""
    out = StringIO()
    before = [(name, list(logging.getLogger(name).handlers), logging.getLogger(name).level) for name in (None, "django")]
    config: dict[str, Any] = {
        **settings.LOGGING,
        "handlers": {"console": {**settings.LOGGING["handlers"]["console"], "stream": out}},
    }
    logging.config.dictConfig(config)
    yield out
    for name, handlers, level in before:
        logging.getLogger(name).handlers = handlers
        logging.getLogger(name).setLevel(level)


def test_a_page_that_breaks_names_no_value(
    salon: Salon, signed_in: Callable[[Role], Browser], monkeypatch: pytest.MonkeyPatch, house_log: StringIO
) -> None:
    monkeypatch.setattr(views, "profile", SimpleNamespace(edit_own=lambda *args, **fields: fail()))
    browser = signed_in(Role.STYLIST)
    browser.raise_request_exception = False
    me = {"name": "Sofia", "language": "fr", "theme": "auto", "density": "compact"}
    assert browser.post("/me/?q=amelie", me).status_code == 500
    text = house_log.getvalue()
    assert "Internal Server Error: /me/" in text
    assert "IntegrityError" in text
    assert "amelie" not in text


def test_a_page_that_is_not_allowed_or_not_there_is_one_line(
    salon: Salon, signed_in: Callable[[Role], Browser], house_log: StringIO
) -> None:
    browser = signed_in(Role.STYLIST)
    assert browser.get("/settings/team/").status_code == 403
    assert browser.get("/clients/999999/").status_code == 404
    lines = house_log.getvalue().splitlines()
    assert len(lines) == 2
    assert all(" INFO django.request " in line for line in lines)


def test_nothing_but_the_root_writes() -> None:
    assert settings.LOGGING["loggers"]["django"]["handlers"] == []
    assert [handler["formatter"] for handler in settings.LOGGING["handlers"].values()] == ["line"]


def secret_pages() -> list[str]:
    """Oracle: the pages whose address holds a key, read from the routes themselves."""
    found: list[str] = []

    def walk(patterns: list[Any], start: str) -> None:
        for one in patterns:
            if hasattr(one, "url_patterns"):
                walk(one.url_patterns, start + str(one.pattern))
            elif {"token", "key"} & set(one.pattern.regex.groupindex):
                found.append(start + str(one.pattern))

    walk(get_resolver().url_patterns, "/")
    return found


def test_no_address_that_is_a_secret_is_written() -> None:
    pages = secret_pages()
    assert len(pages) >= 6, "a new way of keys in addresses: this test does not see it"
    for page in pages:
        text = re.sub(r"<\w+:uid>", "7", re.sub(r"<\w+:token>", "AQEAAAsecret", page))
        text = re.sub(r"\(\?P<uidb36>.*?\)-\(\?P<key>.*?\)", "1f-AQEAAAsecret", text).replace("^", "").replace("$", "")
        told_of = told(lambda log, path=text: log.error("Internal Server Error: %s", path))  # type: ignore[misc]
        assert "secret" not in told_of, page
        assert "Internal Server Error: /" in told_of


def test_other_addresses_are_written_whole() -> None:
    for path in ("/clients/12/", "/setup/", "/u/", "/accounts/password/reset/"):
        assert path in told(lambda log, path=path: log.error("%s", path))  # type: ignore[misc]
