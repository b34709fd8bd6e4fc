"""A database that is held for too long: a sentence and nothing half done, never the words of a fault."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest
from django.db import connection
from django.test import Client as Browser

from salon.core.models import Salon, User
from salon.core.roles import Role

pytestmark = pytest.mark.django_db(transaction=True)
ME = {"name": "Sofia Klein", "language": "fr", "theme": "auto", "density": "compact"}


@contextmanager
def _held(user: User) -> Iterator[None]:
    """Hold the row of a user in a connection of our own, while the application waits a fifth of a second at most."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(values["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout = 200")
            yield
            other.execute("ROLLBACK")
        return
    names = {"host": values["HOST"], "port": values["PORT"], "user": values["USER"], "password": values["PASSWORD"]}
    with psycopg.connect(dbname=values["NAME"], **names) as holder, connection.cursor() as cursor:
        holder.execute("SELECT 1 FROM core_user WHERE id = %s FOR UPDATE", [user.pk])
        cursor.execute("SET lock_timeout = 200")
        yield
        cursor.execute("RESET lock_timeout")


@pytest.mark.parametrize(("language", "words"), [("fr", "La base de données ne répond pas"), ("de", "Die Datenbank antwortet")])
def test_a_database_that_is_held_too_long_asks_for_patience_in_the_readers_language(
    salon: Salon, signed_in: Callable[[Role], Browser], language: str, words: str
) -> None:
    browser = signed_in(Role.STYLIST)
    browser.raise_request_exception = False
    user = User.objects.get(role=Role.STYLIST)
    User.objects.filter(pk=user.pk).update(language=language)
    before = user.name
    with _held(user):
        answer = browser.post("/me/", ME)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "120")
    reason = answer.content.decode().partition(" data-reason>")[2].partition("<")[0]
    assert reason.startswith(words)
    assert User.objects.get(pk=user.pk).name == before
    assert browser.post("/me/", ME).status_code == 303, "the control: nobody holds it any more"
