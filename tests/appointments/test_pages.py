"""The pages of the visits, read and pressed as a browser without JavaScript would, and as htmx would."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from appointments import booking, slips
from appointments.models import Appointment, Service, Staff, State, WorkingHours
from clients.erasure import act
from clients.models import Client
from salon.core.models import User
from salon.core.roles import Role
from tests import factories, people

PARIS = ZoneInfo("Europe/Paris")
HTMX = {"HX-Request": "true"}
SignIn = Callable[[Role], Browser]


def a_workday() -> dt.date:
    """The next day but one that is no Sunday: ahead of now in every zone."""
    on = dt.datetime.now(PARIS).date() + dt.timedelta(days=2)
    return on + dt.timedelta(days=1) if on.weekday() == 6 else on


def at(hour: int, minute: int = 0, on: dt.date | None = None) -> dt.datetime:
    return dt.datetime.combine(on or a_workday(), dt.time(hour, minute), PARIS)


def html_of(response: Any) -> str:
    return str(response.content.decode())


@pytest.fixture
def desk(signed_in: SignIn) -> Browser:
    return signed_in(Role.RECEPTION)


@pytest.fixture
def lea(salon: object) -> Staff:
    """Léa's column; she signs in as the cast's stylist."""
    return factories.staff(name="Léa", user=people.user_with(Role.STYLIST))


def client_of(visit: Appointment) -> Client:
    assert visit.client
    return visit.client


def filled(**fields: Any) -> dict[str, Any]:
    """A booking form as a person would send it."""
    values = {"on": a_workday().isoformat(), "time": "14:30", "note": "", "key": "press-1", "act": "book", **fields}
    for name in ("client", "staff", "service"):
        if hasattr(values.get(name), "pk"):
            values[name] = values[name].pk
    return values


# --- the day ----------------------------------------------------------------------------------------------------


def test_the_day_shows_visits_gaps_and_facts(desk: Browser, lea: Staff) -> None:
    visit = factories.appointment(staff=lea, start_at=at(14, 30))
    html = html_of(desk.get(reverse("appointments:day", args=[a_workday()])))
    assert client_of(visit).name in html
    assert "1 appointment" in html
    assert "Free 09:00–14:30" in html
    assert "Free 15:15–19:00" in html
    assert "Next free: Léa 09:00" in html
    assert f"?staff={lea.pk}&amp;start={a_workday().isoformat()}T09:00" in html


def test_the_days_fragment_is_the_same_as_in_the_page(desk: Browser, lea: Staff) -> None:
    factories.appointment(staff=lea, start_at=at(14, 30))
    address = reverse("appointments:day", args=[a_workday()])
    whole, part = html_of(desk.get(address)), html_of(desk.get(address, headers=HTMX))
    strip = re.compile(r'<input type="hidden" name="csrfmiddlewaretoken"[^>]*>|\s+')
    assert strip.sub("", part) in strip.sub("", whole)


def test_the_number_of_queries_does_not_grow_with_the_visits(desk: Browser, lea: Staff) -> None:
    address = reverse("appointments:day", args=[a_workday()])
    factories.appointment(staff=lea, start_at=at(9))
    desk.get(address)  # the first request of a session writes it
    with CaptureQueriesContext(connection) as few:
        desk.get(address)
    for hour in range(10, 18):
        factories.appointment(staff=factories.staff(name=f"N{hour}"), start_at=at(hour))
    with CaptureQueriesContext(connection) as many:
        desk.get(address)
    assert len(many) == len(few)


def test_a_sunday_without_anybody_says_so_and_leads_to_the_hours(signed_in: SignIn, lea: Staff) -> None:
    sunday = a_workday() + dt.timedelta(days=6 - a_workday().weekday())
    html = html_of(signed_in(Role.OWNER).get(reverse("appointments:day", args=[sunday])))
    assert "Nobody works on this day" in html
    assert reverse("appointments:staff") in html


@pytest.mark.parametrize("path", ["/calendar/2026-02-31/", "/calendar/9999-12-31/", "/calendar/0001-01-01/"])
def test_a_day_that_is_none_is_not_found(desk: Browser, path: str) -> None:
    assert desk.get(path).status_code == 404


def test_go_to_date_goes_there(desk: Browser) -> None:
    response = desk.get(reverse("appointments:today"), {"on": "2026-11-18"})
    assert (response.status_code, response.headers["Location"]) == (303, "/calendar/2026-11-18/")
    assert desk.get(reverse("appointments:today"), {"on": "2026-02-31"}).status_code == 303


def test_cancelled_visits_are_folded_and_leave_their_time_free(desk: Browser, lea: Staff) -> None:
    factories.appointment(staff=lea, start_at=at(14), state=State.CANCELLED, cancelled_at=at(9))
    html = html_of(desk.get(reverse("appointments:day", args=[a_workday()])))
    assert "1 cancelled" in html
    assert "0 appointments" in html
    assert "Free 09:00–19:00" in html


# --- one click to the next state ----------------------------------------------------------------------------------


def test_one_click_confirms_and_offers_undo(desk: Browser, lea: Staff) -> None:
    visit = factories.appointment(staff=lea, start_at=at(14, 30))
    address, day = reverse("appointments:status", args=[visit.pk]), reverse("appointments:day", args=[a_workday()])
    html = html_of(desk.get(day))
    assert f'id="visit-{visit.pk}-next"' in html
    data = {"to": "confirmed", "version": visit.version, "on": a_workday().isoformat(), "next": day}
    answer = desk.post(address, data, headers=HTMX)
    visit.refresh_from_db()
    assert visit.state == State.CONFIRMED
    assert 'id="agenda"' in html_of(answer)
    assert reverse("appointments:undo", args=[visit.pk]) in html_of(answer)
    data = {"to": "booked", "version": visit.version, "next": day}
    assert desk.post(address, data).headers["Location"] == day


def test_a_click_on_an_old_page_changes_nothing_and_shows_how_it_stands(desk: Browser, lea: Staff) -> None:
    visit = factories.appointment(staff=lea, start_at=at(14, 30))
    old = visit.version
    booking.cancel(visit, by=people.user_with(Role.RECEPTION), now=at(8), is_notice_wanted=False)
    data = {"to": "confirmed", "version": old, "on": a_workday().isoformat()}
    answer = desk.post(reverse("appointments:status", args=[visit.pk]), data, headers=HTMX)
    assert answer.status_code == 409
    assert "Somebody changed this visit meanwhile" in html_of(answer)
    visit.refresh_from_db()
    assert visit.state == State.CANCELLED


# --- booking ------------------------------------------------------------------------------------------------------


def test_a_free_gap_opens_the_form_with_person_and_time(desk: Browser, lea: Staff) -> None:
    page = html_of(desk.get(reverse("appointments:book"), {"staff": str(lea.pk), "start": f"{a_workday()}T09:30"}))
    assert 'value="09:30"' in page
    assert f'value="{a_workday()}"' in page
    assert f'<option value="{lea.pk}" selected>' in page


def test_a_visit_is_booked_and_can_be_undone(desk: Browser, lea: Staff) -> None:
    client, service = factories.client(), factories.service()
    data = filled(client=client, staff=lea, service=service, is_notice_wanted="on", note="Short fringe")
    answer = desk.post(reverse("appointments:book"), data)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/calendar/{a_workday()}/")
    visit = Appointment.objects.get()
    assert (visit.client, visit.start_at, visit.note, visit.is_notice_wanted) == (client, at(14, 30), "Short fringe", True)
    html = html_of(desk.get(answer.headers["Location"]))
    assert f"is booked, {a_workday():%a} {a_workday().day} {a_workday():%b} 14:30 with Léa." in html
    token = re.search(r'name="token" value="([^"]+)"', html)
    assert token
    desk.post(reverse("appointments:undo", args=[visit.pk]), {"token": token.group(1)})
    visit.refresh_from_db()
    assert visit.state == State.CANCELLED


def test_a_double_click_books_once(desk: Browser, lea: Staff) -> None:
    data = filled(first_name="Zoé", staff=lea, service=factories.service())
    for _ in range(2):
        assert desk.post(reverse("appointments:book"), data).status_code == 303
    assert (Appointment.objects.count(), Client.objects.count()) == (1, 1)


def test_the_same_form_with_other_details_is_refused(desk: Browser, lea: Staff) -> None:
    values = {"client": factories.client(), "staff": lea, "service": factories.service()}
    desk.post(reverse("appointments:book"), filled(**values))
    answer = desk.post(reverse("appointments:book"), filled(**values, time="16:30"))
    assert answer.status_code == 422
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize("newcomer", [{"first_name": "Zoé"}, {"last_name": "Petit"}, {"phone": "06 12 34 56 78"}])
def test_somebody_new_needs_no_more_than_one_of_three(desk: Browser, lea: Staff, newcomer: dict[str, str]) -> None:
    answer = desk.post(reverse("appointments:book"), filled(staff=lea, service=factories.service(), **newcomer))
    assert answer.status_code == 303
    assert Appointment.objects.get().client == Client.objects.get()


def test_somebody_new_may_give_an_address_to_be_told_at(desk: Browser, lea: Staff) -> None:
    data = filled(staff=lea, service=factories.service(), first_name="Zoé", email="Zoe@Example.org ", is_notice_wanted="on")
    wrong = desk.post(reverse("appointments:book"), data | {"email": "zoe@"})
    assert wrong.status_code == 422
    assert "Enter an e-mail address, like anna@example.org" in html_of(wrong)
    assert desk.post(reverse("appointments:book"), data).status_code == 303
    assert Client.objects.get().email == "zoe@example.org"
    assert Appointment.objects.get().is_notice_wanted


def test_an_address_alone_is_nobody(desk: Browser, lea: Staff) -> None:
    data = filled(staff=lea, service=factories.service(), email="zoe@example.org")
    assert desk.post(reverse("appointments:book"), data).status_code == 422
    assert not Client.objects.exists()


def test_nobody_at_all_is_asked_for(desk: Browser, lea: Staff) -> None:
    answer = desk.post(reverse("appointments:book"), filled(staff=lea, service=factories.service(), note="typed"))
    assert answer.status_code == 422
    assert "Choose a client, or give a name or a phone number." in html_of(answer)
    assert "typed" in html_of(answer)


def test_a_new_client_does_not_stay_behind_when_the_booking_is_refused(desk: Browser, lea: Staff) -> None:
    factories.appointment(staff=lea, start_at=at(14, 30))
    before = Client.objects.count()
    desk.post(reverse("appointments:book"), filled(first_name="Zoé", staff=lea, service=factories.service()))
    assert Client.objects.count() == before


def test_a_taken_time_names_what_is_in_the_way_keeps_everything_and_can_be_booked_anyway(desk: Browser, lea: Staff) -> None:
    other = factories.appointment(staff=lea, start_at=at(14), service=factories.service(name="Balayage"))
    data = filled(client=factories.client(), staff=lea, service=factories.service(), note="Short fringe")
    answer = desk.post(reverse("appointments:book"), data)
    html = html_of(answer)
    assert answer.status_code == 409
    assert f"14:00–14:45, {client_of(other).name}, Balayage" in html
    assert "Book anyway" in html
    assert "Short fringe" in html
    assert 'value="14:30"' in html
    overruled = re.search(r'name="overruled" value="([^"]+)"', html)
    assert overruled
    assert desk.post(reverse("appointments:book"), data | {"overruled": overruled.group(1)}).status_code == 303
    assert Appointment.objects.get(note="Short fringe").is_overbooked


def test_overruling_one_objection_does_not_overrule_another(desk: Browser, lea: Staff) -> None:
    factories.appointment(staff=lea, start_at=at(14))
    data = filled(client=factories.client(), staff=lea, service=factories.service(), overruled="hours,past")
    assert desk.post(reverse("appointments:book"), data).status_code == 409


def test_outside_working_hours_is_a_warning(desk: Browser, lea: Staff) -> None:
    data = filled(client=factories.client(), staff=lea, service=factories.service(), time="20:00")
    answer = desk.post(reverse("appointments:book"), data)
    assert answer.status_code == 409
    assert "Léa does not work at this time." in html_of(answer)
    assert desk.post(reverse("appointments:book"), data | {"overruled": "hours"}).status_code == 303
    assert not Appointment.objects.get().is_overbooked


def test_a_time_in_the_past_is_warned_of_and_told_to_nobody(desk: Browser, lea: Staff) -> None:
    data = filled(
        client=factories.client(), staff=lea, service=factories.service(), on="2026-01-07", is_notice_wanted="on"
    )  # fmt: skip
    assert "in the past" in html_of(desk.post(reverse("appointments:book"), data))
    desk.post(reverse("appointments:book"), data | {"overruled": "past"})
    assert not Appointment.objects.get().is_notice_wanted


def test_a_time_that_the_clock_leaves_out_is_refused_in_words(desk: Browser, lea: Staff) -> None:
    data = filled(client=factories.client(), staff=lea, service=factories.service(), on="2027-03-28", time="02:30")
    answer = desk.post(reverse("appointments:book"), data)
    assert answer.status_code == 422
    assert "02:30 does not exist on 28 March" in html_of(answer)


def test_finding_and_choosing_a_client_keeps_what_was_typed_and_shows_the_note(desk: Browser, lea: Staff) -> None:
    client = factories.client(first_name="Karim", last_name="Benali", note="Allergic to henna", search_text="karim benali |")
    service = factories.service()
    found = html_of(desk.post(reverse("appointments:book"), filled(q="benali", act="find", note="Short", service=service)))
    assert "Karim Benali" in found
    assert f'value="pick-{client.pk}"' in found
    chosen = html_of(desk.post(reverse("appointments:book"), filled(act=f"pick-{client.pk}", note="Short", service=service)))
    assert "Allergic to henna" in chosen
    assert "Short" in chosen
    assert "checked" in chosen  # Tell the client: there is an address
    assert Appointment.objects.count() == 0


def test_free_times_fill_person_day_and_time(desk: Browser, lea: Staff) -> None:
    service = factories.service()
    html = html_of(desk.post(reverse("appointments:book"), filled(act="times", staff=lea, service=service, time="")))
    act = f"slot-{lea.pk}-{a_workday()}T09:00"
    assert act in html
    assert 'value="09:00"' in html_of(desk.post(reverse("appointments:book"), filled(act=act, service=service, time="")))


def test_a_day_without_room_offers_the_first_one_after_it(desk: Browser, lea: Staff) -> None:
    sunday = a_workday() + dt.timedelta(days=6 - a_workday().weekday())
    data = filled(act="times", staff=lea, service=factories.service(), time="", on=sunday.isoformat())
    html = html_of(desk.post(reverse("appointments:book"), data))
    assert f"slot-{lea.pk}-{sunday + dt.timedelta(days=1)}T09:00" in html


def test_the_whole_day_is_shown_by_part_of_the_day(desk: Browser, lea: Staff) -> None:
    service = factories.service()
    html = html_of(desk.post(reverse("appointments:book"), filled(act="times", staff=lea, service=service, time="")))
    assert html.index(">Morning<") < html.index("T11:45") < html.index(">Afternoon<") < html.index(">Evening<")
    assert html.count('value="slot-') == 38  # 9:00 to 18:15 in quarters, for 45 minutes until 19:00
    assert "more free times" not in html


def test_times_of_many_people_are_shown_once_each_to_the_end_of_the_day(desk: Browser, lea: Staff) -> None:
    factories.staff(name="Marco")
    data = filled(act="times", service=factories.service(), time="")
    html = html_of(desk.post(reverse("appointments:book"), data | {"staff": ""}))
    assert html.count('value="slot-') == 38
    assert "T18:15" in html
    assert "Choose one person to see all of theirs." in html


def test_no_free_times_say_why(desk: Browser, lea: Staff) -> None:
    def said(**fields: Any) -> str:
        return html_of(desk.post(reverse("appointments:book"), filled(act="times", staff=lea, time="", **fields)))

    service = factories.service()
    assert "Choose a service to see the free times." in said()
    for on in ("", "no day"):
        assert "Choose a day to see the free times." in said(service=service, on=on)
    past = said(service=service, on="2026-01-07")
    assert "This day is in the past." in past
    assert "No free time" not in past
    WorkingHours.objects.all().delete()
    assert "No free time on this day and in the three weeks after it." in said(service=service)


# --- a stylist ----------------------------------------------------------------------------------------------------


def test_a_stylist_sees_everybody_and_books_in_the_own_column_only(signed_in: SignIn, lea: Staff) -> None:
    marco = factories.staff(name="Marco")
    theirs = factories.appointment(staff=marco, start_at=at(14, 30))
    browser = signed_in(Role.STYLIST)
    html = html_of(browser.get(reverse("appointments:day", args=[a_workday()])))
    assert client_of(theirs).name in html
    assert f"?staff={lea.pk}&amp;" in html
    assert f"?staff={marco.pk}&amp;" not in html
    data = filled(client=factories.client(), staff=marco, service=factories.service(), time="10:00")
    assert browser.post(reverse("appointments:book"), data).status_code == 422
    assert browser.post(reverse("appointments:book"), data | {"staff": lea.pk}).status_code == 303


@pytest.mark.parametrize("name", ["move", "cancel", "status", "note", "undo"])
def test_a_stylist_changes_nothing_in_anothers_column(signed_in: SignIn, lea: Staff, name: str) -> None:
    theirs = factories.appointment(staff=factories.staff(name="Marco"), start_at=at(14, 30))
    browser = signed_in(Role.STYLIST)
    assert browser.get(reverse("appointments:detail", args=[theirs.pk])).status_code == 200
    data = {"to": "confirmed", "version": 1, "token": slips.token(theirs), "note": "x"}
    assert browser.post(reverse(f"appointments:{name}", args=[theirs.pk]), data).status_code == 403
    theirs.refresh_from_db()
    assert (theirs.state, theirs.version, theirs.note) == (State.BOOKED, 1, "")


def test_a_stylist_makes_no_new_cards(signed_in: SignIn, lea: Staff) -> None:
    browser = signed_in(Role.STYLIST)
    assert "Or somebody new" not in html_of(browser.get(reverse("appointments:book")))
    answer = browser.post(reverse("appointments:book"), filled(first_name="Zoé", staff=lea, service=factories.service()))
    assert answer.status_code == 422
    assert Client.objects.count() == 0


def test_contacts_are_masked_for_a_stylist_unless_the_visit_is_their_own_today(signed_in: SignIn, lea: Staff) -> None:
    theirs = factories.appointment(staff=factories.staff(name="Marco"), start_at=at(14, 30))
    email = client_of(theirs).email
    pages = [reverse("appointments:detail", args=[theirs.pk]), reverse("appointments:of_client", args=[theirs.client_id])]
    browser = signed_in(Role.STYLIST)
    for address in pages:
        assert email not in html_of(browser.get(address))
    now = dt.datetime.now(PARIS)
    factories.appointment(staff=lea, client=theirs.client, start_at=now)
    assert email in html_of(browser.get(pages[0]))


@pytest.mark.parametrize(
    ("role", "why", "leads_to_staff"),
    [
        (Role.OWNER, "Add the first person, then the services", True),
        (Role.RECEPTION, "Ask the owner to add the first person", False),
        (Role.STYLIST, "Your account has no column in the calendar yet. Ask the owner", False),
    ],
)
def test_who_finds_nobody_to_book_for_reads_what_to_do(
    role: Role, why: str, leads_to_staff: bool, signed_in: SignIn, salon: object
) -> None:
    """A stylist without a column books for nobody either, and books nothing by posting."""
    browser = signed_in(role)
    answer = browser.get(reverse("appointments:book"))
    assert answer.status_code == 200
    nobody = html_of(answer).split('id="nobody"')[1].split("</main>")[0]
    assert why in nobody
    assert (reverse("appointments:staff") in nobody) is leads_to_staff
    assert browser.post(reverse("appointments:book"), {"act": "book"}).status_code == 200
    assert not Appointment.objects.exists()


def test_a_stylist_without_a_column_is_not_asked_to_book_again(signed_in: SignIn, salon: object) -> None:
    theirs = factories.appointment(start_at=at(14, 30))
    assert "Book again" not in html_of(signed_in(Role.STYLIST).get(reverse("appointments:detail", args=[theirs.pk])))


# --- one visit ----------------------------------------------------------------------------------------------------


@pytest.fixture
def visit(lea: Staff) -> Appointment:
    return factories.appointment(staff=lea, start_at=at(14, 30), note="Short fringe")


def test_the_visit_page_says_who_what_and_when(desk: Browser, visit: Appointment) -> None:
    html = html_of(desk.get(reverse("appointments:detail", args=[visit.pk])))
    for words in (client_of(visit).name, "Coupe", "Léa", "45\u00a0min", "€42", "Short fringe", "Booked"):
        assert words in html


def test_the_visits_fragment_is_the_same_as_in_the_page(desk: Browser, visit: Appointment) -> None:
    address = reverse("appointments:detail", args=[visit.pk])
    whole, part = html_of(desk.get(address)), html_of(desk.get(address, headers=HTMX))
    strip = re.compile(r'<input type="hidden" name="csrfmiddlewaretoken"[^>]*>|\s+')
    assert strip.sub("", part) in strip.sub("", whole)


def test_a_visit_is_moved_with_undo(desk: Browser, visit: Appointment) -> None:
    address = reverse("appointments:move", args=[visit.pk])
    assert 'value="14:30"' in html_of(desk.get(address))
    data = {
        "service": visit.service_id, "staff": visit.staff_id, "on": a_workday().isoformat(), "time": "16:00",
        "version": visit.version, "is_notice_wanted": "on",
    }  # fmt: skip
    assert desk.post(address, data).status_code == 303
    visit.refresh_from_db()
    assert (visit.start_at, visit.time_version, visit.is_notice_wanted) == (at(16), 2, True)
    html = html_of(desk.get(reverse("appointments:detail", args=[visit.pk])))
    assert f"is moved to {a_workday():%a} {a_workday().day} {a_workday():%b} 16:00 with Léa." in html
    assert desk.post(address, data | {"time": "17:00"}).status_code == 409  # an old page
    visit.refresh_from_db()
    assert visit.start_at == at(16)


def test_a_move_to_where_the_visit_is_says_that_nothing_changed(desk: Browser, visit: Appointment) -> None:
    data = {
        "service": visit.service_id, "staff": visit.staff_id, "on": a_workday().isoformat(), "time": "14:30",
        "version": visit.version,
    }  # fmt: skip
    answer = desk.post(reverse("appointments:move", args=[visit.pk]), data)
    html = html_of(desk.get(answer.headers["Location"]))
    assert "Nothing changed" in html
    assert reverse("appointments:undo", args=[visit.pk]) not in html
    visit.refresh_from_db()
    assert (visit.time_version, visit.version) == (1, 1)


@pytest.mark.parametrize("name", ["move", "cancel"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_cancelled_visit_has_no_form_but_can_be_booked_again(
    desk: Browser, visit: Appointment, owner: User, name: str, method: str
) -> None:
    booking.cancel(visit, by=owner, now=at(8), is_notice_wanted=False)
    page = reverse("appointments:detail", args=[visit.pk])
    answer = getattr(desk, method)(reverse(f"appointments:{name}", args=[visit.pk]), {"version": visit.version})
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    html = html_of(desk.get(page))
    assert "This visit is cancelled." in html
    again = re.search(r'id="book-again" href="([^"]+)"', html)
    assert again
    assert 'value="14:30"' in html_of(desk.get(again.group(1).replace("&amp;", "&")))


def test_moving_onto_another_visit_names_it(desk: Browser, visit: Appointment) -> None:
    factories.appointment(staff=visit.staff, start_at=at(16), service=factories.service(name="Balayage"))
    data = {
        "service": visit.service_id, "staff": visit.staff_id, "on": a_workday().isoformat(), "time": "16:00",
        "version": visit.version,
    }  # fmt: skip
    answer = desk.post(reverse("appointments:move", args=[visit.pk]), data)
    assert answer.status_code == 409
    assert "Balayage" in html_of(answer)
    assert "Move anyway" in html_of(answer)


def test_cancelling_asks_whether_to_tell_the_client(desk: Browser, visit: Appointment) -> None:
    address = reverse("appointments:cancel", args=[visit.pk])
    assert "Tell the client" in html_of(desk.get(address))
    assert desk.post(address, {"version": visit.version}).status_code == 303
    visit.refresh_from_db()
    assert (visit.state, visit.is_notice_wanted) == (State.CANCELLED, False)


def test_the_note_of_a_visit_is_written(desk: Browser, visit: Appointment) -> None:
    address = reverse("appointments:note", args=[visit.pk])
    assert desk.post(address, {"note": "Longer", "version": visit.version}, headers=HTMX).status_code == 200
    visit.refresh_from_db()
    assert visit.note == "Longer"
    answer = desk.post(address, {"note": "Mine", "version": 1}, headers=HTMX)
    assert answer.status_code == 409
    assert "Mine" in html_of(answer)  # nothing typed is lost
    visit.refresh_from_db()
    assert visit.note == "Longer"


# --- the card -----------------------------------------------------------------------------------------------------


def test_the_card_shows_visits_ahead_first_then_the_past_by_year(desk: Browser, visit: Appointment) -> None:
    for year in (2024, 2025):
        day = dt.datetime(year, 5, 6, 10, tzinfo=PARIS)
        factories.appointment(client=visit.client, staff=visit.staff, start_at=day, state=State.DONE)
    html = html_of(desk.get(reverse("appointments:of_client", args=[visit.client_id])))
    assert html.index("Still to come") < html.index(">2025<") < html.index(">2024<")
    assert f"?client={visit.client_id}&amp;service={visit.service_id}&amp;staff={visit.staff_id}" in html


def test_somebody_without_visits_can_be_booked(desk: Browser, lea: Staff) -> None:
    client = factories.client()
    html = html_of(desk.get(reverse("appointments:of_client", args=[client.pk])))
    assert "No appointment yet" in html
    assert f"{reverse('appointments:book')}?client={client.pk}" in html


def test_the_booking_page_says_of_a_restricted_and_of_an_erased_card_what_it_says_of_an_id_that_never_was(
    signed_in: SignIn, lea: Staff, owner: User
) -> None:
    restricted, erased = factories.client(restricted_at=at(9)), factories.client()
    act.erase(erased, ground="asked", by=owner, now=at(9))
    told = re.compile(r"This card is [^<]*|This client is [^<]*")

    def said(role: Role, pk: object) -> list[str]:
        return told.findall(html_of(signed_in(role).get(f"{reverse('appointments:book')}?client={pk}")))

    for role in Role:
        unknown = said(role, 999_999)
        assert unknown == ["This card is not in the book any more."]
        assert said(role, erased.pk) == unknown
        if role in (Role.OWNER, Role.MANAGER):
            assert "restricted: nothing is booked" in said(role, restricted.pk)[0]
        else:
            assert said(role, restricted.pk) == unknown
        # "Book again" of a walk-in.
        assert said(role, "None") == []


# --- settings -----------------------------------------------------------------------------------------------------


@pytest.fixture
def boss(signed_in: SignIn) -> Browser:
    return signed_in(Role.OWNER)


def test_a_service_is_added_changed_and_retired_but_never_deleted(boss: Browser, visit: Appointment) -> None:
    data = {"name": "Balayage", "duration_minutes": 90, "price": "80", "category": "", "rebook_weeks": "", "position": 0}
    assert boss.post(reverse("appointments:service_add"), data).status_code == 303
    assert boss.post(reverse("appointments:service_add"), data).status_code == 422  # the same name twice
    used = reverse("appointments:service_edit", args=[visit.service_id])
    assert boss.post(used, data | {"name": "Coupe", "price": "45"}).status_code == 303
    assert boss.post(used, {"act": "retire"}).status_code == 303
    assert Service.objects.get(pk=visit.service_id).is_active is False
    visit.refresh_from_db()
    assert visit.price == 42
    assert boss.post(used, {"act": "offer"}).status_code == 303
    assert Service.objects.get(pk=visit.service_id).is_active is True


def week(**fields: str) -> dict[str, Any]:
    return {"name": "Marco", "color": "2", "user": "", "position": "0", "act": "save", **fields}


def test_somebody_is_added_with_hours_and_a_break(boss: Browser) -> None:
    hours = {"day1-starts_at": "09:00", "day1-ends_at": "18:00", "day1-break_from": "12:30", "day1-break_to": "13:30"}
    assert boss.post(reverse("appointments:staff_add"), week(**hours)).status_code == 303
    rows = list(WorkingHours.objects.values_list("weekday", "starts_at", "ends_at"))
    assert rows == [(1, dt.time(9), dt.time(12, 30)), (1, dt.time(13, 30), dt.time(18))]
    page = html_of(boss.get(reverse("appointments:staff_edit", args=[Staff.objects.get().pk])))
    assert 'value="12:30"' in page
    assert 'value="18:00"' in page


@pytest.mark.parametrize(
    "hours",
    [
        {"day1-starts_at": "09:00"},
        {"day1-starts_at": "18:00", "day1-ends_at": "09:00"},
        {"day1-starts_at": "09:00", "day1-ends_at": "18:00", "day1-break_from": "19:00", "day1-break_to": "20:00"},
        {"day1-break_from": "12:00", "day1-break_to": "13:00"},
    ],
)
def test_hours_that_make_no_sense_are_refused_in_words(boss: Browser, hours: dict[str, str]) -> None:
    answer = boss.post(reverse("appointments:staff_add"), week(**hours))
    assert answer.status_code == 422
    assert "Tuesday" in html_of(answer)
    assert not Staff.objects.exists()


def test_nobody_leaves_while_visits_stand(boss: Browser, visit: Appointment, owner: User) -> None:
    address = reverse("appointments:staff_edit", args=[visit.staff_id])
    assert "has 1 visit ahead" in html_of(boss.post(address, {"act": "deactivate"}))
    booking.cancel(visit, by=owner, now=at(8), is_notice_wanted=False)
    assert boss.post(address, {"act": "deactivate"}).status_code == 303
    assert Staff.objects.get(pk=visit.staff_id).is_active is False
    assert boss.post(address, {"act": "reactivate"}).status_code == 303


def test_reception_reads_the_settings_and_changes_nothing(desk: Browser, visit: Appointment) -> None:
    assert desk.get(reverse("appointments:services")).status_code == 200
    assert desk.get(reverse("appointments:staff")).status_code == 200
    assert desk.get(reverse("appointments:service_edit", args=[visit.service_id])).status_code == 403
    assert desk.get(reverse("appointments:staff_edit", args=[visit.staff_id])).status_code == 403


def test_the_button_of_the_next_state_names_the_act(signed_in: SignIn) -> None:
    visit = factories.appointment()
    html = signed_in(Role.RECEPTION).get(f"/appointments/{visit.pk}/").content.decode()
    assert re.search(r'id="visit-to-confirmed">Confirm<', html)


def test_somebody_new_gets_the_least_used_colour(signed_in: SignIn, salon: object) -> None:
    for color in (1, 2, 4, 5, 6, 7, 8, 1):
        factories.staff(name=f"Nr {color}", color=color)
    shown = html_of(signed_in(Role.OWNER).get("/settings/staff/new/"))
    assert re.findall(r'name="color" value="(\d)"[^>]* checked', shown) == ["3"]


def test_a_wrong_hour_of_somebody_new_is_in_the_list_on_top(signed_in: SignIn, salon: object) -> None:
    form = {"name": "Zoé", "color": "1", "position": "1", "day0-starts_at": "soon", "day1-starts_at": "09:00"}
    answer = signed_in(Role.OWNER).post("/settings/staff/new/", form)
    assert answer.status_code == 422
    summary = html_of(answer).split('class="s-summary"')[1].split("</div>")[0]
    assert '<a href="#id_day0-starts_at">Monday from: ' in summary
    assert "Tuesday: give both times" in summary
