"""The blacklist: who cannot book online, however they spell themselves; a reason for the desk alone; until a day."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from appointments.models import Appointment
from clients import blacklist, invariants, links, lists, reversal, runs
from clients.models import Blacklisting, CardRun, Client, ClientContact, DuplicatePair
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Notice, User
from salon.core.roles import Role
from tests import factories, people

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
NOW = timezone.now()
DAY = dt.timedelta(days=1)
HTMX = {"HX-Request": "true"}


def body(answer: Any) -> str:
    return str(answer.content.decode())


def listed(client: Client) -> dt.datetime | None:
    return Client.objects.values_list("blacklisted_at", flat=True).get(pk=client.pk)


def may_book(email: str = "", phone: str = "", client: Client | None = None, now: dt.datetime = NOW) -> bool:
    return blacklist.may_book_online(email=email, phone=phone, client=client, now=now)


@pytest.fixture
def thomas(reception: User) -> Client:
    """Thomas, on the blacklist, with a second e-mail and a second number."""
    client = factories.client(first_name="Thomas", last_name="Dreyfus", email="thomas.dreyfus@gmail.com", phone="+33640719002")
    ClientContact.objects.create(client=client, channel="email", address="td@work.example")
    ClientContact.objects.create(client=client, channel="sms", address="+4917130041270")
    blacklist.add(client, reason="no_show", words="Three times", by=reception, now=NOW)
    client.refresh_from_db()
    return client


# --- on and off ---------------------------------------------------------------------------------------------------


def test_the_card_and_its_row_say_the_same_and_the_audit_trail_holds_the_code_alone(thomas: Client, reception: User) -> None:
    row = Blacklisting.objects.get()
    assert (row.reason, row.words, row.by, listed(thomas)) == ("no_show", "Three times", reception, NOW)
    assert AuditEvent.objects.get(action="client.blacklisted").facts == {"reason": "no_show"}
    with pytest.raises(Refused):
        blacklist.add(thomas, reason="unpaid", by=reception, now=NOW)
    blacklist.lift(thomas, by=reception, now=NOW + DAY)
    row.refresh_from_db()
    assert (listed(thomas), row.lifted_at, row.lifted_by, row.words) == (None, NOW + DAY, reception, "Three times")
    with pytest.raises(Refused):
        blacklist.lift(thomas, by=reception, now=NOW)


def test_a_wrong_reason_and_a_day_gone_by_are_refused(reception: User) -> None:
    client = factories.client()
    with pytest.raises(ValueError, match="smell"):
        blacklist.add(client, reason="smell", by=reception, now=NOW)
    with pytest.raises(Refused):
        blacklist.add(client, reason="other", until=factories.today() - DAY, by=reception, now=NOW)
    assert (listed(client), Blacklisting.objects.count()) == (None, 0)


def test_undo_of_many_leaves_no_mark_on_anybody_and_those_before_stay(thomas: Client, reception: User, stylist: User) -> None:
    others = [factories.client(), factories.client()]
    ids = {thomas.pk, *(one.pk for one in others)}
    run = blacklist.add_many(ids, reason="behaviour", by=reception, now=NOW + DAY)
    assert (set(run.changed), run.refused) == ({str(one.pk) for one in others}, {str(thomas.pk): "listed"})
    assert set(run.refused.values()) <= set(runs.REASONS)
    assert reversal.undo(run, by=reception, now=NOW + DAY) == 2
    assert [row.client for row in Blacklisting.objects.all()] == [thomas]
    assert listed(thomas) == NOW
    off = blacklist.lift_many([thomas.pk], by=reception, now=NOW + DAY)
    assert listed(thomas) is None
    reversal.undo(off, by=reception, now=NOW + DAY)
    assert (listed(thomas), Blacklisting.objects.get().lifted_at) == (NOW, None)
    assert blacklist.lift_many(ids, by=stylist, now=NOW).changed == {}


def test_the_last_day_counts_and_the_day_after_it_is_over(reception: User) -> None:
    client = factories.client(email="until@example.org")
    today = factories.today()
    blacklist.add(client, reason="unpaid", until=today, by=reception, now=NOW)
    assert (blacklist.expire(NOW), listed(client)) == (0, NOW)
    assert not may_book("until@example.org")
    assert may_book("until@example.org", now=NOW + DAY), "what is over is over, before any job has run"
    assert (blacklist.expire(NOW + DAY), listed(client)) == (1, None)
    assert blacklist.expire(NOW + DAY) == 0
    assert AuditEvent.objects.filter(action="client.unblacklisted", facts__reason="over").count() == 1


def test_two_times_on_one_card_hold_until_the_later_one_is_over(thomas: Client, reception: User) -> None:
    """As after a merge of two cards that both were on it."""
    Blacklisting.objects.create(client=thomas, reason="other", at=NOW - DAY, until=factories.today())
    assert blacklist.project(thomas, now=NOW).blacklisted_at == NOW - DAY
    blacklist.expire(NOW + DAY)
    assert listed(thomas) == NOW
    blacklist.lift(thomas, by=reception, now=NOW + DAY)
    assert blacklist.project(thomas, now=NOW + DAY).blacklisted_at is None


def test_the_bell_reminds_once_who_put_them_there_and_the_lead_where_that_one_left(thomas: Client, reception: User) -> None:
    manager, other = people.user_with(Role.MANAGER), factories.client()
    today = factories.today()
    blacklist.add(other, reason="unpaid", review_on=today, by=None, now=NOW)
    Blacklisting.objects.filter(client=thomas).update(review_on=today + DAY)
    assert blacklist.remind(NOW) == 1
    assert {notice.user for notice in Notice.objects.all()} == {manager}
    assert blacklist.remind(NOW + DAY) == 1
    notice = Notice.objects.get(user=reception)
    assert (notice.code, notice.url) == ("blacklist_review", f"/clients/{thomas.pk}/other/")
    assert "Thomas" not in str(notice.facts)
    assert blacklist.remind(NOW + 2 * DAY) == 0


def test_a_card_that_disagrees_with_its_rows_is_found_by_the_nightly_check(thomas: Client) -> None:
    assert list(invariants.faults()) == []
    other = factories.client(blacklisted_at=NOW)
    Client.objects.filter(pk=thomas.pk).update(blacklisted_at=None)
    assert list(invariants.faults()) == [
        f"client {other.pk}: on the blacklist, and no row says why",
        f"client {thomas.pk}: a row says on the blacklist, the card does not",
    ]


# --- who may book online ------------------------------------------------------------------------------------------

SPELLINGS = [
    ("thomas.dreyfus@gmail.com", ""),
    (" Thomas.Dreyfus@GMAIL.com ", ""),
    ("thomasdreyfus+salon@googlemail.com", ""),
    ("td@work.example", ""),
    ("TD+2@Work.Example", ""),
    ("new@example.org", "06 40 71 90 02"),
    ("new@example.org", "0033 6 40 71 90 02"),
    ("", "+33640719002"),
    ("", "+49 171 30041270"),
]
OTHERS = [
    ("", ""),
    ("new@example.org", "06 40 71 90 03"),
    ("thomas@gmail.com", ""),
    ("thomas.dreyfus@example.org", ""),
    ("d@work.example", "06"),
]


def test_no_spelling_of_an_address_evades_the_blacklist(thomas: Client) -> None:
    assert [spelling for spelling in SPELLINGS if may_book(*spelling)] == []
    assert [other for other in OTHERS if not may_book(*other)] == []
    assert not may_book(client=thomas)


def test_a_second_card_with_one_of_the_addresses_evades_nothing(thomas: Client) -> None:
    second = factories.client(email="fresh@example.org", phone="+33640719002")
    assert not may_book("fresh@example.org")
    assert not may_book(client=second)
    assert not may_book("newest@example.org", client=second)
    stranger = factories.client(email="stranger@example.org", phone="+33699999999")
    assert may_book("stranger@example.org", client=stranger)


def test_a_card_that_was_taken_in_answers_as_the_one_that_took_it(thomas: Client) -> None:
    taken = factories.client(erased_at=NOW, merged_into=thomas)
    assert not may_book(client=taken)


@pytest.mark.parametrize("said", ["pair", "link", "nothing"])
def test_two_people_at_one_number_do_not_answer_for_each_other(said: str, thomas: Client, reception: User) -> None:
    mother = factories.client(first_name="Marie", email="marie@example.org", phone="+33640719002")
    if said == "pair":
        DuplicatePair.objects.create(low=thomas, high=mother, score=40, band="possible", state="household")
    elif said == "link":
        links.add(mother, thomas, kind="child", by=reception)
    assert may_book("marie@example.org", client=mother) is (said != "nothing")
    assert may_book("", "+33640719002", client=mother) is (said != "nothing")
    assert not may_book("", "+33640719002"), "the number alone may be his"
    assert not may_book("td@work.example", client=mother), "and his own address stays his"


def test_nobody_is_barred_once_taken_off_or_forgotten(thomas: Client, reception: User) -> None:
    Client.objects.filter(pk=thomas.pk).update(erased_at=NOW)
    assert may_book("thomas.dreyfus@gmail.com")
    Client.objects.filter(pk=thomas.pk).update(erased_at=None)
    blacklist.lift(thomas, by=reception, now=NOW)
    assert may_book("thomas.dreyfus@gmail.com", client=thomas)


# --- the pages ----------------------------------------------------------------------------------------------------


def test_the_desk_writes_down_why_and_what_it_means(signed_in: SignIn) -> None:
    client, browser = factories.client(first_name="Thomas", last_name="Dreyfus"), signed_in(Role.RECEPTION)
    card = f"/clients/{client.pk}/"
    assert 'id="menu-blacklist"' in body(browser.get(card))
    asked = body(browser.get(f"/clients/blacklist/?sel={client.pk}&next={card}", headers=HTMX))
    assert "Put Thomas Dreyfus on the blacklist" in asked
    assert "They are not told." in asked
    form = {"sel": client.pk, "next": card}
    assert browser.post("/clients/blacklist/", form).status_code == 422
    past = {"reason": "unpaid", "until": (factories.today() - DAY).isoformat()}
    assert "This day is in the past." in body(browser.post("/clients/blacklist/", {**form, **past}))
    done = body(browser.post("/clients/blacklist/", {**form, "reason": "unpaid", "words": "42 euros"}, follow=True))
    assert "Thomas Dreyfus is on the blacklist now." in done
    assert 'id="menu-unblacklist"' in done
    assert "42 euros" in body(browser.get(f"{card}other/"))
    browser.post(f"/clients/acts/{CardRun.objects.get().pk}/undo/", {"next": card})
    assert (listed(client), Blacklisting.objects.count()) == (None, 0)


def test_the_reason_is_for_the_desk_alone_and_the_mark_for_everybody(thomas: Client, signed_in: SignIn) -> None:
    for role, reads in ((Role.RECEPTION, True), (Role.STYLIST, False)):
        page = body(signed_in(role).get(f"/clients/{thomas.pk}/other/"))
        assert ("Three times" in page, "Did not turn up" in page) == (reads, reads)
        assert "Blacklist" in page


def test_every_appointment_of_theirs_carries_a_red_word_with_a_sign(thomas: Client, signed_in: SignIn) -> None:
    visit = factories.appointment(client=thomas)
    factories.appointment(staff=visit.staff, service=visit.service, start_at=visit.start_at - dt.timedelta(hours=3))
    browser = signed_in(Role.STYLIST)
    on = visit.start_at.astimezone(factories.PARIS).date()
    desk = signed_in(Role.RECEPTION)
    pages = {
        "day": body(browser.get(f"/calendar/{on}/")),
        "visit": body(browser.get(f"/appointments/{visit.pk}/")),
        "booking": body(desk.get(f"/calendar/new/?client={thomas.pk}")),
    }
    mark = re.compile(r'<span class="s-badge s-trouble"><svg.*?</svg>Blacklist</span>', re.DOTALL)
    assert {name: len(mark.findall(html)) for name, html in pages.items()} == {"day": 1, "visit": 1, "booking": 1}
    assert Appointment.objects.count() == 2


def test_the_list_has_a_chip_with_their_number_and_a_filter(thomas: Client, reception: User, signed_in: SignIn) -> None:
    factories.client(last_name="Other")
    assert lists.status_counts(reception)["blacklist"] == 1
    browser = signed_in(Role.RECEPTION)
    only = body(browser.get("/clients/?status=blacklist&select=1"))
    assert 'id="sel-unblacklist"' in only
    assert "Dreyfus" in only
    assert "Dreyfus" not in body(browser.get("/clients/?listed=no"))
    assert "Dreyfus" in body(browser.get("/clients/?listed=yes"))
