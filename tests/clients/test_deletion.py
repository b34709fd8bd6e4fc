"""Deleting: the page says what goes, a typed name confirms, tidying up can be taken back until its day, asking cannot."""

import datetime as dt
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from django.test import Client as Browser
from django.utils import timezone

from appointments import booking
from appointments.models import Appointment, Staff
from clients import bookings, consent, deletions, rights
from clients.erasure import act, journal, outside, plan, settling, wiping
from clients.erasure.above import Copy
from clients.importing import jobs
from clients.merging import merges
from clients.models import Client, Deletion, Erasure, OutsideCopy, RightsRequest
from salon.core.errors import Refused
from salon.core.models import AuditEvent, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]


def path(client: Client, more: str = "") -> str:
    return f"/clients/{client.pk}/delete/{more}"


def delete(client: Client, by: User, *, is_asked: bool = False, is_notice_wanted: bool = False) -> Deletion:
    known_by = "in_person" if is_asked else ""
    return deletions.delete(
        client, is_asked=is_asked, is_notice_wanted=is_notice_wanted, by=by, now=timezone.now(), known_by=known_by
    )


def stops(*_args: object, **_given: object) -> None:
    """Stand for a process that is killed here."""
    raise SystemExit


def test_the_page_says_what_goes_what_stays_and_what_comes(signed_in: SignIn) -> None:
    client = factories.client(first_name="Zoé", last_name="Müller-Groß", street="1 rue X")
    factories.appointment(client=client)
    factories.appointment(client=client, state="done", start_at=timezone.now() - dt.timedelta(days=3))
    factories.client(phone=str(client.phone))
    page = signed_in(Role.OWNER).get(path(client)).content.decode()
    for words in ("Name, phone, e-mail, address", "1 past visit", "1 future appointment", "A scrambled mark", "commission"):
        assert words in page
    assert "Somebody else has the same e-mail or phone" in page
    assert "Zoé Müller-Groß" in page


def test_as_many_answers_stay_as_the_page_said(owner: User) -> None:
    client, now = factories.client(), timezone.now()
    for kind in ("grant", "withdraw"):
        consent.record(client, purpose="mkt.promotion", channel="email", event=kind, source="paper_form", by=owner)
    assert any(str(line).startswith("2 answers") for line in plan.of(client, now=now).kept)
    erasure = act.erase(client, ground="tidying", by=owner, now=now)
    assert erasure is not None
    assert [line["count"] for line in erasure.kept if line["what"] == "ledger"] == [2]


def test_a_typed_name_needs_no_accents_and_no_capitals() -> None:
    for typed in ("Müller-Groß", "muller gross", "  MULLER-GROSS ", "Zoé Müller-Groß", "zoe MULLER gross"):
        assert plan.is_confirmed(Client(first_name="Zoé", last_name="Müller-Groß"), typed, "FR")
    for typed in ("", "Müller", "Zoé", "Zoé Müller"):
        assert not plan.is_confirmed(Client(first_name="Zoé", last_name="Müller-Groß"), typed, "FR")
    assert plan.is_confirmed(Client(first_name="Zoé"), "zoe", "FR")
    assert plan.is_confirmed(Client(phone="+33612345678"), "06 12 34 56 78", "FR")
    assert not plan.is_confirmed(Client(phone="+33612345678"), "06 12 34 56 79", "FR")


