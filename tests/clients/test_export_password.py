"""An export with a password: nobody opens it without, and the password stands nowhere once the file is written."""

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import msoffcrypto
import openpyxl
import pytest
import python_calamine
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone
from msoffcrypto.exceptions import InvalidKeyError

from clients.exporting import exports, people
from clients.exporting.people import Wanted
from clients.models import Client, Export
from salon.core import secrets
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests.clients.test_export_pages import body

pytestmark = pytest.mark.django_db
State = Export.State
PASSWORD = "Kirschen im Nachbargarten"
WISH = {"preset": "contacts", "who": "all", "password": PASSWORD}


@pytest.fixture
def book(reception: User) -> list[Client]:
    people_ = [{"first_name": "Amélie", "last_name": "Bertrand", "phone": "+33688210411"}, {"last_name": "Benali"}]
    return factories.cards(people_, by=reception)


@pytest.fixture
def desk(signed_in: Callable[[Role], Browser], book: list[Client]) -> Browser:
    return signed_in(Role.OWNER)


def opened(data: bytes, password: str = PASSWORD) -> io.BytesIO:
    reader, plain = msoffcrypto.OfficeFile(io.BytesIO(data)), io.BytesIO()
    reader.load_key(password=password, verify_password=True)
    reader.decrypt(plain, verify_integrity=True)
    return plain


def last_names(file: io.BytesIO) -> list[Any]:
    header, *rows = openpyxl.load_workbook(file, read_only=True).worksheets[0].iter_rows(values_only=True)
    return [row[header.index("Last name")] for row in rows]


def start(by: User) -> Export:
    return exports.start(
        Wanted("contacts"), purpose="", password=PASSWORD, by=by, salon=Salon.objects.current(), now=timezone.now()
    )


def stored() -> str:
    """Return everything the tables of exports and of the audit trail hold, as text."""
    with connection.cursor() as cursor:
        found = []
        for table in ("clients_export", "core_auditevent", "core_notice"):
            cursor.execute(f"SELECT * FROM {table}")
            found += [str(row) for row in cursor.fetchall()]
    return " ".join(found)


def test_the_file_given_at_once_opens_with_its_password_alone(desk: Browser) -> None:
    answer: Any = desk.post("/clients/export/", WISH)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].endswith('.xlsx"')
    data = b"".join(answer.streaming_content)
    assert last_names(opened(data)) == ["Benali", "Bertrand"]
    with pytest.raises(InvalidKeyError):
        opened(data, PASSWORD.lower())
    for read in (openpyxl.load_workbook, python_calamine.load_workbook):
        with pytest.raises(Exception):  # noqa: B017, PT011 (each reader has its own)
            read(io.BytesIO(data))
    assert b"Bertrand" not in data
    assert PASSWORD not in stored()
    row = Export.objects.get()
    assert (row.is_protected, row.password) == (True, None)
    assert AuditEvent.objects.get(action="clients.exported").facts["has_password"] is True


def test_without_one_it_is_a_plain_file(desk: Browser) -> None:
    answer: Any = desk.post("/clients/export/", {**WISH, "password": ""})
    assert last_names(io.BytesIO(b"".join(answer.streaming_content))) == ["Benali", "Bertrand"]
    assert Export.objects.get().is_protected is False


def test_a_job_keeps_the_password_sealed_and_drops_it_with_the_file_written(owner: User, book: list[Client]) -> None:
    row = start(owner)
    assert PASSWORD not in stored()
    assert secrets.unseal(row.password or "") == PASSWORD
    exports.work()
    row.refresh_from_db()
    assert (row.state, row.is_protected, row.password) == (State.READY, True, None)
    data = b"".join(exports.fetch(row, by=owner, now=timezone.now()))
    assert len(data) == row.size
    assert last_names(opened(data)) == ["Benali", "Bertrand"]
    assert b"Bertrand" not in data


def test_a_job_that_stopped_writes_it_with_the_same_password_when_it_starts_again(
    owner: User, book: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = start(owner)
    with monkeypatch.context() as patch:
        patch.setattr(people, "read", lambda *_args, **_more: 1 / 0)
        for _try in range(exports.TRIES):
            Export.objects.update(lease_until=None)
            exports.work()
    row.refresh_from_db()
    assert row.state == State.FAILED
    assert row.password
    exports.start_again(row, by=owner)
    exports.work()
    data = b"".join(exports.fetch(Export.objects.get(), by=owner, now=timezone.now()))
    assert last_names(opened(data)) == ["Benali", "Bertrand"]


def test_the_password_of_a_job_that_stopped_goes_after_a_day(owner: User, book: list[Client]) -> None:
    row = start(owner)
    Export.objects.update(state=State.FAILED, settled_at=timezone.now() - exports.KEPT_FOR - dt.timedelta(seconds=1))
    exports.tidy(timezone.now())
    row.refresh_from_db()
    assert (row.state, row.password) == (State.EXPIRED, None)


def test_a_key_that_is_lost_stops_the_job_and_gives_out_no_open_file(owner: User, book: list[Client]) -> None:
    row = start(owner)
    Export.objects.update(password="sealed by another house")
    for _try in range(exports.TRIES):
        Export.objects.update(lease_until=None)
        exports.work()
    row.refresh_from_db()
    assert (row.state, row.reason, row.parts.count()) == (State.FAILED, "fault", 0)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short", "at least 12 characters"),
        ("qwertyuiop", "at least 12 characters"),
        ("password1234", "too common"),
        ("olivia@example.org", "too similar"),
        ("tabs\tare not typed", "plain spaces"),
        ("a no-break\u00a0space", "plain spaces"),
        ("x" * 101, "at most 100 characters"),
    ],
)
def test_a_weak_password_gets_a_sentence_and_no_file(desk: Browser, password: str, sentence: str) -> None:
    answer = desk.post("/clients/export/", {**WISH, "password": password})
    assert answer.status_code == 422
    assert sentence in body(answer)
    assert not Export.objects.exists()


def test_it_is_said_that_a_lost_password_cannot_be_had_again(desk: Browser, owner: User) -> None:
    assert "nobody can open the file without it, and it cannot be recovered" in body(desk.get("/clients/export/"))
    row = start(owner)
    exports.work()
    page = body(desk.get(f"/exports/{row.pk}/"))
    assert "Nobody can open the file without it." in page
    assert PASSWORD not in page


def test_no_address_takes_a_password(desk: Browser) -> None:
    page = body(desk.get("/clients/export/", {"password": PASSWORD, "preset": "contacts"}))
    assert PASSWORD not in page
    assert 'hx-params="not csrfmiddlewaretoken,password"' in page
    assert 'formmethod="get"' not in page
    counted = desk.post("/clients/export/", {**WISH, "count": "1"})
    assert counted.status_code == 200
    assert PASSWORD in body(counted), "what was typed stays in the field"
    assert not Export.objects.exists()
