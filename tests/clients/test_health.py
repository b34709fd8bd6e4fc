"""The health note: only with the client's Yes, encrypted, every look written down, gone with the Yes, nowhere else."""

import datetime as dt
import re
from collections.abc import Callable, Collection
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from clients import access, answers, consent, health, ledger, records
from clients.models import Client, ConsentEvent, HealthNote
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests.clients.test_pages import body

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
SECRET = "Kanarienvogel-Allergie"
NOW = timezone.now


@pytest.fixture
def amelie(reception: User) -> Client:
    return records.add(by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="a@example.org")


@pytest.fixture
def held(amelie: Client, reception: User) -> HealthNote:
    """A note of a client who agreed in the salon."""
    health.agree(amelie, how="in_person", by=reception, now=NOW())
    note = health.write(amelie, text=SECRET, patch_tested_on=dt.date(2026, 2, 2), version=0, by=reception, now=NOW())
    assert note
    return note


@pytest.fixture
def desk(signed_in: SignIn) -> Browser:
    return signed_in(Role.RECEPTION)


def test_without_a_yes_the_field_is_not_offered_and_nothing_is_stored(desk: Browser, amelie: Client) -> None:
    address = f"/clients/{amelie.pk}/health/"
    shown = body(desk.get(address))
    assert "<textarea" not in shown
    assert "J&#x27;accepte expressément que Atelier Nord note" in shown, "the wording comes first, in the client's language"
    answer = desk.post(address, {"text": SECRET, "version": "0"})
    assert answer.status_code == 422
    assert not HealthNote.objects.exists()


def test_a_yes_opens_the_field_and_keeps_its_wording(desk: Browser, amelie: Client) -> None:
    address = f"/clients/{amelie.pk}/health/"
    desk.post(f"{address}consent/", {"answer": "yes"})
    assert not ConsentEvent.objects.exists(), "a Yes without how is no Yes"
    desk.post(f"{address}consent/", {"answer": "yes", "how": "paper_form"})
    event = ConsentEvent.objects.get()
    assert event.text is not None
    assert (event.purpose, event.event, event.source, event.text.purpose) == (
        "health_notes",
        "grant",
        "paper_form",
        "health_notes",
    )
    assert "<textarea" in body(desk.get(address))
    saved = desk.post(address, {"text": SECRET, "patch_tested_on": "2026-02-02", "version": "0"})
    assert saved.status_code == 303
    assert SECRET in body(desk.get(address))
    assert HealthNote.objects.get().patch_tested_on == dt.date(2026, 2, 2)


def test_the_text_is_encrypted_in_the_database(held: HealthNote) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM clients_healthnote")
        (stored,) = cursor.fetchone()
    assert "Kanarien" not in stored
    assert HealthNote.objects.get().text == SECRET


def test_every_look_is_written_down_without_the_text(desk: Browser, amelie: Client, held: HealthNote, reception: User) -> None:
    for _ in range(2):
        desk.get(f"/clients/{amelie.pk}/health/")
    looks = AuditEvent.objects.filter(action="client.health_viewed", subject_id=amelie.pk)
    assert [(look.by, look.facts) for look in looks] == [(reception, {})] * 2
    desk.get(f"/clients/{amelie.pk}/other/")
    assert looks.count() == 2


def test_the_text_stands_on_its_own_page_alone(desk: Browser, amelie: Client, held: HealthNote, caplog: Any) -> None:
    """I-48: in no list, search, card, timeline, audit line or log."""
    paths = ["/clients/", "/clients/?q=Kanarien", "/search/?q=Kanarien"]
    paths += [f"/clients/{amelie.pk}/{part}" for part in ("", "?show=changes", "other/", "address/", "consent/history/", "edit/")]
    assert [path for path in paths if "vogel-Allergie" in body(desk.get(path))] == []
    assert [path for path in paths[1:3] if f"/clients/{amelie.pk}/" in body(desk.get(path)).split("<main")[-1]] == []
    assert "Kanarien" in body(desk.get(f"/clients/{amelie.pk}/health/"))
    assert "kanarien" not in Client.objects.get().search_text
    assert "Kanarien" not in str(list(AuditEvent.objects.values_list("facts", flat=True)))
    assert "Kanarien" not in caplog.text


def by_staff(client: Client, by: User) -> None:
    health.withdraw(client, by=by, now=NOW())


def by_the_client(client: Client, by: User) -> None:
    consent.record(client, purpose="health_notes", channel="", event="withdraw", source="preference_page")


def by_undo(client: Client, by: User) -> None:
    (event,) = ConsentEvent.objects.filter(event="grant")
    consent.void(event, by=by)


@pytest.mark.parametrize("take_back", [by_staff, by_the_client, by_undo])
def test_a_withdrawal_deletes_the_note_whoever_records_it(
    amelie: Client, held: HealthNote, reception: User, take_back: Callable[[Client, User], None]
) -> None:
    take_back(amelie, reception)
    assert not HealthNote.objects.exists()
    assert health.read(amelie, by=reception) is None


