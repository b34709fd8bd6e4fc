"""The pages of an export, as who may meets them and who may not."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import python_calamine
from django.test import Client as Browser

from clients import answers
from clients.exporting import exports
from clients.models import Client, Export
from salon.core.models import AuditEvent, Notice, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def book(reception: User) -> list[Client]:
    return factories.cards(
        [
            {"first_name": "Amélie", "last_name": "Bertrand", "phone": "+33688210411", "email": "amelie@example.org"},
            {"first_name": "Karim", "last_name": "Benali", "email": "karim@example.org"},
            {"first_name": "Zoé", "last_name": "Zola", "phone": "+33612447890"},
        ],
        by=reception,
    )


def body(answer: Any) -> str:
    return re.sub(r"\s+", " ", str(answer.content.decode()))


def last_names(answer: Any) -> list[str]:
    data = b"".join(answer.streaming_content)
    header, *rows = python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    return [str(row[header.index("Last name")]) for row in rows]


def test_the_list_says_how_many_it_exports_and_keeps_its_filter(signed_in: SignIn, book: list[Client]) -> None:
    browser = signed_in(Role.MANAGER)
    assert "Export 3 clients to Excel" in body(browser.get("/clients/"))
    found = browser.get("/clients/?q=be", headers=HTMX)
    assert "Export 2 clients to Excel" in body(found)
    assert 'href="/clients/export/?q=be"' in body(found)
    assert 'id="export-list" disabled' in body(browser.get("/clients/?q=nobody"))


def test_reception_is_told_whom_to_ask_and_a_stylist_sees_nothing_of_it(
    signed_in: SignIn, book: list[Client], owner: User
) -> None:
    assert "Only a manager can export. Ask Olivia Moreau." in body(signed_in(Role.RECEPTION).get("/clients/"))
    assert "/clients/export/" not in body(signed_in(Role.RECEPTION).get("/clients/"))
    assert "Export" not in body(signed_in(Role.STYLIST).get("/clients/"))
    for role in (Role.RECEPTION, Role.STYLIST):
        assert signed_in(role).post("/clients/export/", {"preset": "contacts"}).status_code == 403


def test_the_button_names_the_count_and_the_page_who_is_left_out(signed_in: SignIn, book: list[Client], reception: User) -> None:
    answers.set_channel(book[0], "email", "yes", how="paper_form", by=reception)
    answers.set_channel(book[1], "email", "no", by=reception)
    browser = signed_in(Role.OWNER)
    assert "Download 3 clients" in body(browser.get("/clients/export/"))
    page = body(browser.get("/clients/export/?preset=contacts&who=email", headers=HTMX))
    assert "Download 1 client<" in page
    assert "2 of the list are not" in page
    assert "1 said No" in page
    assert "1 was not asked" in page
    assert "Download 1 client<" in body(browser.get("/clients/export/?preset=marketing"))
    assert 'id="export-go" disabled' in body(browser.get("/clients/export/?preset=marketing&q=Zola"))


def test_a_small_file_comes_at_once_under_a_name_with_its_day(signed_in: SignIn, book: list[Client]) -> None:
    answer = signed_in(Role.OWNER).post("/clients/export/", {"preset": "contacts", "who": "all", "q": "be", "purpose": "Cards"})
    assert answer.status_code == 200
    assert re.fullmatch(r'attachment; filename="clients-\d{4}-\d\d-\d\d\.xlsx"', answer.headers["Content-Disposition"])
    assert answer.headers["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert answer.headers["Cache-Control"] == "no-store"
    assert last_names(answer) == ["Benali", "Bertrand"]
    assert Export.objects.get().purpose == "Cards"


def test_the_ticked_are_exported_and_nobody_else(signed_in: SignIn, book: list[Client]) -> None:
    browser, ids = signed_in(Role.OWNER), [book[0].pk, book[2].pk]
    page = body(browser.get("/clients/export/", {"sel": ids}))
    assert "Download 2 clients" in page
    assert page.count('name="sel"') == 2
    assert last_names(browser.post("/clients/export/", {"sel": ids, "preset": "contacts"})) == ["Bertrand", "Zola"]
    assert AuditEvent.objects.get(action="clients.exported").facts["list"] == "selection"


def test_a_wish_that_is_nonsense_is_answered_with_the_form(signed_in: SignIn, book: list[Client]) -> None:
    browser = signed_in(Role.OWNER)
    answer = browser.post("/clients/export/", {"preset": "secrets", "who": "x", "status": "?", "sel": "a"})
    assert answer.status_code == 422
    assert "Error:" in body(answer)
    assert browser.post("/clients/export/", {"preset": "contacts", "q": "nobody"}).status_code == 422
    assert not Export.objects.exists()


def test_a_large_file_is_a_job_with_a_page_a_bell_and_a_link_for_who_asked(
    signed_in: SignIn, book: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "AT_ONCE", 2)
    browser = signed_in(Role.OWNER)
    assert "Write a file of 3 clients" in body(browser.get("/clients/export/"))
    answer = browser.post("/clients/export/", {"preset": "contacts", "who": "all"})
    row = Export.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/exports/{row.pk}/")
    Export.objects.update(rows_done=1)
    page = body(browser.get(f"/exports/{row.pk}/"))
    assert 'value="33"' in page
    assert "1 of 3" in page
    assert "refresh" in page, "without JavaScript the page loads itself again"
    assert 'hx-trigger="every 2s"' in body(browser.get(f"/exports/{row.pk}/", headers=HTMX))
    exports.work()
    done = browser.get(f"/exports/{row.pk}/", headers=HTMX)
    assert done.headers["HX-Redirect"] == f"/exports/{row.pk}/"
    assert Notice.objects.get().read_at is None
    page = body(browser.get(f"/exports/{row.pk}/"))
    assert "Only you can download it." in page
    assert Notice.objects.get().read_at is not None
    file = browser.get(f"/exports/{row.pk}/file/")
    row.refresh_from_db()
    assert file.headers["Content-Length"] == str(row.size)
    assert last_names(file) == ["Benali", "Bertrand", "Zola"]


def test_a_file_is_for_the_one_who_asked_only(signed_in: SignIn, owner: User) -> None:
    row = factories.exported(by=owner)
    manager = signed_in(Role.MANAGER)
    assert manager.get(f"/exports/{row.pk}/").status_code == 404
    assert manager.get(f"/exports/{row.pk}/file/").status_code == 404
    assert manager.post(f"/exports/{row.pk}/again/").status_code == 404
    assert signed_in(Role.OWNER).get(f"/exports/{row.pk}/file/").status_code == 200


def test_an_export_that_stopped_says_why_and_starts_again(signed_in: SignIn, owner: User) -> None:
    row = factories.exported(by=owner, state="failed", reason="fault")
    browser = signed_in(Role.OWNER)
    page = body(browser.get(f"/exports/{row.pk}/"))
    assert "The file could not be written." in page
    assert browser.get(f"/exports/{row.pk}/file/").status_code == 303
    assert browser.post(f"/exports/{row.pk}/again/").headers["Location"] == f"/exports/{row.pk}/"
    row.refresh_from_db()
    assert row.state == "running"


def test_a_file_that_is_gone_says_so_and_leads_to_a_new_one(signed_in: SignIn, owner: User) -> None:
    row = factories.exported(by=owner, state="expired", status="inactive")
    page = body(signed_in(Role.OWNER).get(f"/exports/{row.pk}/"))
    assert "This file is not there any more" in page
    assert "/clients/export/?status=inactive&amp;preset=contacts&amp;who=all" in page
    answer = signed_in(Role.OWNER).get(f"/exports/{row.pk}/file/")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/exports/{row.pk}/")