def test_a_wrong_name_keeps_everything_that_was_typed(signed_in: SignIn) -> None:
    client = factories.client(last_name="Bertrand")
    answer = signed_in(Role.OWNER).post(path(client), {"when": "document", "name": "Bertrant"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="Bertrant"' in page
    assert 'value="document" checked' in page
    assert not Deletion.objects.exists()


def test_tidying_up_hides_at_once_and_can_be_taken_back(signed_in: SignIn) -> None:
    owner, client = signed_in(Role.OWNER), factories.client(last_name="Bertrand")
    assert signed_in(Role.MANAGER).post(path(client), {"when": "tidying", "name": "bertrand"}).status_code == 303
    client.refresh_from_db()
    row = Deletion.objects.get()
    assert (client.inactive_reason, row.erase_on) == ("deleting", factories.today() + dt.timedelta(days=30))
    assert owner.get(f"/clients/{client.pk}/").status_code == 404
    assert "Bertrand" not in owner.get("/clients/?status=inactive").content.decode()
    assert "Bertrand" in owner.get("/clients/deleted/").content.decode()
    assert signed_in(Role.MANAGER).post(f"/clients/deleted/{row.pk}/bring-back/").status_code == 403
    assert owner.post(f"/clients/deleted/{row.pk}/bring-back/").status_code == 303
    client.refresh_from_db()
    assert (client.inactive_at, client.inactive_reason) == (None, "")
    assert not Deletion.objects.exists()


def test_a_list_does_not_bring_back_who_is_to_be_erased(owner: User) -> None:
    client = factories.client(last_name="Bertrand", street="")
    delete(client, owner)
    text = f"First name,Last name,E-mail,Street\nAmélie,Bertrand,{client.email},1 rue Neuve\n"
    jobs.bring_in(text.encode(), "l.csv", by=owner, now=timezone.now())
    client.refresh_from_db()
    assert (client.street, client.inactive_reason) == ("", "deleting")
    assert Client.objects.filter(last_name="Bertrand").count() == 1


def test_an_inactive_card_comes_back_as_it_was(owner: User) -> None:
    client = factories.client(inactive_at=timezone.now(), inactive_reason="moved")
    row = delete(client, owner)
    deletions.bring_back(row, by=owner, now=timezone.now())
    client.refresh_from_db()
    assert client.inactive_at is not None
    assert client.inactive_reason == "moved"


def test_on_the_day_it_is_erased_and_not_before(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    client = factories.client()
    with time_machine.travel("2026-11-18 12:00+00:00", tick=False):
        row = delete(client, owner)
    with time_machine.travel("2026-12-17 12:00+00:00", tick=False):
        assert deletions.work(timezone.now()) == 0
    with time_machine.travel("2026-12-18 12:00+00:00", tick=False):
        with pytest.raises(Refused, match="too late"):
            deletions.bring_back(row, by=owner, now=timezone.now())
        deletions.work(timezone.now())
    client.refresh_from_db()
    assert client.erased_at is not None
    assert (client.last_name, client.email, str(client.phone)) == ("", "", "")
    assert Erasure.objects.get().ground == "tidying"
    assert not Deletion.objects.exists()


def test_one_who_cannot_be_erased_does_not_keep_the_others(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = factories.client(), factories.client()
    for client in (first, second):
        delete(client, owner, is_asked=True)
    real = act.erase

    def stumbles(client: Client, **given: Any) -> Erasure | None:
        if client.pk == first.pk:
            raise ValueError("a fault of ours")
        return real(client, **given)

    monkeypatch.setattr(act, "erase", stumbles)
    assert deletions.work(timezone.now()) == 1
    assert [row.client for row in Deletion.objects.all()] == [first]
    monkeypatch.undo()
    assert deletions.work(timezone.now()) == 1


def test_a_formal_request_erases_now_and_says_no_name(signed_in: SignIn) -> None:
    owner, client = signed_in(Role.OWNER), factories.client(last_name="Bertrand")
    visit = factories.appointment(client=client)
    answer = owner.post(path(client), {"when": "document", "name": "Bertrand"}, follow=True)
    page = answer.content.decode()
    visit.refresh_from_db()
    erasure, request = Erasure.objects.get(), RightsRequest.objects.get()
    assert f"Case {str(erasure.case)[:8]}" in page
    assert "Bertrand" not in page
    assert (visit.state, visit.client) == ("cancelled", None)
    assert (request.kind, request.known_by, request.client, request.case) == ("erasure", "document", None, erasure.case)
    assert request.answered_at is not None
    log = owner.get("/settings/privacy/requests/").content.decode()
    assert str(erasure.case)[:8] in log
    assert "1 visit" in owner.get("/clients/deleted/").content.decode()
    assert AuditEvent.objects.filter(action="client.erased", subject_id=client.pk).exists()


def test_how_the_client_was_known_is_nobodys_answer_beforehand(signed_in: SignIn, owner: User) -> None:
    desk, client = signed_in(Role.OWNER), factories.client(last_name="Bertrand")
    page = desk.get(path(client)).content.decode()
    assert re.findall(r'name="when" value="(\w+)" checked', page) == ["tidying"]
    assert desk.post(path(client), {"when": "asked", "name": "Bertrand"}).status_code == 422
    with pytest.raises(Refused, match="Say how you know"):
        deletions.delete(client, is_asked=True, is_notice_wanted=False, by=owner, now=timezone.now())
    assert not Deletion.objects.exists()
    # Tidying up is the salon's own will: nobody asked, nobody had to be known.
    assert desk.post(path(client), {"when": "tidying", "name": "Bertrand"}).status_code == 303
    given = {"reason": "disputed", "note": "", "until": ""}
    assert desk.post(f"/clients/{factories.client().pk}/restrict/", given).status_code == 422


def test_a_manager_deletes_and_does_not_erase(signed_in: SignIn) -> None:
    manager, client = signed_in(Role.MANAGER), factories.client(last_name="Bertrand")
    page = manager.get(path(client)).content.decode()
    assert len(re.findall(r'name="when" value="(\w+)" disabled', page)) == 4
    assert "Only the owner erases at once" in page
    assert manager.post(path(client), {"when": "in_person", "name": "Bertrand"}).status_code == 422
    assert not Deletion.objects.exists()


def test_reception_is_told_who_may_and_makes_the_card_inactive_instead(signed_in: SignIn, owner: User) -> None:
    desk, client = signed_in(Role.RECEPTION), factories.client()
    answer = desk.get(path(client))
    assert answer.status_code == 403
    assert "Make inactive instead" in answer.content.decode()
    assert desk.post(path(client), {"when": "tidying", "name": client.last_name}).status_code == 403
    assert desk.post(path(client, "inactive/")).status_code == 303
    client.refresh_from_db()
    assert client.inactive_at is not None
    assert not Deletion.objects.exists()


def test_a_client_who_is_to_be_told_is_hidden_afterwards(owner: User) -> None:
    client, now = factories.client(), timezone.now()
    visit = factories.appointment(client=client)
    row = delete(client, owner, is_asked=True, is_notice_wanted=True)
    client.refresh_from_db()
    visit.refresh_from_db()
    assert visit.state == "cancelled"
    assert client.inactive_at is None
    assert deletions.is_waiting(row)
    assert deletions.work(now + dt.timedelta(seconds=30)) == 0  # the planner may not have had its turn
    assert deletions.work(now + deletions.TELL_WITHIN) == 1
    client.refresh_from_db()
    assert client.erased_at is not None


@pytest.mark.parametrize("is_inactive", [True, False])
def test_an_inactive_client_is_not_said_to_be_told_of_the_cancellation(signed_in: SignIn, owner: User, is_inactive: bool) -> None:
    """Nothing is sent to them: it is said, not offered, and nothing waits for it. The control is an active client."""
    asleep = {"inactive_at": timezone.now(), "inactive_reason": "other"} if is_inactive else {}
    client = factories.client(**asleep)
    visit = factories.appointment(client=client)
    page = signed_in(Role.OWNER).get(path(client)).content.decode()
    assert ('id="nobody-told"' in page) is is_inactive
    assert ('name="is_notice_wanted"' in page) is not is_inactive
    row = delete(client, owner, is_notice_wanted=True)
    visit.refresh_from_db()
    assert (visit.state, visit.is_notice_wanted) == ("cancelled", not is_inactive)
    assert deletions.is_waiting(row) is not is_inactive


def test_the_card_says_that_it_is_being_deleted_and_book_says_why_not(signed_in: SignIn, owner: User) -> None:
    client, desk = factories.client(), signed_in(Role.RECEPTION)
    card = f"/clients/{client.pk}/"
    factories.appointment(client=client)
    assert 'id="deletion-line"' not in desk.get(card).content.decode()
    delete(client, owner, is_notice_wanted=True)
    page = desk.get(card).content.decode()
    assert 'id="deletion-line"' in page
    for gone in ('id="book"', 'id="message"', 'id="card-delete"', 'id="bring-back"'):
        assert gone not in page
    assert 'id="bring-back"' in signed_in(Role.OWNER).get(card).content.decode()
    page = desk.get(f"/calendar/new/?client={client.pk}").content.decode()
    assert "This client is being deleted." in page
    assert client.last_name not in page
    free = factories.client(last_name=client.last_name)
    assert client.last_name in desk.get(f"/calendar/new/?client={free.pk}").content.decode()


def test_the_visits_come_back_with_the_card_where_their_time_is_free(signed_in: SignIn, owner: User) -> None:
    client, now = factories.client(last_name="Bertrand"), timezone.now()
    ways: dict[str, Any] = {"service": factories.service(), "by": owner, "now": now}
    free, taken, left, over = (
        booking.book(client=client, staff=factories.staff(name=name), start_at=now + dt.timedelta(days=day), **ways)
        for name, day in (("Free", 3), ("Taken", 4), ("Left", 5), ("Over", 6))
    )
    booking.set_state(free, to="confirmed", by=owner, now=now)
    page = signed_in(Role.OWNER).get(path(client)).content.decode()
    assert "those whose time is still free" in page
    row = delete(client, owner)
    booking.book(client=factories.client(), staff=taken.staff, start_at=taken.start_at, **ways)
    Staff.objects.filter(pk=left.staff_id).update(is_active=False)
    Appointment.objects.filter(pk=over.pk).update(start_at=now - dt.timedelta(hours=2), end_at=now - dt.timedelta(hours=1))
    assert "4 appointments were cancelled" in signed_in(Role.OWNER).get("/clients/deleted/").content.decode()
    page = signed_in(Role.OWNER).post(f"/clients/deleted/{row.pk}/bring-back/", follow=True).content.decode()
    assert "1 appointment stands again." in page
    for why in ("the time is taken", "Left does not work here any more", "the time is over"):
        assert why in page
    states = [Appointment.objects.get(pk=visit.pk).state for visit in (free, taken, left, over)]
    assert states == ["confirmed", "cancelled", "cancelled", "cancelled"]


def test_a_visit_that_was_cancelled_before_does_not_come_back_with_the_card(owner: User) -> None:
    client, now = factories.client(), timezone.now()
    visit = factories.appointment(client=client)
    booking.cancel(visit, by=owner, now=now, is_notice_wanted=False)
    back = deletions.bring_back(delete(client, owner), by=owner, now=now)
    visit.refresh_from_db()
    assert (back.visits, visit.state) == ([], "cancelled")


def test_nothing_is_booked_for_who_is_told_of_the_end_first(owner: User) -> None:
    client, now = factories.client(), timezone.now()
    ways: dict[str, Any] = {"service": factories.service(), "staff": factories.staff(), "by": owner, "now": now}
    booking.book(client=client, start_at=now + dt.timedelta(days=2), **ways)
    delete(client, owner, is_notice_wanted=True)
    with pytest.raises(Refused, match="being deleted"):
        booking.book(client=client, start_at=now + dt.timedelta(days=4), **ways)


@pytest.mark.django_db(transaction=True)
def test_a_visit_that_is_booked_during_a_deletion_waits_and_is_refused(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client, now = factories.client(), timezone.now()
    first = factories.appointment(client=client)
    ways: dict[str, Any] = {"service": factories.service(), "staff": factories.staff(), "by": owner, "now": now}
    cancel_all, said = bookings.cancel_all, list[str]()

    def books() -> None:
        try:
            booking.book(client=client, start_at=now + dt.timedelta(days=3), **ways)
        except Refused as refused:
            said.append(refused.message)
        finally:
            connections.close_all()

    other = threading.Thread(target=books)

    def slow(*args: Any, **given: Any) -> list[bookings.Slip]:
        slips = cancel_all(*args, **given)
        other.start()
        other.join(1)
        assert other.is_alive(), "it waits for the card"
        return slips

    monkeypatch.setattr(bookings, "cancel_all", slow)
    delete(client, owner)
    other.join(30)
    assert "being deleted" in said[0]
    assert [visit.pk for visit in Appointment.objects.filter(client=client)] == [first.pk]


@pytest.mark.parametrize("place", ["_hide", "_today"])
def test_a_deletion_that_stops_half_way_has_cancelled_nothing(owner: User, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    client = factories.client()
    visit = factories.appointment(client=client)
    with monkeypatch.context() as patched:
        patched.setattr(deletions, place, stops)
        with pytest.raises(SystemExit):
            delete(client, owner)
    visit.refresh_from_db()
    assert (visit.state, Deletion.objects.exists()) == ("booked", False)
    row = delete(client, owner)
    deletions.bring_back(row, by=owner, now=timezone.now())
    visit.refresh_from_db()
    assert visit.state == "booked"


@pytest.mark.parametrize("error", [SystemExit, OperationalError("database is locked")])
def test_a_bring_back_that_stops_half_way_can_be_done_again_with_its_visits(
    owner: User, monkeypatch: pytest.MonkeyPatch, error: BaseException | type[BaseException]
) -> None:
    client, now = factories.client(), timezone.now()
    visits = [factories.appointment(client=client, start_at=now + dt.timedelta(days=day)) for day in (2, 3)]
    row, real, undone = delete(client, owner), booking.undo, list[int]()

    def stumbles(visit: Appointment, **given: Any) -> Appointment:
        if undone:
            raise error
        undone.append(visit.pk)
        return real(visit, **given)

    with monkeypatch.context() as patched:
        patched.setattr(booking, "undo", stumbles)
        with pytest.raises((SystemExit, OperationalError)):
            deletions.bring_back(row, by=owner, now=now)
    assert undone, "it stopped between two visits"
    assert deletions.of(client) == row
    back = deletions.bring_back(row, by=owner, now=now)
    assert [returned.why_not for returned in back.visits] == ["", ""]
    assert {Appointment.objects.get(pk=visit.pk).state for visit in visits} == {"booked"}


def test_an_inactive_card_comes_back_with_its_visits(owner: User) -> None:
    client = factories.client(inactive_at=timezone.now(), inactive_reason="moved")
    visit = factories.appointment(client=client)
    deletions.bring_back(delete(client, owner), by=owner, now=timezone.now())
    visit.refresh_from_db()
    assert visit.state == "booked"


def test_a_card_that_is_restricted_is_not_deleted_and_keeps_its_visits(owner: User) -> None:
    client = factories.client()
    visit = factories.appointment(client=client)
    rights.restrict(client, reason="claim", note="", until=None, known_by="in_person", by=owner, now=timezone.now())
    # `client` is as somebody read it before.
    with pytest.raises(Refused, match="is restricted"):
        delete(client, owner, is_asked=True)
    visit.refresh_from_db()
    assert (visit.state, Deletion.objects.exists()) == ("booked", False)


def test_a_card_that_is_restricted_all_the_same_is_not_erased(owner: User) -> None:
    client = factories.client()
    delete(client, owner, is_asked=True)
    Client.objects.filter(pk=client.pk).update(restricted_at=timezone.now())
    assert deletions.work(timezone.now()) == 0
    client.refresh_from_db()
    assert client.erased_at is None
    Client.objects.filter(pk=client.pk).update(restricted_at=None)
    assert deletions.work(timezone.now()) == 1


def test_a_journal_that_cannot_be_read_keeps_nobody_from_being_erased(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    delete(factories.client(), owner, is_asked=True)

    def unreadable() -> int:
        raise PermissionError

    monkeypatch.setattr(settling, "settle", unreadable)
    assert deletions.work(timezone.now()) == 1


def test_who_is_brought_back_or_merged_at_the_last_moment_is_not_erased(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = factories.client()
    row = delete(client, owner)
    locked = act._locked

    def brought_back(client: Client) -> list[Client]:
        deletions.bring_back(row, by=owner, now=timezone.now())
        return locked(client)

    with monkeypatch.context() as patched:
        patched.setattr(act, "_locked", brought_back)
        assert deletions.carry_out(Deletion.objects.get(), now=timezone.now()) is None
    merges.merge([client.pk, factories.client().pk], main=client.pk + 1, by=owner, now=timezone.now())
    assert act.erase(client, ground="retention", by=None, now=timezone.now()) is None
    assert Client.objects.get(pk=client.pk + 1).erased_at is None
    assert journal.entries() == []


def test_what_a_provider_holds_is_asked_for_until_it_is_gone(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, now = [], timezone.now()

    def forget(reference: str) -> None:
        asked.append(reference)
        if len(asked) < 3:
            raise ConnectionError

    monkeypatch.setattr(outside, "_providers", {"sms": forget})
    erasure = Erasure.objects.create(at=now, ground="asked")
    assert outside.note(erasure, [Copy("sms", "SM1"), Copy("smtp", "Q1"), Copy("sms", "")], now=now) == 1
    for minutes in (0, 1, 6, 7, 30):
        outside.work(now + dt.timedelta(minutes=minutes))
    row = OutsideCopy.objects.get()
    assert asked == ["SM1"] * 3
    assert (row.state, row.reference, row.try_count) == ("done", "", 2)
    row = OutsideCopy.objects.create(erasure=erasure, provider="gone", reference="X", next_at=now)
    for day in range(outside.TRIES + 1):
        outside.work(now + dt.timedelta(days=day))
    row.refresh_from_db()
    assert row.state == "given_up"


def test_the_command_does_what_is_due(owner: User, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiping, "_write_anew", lambda: False)
    delete(factories.client(), owner, is_asked=True)
    delete(factories.client(), owner)
    with pytest.raises(CommandError, match="in use"):
        call_command("erase_due")
    assert "Erased: 1. Waiting for their day: 1." in capsys.readouterr().out