def test_control_an_answer_about_something_else_deletes_nothing(amelie: Client, held: HealthNote, reception: User) -> None:
    answers.set_channel(amelie, "email", "no", by=reception)
    consent.record(amelie, purpose="**", channel="*", event="object", source="preference_page")
    events = answers.set_reminders(amelie, is_on=False, channel="sms", by=reception)
    consent.void_many([event.pk for event in events], by=reception) if events else None
    assert HealthNote.objects.exists()


def test_the_withdrawal_of_one_client_leaves_the_note_of_another(amelie: Client, held: HealthNote, reception: User) -> None:
    other = records.add(by=reception, last_name="Zola")
    by_the_client(other, reception)
    assert HealthNote.objects.get().client == amelie


def test_a_client_who_took_it_back_is_not_asked_through_staff_again(desk: Browser, amelie: Client, reception: User) -> None:
    by_the_client(amelie, reception)
    with pytest.raises(Refused):
        health.agree(amelie, how="phone", by=reception, now=NOW())
    assert "Only they can turn it on" in body(desk.get(f"/clients/{amelie.pk}/health/"))


def test_a_verbal_yes_waits_where_the_country_asks_for_a_signature(desk: Browser, amelie: Client, reception: User) -> None:
    Salon.objects.update(country="DE")
    desk.post(f"/clients/{amelie.pk}/health/consent/", {"answer": "yes", "how": "phone"})
    shown = body(desk.get(f"/clients/{amelie.pk}/health/"))
    assert "Counts on a signed form only." in shown
    assert "<textarea" not in shown
    with pytest.raises(Refused):
        health.write(amelie, text=SECRET, patch_tested_on=None, version=0, by=reception, now=NOW())


def test_the_second_of_two_writers_sees_both_texts(desk: Browser, amelie: Client, held: HealthNote) -> None:
    answer = desk.post(f"/clients/{amelie.pk}/health/", {"text": "Mine", "version": "0"})
    assert answer.status_code == 409
    assert SECRET in body(answer)
    assert "Mine" in body(answer)
    assert HealthNote.objects.get().text == SECRET
    assert desk.post(f"/clients/{amelie.pk}/health/", {"text": "Both", "version": "1"}).status_code == 303
    assert HealthNote.objects.get().text == "Both"


def test_an_emptied_note_is_no_note(desk: Browser, amelie: Client, held: HealthNote) -> None:
    desk.post(f"/clients/{amelie.pk}/health/", {"text": " ", "version": "1"})
    assert not HealthNote.objects.exists()


@pytest.mark.parametrize(("days", "why"), [(1, "in the future"), (-300_000, "too long ago. Please check the year")])
def test_a_patch_test_is_neither_in_the_future_nor_of_another_age(
    desk: Browser, amelie: Client, held: HealthNote, days: int, why: str
) -> None:
    on = factories.today() + dt.timedelta(days=days)
    answer = desk.post(f"/clients/{amelie.pk}/health/", {"text": "x", "patch_tested_on": on.isoformat(), "version": "1"})
    assert answer.status_code == 422
    assert why in body(answer)


def test_a_stylist_has_it_on_the_clients_day_only(
    signed_in: SignIn, amelie: Client, held: HealthNote, monkeypatch: pytest.MonkeyPatch
) -> None:
    own: set[int] = set()

    def ids_of(user: User, on: Any) -> Collection[int]:
        return own

    monkeypatch.setattr(access, "_own_clients", [ids_of])
    stylist, address = signed_in(Role.STYLIST), f"/clients/{amelie.pk}/health/"
    assert SECRET not in body(stylist.get(address))
    assert stylist.post(address, {"text": "x", "version": "1"}).status_code == 403
    assert stylist.post(f"{address}consent/", {"answer": "no"})["Location"] == address
    assert HealthNote.objects.exists()
    assert not AuditEvent.objects.filter(action="client.health_viewed").exists()
    own.add(amelie.pk)
    assert SECRET in body(stylist.get(address))


def test_the_history_tells_the_consent_and_not_the_note(desk: Browser, amelie: Client, held: HealthNote) -> None:
    (line,) = ledger.entries(amelie)
    assert [str(purpose) for purpose in line.purposes] == ["health notes"]
    assert re.search("health notes", body(desk.get(f"/clients/{amelie.pk}/consent/history/")))


def test_a_note_of_another_installations_key_is_said_to_be_unreadable(
    desk: Browser, amelie: Client, held: HealthNote, settings: Any
) -> None:
    settings.FIELD_KEYS = ["x" * 43 + "="]
    shown = body(desk.get(f"/clients/{amelie.pk}/health/"))
    assert "The note cannot be read" in shown
    assert "<textarea" not in shown
