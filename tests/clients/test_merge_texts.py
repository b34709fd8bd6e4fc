"""An undo of a merge after somebody edited the joined notes: each card has its own text, what was typed since is there once."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clients import health, records
from clients.merging import merges, parting, undoing
from clients.merging.parting import Section
from clients.models import Client, HealthNote, Merge
from salon.core.models import User
from salon.core.roles import Role
from tests import factories

SignIn = Callable[[Role], Browser]
HEAD = "From the card of Zoé, written on 3 March 2026:"
SECTIONS = [Section("", "Likes tea\nNo music", is_main=True), Section(HEAD, "Allergic to PPD\nPays cash")]
JOINED = f"Likes tea\nNo music\n\n{HEAD}\nAllergic to PPD\nPays cash"
LINES = st.lists(st.integers(0, 9_999), min_size=1, max_size=5, unique=True)


@pytest.mark.parametrize(
    ("edited", "left"),
    [
        (JOINED, "Likes tea\nNo music"),
        (f"{JOINED}\nCame late in May", "Likes tea\nNo music\n\nCame late in May"),
        (f"Came late in May\n{JOINED}", "Came late in May\nLikes tea\nNo music"),
        (JOINED.replace("No music", "Loud music"), "Likes tea\nLoud music"),
        (JOINED.replace("Likes tea\n", ""), "No music"),
        # Typed into what the other card brought: under the line that says whose it is.
        (JOINED.replace("Pays cash", "Pays by card"), f"Likes tea\nNo music\n\n{HEAD}\nPays by card"),
        (JOINED.replace("Pays cash", "Never late\nPays cash"), f"Likes tea\nNo music\n\n{HEAD}\nNever late"),
        (JOINED.replace("Allergic to PPD\n", ""), "Likes tea\nNo music"),
        (JOINED.replace(f"\n\n{HEAD}\nAllergic to PPD\nPays cash", ""), "Likes tea\nNo music"),
        ("Tea, no music, no PPD", "Tea, no music, no PPD"),
        ("", ""),
        # As a browser sends it.
        (JOINED.replace("\n", "\r\n"), "Likes tea\nNo music"),
    ],
)
def test_what_the_other_card_brought_goes_and_what_was_typed_stays(edited: str, left: str) -> None:
    assert parting.left(SECTIONS, edited) == left


def test_a_text_that_came_from_the_other_card_alone_goes_with_it() -> None:
    assert parting.left([Section("", "Allergic to PPD")], "Allergic to PPD\nLikes tea") == "Likes tea"
    assert parting.left([Section("", "Allergic to PPD", is_main=True)], "Allergic to PPD\nTea") == "Allergic to PPD\nTea"


@given(own=LINES, theirs=LINES, typed=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9_999)), max_size=4))
def test_every_line_is_where_it_belongs_once(own: list[int], theirs: list[int], typed: list[tuple[int, int]]) -> None:
    mine, others = [f"mine {one}" for one in own], [f"theirs {one}" for one in theirs]
    joined = [*mine, "", "From the card of B:", *others]
    new = [f"typed {number} {one}" for number, (_at, one) in enumerate(typed)]
    for (at, _one), text in zip(typed, new, strict=True):
        joined.insert(min(at, len(joined)), text)
    sections = [Section("", "\n".join(mine), is_main=True), Section("From the card of B:", "\n".join(others))]
    found = parting.left(sections, "\n".join(joined)).splitlines()
    assert [line for line in found if line.startswith("mine")] == mine
    assert sorted(line for line in found if line.startswith("typed")) == sorted(new)
    assert not [line for line in found if line.startswith("theirs")]


@pytest.fixture
def cards(owner: User) -> tuple[Client, Client]:
    one = records.add(by=owner, first_name="Ann", last_name="Lee", phone="+33612345601", note="Likes tea")
    two = records.add(by=owner, first_name="Zoé", last_name="Lee", phone="+33612345602", note="Pays cash")
    for number, card in enumerate((one, two), start=1):
        health.agree(card, how="in_person", by=owner, now=timezone.now())
        tested_on = dt.date(2026, number, 1)
        health.write(card, text=f"Reacts to no. {number}", patch_tested_on=tested_on, version=0, by=owner, now=timezone.now())
    return one, two


def join(cards: tuple[Client, Client], by: User) -> Merge:
    return merges.merge([card.pk for card in cards], main=cards[0].pk, by=by, now=timezone.now())


def rewrite(card: Client, change: Callable[[str], str], by: User) -> None:
    """Edit both joined notes."""
    card.refresh_from_db()
    records.write_note(card, note=change(card.note), version=card.version, by=by)
    note, now = HealthNote.objects.get(client=card), timezone.now()
    text = change(note.text)
    health.write(card, text=text, patch_tested_on=note.patch_tested_on, version=note.version, by=by, now=now)


def held(card: Client) -> tuple[str, str, dt.date | None]:
    card.refresh_from_db()
    note = HealthNote.objects.filter(client=card).first()
    return card.note, note.text if note else "", note.patch_tested_on if note else None


def test_each_card_has_its_own_notes_again_and_what_was_added_stays_with_the_main_card(
    cards: tuple[Client, Client], owner: User
) -> None:
    one, two = cards
    done = join(cards, owner)
    rewrite(one, lambda text: f"{text}\nAdded since", owner)
    undoing.undo(done, by=owner, now=timezone.now())
    assert held(one) == ("Likes tea\n\nAdded since", "Reacts to no. 1\n\nAdded since", dt.date(2026, 1, 1))
    assert held(two) == ("Pays cash", "Reacts to no. 2", dt.date(2026, 2, 1))


def test_without_an_edit_both_are_as_before(cards: tuple[Client, Client], owner: User) -> None:
    one, two = cards
    before = [held(one), held(two)]
    done = join(cards, owner)
    assert "Reacts to no. 2" in held(one)[1]
    undoing.undo(done, by=owner, now=timezone.now())
    assert [held(one), held(two)] == before


def test_notes_that_were_emptied_since_stay_empty_on_the_main_card_alone(cards: tuple[Client, Client], owner: User) -> None:
    one, two = cards
    done = join(cards, owner)
    one.refresh_from_db()
    records.write_note(one, note="", version=one.version, by=owner)
    version = HealthNote.objects.get(client=one).version
    health.write(one, text="", patch_tested_on=None, version=version, by=owner, now=timezone.now())
    undoing.undo(done, by=owner, now=timezone.now())
    assert held(one) == ("", "", None)
    assert held(two) == ("Pays cash", "Reacts to no. 2", dt.date(2026, 2, 1))


def test_a_health_note_that_only_the_other_card_had_goes_with_it(owner: User) -> None:
    one, two = factories.cards([{"first_name": "Ann"}, {"first_name": "Zoé"}], by=owner)
    for card in (one, two):
        health.agree(card, how="in_person", by=owner, now=timezone.now())
    health.write(two, text="Asthma", patch_tested_on=None, version=0, by=owner, now=timezone.now())
    done = join((one, two), owner)
    note, now = HealthNote.objects.get(client=one), timezone.now()
    health.write(one, text=f"{note.text}\nNo ammonia", patch_tested_on=None, version=note.version, by=owner, now=now)
    undoing.undo(done, by=owner, now=timezone.now())
    assert (held(one)[1], held(two)[1]) == ("No ammonia", "Asthma")


def test_a_health_note_written_anew_since_stays_whatever_its_version(cards: tuple[Client, Client], owner: User) -> None:
    one, two = cards
    done = join(cards, owner)
    joined = HealthNote.objects.get(client=one).version
    how: dict[str, Any] = {"patch_tested_on": None, "by": owner}
    health.write(one, text="", version=joined, now=timezone.now(), **how)
    for version in range(joined):
        health.write(one, text=f"Never PPD ({version + 1})", version=version, now=timezone.now(), **how)
    assert HealthNote.objects.get(client=one).version == joined
    undoing.undo(done, by=owner, now=timezone.now())
    assert (held(one)[1], held(two)[1]) == (f"Never PPD ({joined})", "Reacts to no. 2")


def test_a_health_note_written_after_a_new_yes_stays_whatever_its_version(owner: User) -> None:
    one, two = factories.cards([{"first_name": "Ann"}, {"first_name": "Zoé"}], by=owner)
    for card in (one, two):
        health.agree(card, how="in_person", by=owner, now=timezone.now())
    health.write(two, text="Asthma", patch_tested_on=None, version=0, by=owner, now=timezone.now())
    done = join((one, two), owner)
    joined = HealthNote.objects.get(client=one).version
    health.withdraw(one, by=owner, now=timezone.now())
    health.agree(one, how="in_person", by=owner, now=timezone.now())
    for version in range(joined):
        health.write(one, text="Never PPD", patch_tested_on=None, version=version, by=owner, now=timezone.now())
    undoing.undo(done, by=owner, now=timezone.now())
    assert held(one)[1] == "Never PPD"


def test_the_page_says_what_stays_where_before_it_is_undone(cards: tuple[Client, Client], owner: User, signed_in: SignIn) -> None:
    done = join(cards, owner)
    desk, path = signed_in(Role.RECEPTION), f"/clients/merges/{done.pk}/undo/"
    assert "edited since" not in desk.get(path).content.decode()
    rewrite(cards[0], lambda text: f"{text}\nAdded since", owner)
    page = desk.get(path).content.decode()
    assert "on Zoé Lee stays: “Likes tea" in page
    assert "Added since" in page
    assert "The health note was edited since" in page
    assert "Reacts to" not in page
