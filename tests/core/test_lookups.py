"""A question asked of one row after the other stays one, whatever the database thinks of the table."""

from typing import Any

import pytest
from django.db import connection
from django.db.models import Exists, OuterRef

from clients.models import Client, Tag
from salon.core.lookups import Lookup
from tests import factories

pytestmark = pytest.mark.django_db


def tagged(asked: type[Exists]) -> Any:
    return asked(Client.tags.through.objects.filter(client_id=OuterRef("pk"), tag__folded="bridal"))


def test_it_answers_as_exists_does() -> None:
    has, has_not = factories.client(), factories.client()
    has.tags.add(Tag.objects.create(name="Bridal", folded="bridal"))
    for asked in (Lookup, Exists):
        assert list(Client.objects.filter(tagged(asked))) == [has]
        assert list(Client.objects.filter(~tagged(asked))) == [has_not]
        assert list(Client.objects.filter(pk=has.pk).annotate(is_it=tagged(asked)).values_list("is_it", flat=True)) == [True]


@pytest.mark.parametrize("asked", [Lookup, Exists])
@pytest.mark.parametrize("is_wanted", [True, False])
def test_postgresql_makes_no_join_of_it(asked: type[Exists], *, is_wanted: bool) -> None:
    """Control: of EXISTS it does."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite looks up each row as it is")
    condition = asked(Client.tags.through.objects.filter(client_id=OuterRef("pk")))
    plan = Client.objects.filter(condition if is_wanted else ~condition).explain()
    assert ("Join" in plan or "Loop" in plan) == (asked is Exists)
