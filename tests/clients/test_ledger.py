"""The ledger cannot be rewritten: not by the model, not by a query, not by SQL (C13, I-45)."""

import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from clients import consent, invariants, retention
from clients.models import Client, ConsentEvent, ConsentText, Standing
from salon.core import profile
from salon.core.errors import Refused
from salon.core.models import Salon, User
from tests import factories
from tests.generated import cases

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(salon: Salon, reception: User) -> ConsentEvent:
    text = ConsentText.objects.get(purpose="mkt.birthday", channel="email", language="fr", version="2026-1")
    return consent.record(
        factories.client(), purpose="mkt.birthday", channel="email", event="grant", source="paper_form", by=reception, text=text
    )


def test_the_model_refuses_to_change_or_delete_a_line(event: ConsentEvent) -> None:
    event.event = "withdraw"
    with pytest.raises(Refused):
        event.save()
    with pytest.raises(Refused):
        event.delete()


@pytest.mark.parametrize("table", ["clients_consentevent", "clients_consenttext"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {table} SET purpose = 'mkt.review' WHERE id = %s", "DELETE FROM {table} WHERE id = %s"]
)
def test_sql_refuses_to_change_or_delete_a_line_or_its_wording(event: ConsentEvent, table: str, statement: str) -> None:
    pk = event.pk if table == "clients_consentevent" else event.text_id
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table=table), [pk])
    assert ConsentEvent.objects.filter(pk=event.pk, purpose="mkt.birthday").exists()


def test_a_query_refuses_to_change_or_delete_a_line(event: ConsentEvent) -> None:
    changes: tuple[Callable[[], object], ...] = (
        lambda: ConsentEvent.objects.update(evidence_level=0),
        lambda: ConsentEvent.objects.all()._raw_delete("default"),
        lambda: ConsentEvent.objects.bulk_update([event], ["purpose"]),
        lambda: ConsentText.objects.filter(pk=event.text_id or 0).update(sha256="0"),
    )
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.parametrize("table", ["clients_consentevent", "clients_consenttext"])
def test_sql_refuses_to_put_another_line_or_wording_in_the_place_of_one(event: ConsentEvent, table: str) -> None:
    """SQLite's REPLACE fires no trigger of a deletion; PostgreSQL's way to say it changes the row."""
    pk = event.pk if table == "clients_consentevent" else event.text_id
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE id = %s", [pk])
        row: Any = list(cursor.fetchone() or ())
        names = [column[0] for column in cursor.description]
    before, row[names.index("purpose")] = tuple(row), "mkt.review"
    values = ", ".join(["%s"] * len(row))
    sql = f"REPLACE INTO {table} VALUES ({values})"
    if connection.vendor == "postgresql":
        sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values}) ON CONFLICT (id) DO UPDATE SET purpose = 'mkt.review'"
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, row)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE id = %s", [pk])
        assert cursor.fetchone() == before


def test_sql_refuses_another_wording_under_the_name_of_one_that_was_agreed_to(event: ConsentEvent) -> None:
    text = event.text
    assert text is not None
    if connection.vendor != "sqlite":
        pytest.skip("REPLACE is SQLite's")
    columns = "purpose, channel, language, version, body, sha256, published_at"
    said: list[Any] = [text.purpose, text.channel, text.language, text.version, "Anything", "0", text.published_at]
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"REPLACE INTO clients_consenttext ({columns}) VALUES (%s, %s, %s, %s, %s, %s, %s)", said)


def test_the_control_without_its_guards_a_line_is_replaced_or_emptied(event: ConsentEvent) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE" if connection.vendor == "postgresql" else "SELECT 1")
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE clients_consentevent DISABLE TRIGGER clients_consentevent_no_truncate")
            cursor.execute("TRUNCATE clients_consentevent CASCADE")
            assert not ConsentEvent.objects.exists()
        else:
            cursor.execute("DROP TRIGGER clients_consentevent_no_replace")
            cursor.execute("SELECT * FROM clients_consentevent WHERE id = %s", [event.pk])
            row: list[Any] = [
                0 if column[0] == "evidence_level" else value
                for column, value in zip(cursor.description, cursor.fetchone(), strict=True)
            ]
            cursor.execute(f"REPLACE INTO clients_consentevent VALUES ({', '.join(['%s'] * len(row))})", row)
            assert ConsentEvent.objects.get(pk=event.pk).evidence_level == 0


@pytest.mark.parametrize("table", ["clients_consentevent", "clients_consenttext", "clients_client"])
def test_the_ledger_is_not_emptied_with_a_table_that_it_hangs_on(event: ConsentEvent, table: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("TRUNCATE is PostgreSQL's")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table} CASCADE")
    assert ConsentEvent.objects.filter(pk=event.pk).exists()


