"""What a stylist may not see is in no answer: every page walked, every act done, with a client who gave only a number."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from appointments import booking
from appointments.models import Appointment
from clients import records
from clients.models import Client
from salon.core.errors import Refused
from salon.core.models import User
from salon.core.roles import Role
from tests import factories, people
from tests.house.permissions import TABLE
from tests.house.test_permissions import path_of

HTMX = {"HX-Request": "true"}
DIGITS, EMAIL, STREET, BORN = "688210411", "verborgen@example.org", "Verborgene Gasse", "1907"


@pytest.fixture
def hidden(things: dict[str, str], reception: User) -> Client:
    """Somebody with a number and no name, who comes to Léa tomorrow; `things` speak of them."""
    client = records.add(
        by=reception, phone=f"+33{DIGITS}", email=EMAIL, street=STREET, birth_day=14, birth_month=7, birth_year=int(BORN)
    )
    Appointment.objects.filter(pk=things["visit"]).update(client=client)
    things["client"] = str(client.pk)
    return client


def bare(response: Any) -> str:
    """Return the answer without what may stand between the digits of a number."""
    return re.sub(r"[^\w@<>]|_", "", response.content.decode().replace("<wbr>", "") + response.headers.get("Location", ""))


def shown(response: Any) -> list[str]:
    return [word for word in (DIGITS, EMAIL, STREET, BORN) if re.sub(r"[^\w@<>]|_", "", word) in bare(response)]


def acts(things: dict[str, str], client: Client) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each thing that a stylist can do to a client, as address and form."""
    visit = Appointment.objects.get(pk=things["visit"])
    day = timezone.localtime(visit.start_at).date().isoformat()
    when = {"service": things["service"], "staff": things["staff"], "on": day, "time": "14:30"}
    book = {**when, "client": things["client"], "key": "k"}
    yield "/calendar/new/", {**book, "act": "book"}
    yield "/calendar/new/", {**book, "act": "times"}
    yield "/calendar/new/", {**book, "act": f"pick-{client.pk}"}
    yield "/calendar/new/", {**book, "act": "book", "overruled": f"visit-{visit.pk}"}
    for what, channel, answer in (("reminders", "email", "no"), ("marketing", "email", "yes"), ("marketing", "sms", "yes")):
        yield f"/clients/{client.pk}/consent/", {"what": what, "channel": channel, "answer": answer, "how": "phone"}
    at = f"/appointments/{visit.pk}"
    yield f"{at}/note/", {"note": "n", "version": str(visit.version)}
    yield f"{at}/status/", {"to": "confirmed", "on": day}
    yield f"{at}/status/", {"to": "done", "on": day}
    yield f"{at}/move/", {**when, "time": "16:00", "version": "3"}
    yield f"{at}/undo/", {"token": "wrong"}
    yield f"{at}/cancel/", {}


def test_a_stylist_is_shown_no_hidden_contact_on_any_page(
    things: dict[str, str], hidden: Client, signed_in: Callable[[Role], Browser]
) -> None:
    browser = signed_in(Role.STYLIST)
    day = timezone.localtime(Appointment.objects.get(pk=things["visit"]).start_at).date()
    paths = [path_of(name, things) for name, row in TABLE.items() if row.method == "get" and Role.STYLIST in row.roles]
    paths += [
        f"/calendar/{day}/",
        f"/calendar/new/?client={hidden.pk}",
        "/search/?q=0411",
        "/clients/?q=0688",
    ]
    found = {
        (path, *headers): words
        for path in paths
        if "/accounts/" not in path
        for headers in ({}, HTMX)
        if (words := shown(browser.get(path, headers=headers)))
    }
    assert found == {}


def test_a_stylist_is_told_no_hidden_contact_by_any_act(
    things: dict[str, str], hidden: Client, signed_in: Callable[[Role], Browser]
) -> None:
    for headers in ({}, HTMX):
        browser = signed_in(Role.STYLIST)
        for path, data in acts(things, hidden):
            answer = browser.post(path, data, headers=headers)
            assert answer.status_code < 500, path
            assert (path, data, shown(answer)) == (path, data, [])
            assert (path, data, shown(browser.get("/calendar/"))) == (path, data, [])


def test_an_inactive_client_is_refused_without_a_name(
    things: dict[str, str], hidden: Client, signed_in: Callable[[Role], Browser]
) -> None:

    Client.objects.filter(pk=hidden.pk).update(inactive_at=timezone.now())
    hidden.refresh_from_db()
    visit = Appointment.objects.get(pk=things["visit"])
    start_at, by = visit.start_at + dt.timedelta(hours=2), people.user_with(Role.STYLIST)
    with pytest.raises(Refused) as refused:
        booking.book(client=hidden, staff=visit.staff, service=visit.service, start_at=start_at, by=by, now=timezone.now())
    assert DIGITS not in refused.value.message


def test_the_walk_sees_a_contact_that_is_shown(
    things: dict[str, str], hidden: Client, signed_in: Callable[[Role], Browser]
) -> None:
    assert shown(signed_in(Role.RECEPTION).get(f"/clients/{hidden.pk}/")) == [DIGITS, EMAIL, STREET, BORN]


def test_a_stylist_opens_no_card_by_booking_it_today(
    things: dict[str, str], hidden: Client, signed_in: Callable[[Role], Browser]
) -> None:
    browser = signed_in(Role.STYLIST)
    visit = Appointment.objects.get(pk=things["visit"])
    lea = people.user_with(Role.STYLIST)
    today = {"staff": visit.staff, "service": visit.service, "client": hidden, "start_at": timezone.now()}
    mine = factories.appointment(**today, created_by=lea, created_at=timezone.now())
    assert shown(browser.get(f"/clients/{hidden.pk}/")) == []
    Appointment.objects.filter(pk=mine.pk).update(created_by=people.user_with(Role.RECEPTION))
    assert shown(browser.get(f"/clients/{hidden.pk}/")) == [DIGITS, EMAIL, STREET, BORN]
