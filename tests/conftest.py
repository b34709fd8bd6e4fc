"""What every test stands on: a salon, the cast, a signed-in browser for each role."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from django.conf import settings
from django.db import connection, models
from django.db.backends.base.operations import BaseDatabaseOperations as DatabaseOperations
from django.test import Client as Browser
from django.test import TransactionTestCase
from django.utils import timezone, translation
from pytest_django.plugin import DjangoDbBlocker

from clients import retention
from salon.core import privacy
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import database, factories, generated, people

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
# Public addresses of salons in tests: links in messages work only where the installation answers to their name.
PUBLIC_HOSTS = ["salon.example", "carnet.example.org", "book.example.com"]
os.environ.setdefault("ALLOWED_HOSTS", ",".join(["localhost", "127.0.0.1", "[::1]", *PUBLIC_HOSTS]))

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Hash passwords cheaply: Argon2 is slow on purpose, and `test_accounts` sees that the salon uses it.

    Answer to the names of the tests' salons, also where the settings were read before this file.
    """
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, *PUBLIC_HOSTS]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    generated.use()


@pytest.fixture(autouse=True)
def no_language_of_another_test() -> Iterator[None]:
    """Begin without the language and the zone that a page of another test left behind in this thread."""
    yield
    translation.deactivate()
    timezone.deactivate()


@pytest.fixture(autouse=True)
def no_journal_of_another_test() -> Iterator[None]:
    """Begin without the erasures that another test wrote down beside the database."""
    yield
    (Path(settings.DATA_DIR) / "erasures.jsonl").unlink(missing_ok=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones, or the run waits for one of them alone at its end.

    Leave out what asks no database in a round on another one. Skip what needs a browser where there is none; ./test says so
    loudly at its end.
    """
    if os.environ.get("ONLY_DATABASE"):
        items[:] = [item for item in items if _asks_the_database(item)]
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    if CHROMIUM is None:
        for item in items:
            if item.get_closest_marker("browser"):
                item.add_marker(pytest.mark.skip(reason="NO CHROMIUM: browser tests are skipped"))


def _asks_the_database(item: pytest.Item) -> bool:
    names, group = set(getattr(item, "fixturenames", ())), getattr(item, "cls", None)
    if item.get_closest_marker("django_db") or (group and issubclass(group, TransactionTestCase)):
        return True
    return not names.isdisjoint({"db", "transactional_db", "live_server"})


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Let playwright drive the machine's own Chromium; it downloads none."""
    return {**browser_type_launch_args, "executable_path": CHROMIUM, "args": CHROMIUM_ARGS}


# What the migrations publish (wordings, triggers): a salon without it does not exist, so no test meets one.
_published: list[models.Model] = []


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Migrate once in a run. Remember what the migrations published.

    At the end close what a browser's last request may still hold open.
    """
    shares = connection.vendor == "sqlite" and "PYTEST_XDIST_WORKER" in os.environ
    folder = request.getfixturevalue("tmp_path_factory").getbasetemp().parent
    with database.migrated_once(folder) if shares else nullcontext():
        request.getfixturevalue("django_db_setup")
    with django_db_blocker.unblock():
        _published.extend(row for model in privacy.our_models() for row in model._default_manager.all())
    yield
    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )


@pytest.fixture(scope="session", autouse=True)
def _tables_can_be_emptied() -> Iterator[None]:
    """Let the emptying after a transactional test past SQLite's guard of the ledger, and publish again what it took."""
    empty = DatabaseOperations.execute_sql_flush

    def empty_and_publish(self: DatabaseOperations, statements: list[str]) -> None:
        with retention.may_delete():
            empty(self, statements)
        for row in _published:
            row.save_base(raw=True, force_insert=True)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", empty_and_publish)
        yield


@pytest.fixture
def salon(db: None) -> Salon:
    """A salon in Lyon."""
    return factories.salon()


@pytest.fixture
def owner(salon: Salon) -> User:
    """Olivia."""
    return people.user_with(Role.OWNER)


@pytest.fixture
def reception(salon: Salon) -> User:
    """Sofia."""
    return people.user_with(Role.RECEPTION)


@pytest.fixture
def stylist(salon: Salon) -> User:
    """Léa."""
    return people.user_with(Role.STYLIST)


@pytest.fixture
def signed_in(salon: Salon) -> Callable[[Role], Browser]:
    """Return a function that gives a test browser signed in as the cast's user of a role."""

    def sign_in(role: Role) -> Browser:
        browser = Browser(raise_request_exception=True)
        user = people.user_with(role)
        browser.force_login(user)
        # As after a sign-in at the page: the password was given just now.
        session = browser.session
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time()}]
        session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
        session.save()
        return browser

    return sign_in
