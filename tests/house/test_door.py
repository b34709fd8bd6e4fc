"""Nonsense in an address, a cookie or a form is answered as nonsense: never a 500, and nothing is half done."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from appointments.models import Appointment, Service, Staff
from salon.core import dates, web
from salon.core.roles import Role

SignIn = Callable[[Role], Browser]
LONG = "9" * 5000
BIG = "9" * 25


@pytest.fixture
def owner_browser(signed_in: SignIn) -> Browser:
    return signed_in(Role.OWNER)


def visit_of(things: dict[str, str]) -> Appointment:
    return Appointment.objects.get(pk=things["visit"])


@pytest.mark.parametrize("path", ["/clients/?q=a%00", "/search/?q=%00", "/calendar/new/?client=%00", "/%00/", "/clients/?%00=1"])
def test_a_zero_byte_in_an_address_is_a_400_with_a_page(owner_browser: Browser, path: str) -> None:
    answer = owner_browser.get(path)
    assert (answer.status_code, b"This page cannot be opened" in answer.content) == (400, True)


@pytest.mark.parametrize("name", ["q", "phone", "note", "key"])
def test_a_zero_byte_in_a_form_is_a_400(owner_browser: Browser, name: str) -> None:
    assert owner_browser.post("/calendar/new/", {name: "0688\0", "act": "find"}).status_code == 400


@pytest.mark.django_db
def test_a_session_cookie_with_a_zero_byte_is_no_session(salon: object) -> None:
    answer = Browser().get("/clients/", headers={"Cookie": 'sessionid="a\\000b"'})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/?next=/clients/")


@pytest.mark.parametrize(
    "text", ["", "-", "2026-02-31", "2026-13-45", "0000-00-00", "1999-12-31", "2101-01-01", "9999-12-31", LONG]
)
def test_no_day_is_read_from_nonsense(text: str) -> None:
    assert dates.read(text) is None


def test_a_day_is_read() -> None:
    assert dates.read("2026-11-18") == dt.date(2026, 11, 18)


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31", "2026-02-31"])
def test_a_day_out_of_range_has_no_page(owner_browser: Browser, day: str) -> None:
    assert owner_browser.get(f"/calendar/{day}/").status_code == 404


@pytest.mark.parametrize("day", [dates.FIRST_DAY, dates.LAST_DAY])
def test_the_first_and_the_last_day_have_a_page(owner_browser: Browser, things: dict[str, str], day: dt.date) -> None:
    assert owner_browser.get(f"/calendar/{day}/").status_code == 200
    query = {"on": day.isoformat(), "service": things["service"], "staff": things["staff"]}
    assert owner_browser.get("/calendar/new/", query).status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        {"on": "9999-12-31"}, {"on": "0001-01-01"}, {"start": "0001-01-01T00:00Z"}, {"start": "9999-12-31T23:59-12:00"},
        {"start": "9999-12-31"}, {"client": BIG}, {"client": LONG}, {"staff": LONG}, {"service": BIG},
    ],
)  # fmt: skip
def test_the_booking_page_opens_with_nonsense_in_its_address(
    owner_browser: Browser, things: dict[str, str], query: dict[str, str]
) -> None:
    answer = owner_browser.get("/calendar/new/", {"service": things["service"], "staff": things["staff"], **query})
    assert answer.status_code == 200


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("act", ["book", "times", "slot-{staff}-{day}T00:00"])
def test_booking_and_moving_on_a_day_out_of_range_is_refused(
    owner_browser: Browser, things: dict[str, str], day: str, act: str
) -> None:
    act = act.format(staff=things["staff"], day=day)
    data = {"service": things["service"], "staff": things["staff"], "on": day, "time": "10:00", "key": "k", "version": "1"}
    for path in ("/calendar/new/", f"/appointments/{things['visit']}/move/"):
        answer = owner_browser.post(
            path, {**data, "client": things["client"], "act": "move" if "move" in path and act == "book" else act}
        )
        assert answer.status_code in {200, 422}
    assert Appointment.objects.count() == 1


def test_a_state_is_saved_and_answered_whatever_day_it_names(owner_browser: Browser, things: dict[str, str]) -> None:
    path = f"/appointments/{things['visit']}/status/"
    answer = owner_browser.post(path, {"to": "confirmed", "on": "2026-02-31"}, headers={"HX-Request": "true"})
    assert (answer.status_code, visit_of(things).state) == (200, "confirmed")


@pytest.mark.parametrize("target", ["foo", "23:59", "é", "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\x"])
def test_next_leads_nowhere_but_to_a_path_of_ours(owner_browser: Browser, things: dict[str, str], target: str) -> None:
    answer = owner_browser.post(f"/appointments/{things['visit']}/status/", {"to": "confirmed", "next": target})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/appointments/{things['visit']}/")


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_next_is_written_as_an_address(owner_browser: Browser, things: dict[str, str], headers: dict[str, str]) -> None:
    data = {"token": "x", "next": "/clients/?q=Zoé\r\nX-Evil: 1"}
    answer = owner_browser.post(f"/appointments/{things['visit']}/undo/", data, headers=headers)
    to = answer.headers.get("Location") or answer.headers["HX-Redirect"]
    assert to == "/clients/?q=Zo%C3%A9%0D%0AX-Evil:%201"


@pytest.mark.parametrize("text", ["", "-1", "²", "١٢", "1e9", BIG, LONG])
def test_no_number_is_read_from_nonsense(text: str) -> None:
    assert web.whole(text) is None


@pytest.mark.parametrize("version", [BIG, LONG])
def test_a_version_that_nobody_gave_is_no_crash(owner_browser: Browser, things: dict[str, str], version: str) -> None:
    client, visit = things["client"], things["visit"]
    answers: dict[str, Any] = {
        path: owner_browser.post(path, {"version": version, "to": "confirmed", "note": "n", "first_name": "A", "language": "fr"})
        for path in (
            f"/clients/{client}/edit/", f"/clients/{client}/note/", f"/appointments/{visit}/note/",
            f"/appointments/{visit}/move/", f"/appointments/{visit}/status/", f"/appointments/{visit}/cancel/",
        )
    }  # fmt: skip
    assert {path: answer.status_code for path, answer in answers.items() if answer.status_code >= 500} == {}


@pytest.mark.parametrize("number", [BIG, LONG])
def test_a_row_or_page_beyond_every_number_is_missing_or_the_nearest(owner_browser: Browser, salon: object, number: str) -> None:
    for path in (f"/clients/{number}/", f"/appointments/{number}/", f"/settings/staff/{number}/", f"/messages/{number}/resend/"):
        assert (path, owner_browser.get(path).status_code) == (path, 404)
    for path in (f"/clients/?page={number}", f"/messages/?page={number}", f"/messages/?client={number}"):
        assert (path, owner_browser.get(path).status_code) == (path, 200)


@pytest.mark.parametrize("name", ["service", "staff"])
def test_an_act_that_no_button_has_saves(owner_browser: Browser, things: dict[str, str], name: str) -> None:
    path = reverse(f"appointments:{name}_edit", args=[things[name]])
    data = {"name": "Coupe courte", "duration_minutes": "30", "price": "10", "position": "0", "color": "1", "act": "made up"}
    assert owner_browser.post(path, data).status_code == 303
    row = (Service if name == "service" else Staff).objects.get(pk=things[name])
    assert row.name == "Coupe courte"
