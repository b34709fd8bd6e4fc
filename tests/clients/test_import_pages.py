"""The pages of an import, as their reader meets them: from the file to its undo, and every way in which it goes wrong."""

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.utils import translation

from clients.importing import columns, commit, jobs, reading, sample
from clients.models import Client, ConsentEvent, Import
from salon.core.models import AuditEvent, Notice, Salon, User
from salon.core.roles import Role
from tests import factories, people

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}
LIST = """\
First name,Last name,E-mail,Mobile,Birthday,Newsletter,Colour,Empty
Amélie,Bertrand,amelie@example.org,06 88 21 04 11,1990-04-12,yes,blue,
Karim,Benali,karim@example.org,06 88 21 04 12,01/02/1990,no,=1+1,
Eva,Lang,eva@,06 88 21 04 13,1991-01-02,no,,
"""


@pytest.fixture
def desk(signed_in: SignIn, salon: Salon) -> Browser:
    """The manager's browser, in English."""
    browser = signed_in(Role.MANAGER)
    User.objects.update(language="en")
    return browser


def send(browser: Browser, content: str | bytes = LIST, name: str = "clients.csv", **extra: Any) -> Any:
    data = content if isinstance(content, bytes) else content.encode()
    return browser.post("/clients/import/", {"file": SimpleUploadedFile(name, data)}, **extra)


def uploaded(browser: Browser, content: str | bytes = LIST) -> Import:
    assert send(browser, content).status_code == 303
    return Import.objects.order_by("-pk")[0]


def checked(browser: Browser, content: str | bytes = LIST, **choices: str) -> Import:
    row = uploaded(browser, content)
    form = {name: field["value"] for name, field in fields_of(browser, row).items()} | choices
    answer = browser.post(f"/clients/import/{row.pk}/columns/", form)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/clients/import/{row.pk}/")
    row.refresh_from_db()
    return row


def imported(browser: Browser, content: str | bytes = LIST) -> Import:
    row = checked(browser, content)
    browser.post(f"/clients/import/{row.pk}/start/")
    jobs.work()
    row.refresh_from_db()
    return row


def body(answer: Any) -> str:
    return str(answer.content.decode())


def fields_of(browser: Browser, row: Import) -> dict[str, dict[str, str]]:
    """Return the selects of the columns page: name -> label and chosen value."""
    html = body(browser.get(f"/clients/import/{row.pk}/columns/"))
    found = {}
    for name, select in re.findall(r'<select name="(c\d+)"(.*?)</select>', html, re.DOTALL):
        label = re.search(r'aria-label="([^"]*)"', select)
        value = re.search(r'<option value="([^"]*)" selected', select)
        found[name] = {"label": label[1] if label else "", "value": value[1] if value else ""}
    return found


def tally(html: str) -> dict[str, str]:
    return dict(re.findall(r'id="tally-(\w+)">([^<]*)<', html))


# --- the way through ----------------------------------------------------------------------------------------------


def test_a_list_goes_from_the_file_to_the_book_and_back(desk: Browser) -> None:
    row = checked(desk)
    page = body(desk.get(f"/clients/import/{row.pk}/"))
    assert tally(page) == {"new": "2", "updates": "0", "unchanged": "0", "unclear": "1", "errors": "1"}
    assert "Import 2 rows" in page
    assert "Proof is missing, so nothing is sent on it." in page
    assert "Answers Yes to marketing, e-mail and SMS counted apart: 1." in page
    assert "A No counts at once, and stays in force if the import is undone." in page
    assert not Client.objects.exists(), "nothing before somebody says so"
    assert desk.post(f"/clients/import/{row.pk}/start/").status_code == 303
    assert 'id="job"' in body(desk.get(f"/clients/import/{row.pk}/"))
    jobs.work()
    page = body(desk.get(f"/clients/import/{row.pk}/"))
    assert tally(page) == {"new": "2", "updates": "0", "stops": "1", "claims": "1", "errors": "1"}
    assert Client.objects.count() == 2
    assert desk.post(f"/clients/import/{row.pk}/undo/").status_code == 303
    jobs.work()
    page = body(desk.get(f"/clients/import/{row.pk}/"))
    assert tally(page) == {"back": "2", "kept": "0"}
    assert "a refusal is never undone" in page
    assert not Client.objects.exists()


