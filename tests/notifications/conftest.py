"""A salon that may send, a clock that stands still, and a provider that writes down what it was given."""

import datetime as dt

import pytest

from notifications import sending
from salon.core import instance
from salon.core.models import Salon
from tests.fakes.provider import FakeProvider

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
