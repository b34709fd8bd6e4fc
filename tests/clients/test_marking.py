"""Which part of a line a search marks."""

from typing import Any

import pytest
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from clients import records, search
from clients.marking import Marker
from salon.core.models import User
from salon.core.roles import Role
from tests.clients.test_pages import HTMX, SignIn

NAMES = [
    ("bert", "Amélie Bertrand", "Amélie [Bert]rand"), ("amel", "Amélie Bertrand", "[Amél]ie Bertrand"),
    ("BERTRAND amélie", "Amélie Bertrand", "[Amélie] [Bertrand]"), ("gross", "Jürgen Groß", "Jürgen [Groß]"),
    ("groß", "Jürgen Groß", "Jürgen [Groß]"), ("juergen", "Jürgen Groß", "[Jürgen] Groß"), ("jue", "Jürgen", "[Jü]rgen"),
    ("coeur", "Cœur Çelik", "[Cœur] Çelik"), ("obrien", "Anne O’Brien", "Anne [O’Brien]"),
    ("annemarie", "Anne-Marie", "[Anne-Marie]"), ("anne marie", "Anne-Marie", "[Anne]-[Marie]"),
    ("ame", "Ame\u0301lie", "[Ame\u0301]lie"), ("zzz", "Amélie", "Amélie"), ("", "Amélie", "Amélie"),
    ("a", "Ana", "[A]n[a]"), ("martin", "Martin <b>Bold</b>", "[Martin] &lt;b&gt;Bold&lt;/b&gt;"),
    ("amp", "A & amp", "A &amp; [amp]"),
    ("ost", "Østergård", "[Øst]ergård"),
]  # fmt: skip
NUMBERS = [
    ("0612", "[06 12] 44 78 90"), ("06 12", "[06 12] 44 78 90"), ("7890", "06 12 44 [78 90]"), ("+33 6 12", "0[6 12] 44 78 90"),
    ("33612447890", "0[6 12 44 78 90]"), ("0033 6", "0[6] 12 44 78 90"), ("33", "06 12 44 78 90"), ("999", "06 12 44 78 90"),
]  # fmt: skip


def plain(marked: str) -> str:
    return str(marked).replace("<mark>", "[").replace("</mark>", "]")


@pytest.mark.parametrize(("text", "name", "shown"), NAMES)
def test_the_matched_part_of_a_name_is_marked(text: str, name: str, shown: str) -> None:
    assert plain(Marker(text).words(name)) == shown


@pytest.mark.parametrize(("text", "shown"), NUMBERS)
def test_digits_are_marked_however_they_are_dialled(text: str, shown: str) -> None:
    assert plain(Marker(text).number("06 12 44 78 90", "+33612447890")) == shown


@given(st.text(max_size=20), st.text(max_size=30))
def test_a_mark_changes_no_letter_and_lets_no_tag_through(text: str, name: str) -> None:
    marked = str(Marker(text).words(name))
    without = marked.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in without
    for sign, code in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#x27;", "'"), ("&amp;", "&")):
        without = without.replace(sign, code)
    assert without == name
    assert marked.count("<mark>") == marked.count("</mark>")


@given(st.sampled_from([name for _text, name, _shown in NAMES]), st.data())
def test_whatever_part_of_a_word_finds_a_name_is_marked_in_it(name: str, data: Any) -> None:
    word = data.draw(st.sampled_from(search.fold(name).replace("<", " ").replace(">", " ").replace("/", " ").split()))
    start = data.draw(st.integers(0, max(0, len(word) - 2)))
    part = word[start : start + 3].strip("’-'&")
    if part.isalpha():
        assert "<mark>" in Marker(part).words(name)


@pytest.mark.django_db
def test_the_list_and_the_search_box_show_why_somebody_was_found(signed_in: SignIn, reception: User) -> None:
    desk: Browser = signed_in(Role.RECEPTION)
    records.add(by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="zoe.mm@example.org")
    assert "Am<mark>éli</mark>e" in desk.get("/clients/?q=eli").content.decode()
    assert "06 88 21 <mark>04 11</mark>" in desk.get("/clients/?q=0411").content.decode()
    by_email = desk.get("/clients/?q=zoe.m").content.decode()
    assert "<mark>zoe.m</mark>m@example.org" in by_email
    assert "zoe.mm" not in desk.get("/clients/?q=bert").content.decode(), "the e-mail stands only where it says why"
    assert "<mark>zoe.m</mark>m@example.org" in desk.get("/search/?q=zoe.m", headers=HTMX).content.decode()


@pytest.mark.django_db
def test_a_mark_shows_a_stylist_nothing_that_is_masked(signed_in: SignIn, reception: User) -> None:
    records.add(by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="amelie@example.org")
    shown = signed_in(Role.STYLIST).get("/clients/?q=amelie").content.decode()
    assert "<mark>Amélie</mark>" in shown
    assert "amelie@example.org" not in shown
    assert "0411" not in shown.replace(" ", "")