def test_a_list_without_names_of_columns_says_so_and_brings_in_everybody(desk: Browser) -> None:
    row = uploaded(desk, "Léa;Martin;06 88 21 04 11\nAnn;Lee;06 88 21 04 12\nBen;Low;06 88 21 04 13\n")
    assert [field["label"] for field in fields_of(desk, row).values()] == [
        f"What is in “Column {number}”" for number in (1, 2, 3)
    ]  # fmt: skip
    words = "its first row is read as a client"
    assert words in body(desk.get(f"/clients/import/{row.pk}/columns/"))
    assert words not in body(desk.get(f"/clients/import/{uploaded(desk).pk}/columns/"))
    desk.post(f"/clients/import/{row.pk}/columns/", {"c0": "first_name", "c1": "last_name", "c2": "mobile"})
    desk.post(f"/clients/import/{row.pk}/start/")
    jobs.work()
    assert {client.name for client in Client.objects.all()} == {"Léa Martin", "Ann Lee", "Ben Low"}


def test_a_list_of_names_of_columns_alone_is_refused_at_once(desk: Browser) -> None:
    answer = send(desk, "Name,Phone\n")
    assert answer.status_code == 422
    assert "The list holds nobody" in body(answer)
    assert not Import.objects.exists()


def test_the_check_shows_whose_row_is_wrong_and_what_stands_in_the_file(desk: Browser) -> None:
    row = checked(desk, "Name,Phone,Birthday\nEva Lang,06 12,\nAnn Lee,06 88 21 04 13,sometime\n")
    for show, cells in (("errors", ["Eva Lang", "Phone", "06 12"]), ("unclear", ["Ann Lee", "Birthday", "sometime"])):
        table = body(desk.get(f"/clients/import/{row.pk}/?show={show}")).partition("<tbody")[2].partition("</tbody>")[0]
        assert re.findall(r"<td[^>]*>([^<]*)</td>", table)[:3] == cells
    row.report["faults"] = [[2, "Phone", "A reason"]]
    row.save(update_fields=["report"])
    assert "A reason" in body(desk.get(f"/clients/import/{row.pk}/")), "a list checked before is still shown"


def test_each_column_stands_at_what_was_recognised_with_samples(desk: Browser) -> None:
    row = uploaded(desk)
    fields = fields_of(desk, row)
    assert [field["value"] for field in fields.values()] == [
        "first_name", "last_name", "email", "mobile", "birthday", "consent:email", "",
    ]  # fmt: skip
    page = body(desk.get(f"/clients/import/{row.pk}/columns/"))
    assert "karim@example.org" in page
    assert "1 column without content is left out." in page


def test_a_column_is_corrected_by_hand(desk: Browser) -> None:
    row = checked(desk, c6="note")
    desk.post(f"/clients/import/{row.pk}/start/")
    jobs.work()
    assert Client.objects.get(last_name="Bertrand").note == "blue"


def test_the_columns_can_be_changed_after_the_check(desk: Browser) -> None:
    row = checked(desk)
    fields = fields_of(desk, row)
    assert fields["c6"]["value"] == ""
    answer = desk.post(f"/clients/import/{row.pk}/columns/", {**{n: f["value"] for n, f in fields.items()}, "c5": ""})
    assert answer.status_code == 303
    row.refresh_from_db()
    assert (row.state, row.report["stop_count"]) == ("checked", 0)
    assert fields_of(desk, row)["c5"]["value"] == ""


def test_columns_that_make_no_card_are_refused_and_nothing_is_lost(desk: Browser) -> None:
    row = uploaded(desk)
    answer = desk.post(f"/clients/import/{row.pk}/columns/", {"c2": "email"})
    assert answer.status_code == 422
    assert "There is a problem" in body(answer)
    assert "karim@example.org" in body(answer)
    row.refresh_from_db()
    assert row.state == "uploaded"


def test_a_choice_that_there_is_not_is_refused(desk: Browser) -> None:
    row = uploaded(desk)
    assert desk.post(f"/clients/import/{row.pk}/columns/", {"c0": "owner"}).status_code == 422


