"""The ground floor's small promises: audit, changes of state, phone, money, secrets, the bell, keys, instance."""

import os
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from celery import current_app
from cryptography.fernet import Fernet
from django.conf import LazySettings
from django.db import connection, models, transaction
from django.utils import translation

from notifications.models import MailServer
from salon.core import audit, bell, env, instance, money, phone, secrets, states
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import TABLE, May, Role, may, roles_with

# --- audit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["Amélie", "amelie@example.org", "two words", "06 12", "<b>", "x" * 81, {"a": 1}, ["ok", "Not Ok"]]
)
def test_the_audit_trail_refuses_anything_that_is_no_code(db: None, value: Any) -> None:
    with pytest.raises(ValueError, match="holds"):
        audit.record("client.edited", note=value)
    assert not AuditEvent.objects.exists()


def test_the_audit_trail_takes_ids_counts_flags_and_field_names(owner: User) -> None:
    event = audit.record(
        "client.edited", owner, by=owner, fields=["first_name", "phone"], count=3, is_new=True, reason="rcpt_550"
    )
    assert (event.by, event.subject_type, event.subject_id) == (owner, "core.user", owner.pk)


def test_an_audit_event_cannot_be_changed_or_deleted(db: None) -> None:
    event = audit.record("system.started")
    with pytest.raises(Refused):
        event.save()
    with pytest.raises(Refused):
        event.delete()


# --- states -------------------------------------------------------------------------------------------------------

LIGHT = states.Table({"green": frozenset({"amber"}), "amber": frozenset({"red"}), "red": frozenset()})


class Lamp(models.Model):
    """A row with a state, for these tests alone."""

    state = models.CharField(max_length=10, default="green")
    turns = models.IntegerField(default=0)

    objects: ClassVar[models.Manager["Lamp"]] = models.Manager()

    class Meta:
        app_label = "ground_tests"
        managed = False


@pytest.fixture
def lamp(db: None) -> Iterator[Lamp]:
    with connection.cursor() as cursor:
        kind = "serial" if connection.vendor == "postgresql" else "integer"
        cursor.execute(f"CREATE TEMPORARY TABLE ground_tests_lamp (id {kind} PRIMARY KEY, state text, turns integer)")
    yield Lamp.objects.create()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE ground_tests_lamp")


def test_a_state_moves_only_as_the_table_says(lamp: Lamp) -> None:
    assert not states.move(lamp, LIGHT, to="red")
    assert states.move(lamp, LIGHT, to="amber", turns=1)
    assert (lamp.state, lamp.turns) == ("amber", 1)
    assert Lamp.objects.get().state == "amber"


def test_who_comes_second_notices(lamp: Lamp) -> None:
    seen_before = Lamp.objects.get()
    assert states.move(lamp, LIGHT, to="amber")
    assert not states.move(seen_before, LIGHT, to="amber", turns=9)
    assert Lamp.objects.get().turns == 0
    assert seen_before.state == "green"


def test_a_guard_that_does_not_hold_stops_the_move(lamp: Lamp) -> None:
    assert not states.move(lamp, LIGHT, to="amber", guard=models.Q(turns=5))
    assert states.move(lamp, LIGHT, to="amber", guard=models.Q(turns=0))


def test_a_table_knows_what_came_before_and_what_is_final() -> None:
    assert LIGHT.before("red") == {"amber"}
    assert LIGHT.is_final("red")
    assert not LIGHT.is_final("green")
    assert not LIGHT.may("blue", "red")


# --- roles --------------------------------------------------------------------------------------------------------


def test_every_act_has_its_roles_and_the_owner_has_every_act() -> None:
    assert set(TABLE) == set(May)
    assert all(may(Role.OWNER, act) for act in May)
    assert roles_with(May.EDIT_TEAM) == [Role.OWNER]


def test_an_unknown_role_and_a_closed_account_may_nothing(owner: User) -> None:
    assert not any(may("guest", act) for act in May)
    owner.is_active = False
    assert not any(owner.may(act) for act in May)


# --- phone and money ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "country", "e164"),
    [
        ("06 12 34 56 78", "FR", "+33612345678"), ("06.12.34.56.78", "FR", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "DE", "+33612345678"), ("0151/23456789", "DE", "+4915123456789"),
        ("0033612345678", "FR", "+33612345678"), ("07400 123456", "GB", "+447400123456"),
    ],
)  # fmt: skip
def test_a_number_is_read_in_any_spelling(text: str, country: str, e164: str) -> None:
    assert phone.read(text, country) == e164


