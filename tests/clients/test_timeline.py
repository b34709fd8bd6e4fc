"""The timeline of a card: everything that happened, newest first, from every room, a few at a time."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import answers, records, rooms, tags, timeline
from clients.models import Client
from salon.core.models import User
from salon.core.roles import Role
from tests.clients.test_pages import body, part

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true", "HX-Target": "timeline"}
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def amelie(reception: User) -> Client:
    return records.add(by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="a@example.org")


@pytest.fixture
def desk(signed_in: SignIn) -> Browser:
    return signed_in(Role.RECEPTION)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rooms above in the place of the real ones: 30 visits on even days, 3 messages on odd ones. How many were asked for."""
    asked: list[int] = []

    def room(name: str, count: int, first: int) -> rooms.Room:
        def entries(user: User, client: Client, now: dt.datetime, limit: int) -> list[rooms.Entry]:
            asked.append(limit)
            days = range(first, first + 2 * count, 2)
            return [rooms.Entry(NOON - dt.timedelta(days=day), "note", f"{name}{day}") for day in days][:limit]

        return rooms.Room(name, name.title(), entries, lambda user, client: count)

    monkeypatch.setattr(rooms, "_rooms", {"visits": room("visits", 30, 0), "messages": room("messages", 3, 1)})
    return asked


def titles(shown: timeline.Timeline) -> list[str]:
    return [str(entry.title) for entry in shown.entries]


def told(user: User, client: Client, **asked: Any) -> timeline.Timeline:
    return timeline.of(user, client, now=timezone.now(), **asked)


def test_entries_of_all_rooms_come_newest_first_a_few_at_a_time(amelie: Client, reception: User, calls: list[int]) -> None:
    shown = told(reception, amelie)
    assert titles(shown)[0] == "Card made"
    assert titles(shown)[1:] == ["visits0", "messages1", "visits2", "messages3", "visits4", "messages5", "visits6"]
    assert (shown.older_count, shown.next_count, shown.next_shown) == (26, 26, 34)
    assert calls == [timeline.FIRST] * 2, "no room reads more than the page shows"
    assert told(reception, amelie, shown=34).older_count == 0


def test_a_kind_shows_that_kind_alone_and_an_unknown_one_all(amelie: Client, reception: User, calls: list[int]) -> None:
    messages = told(reception, amelie, kind="messages")
    assert (titles(messages), messages.older_count) == (["messages1", "messages3", "messages5"], 0)
    assert [chip.name for chip in messages.chips if chip.is_current] == ["messages"]
    assert titles(told(reception, amelie, kind="changes")) == ["Card made"]
    assert told(reception, amelie, kind="zzz").kind == ""


def test_changes_name_fields_and_never_what_stood_in_them(desk: Browser, amelie: Client, reception: User) -> None:
    records.edit(amelie, by=reception, version=1, last_name="Geheim", phone="+33755123456")
    tags.add(amelie, name="Regular", by=reception)
    entries = {str(entry.title): list(entry.details) for entry in told(reception, amelie, kind="changes").entries}
    assert entries["Details changed"] == ["last name, phone", "Sofia Klein"]
    assert entries["Tag added"] == ["Regular", "Sofia Klein"]
    shown = part(body(desk.get(f"/clients/{amelie.pk}/?show=changes")), "timeline")
    assert "last name, phone" in shown
    assert not re.search("Bertrand|Geheim|0411|123456", shown)


def test_consents_are_told_with_how_and_an_undo_is_told_with_them(amelie: Client, reception: User) -> None:
    events = answers.set_channel(amelie, "email", "yes", how="phone", by=reception)
    answers.undo(answers.undo_token(events), client=amelie, by=reception)
    answers.set_channel(amelie, "sms", "no", by=reception)
    entries = told(reception, amelie, kind="consents").entries
    assert [str(entry.title) for entry in entries] == ["No · SMS", "Yes · E-mail"]
    assert "Undone by Sofia Klein: it does not count" in entries[1].details
    assert "By phone" in [str(detail) for detail in entries[1].details]


def test_a_chip_answers_with_what_the_fresh_page_shows(desk: Browser, amelie: Client, calls: list[int]) -> None:
    for query in ("?show=visits", "?show=visits&shown=20", "?show=", "?from=q%3Dbert&show=changes"):
        address = f"/clients/{amelie.pk}/{query}"
        fresh, live = (part(body(desk.get(address, headers=headers)), "timeline") for headers in ({}, HTMX))
        assert fresh == live
    assert "Show 22 older" in part(body(desk.get(f"/clients/{amelie.pk}/?show=visits")), "timeline")
    assert "older" not in part(body(desk.get(f"/clients/{amelie.pk}/?show=visits&shown=30")), "timeline")


def test_nothing_of_a_kind_says_so(desk: Browser, amelie: Client) -> None:
    assert "Nothing yet." in part(body(desk.get(f"/clients/{amelie.pk}/?show=consents")), "timeline")


@pytest.mark.parametrize("shown", ["-1", "x", "9" * 12, "0"])
def test_nonsense_in_the_length_shows_the_first_page(desk: Browser, amelie: Client, calls: list[int], shown: str) -> None:
    assert part(body(desk.get(f"/clients/{amelie.pk}/?shown={shown}")), "timeline").count("<li>") == 8 + 5


def test_it_renews_itself_after_an_answer(desk: Browser, amelie: Client) -> None:
    assert 'hx-trigger="consent-changed from:body"' in part(body(desk.get(f"/clients/{amelie.pk}/")), "timeline")
