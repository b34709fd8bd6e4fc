"""Adding and changing cards: nobody's typing is lost."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from clients import records, search
from clients.models import Client, ConsentEvent, Subject
from salon.core.errors import Refused
from salon.core.models import AuditEvent, User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("field", [{"first_name": "Léa"}, {"last_name": "Petit"}, {"phone": "+33688210411"}])
def test_one_of_first_name_last_name_and_phone_is_enough(reception: User, field: dict[str, Any]) -> None:
    client = records.add(by=reception, **field)
    assert Subject.objects.filter(client=client).count() == 1
    assert (client.language, client.version) == ("fr", 1)


def test_nobody_is_refused_by_the_operation_and_by_the_database(reception: User) -> None:
    with pytest.raises(Refused):
        records.add(by=reception, email="a@example.org", first_name="  ")
    with pytest.raises(IntegrityError), transaction.atomic():
        Client.objects.create(email="a@example.org", language="fr")


def test_a_field_that_no_card_has_is_a_mistake_of_the_programme(reception: User) -> None:
    with pytest.raises(TypeError):
        records.add(by=reception, last_name="A", search_text="x")


def test_an_edit_is_found_again_and_audited_without_values(reception: User) -> None:
    client = records.add(by=reception, last_name="Petit")
    records.edit(client, by=reception, version=1, last_name="Groß", city="Lyon")
    assert [one.pk for one in search.find("gross")] == [client.pk]
    event = AuditEvent.objects.get(action="client.edited")
    assert sorted(event.facts["fields"]) == ["city", "last_name"]
    assert "Groß" not in str(event.facts)


def test_the_second_of_two_editors_is_told_and_overwrites_nothing(reception: User) -> None:
    client = records.add(by=reception, last_name="Petit")
    records.edit(client, by=reception, version=1, city="Lyon")
    with pytest.raises(records.Conflict) as told:
        records.edit(client, by=reception, version=1, city="Paris")
    assert told.value.theirs.city == "Lyon"
    with pytest.raises(records.Conflict):
        records.write_note(client, by=reception, note="x", version=1)
    assert Client.objects.get().city == "Lyon"


def test_an_edit_that_changes_nothing_writes_nothing(reception: User) -> None:
    client = records.add(by=reception, last_name="Petit", phone="+33688210411")
    assert records.edit(client, by=reception, version=1, last_name="Petit", phone="+33688210411").version == 1
    assert not ConsentEvent.objects.exists()


def test_the_last_name_cannot_be_taken_from_who_has_nothing_else(reception: User) -> None:
    client = records.add(by=reception, last_name="Petit")
    with pytest.raises(Refused):
        records.edit(client, by=reception, version=1, last_name="")
