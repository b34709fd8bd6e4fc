"""Two to five cards made one, and given back."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from clients import consent
from clients.merging import merges, undoing
from clients.models import Client, ClientContact, ClientLink, HealthNote, Merge, OpenedCard, Subject, Tag
from salon.core.errors import Refused
from salon.core.models import User
from tests import factories
from tests.clients import merging_world

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 28, 10, tzinfo=dt.UTC)


AMELIE: dict[str, Any] = {
    "first_name": "Amélie", "last_name": "Bertrand", "phone": "+33688210411", "email": "amelie@example.org", "language": "fr",
    "note": "Allergic to PPD", "birth_day": 4, "birth_month": 4, "birth_year": 1991,
}  # fmt: skip
OTHER: dict[str, Any] = {
    "first_name": "AMELIE", "last_name": "Bertrand", "phone": "+33612447890", "email": "a.bertrand@example.com", "language": "fr",
    "note": "Comes with her daughter", "street": "12 rue du Lac", "postcode": "69006", "city": "Lyon", "country": "FR",
}  # fmt: skip


def pair(by: User, **of_second: Any) -> tuple[Client, Client]:
    one, two = factories.cards([AMELIE, {**OTHER, **of_second}], by=by)
    return one, two


def test_rows_go_along_and_come_back(owner: User) -> None:
    one, two = pair(owner)
    visit = factories.appointment(client=two)
    tag = Tag.objects.create(name="Regular", folded="regular")
    one.tags.add(tag)
    two.tags.add(tag)
    before = merging_world.rows()
    done = merges.merge([one.pk, two.pk], main=one.pk, by=owner, now=NOW)
    visit.refresh_from_db()
    assert visit.client_id == one.pk
    two.refresh_from_db()
    assert (two.merged_into_id, two.first_name, str(two.phone or ""), two.email, two.note) == (one.pk, "", "", "", "")
    undoing.undo(done, by=owner, now=NOW)
    assert merging_world.rows() == before
