"""Five hundred strings that break programs, in every text field that a form of a client offers.

Each is stored as it was typed, after the little that the house puts in order, or refused with a sentence; shown as text
wherever it appears; found again in an export, and in the book that is filled from it.
"""

import datetime as dt
import html
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import openpyxl
import pytest
from django import forms
from django.http import HttpResponse
from django.test import Client as Browser
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import mark_safe

from clients import contacts, records, search, tags
from clients.export_forms import ExportForm
from clients.exporting import exports
from clients.exporting.people import Wanted
from clients.forms import AddressForm, ClientForm, ContactForm, NoteForm, TagForm
from clients.health_forms import HealthForm
from clients.importing import jobs
from clients.models import Client, Tag
from salon.core import workbook
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories
from tests.clients import nasty
from tests.house.test_admin import keeper

__all__ = ["keeper"]
pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
NAMES = {"first_name": 100, "last_name": 100, "street": 150, "postcode": 20, "city": 100}
CARD = {"language": "fr", "country": "", "phone": "", "email": "", "birth_day": "", "birth_month": "", "birth_year": ""}
# Names of elements and attributes that no page of ours has and some string asks for.
STRANGERS = {"nasty", "iframe", "math", "plaintext", "xmp", "marquee", "style", "base"}


def tidy(text: str) -> str:
    """Return a line as the house keeps it: no overrides of direction, control characters as a space, nothing at its ends."""
    text = "".join(char for char in text if not 0x202A <= ord(char) <= 0x202E and not 0x2066 <= ord(char) <= 0x2069)
    is_control = [unicodedata.category(char) == "Cc" or char in "\u2028\u2029" for char in text]
    kept = [
        " " if here else char
        for place, (char, here) in enumerate(zip(text, is_control, strict=True))
        if not (here and place and is_control[place - 1])
    ]
    return "".join(kept).strip()