@pytest.mark.parametrize("text", ["", "12", "ring me", "06 12 34 56 78 90 12", "+999 123"])
def test_a_number_that_cannot_be_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Refused, match="06 12 34 56 78") as refused:
        phone.read(text, "FR")
    assert refused.value.field == "phone"


def test_numbers_are_shown_as_people_there_write_them() -> None:
    assert phone.show("+33612345678", "FR") == "06 12 34 56 78"
    assert phone.show("+33612345678", "DE") == "+33 6 12 34 56 78"
    assert phone.show("", "FR") == ""
    assert phone.mask("06 12 34 56 78") == "06 •• •• •• 78"
    assert phone.mask_email("amelie@example.org") == "am•••@example.org"


@pytest.mark.parametrize(
    ("language", "amount", "shown"),
    [("en", "42", "€42"), ("en", "1284.50", "€1,284.50"), ("fr", "42", "42 €"), ("de", "1284.50", "1.284,50 €")],
)
def test_money_is_written_as_the_reader_writes_it(language: str, amount: str, shown: str) -> None:
    with translation.override(language):
        assert money.show(Decimal(amount), "EUR").replace("\xa0", " ").replace("\u202f", " ") == shown


# --- secrets ------------------------------------------------------------------------------------------------------


def test_a_credential_is_encrypted_in_the_database(db: None) -> None:
    MailServer.objects.create(host="smtp.example.com", sender="a@example.com", password="correct horse")
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM notifications_mailserver")
        assert "correct horse" not in cursor.fetchone()[0]
    assert MailServer.objects.get().password == "correct horse"


def test_a_new_key_opens_what_the_old_one_closed_and_a_lost_one_says_so(settings: LazySettings) -> None:
    sealed = secrets.seal("correct horse")
    settings.FIELD_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_KEYS]
    assert secrets.unseal(sealed) == "correct horse"
    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    with pytest.raises(secrets.Unreadable):
        secrets.unseal(sealed)
    assert secrets.unseal("") == ""


def test_the_hash_of_an_address_needs_the_key_of_the_installation(settings: LazySettings) -> None:
    before = secrets.address_hash("email", "a@example.org")
    assert before != secrets.address_hash("sms", "a@example.org")
    settings.ADDRESS_KEY = "another key of thirty-two letters"
    assert before != secrets.address_hash("email", "a@example.org")


def test_keys_are_made_once_readable_by_the_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "FIELD_KEY", "ADDRESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    first = env.keys(tmp_path / "data")
    assert first == env.keys(tmp_path / "data")
    assert stat.S_IMODE((tmp_path / "data" / "keys.json").stat().st_mode) == 0o600
    assert len({first.session, first.fields, first.addresses}) == 3
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "secret"))
    assert env.keys(tmp_path / "data").session == "from a file"


def test_a_start_that_dies_while_it_makes_the_keys_leaves_the_next_one_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SECRET_KEY", "FIELD_KEY", "ADDRESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            env.keys(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert env.keys(tmp_path) == env.keys(tmp_path)


@pytest.mark.parametrize("has_links", [True, False])
def test_of_starts_at_once_all_have_the_same_keys(has_links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "FIELD_KEY", "ADDRESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    if not has_links:
        monkeypatch.setattr(os, "link", lambda *args: os.truncate(tmp_path / "no such file", 0))
    with ThreadPoolExecutor(8 if has_links else 1) as pool:
        found = set(pool.map(lambda _number: env.keys(tmp_path), range(8)))
    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["keys.json"]


def test_a_copied_database_is_not_ours(salon: Salon, settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert not instance.is_ours(salon)
    instance.claim(salon)
    assert instance.is_ours(salon)
    settings.DATA_DIR = tmp_path / "elsewhere"
    assert not instance.is_ours(salon)


# --- the bell -----------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_the_bell_rings_after_the_commit_and_not_after_a_rollback(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BELL_IN_TESTS = True
    rung = threading.Event()
    monkeypatch.setattr(current_app, "send_task", lambda *args, **kwargs: rung.set())
    with transaction.atomic():
        bell.ring()
        transaction.set_rollback(True)
    assert not rung.wait(0.2)
    with transaction.atomic():
        bell.ring()
        assert not rung.wait(0.1)
    assert rung.wait(5)


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_hangs_or_fails_holds_nobody_up(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.BELL_IN_TESTS = True
    go_on = threading.Event()

    def hang(*args: Any, **kwargs: Any) -> None:
        go_on.wait(10)
        raise OSError("no broker")

    monkeypatch.setattr(current_app, "send_task", hang)
    start = time.monotonic()
    for _ring in range(50):
        bell.ring()
    assert time.monotonic() - start < 1
    go_on.set()
