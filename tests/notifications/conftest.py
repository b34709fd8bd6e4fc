"""A salon that may send, a clock that stands still, and a provider that writes down what it was given."""

import datetime as dt
from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from notifications import sending
from salon.core import instance
from salon.core.models import Salon
from tests.fakes.provider import FakeProvider
from tests.notifications import workers

# A Tuesday, ten in the morning in Paris.
NOW = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def now() -> dt.datetime:
    return NOW


@pytest.fixture
def sending_salon(salon: Salon) -> Salon:
    """The salon, on the host that sends for it."""
    instance.claim(salon)
    return salon


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, sending_salon: Salon) -> FakeProvider:
    """The provider in force: a fake one."""
    provider = FakeProvider()
    monkeypatch.setattr(sending, "provider", lambda *args, **kwargs: provider)
    return provider


@pytest.fixture
def _first_rows_again(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Put back what the migrations wrote, once a transactional test has emptied the tables."""
    yield
    with django_db_blocker.unblock():
        contents = getattr(connection, "_test_serialized_contents", "")
        if contents:
            connection.creation.deserialize_db_from_string(contents)


@pytest.fixture
def committed(_first_rows_again: None, transactional_db: None, salon: Salon) -> Salon:
    """A salon that may send, at noon, in a database that other processes and threads see."""
    salon.time_zone = workers.midday_zone()
    salon.save()
    instance.claim(salon)
    return salon