class Reader(HTMLParser):
    """What a browser makes of a page: its elements, its attributes and its text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []
        self.texts: list[str] = []
        self.within: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.within.append(tag)
        if tag in STRANGERS:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            is_script = name in {"href", "src", "action", "formaction"} and re.match(
                r"\s*(java|vb)script:|data:text", value or ""
            )
            if (
                name.startswith("on")
                or nasty.MARK in name
                or is_script
                or (tag == "script" and name == "src" and "//" in str(value))
            ):
                self.faults.append(f"<{tag} {name}={value}>")
            self.texts.append(value or "")

    def handle_data(self, data: str) -> None:
        if self.within and self.within[-1] == "script" and nasty.MARK in data:
            self.faults.append(f"script: {data[:40]}")
        self.texts.append(data)

    @property
    def words(self) -> str:
        """Return all text with its white space collapsed, as it is seen."""
        return seen(" ".join(self.texts))


def seen(text: str) -> str:
    return " ".join(text.split())


def read(answer: Any) -> Reader:
    """Return what an answer shows, and fail if a string became markup in it."""
    assert answer.status_code < 500
    found = Reader(answer.content.decode())
    assert found.faults == []
    return found


def fields(text: str) -> dict[str, str]:
    return {name: text[:length] for name, length in NAMES.items()}


def raw(values: dict[str, str]) -> str:
    """Return a form as it goes over the line."""
    return urlencode({**CARD, **values})


def post(browser: Browser, path: str, values: dict[str, str]) -> Any:
    return browser.post(path, raw(values), content_type="application/x-www-form-urlencoded")


@pytest.fixture
def desk(signed_in: Callable[[Role], Browser]) -> Browser:
    return signed_in(Role.OWNER)


@pytest.fixture
def book(owner: User) -> list[Client]:
    """A card for each string that can be a name, with the string in every field of it."""
    made = []
    for text in nasty.ALL:
        line = tidy(text)
        form = ClientForm({**CARD, **fields(line)}, country="FR", today=dt.date(2026, 11, 18))
        if form.is_valid():
            made.append({**form.cleaned_data, "note": text[:2000].replace("\0", "")})
    found = []
    for one in made:
        try:
            records.prepare(one)
        except Exception:  # noqa: BLE001 (nobody: tested below)
            continue
        found.append(one)
    return factories.cards(found, by=owner)


# --- in ----------------------------------------------------------------------------------------------------------


def test_there_are_five_hundred_of_them_and_each_once() -> None:
    assert len(nasty.ALL) >= 500
    assert len(nasty.ALL) == len(set(nasty.ALL))


def every_field() -> Iterator[tuple[type[forms.Form], dict[str, Any], str, dict[str, Any]]]:
    """Yield each form of a client with what it is made with, each of its text fields, and what else it needs."""
    today = {"today": dt.date(2026, 11, 18)}
    for form, made_with, rest in (
        (AddressForm, {**today, "country": "FR"}, {}),
        (ClientForm, {**today, "country": "FR"}, {"last_name": "A", "language": "fr"}),
        (NoteForm, {}, {"version": 1}),
        (HealthForm, today, {"version": 1}),
        (TagForm, {}, {}),
        (ContactForm, {"country": "FR"}, {"address": "a@b.example"}),
        (ExportForm, {"user": User(name="Olivia", email="o@example.org")}, {"preset": "contacts"}),
    ):
        for name, field in form.base_fields.items():
            if isinstance(field, forms.CharField) and not isinstance(field, forms.ChoiceField):
                yield form, made_with, name, rest


@pytest.mark.parametrize("case", list(every_field()), ids=lambda case: f"{case[0].__name__}.{case[2]}")
def test_every_text_field_takes_it_as_typed_or_says_why_not(case: Any, owner: User) -> None:
    form, made_with, name, rest = case
    field = form.base_fields[name]
    checked = name in {"email", "phone", "country", "address", "password"}
    refused = 0
    for text in nasty.ALL:
        bound = form({**rest, name: text}, **made_with)
        if bound.is_valid():
            whole = text.strip() if field.__class__ is forms.CharField and field.strip else tidy(text)
            assert checked or bound.cleaned_data[name] == whole, ascii(text)[:80]
        else:
            refused += 1
            assert all(str(error) for errors in bound.errors.values() for error in errors)
            assert checked or len(text) > field.max_length or (field.required and not tidy(text)), ascii(text)[:80]
    assert refused


def test_each_is_added_as_a_card_or_refused_with_a_sentence(desk: Browser) -> None:
    for text in nasty.some(220):
        before = Client.objects.count()
        answer = post(desk, "/clients/new/", fields(text))
        if Client.objects.count() == before:
            assert answer.status_code == 422, ascii(text)[:80]
            assert "s-errors" in (page := answer.content.decode()) or "data-error-title" in page
            read(answer)
        else:
            card = Client.objects.latest("pk")
            assert {name: getattr(card, name) for name in NAMES} == {name: tidy(v) for name, v in fields(text).items()}


def test_a_name_that_nobody_sees_is_no_name(desk: Browser) -> None:
    for text in ("\u200b", "\u3164", "\u2800", "\ufeff\u00ad", "\u202e", " \t", "\U000e0041"):
        assert post(desk, "/clients/new/", {"last_name": text}).status_code == 422, ascii(text)
    assert not Client.objects.exists()


def test_bytes_that_are_no_text_are_taken_as_signs_and_zero_bytes_refused(desk: Browser) -> None:
    form = "application/x-www-form-urlencoded"
    desk.post("/clients/new/", raw({}) + "&last_name=a%ED%A0%80%FFb", content_type=form)
    assert Client.objects.get().last_name == "a\ufffd\ufffd\ufffd\ufffdb"
    assert desk.post("/clients/new/", raw({}) + "&last_name=a%00b", content_type=form).status_code == 400
    for path in ("/clients/?q=%ED%A0%80%FF", "/search/?q=%ED%A0%80", "/clients/export/?q=%FF&purpose=%ED%B0%80"):
        assert desk.get(path, headers=HTMX).status_code == 200
        assert desk.get(path.replace("q=", "q=%00")).status_code == 400


def test_every_other_form_of_a_card_keeps_it_too(desk: Browser, owner: User) -> None:
    card = records.add(by=owner, last_name="A", email="a@example.org")
    path = f"/clients/{card.pk}"
    for text in nasty.some(20):
        card.refresh_from_db()
        version = str(card.version)
        assert post(desk, f"{path}/edit/", {**fields(text), "last_name": "A", "version": version}).status_code < 500
        card.refresh_from_db()
        assert card.first_name == tidy(text[:100])
        post(desk, f"{path}/note/", {"note": text[:2000], "version": str(card.version)})
        card.refresh_from_db()
        assert card.note == text[:2000].strip()
        address = {"street": text[:150], "city": text[:100], "postcode": "", "version": str(card.version)}
        post(desk, f"{path}/address/edit/", address)
        card.refresh_from_db()
        assert (card.street, card.city) == (tidy(text[:150]), tidy(text[:100]))
        for part, values in (("tags", {"name": text[:40]}), ("contacts", {"address": "b@example.org", "label": text[:60]})):
            answer = desk.post(f"{path}/{part}/", values, headers=HTMX)
            read(answer)
            assert answer.status_code in {200, 422}
        if tag := card.tags.first():
            assert tag.name == seen(tidy(text[:40]))[:40]
        card.tags.clear()
        Tag.objects.all().delete()
        card.contacts.all().delete()


# --- out ---------------------------------------------------------------------------------------------------------


def test_the_list_and_the_search_show_it_as_text(desk: Browser, book: list[Client]) -> None:
    words = ""
    for number in range(1, len(book) // 50 + 2):
        words += read(desk.get(f"/clients/?page={number}")).words
    missing = [ascii(card.name)[:60] for card in book if seen(card.name) not in words]
    assert missing == []


def test_any_text_can_be_searched_for(desk: Browser, book: list[Client]) -> None:
    for text in nasty.some(40):
        assert read(desk.get("/search/", {"q": text}, headers=HTMX)).texts
    for text in nasty.some(16):
        read(desk.get("/clients/", {"q": text}, headers=HTMX))
        read(desk.get("/clients/new/", {"name": text}))


@pytest.fixture
def full(owner: User) -> list[tuple[Client, list[str]]]:
    """Cards that hold some thirty strings each, in every place that takes one, and those strings."""
    texts = [text for text in nasty.some(150) if search.is_seen(tidy(text[:40]))]
    found = []
    for start in range(0, len(texts) - 30, 30):
        lines = [tidy(text[:40]) for text in texts[start : start + 30]]
        names: dict[str, Any] = {
            "last_name": lines[0],
            "first_name": lines[1],
            "street": lines[2],
            "city": lines[3],
            "postcode": lines[4][:20],
        }
        card = records.add(by=owner, note=" / ".join(lines[5:15]), **names)
        for number, line in enumerate(lines[15:20]):
            contacts.add(card, channel="email", address=f"a{number}@example.org", label=line, by=owner)
        for line in lines[20:]:
            tags.add(card, name=line, by=owner)
        found.append((card, lines))
    return found


# What each page of a card shows of the thirty: the name everywhere, and some more.
PARTS = {
    "": (0, 1, *range(5, 15), *range(20, 30)), "note/": (0, 1, *range(5, 15)), "address/": (0, 1, 2, 3), "edit/": (0, 1, 2, 3),
    "other/": (0, 1, *range(15, 30)), "privacy-form/": (0, 1, 2, 3), "?show=visits": (0, 1),
}  # fmt: skip


@pytest.mark.parametrize("part", PARTS)
def test_every_page_of_a_card_shows_it_as_text(desk: Browser, full: list[tuple[Client, list[str]]], part: str) -> None:
    for card, lines in full:
        words = read(desk.get(f"/clients/{card.pk}/{part}")).words
        assert [ascii(lines[place]) for place in PARTS[part] if seen(lines[place]) not in words] == []


def test_the_admin_shows_it_as_text(keeper: Browser, full: list[tuple[Client, list[str]]]) -> None:
    read(keeper.get("/admin/clients/client/"))
    read(keeper.get("/admin/clients/tag/"))
    read(keeper.get("/admin/clients/clientcontact/"))
    for card, lines in full:
        words = read(keeper.get(f"/admin/clients/client/{card.pk}/change/")).words
        assert [ascii(line) for line in lines[:4] if seen(line) not in words] == []


def test_the_reader_sees_what_is_not_escaped() -> None:
    for text in ("<nasty>", "<img src=x onerror=nasty()>", "<a href=javascript:nasty()>", "<script>nasty()</script>"):
        assert Reader(f"<p>{mark_safe(text)}</p>").faults
        assert not Reader(f'<p title="{escape(text)}">{escape(text)}</p>').faults
    with pytest.raises(AssertionError):
        read(HttpResponse('<p title="x" onmouseover="nasty()">'))
    assert html.unescape(escape("'\"<&>")) == "'\"<&>"


# --- there and back ----------------------------------------------------------------------------------------------


def exported(owner: User, preset: str = "everything", purpose: str = "") -> io.BytesIO:
    salon = Salon.objects.current()
    _row, content = exports.hand_over(Wanted(preset), purpose=purpose, by=owner, salon=salon, now=timezone.now())
    return io.BytesIO(content.read())


def test_an_export_holds_it_as_text_and_never_as_a_formula(owner: User, book: list[Client]) -> None:
    sheet = openpyxl.load_workbook(exported(owner)).worksheets[0]
    header = [cell.value for cell in sheet[1]]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d", "inlineStr"}
    columns = {"First name": "first_name", "Last name": "last_name", "Street": "street", "Town": "city", "Client note": "note"}
    rows = [dict(zip(header, row, strict=True)) for row in sheet.iter_rows(min_row=2, values_only=True)]
    # openpyxl leaves the escape in text that stands in its cell; Excel and calamine read what was typed.
    written = sorted(tuple(re.sub("_x005F_(?=x[0-9A-Fa-f]{4}_)", "_", row[title] or "") for title in columns) for row in rows)
    wanted = sorted(tuple(workbook.clean(getattr(card, name)) for name in columns.values()) for card in book)
    assert written == wanted


def test_a_purpose_comes_back_from_the_file(owner: User) -> None:
    records.add(by=owner, last_name="A")
    for text in nasty.some(24):
        form = ExportForm({"preset": "contacts", "purpose": text[:200]}, user=owner)
        assert form.is_valid()
        purpose = form.cleaned_data["purpose"]
        about = openpyxl.load_workbook(exported(owner, "contacts", purpose)).worksheets[1]
        found = {row[0]: row[1] for row in about.iter_rows(values_only=True)}
        assert found["Purpose"] == (workbook.clean(purpose) or "–"), ascii(text)[:80]


def test_an_empty_book_is_filled_with_the_same_from_the_file(owner: User, book: list[Client]) -> None:
    before = {as_imported(card.first_name) for card in book}
    file = exported(owner)
    Client.objects.all().delete()
    done = jobs.bring_in(file.getvalue(), "clients.xlsx", by=owner, now=timezone.now())
    assert done.state == "done"
    assert done.report["faults"] == []
    after = set(Client.objects.values_list("first_name", flat=True))
    assert after <= before
    # Two who are written with the same words but for case, accents and what nobody sees are one: nothing else is known.
    assert set(map(words_of, after)) == set(map(words_of, before))


def words_of(name: str) -> frozenset[str]:
    return frozenset(search.fold(name).split())


def as_imported(text: str) -> str:
    """Return a name as the import keeps it: composed, white space collapsed, without what only confuses."""
    joined = re.compile("(?<=\\S)[\u200c\u200d](?=\\S)|(?<=\U0001f3f4)[\U000e0020-\U000e007f]+")
    text = unicodedata.normalize("NFC", text)
    kept = {place for found in joined.finditer(text) for place in range(*found.span())}
    hidden = {"Cc", "Cf", "Co", "Cs"}
    shown = "".join(char for place, char in enumerate(text) if place in kept or unicodedata.category(char) not in hidden)
    line = seen(shown)
    return line[1:].strip() if re.match(r"'[=+\-@0-9]", line) else line