def test_another_role_of_the_database_is_refused_as_well(event: ConsentEvent) -> None:
    """As the application would connect with rights on rows alone: the guard is no matter of who owns the tables."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no roles")
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE carnet_test_app")
        cursor.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO carnet_test_app")
        cursor.execute("SET LOCAL ROLE carnet_test_app")
    for statement in ("UPDATE clients_consentevent SET evidence_level = 0", "DELETE FROM clients_consentevent"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE clients_consentevent CASCADE")
    assert ConsentEvent.objects.filter(pk=event.pk, evidence_level=2).exists()


def test_a_wording_that_no_line_points_at_may_be_mended(salon: Salon) -> None:
    assert ConsentText.objects.filter(purpose="mkt.review", language="de").update(body="…") == 2


def test_retention_deletes_but_never_changes(event: ConsentEvent) -> None:
    with retention.may_delete():
        with pytest.raises(DatabaseError), transaction.atomic():
            ConsentEvent.objects.update(evidence_level=0)
        Standing.objects.update(event=None)
        assert ConsentEvent.objects.filter(pk=event.pk)._raw_delete("default") == 1
    assert not ConsentEvent.objects.exists()


def test_the_gate_is_shut_again_after_retention(event: ConsentEvent) -> None:
    with retention.may_delete():
        pass
    with pytest.raises(DatabaseError), transaction.atomic():
        ConsentEvent.objects.all()._raw_delete("default")


def test_a_line_from_tomorrow_is_refused(event: ConsentEvent, reception: User) -> None:
    client = Client.objects.get()
    with pytest.raises(Refused):
        consent.record(
            client, purpose="*", channel="email", event="withdraw", source="phone", by=reception,
            now=event.recorded_at, effective_at=event.recorded_at.replace(year=event.recorded_at.year + 1),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("purpose", "channel"), [("*", "email"), ("**", "email"), ("mkt.birthday", "*"), ("mkt.birthday", ""), ("x", "sms")]
)
def test_a_yes_names_one_purpose_and_one_channel(salon: Salon, purpose: str, channel: str) -> None:
    with pytest.raises(ValueError, match="cannot be about"):
        consent.record(factories.client(), purpose=purpose, channel=channel, event="grant", source="in_person")


_SAID = st.tuples(
    st.sampled_from(
        ["grant", "confirm", "pending", "soft_opt_in", "import_claim", "withdraw", "object", "complaint", "provider_stop"]
    ),
    st.sampled_from(["mkt.birthday", "mkt.review", "svc.reminder", "*", "**"]),
    st.sampled_from(["email", "sms", "*"]),
    st.sampled_from(["in_person", "paper_form", "preference_page", "import", "provider_webhook"]),
)


@cases(40)
@given(said=st.lists(_SAID, max_size=8), country=st.sampled_from(["FR", "DE", "BE"]), moves=st.booleans())
def test_standing_is_what_the_ledger_folds_to(
    salon: Salon, said: list[tuple[str, str, str, str]], country: str, moves: bool
) -> None:
    Salon.objects.update(country=country)
    Client.objects.all().delete()
    client = factories.client()
    for number, (event, purpose, channel, source) in enumerate(said):
        is_yes = event in consent.YES
        consent.record(
            client,
            purpose="mkt.review" if is_yes and "*" in purpose else purpose,
            channel="email" if is_yes and channel == "*" else channel,
            event=event,
            source=source,
        )
        if moves and number == 3:
            Client.objects.filter(pk=client.pk).update(email="other@example.org")
            consent.record(client, purpose="**", channel="email", event="address_changed", source="other")
    assert list(invariants.faults()) == []


def test_the_check_sees_a_standing_that_was_tampered_with(event: ConsentEvent) -> None:
    Standing.objects.filter(purpose="mkt.birthday").update(state="withdrawn")
    assert len(list(invariants.faults())) == 1


@pytest.mark.django_db(transaction=True)
def test_a_transactional_test_can_be_cleaned_up_after(event: ConsentEvent) -> None:
    assert ConsentEvent.objects.exists()


def test_a_new_country_is_followed_by_rebuilding(event: ConsentEvent) -> None:
    Salon.objects.update(country="DE")
    assert list(invariants.faults())
    call_command("rebuild_standings", stdout=io.StringIO())
    assert list(invariants.faults()) == []


def test_a_new_country_on_the_salon_page_counts_for_what_was_said_before(
    event: ConsentEvent, owner: User, django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        profile.edit(Salon.objects.current(), by=owner, name="Atelier Süd")
        assert profile.edit(Salon.objects.current(), by=owner, country="DE").country == "DE"
        assert list(invariants.faults()), "control: the commit is what is waited for"
    assert list(invariants.faults()) == []