def test_the_faulty_rows_are_downloaded_mended_and_brought_in(desk: Browser) -> None:
    row = imported(desk)
    answer = desk.get(f"/clients/import/{row.pk}/faulty/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="faulty-rows.csv"'
    (header, line) = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
    assert header[:4] == ["Row", "Column", "Reason", "First name"]
    assert line[:3] == ["4", "E-mail", "This is no e-mail address."]
    mended = answer.content.replace(b"eva@", b"eva@example.org")
    second = imported(desk, mended)
    assert second.new_count == 1
    assert Client.objects.get(last_name="Lang").email == "eva@example.org"


@pytest.mark.parametrize("language", ["fr", "de"])
def test_the_first_three_columns_are_ignored_in_every_language(desk: Browser, language: str) -> None:
    row = checked(desk)
    User.objects.update(language=language)
    text = desk.get(f"/clients/import/{row.pk}/faulty/").content.decode("utf-8-sig")
    header = next(csv.reader(io.StringIO(text), delimiter=";"))
    assert len(header) == 11
    assert {column.index for column in columns.recognise(header)} == {3, 4, 5, 6, 7, 8}


def test_no_cell_of_the_faulty_rows_is_a_formula(desk: Browser) -> None:
    row = checked(desk, '=cmd,Name,Phone\n=1+1,"=HYPERLINK(""x"")",06 12\n+33,@x,06 12\n')
    text = desk.get(f"/clients/import/{row.pk}/faulty/").content.decode("utf-8-sig")
    cells = [cell for line in csv.reader(io.StringIO(text), delimiter=";") for cell in line]
    assert "'=1+1" in cells
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []


def test_the_same_list_again_is_here_already(desk: Browser) -> None:
    good = "".join(LIST.splitlines(keepends=True)[:3])
    imported(desk, good)
    row = checked(desk, good)
    page = body(desk.get(f"/clients/import/{row.pk}/"))
    assert "All 2 rows are here already: there is nothing to import." in page
    assert 'id="import-rows"' not in page


def test_a_long_list_is_checked_in_the_background_and_the_bell_tells(desk: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.import_views.AT_ONCE", 1)
    row = checked(desk)
    assert row.state == "checking"
    assert 'id="job"' in body(desk.get(f"/clients/import/{row.pk}/"))
    jobs.work()
    assert Notice.objects.get().code == "import_checked"
    assert "Import 2 rows" in body(desk.get(f"/clients/import/{row.pk}/"))
    assert Notice.objects.get().read_at, "who has seen the page has read the notice"


# --- the progress -------------------------------------------------------------------------------------------------


def test_the_progress_asked_for_is_the_part_of_the_fresh_page_and_leads_on_at_its_end(desk: Browser) -> None:
    row = checked(desk)
    desk.post(f"/clients/import/{row.pk}/start/")
    Import.objects.filter(pk=row.pk).update(step_count=10, steps_done=4)
    path = f"/clients/import/{row.pk}/"
    whole, part = body(desk.get(path)), body(desk.get(path, headers={**HTMX, "HX-Target": "job"}))
    cut = re.search(r'<section class="s-card s-medium" id="job".*?</section>', whole, re.DOTALL)
    assert cut
    assert cut[0] in part
    assert "40 %" in part
    jobs.work()
    answer = desk.get(path, headers={**HTMX, "HX-Target": "job"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, path)


def test_the_progress_is_said_aloud_every_tenth_only(desk: Browser) -> None:
    row = checked(desk)
    desk.post(f"/clients/import/{row.pk}/start/")
    Import.objects.filter(pk=row.pk).update(step_count=100, steps_done=45)
    path = f"/clients/import/{row.pk}/"
    assert "data-say" in body(desk.get(f"{path}?said=30", headers={**HTMX, "HX-Target": "job"}))
    assert "data-say" not in body(desk.get(f"{path}?said=40", headers={**HTMX, "HX-Target": "job"}))


def test_the_progress_reloads_by_itself_without_javascript(desk: Browser) -> None:
    row = checked(desk)
    assert "http-equiv" not in body(desk.get(f"/clients/import/{row.pk}/"))
    desk.post(f"/clients/import/{row.pk}/start/")
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in body(desk.get(f"/clients/import/{row.pk}/"))


def test_the_rows_to_look_at_come_page_by_page_and_alike(desk: Browser) -> None:
    row = checked(desk, "Name,Phone\n" + "".join(f"Ann Lee{number},06 12\n" for number in range(620)))
    path = f"/clients/import/{row.pk}/?show=errors&page=2"
    whole, part = body(desk.get(path)), body(desk.get(path, headers={**HTMX, "HX-Target": "problems"}))
    cut = re.search(r'<section id="problems".*?</section>', whole, re.DOTALL)
    assert cut
    assert cut[0] in part
    assert part.count('role="rowheader"') == 50
    assert "51 to 100 of 500" in part
    assert "and 120 more, in the file to download" in part
    assert len(desk.get(f"/clients/import/{row.pk}/faulty/").content.splitlines()) == 621


# --- what goes wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"\x00\x01\x02\x03" * 50, "not a text file"),
        (b"PK\x03\x04" + b"\x00" * 60, "."),
        (b"a" * (reading.MAX_BYTES + 1), "larger than 5 MB"),
        (b'Name,Phone\n"Ann,06', "quotation marks"),
        ("Name\n" + "Ann\n" * (50_001), "more than 50,000 rows"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_one_sentence(desk: Browser, content: Any, words: str) -> None:
    answer = send(desk, content)
    assert answer.status_code == 422
    errors = re.findall(r'<p class="s-error"[^>]*>.*?</p>|<ul class="s-errors"[^>]*>(.*?)</ul>', body(answer), re.DOTALL)
    assert words in body(answer)
    assert len(errors) == 1
    assert not Import.objects.exists()


def test_a_request_far_beyond_the_limit_is_told_its_limit(desk: Browser) -> None:
    answer = send(desk, b"Name\n" + b"x" * 6_500_000)
    assert answer.status_code == 422
    assert "larger than 5 MB" in body(answer)


def test_a_form_without_a_file_asks_for_one(desk: Browser) -> None:
    answer = desk.post("/clients/import/", {})
    assert answer.status_code == 422
    assert "Choose a file." in body(answer)


@pytest.mark.parametrize("act", ["start", "undo", "discard"])
def test_an_act_out_of_turn_changes_nothing_and_says_so(desk: Browser, act: str) -> None:
    row = imported(desk)
    if act == "undo":
        desk.post(f"/clients/import/{row.pk}/undo/")
        jobs.work()
    before = list(Import.objects.values("state", "new_count", "taken_back_count"))
    answer = desk.post(f"/clients/import/{row.pk}/{act}/", follow=True)
    assert "further on already" in body(answer) or "Undo ends" in body(answer)
    assert list(Import.objects.values("state", "new_count", "taken_back_count")) == before


def test_two_presses_import_once(desk: Browser) -> None:
    row = checked(desk)
    for _press in range(2):
        desk.post(f"/clients/import/{row.pk}/start/")
    jobs.work()
    desk.post(f"/clients/import/{row.pk}/start/")
    jobs.work()
    assert Client.objects.count() == 2
    assert AuditEvent.objects.filter(action="clients.imported").count() == 1


def test_a_list_is_thrown_away(desk: Browser) -> None:
    row = checked(desk)
    assert desk.post(f"/clients/import/{row.pk}/discard/").headers["Location"] == "/clients/import/"
    row.refresh_from_db()
    assert bytes(row.sheet) == b""
    assert desk.get(f"/clients/import/{row.pk}/faulty/").status_code == 404
    assert desk.get(f"/clients/import/{row.pk}/").status_code == 200


def test_an_import_that_stopped_says_what_can_be_done(desk: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    row = checked(desk)
    desk.post(f"/clients/import/{row.pk}/start/")
    with monkeypatch.context() as patch:
        patch.setattr(commit, "carry_out", lambda *_a, **_k: 1 / 0)
        for _try in range(jobs.TRIES):
            Import.objects.update(lease_until=None)
            jobs.work()
    page = body(desk.get(f"/clients/import/{row.pk}/"))
    assert "Something went wrong on the way." in page
    assert 'id="import-again"' in page
    desk.post(f"/clients/import/{row.pk}/start/")
    jobs.work()
    assert Client.objects.count() == 2


# --- who may ------------------------------------------------------------------------------------------------------


def test_the_desk_sees_import_with_whom_to_ask(signed_in: SignIn, salon: Salon) -> None:
    people.user_with(Role.MANAGER)
    browser = signed_in(Role.RECEPTION)
    User.objects.update(language="en")
    page = body(browser.get("/clients/"))
    assert "Only a manager can import a list. Ask Nadia Keller." in page
    assert "/clients/import/" not in page
    assert browser.get("/clients/import/").status_code == 403


def test_a_stylist_is_not_shown_what_never_was_theirs(signed_in: SignIn, salon: Salon) -> None:
    assert 'id="import-list"' not in body(signed_in(Role.STYLIST).get("/clients/"))


def test_an_empty_book_offers_the_import(desk: Browser) -> None:
    assert 'id="import-first"' in body(desk.get("/clients/"))
    assert "/clients/import/" in body(desk.get("/settings/first-steps/"))


@pytest.mark.parametrize("language", ["en", "fr", "de"])
def test_the_template_is_recognised_whole_and_brings_its_line_in(desk: Browser, language: str, salon: Salon) -> None:
    User.objects.update(language=language)
    factories.salon(country="DE" if language == "de" else "FR")
    data = desk.get("/clients/import/template/").content
    sheet = reading.read(data, "template.csv")
    assert len(columns.recognise(sheet.header)) == len(sheet.header) == 12
    with translation.override(language):
        row = imported(desk, data)
    assert (row.new_count, row.claim_count, row.stop_count, row.report["warnings"]) == (1, 1, 1, [])
    assert sample.template(language) == data
    assert not ConsentEvent.objects.filter(event="grant").exists()
