"""Systems without a connection: a line for each No, ticked off with Undo; and the file of the refusals."""

import datetime as dt
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from openpyxl import load_workbook

from clients import consent, fold
from clients.erasure import act
from clients.merging import merges
from clients.models import Client
from notifications.systems import informing, planning
from notifications.systems.models import Delivery, OtherSystem
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Notice, User
from salon.core.roles import Role
from tests import factories, people

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
PAGE = "/messages/systems/"


@pytest.fixture
def treatwell(owner: User) -> OtherSystem:
    return factories.other_system(way="by_hand")


def refuse(client: Client, **more: Any) -> None:
    said: dict[str, Any] = {"purpose": "mkt.promotion", "channel": "email", "event": "withdraw", "source": "in_person"} | more
    consent.record(client, **said)
    planning.plan(timezone.now())


def test_each_no_is_a_line_until_it_is_ticked_off_and_undo_brings_it_back(treatwell: OtherSystem, signed_in: SignIn) -> None:
    ann, ben, cat = (factories.client(first_name=name, last_name="Roux") for name in ("Ann", "Ben", "Cat"))
    refuse(ann)
    refuse(ben, purpose=fold.ALL_MARKETING, channel="*", event="object")
    refuse(ann, purpose="mkt.review")  # waits already: one line
    consent.record(cat, purpose="mkt.promotion", channel="email", event="grant", source="paper_form")
    planning.plan(timezone.now())
    browser = signed_in(Role.RECEPTION)
    page = browser.get(PAGE).content.decode()
    assert "Tell Treatwell: 2 clients said No" in page
    assert ("Ann Roux" in page, "Ben Roux" in page, "Cat Roux" in page) == (True, True, False)
    assert "E-mail: offers and news, request for a review" in page
    assert "SMS: all marketing" in page
    line = Delivery.objects.get(client_number=ann.pk)
    done = browser.post(f"{PAGE}{treatwell.pk}/told/", {"line": line.pk}, follow=True).content.decode()
    assert ("Ann Roux" in done, "1 line ticked off." in done) == (False, True)
    line.refresh_from_db()
    assert (line.state, line.told_by) == ("told", people.user_with(Role.RECEPTION))
    token = informing.slip(treatwell, [line.pk])
    assert "Ann Roux" in browser.post(f"{PAGE}undo/", {"token": token}, follow=True).content.decode()
    everything = browser.post(
        f"{PAGE}{treatwell.pk}/told/", {"upto": Delivery.objects.latest("pk").pk}, follow=True
    ).content.decode()
    assert ("2 lines ticked off." in everything, "Everything is told" in everything) == (True, True)
    assert [row.facts["count"] for row in AuditEvent.objects.filter(action="system.informed")] == [1, 2]
    refuse(ann, purpose="mkt.welcome")  # a new No is a new line
    assert "Tell Treatwell: 1 client said No" in browser.get(PAGE).content.decode()


def test_who_was_erased_is_a_line_without_a_name_until_they_are_deleted_there_too(
    treatwell: OtherSystem, signed_in: SignIn, owner: User
) -> None:
    connected = factories.other_system()
    ann, ben, cat = (factories.client(first_name=name, last_name="Roux") for name in ("Ann", "Ben", "Cat"))
    refuse(ann)
    assert (
        "In Treatwell, until somebody deletes the client there"
        in signed_in(Role.OWNER).get(f"/clients/{ann.pk}/delete/").content.decode()
    )
    case = None
    for client in (ann, ben):
        erasure = act.erase(client, ground="asked", by=owner, now=timezone.now())
        case = case or (erasure.case if erasure else None)
    merges.merge([cat.pk, (main := factories.client()).pk], main=main.pk, by=owner, now=timezone.now())
    planning.plan(timezone.now())
    planning.plan(timezone.now())  # twice says it once
    browser = signed_in(Role.RECEPTION)
    page = browser.get(PAGE).content.decode()
    assert "Delete in Treatwell too: 2 erased clients" in page
    assert (f"Card no. {ann.pk}" in page, f"Card no. {cat.pk}" in page, "Roux" in page) == (True, False, False)
    assert f"Case {str(case)[:8]}" in page
    assert "said No" not in page, "the No of somebody erased is over"
    assert {notice.facts["erased"] for notice in Notice.objects.filter(code="systems_inform", user=owner)} == {2}
    line = Delivery.objects.get(system=treatwell, client_number=ann.pk, kind="client.erased")
    told = f"{PAGE}{treatwell.pk}/told/"
    refuse(other := factories.client())
    browser.post(told, {"upto": Delivery.objects.latest("pk").pk})
    assert Delivery.objects.get(pk=line.pk).state == "waiting", "that all Nos were told deletes nobody"
    assert Delivery.objects.get(system=treatwell, client_number=other.pk).state == "told"
    browser.post(told, {"line": line.pk, "what": "gone"})
    assert Delivery.objects.get(pk=line.pk).state == "told"
    assert "Delete in Treatwell too: 1 erased client" in browser.get(PAGE).content.decode()
    browser.post(f"{PAGE}undo/", {"token": informing.slip(treatwell, [line.pk])})
    browser.post(told, {"upto": Delivery.objects.latest("pk").pk, "what": "gone"})
    assert "Everything is told" in browser.get(PAGE).content.decode()
    planning.plan(timezone.now())
    assert not Delivery.objects.filter(system=treatwell, state="waiting").exists()
    assert Delivery.objects.filter(system=connected, kind="client.merged", client_number=cat.pk).exists()


def test_a_slip_undoes_only_what_its_owner_ticked_off_and_not_for_ever(
    treatwell: OtherSystem, owner: User, reception: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(factories.client())
    ids = informing.tick(treatwell, upto=Delivery.objects.get().pk, by=owner, now=timezone.now())
    slip = informing.slip(treatwell, ids)
    assert informing.untick(slip, by=reception) == 0
    for broken in (slip[:-1], "", "x:y:z"):
        with pytest.raises(Refused):
            informing.untick(broken, by=owner)
    monkeypatch.setattr(informing, "KEEPS_FOR", -1)
    with pytest.raises(Refused):
        informing.untick(slip, by=owner)
    monkeypatch.undo()
    assert informing.untick(slip, by=owner) == 1


def test_all_told_leaves_what_came_after_the_page_was_opened_and_what_its_reader_may_not_see(
    treatwell: OtherSystem, owner: User
) -> None:
    seen, hidden, late = (factories.client() for _ in range(3))
    refuse(seen)
    refuse(hidden)
    Client.objects.filter(pk=hidden.pk).update(restricted_at=timezone.now())
    (page,) = informing.lists(owner)
    refuse(late)
    assert informing.tick(treatwell, upto=page.last, by=owner, now=timezone.now()) == [page.tasks[0].pk]
    assert set(Delivery.objects.filter(state="waiting").values_list("client_number", flat=True)) == {hidden.pk, late.pk}


def test_those_who_lead_hear_of_it_in_the_bell_once_however_many_there_are(treatwell: OtherSystem, owner: User) -> None:
    for _ in range(3):
        refuse(factories.client())
    (notice,) = Notice.objects.filter(user=owner)
    assert (notice.code, notice.facts["count"], notice.url) == ("systems_inform", 3, PAGE)


def test_a_line_follows_its_card_into_another_and_ends_with_an_erasure(treatwell: OtherSystem) -> None:
    survivor, taken, gone = (factories.client() for _ in range(3))
    for card in (taken, gone):
        refuse(card)
    Client.objects.filter(pk=taken.pk).update(erased_at=timezone.now(), merged_into=survivor)
    Client.objects.filter(pk=gone.pk).update(erased_at=timezone.now())
    planning.plan(timezone.now())
    rows = set(Delivery.objects.values_list("client_number", "kind", "state"))
    said, erased = Delivery.Kind.CHANGED.value, Delivery.Kind.ERASED.value
    assert rows == {
        (survivor.pk, said, "waiting"), (taken.pk, said, "passed"), (gone.pk, said, "passed"), (gone.pk, erased, "waiting"),
    }  # fmt: skip


def test_the_file_holds_who_refuses_since_these_days_and_its_download_is_written_down(
    treatwell: OtherSystem, signed_in: SignIn
) -> None:
    today, now = factories.today(), timezone.now()
    ann = factories.client(first_name="=Ann", last_name="Roux", email="home@example.org")
    child = factories.client(first_name="Bo", last_name="Roux", email="home@example.org")
    old = factories.client(first_name="Old", last_name="Roux")
    consent.record(ann, purpose=fold.ALL_MARKETING, channel="email", event="object", source="one_click_post")
    consent.record(
        old, purpose="mkt.promotion", channel="email", event="deny", source="in_person", now=now - dt.timedelta(days=40)
    )
    data = {"first": (today - dt.timedelta(days=1)).isoformat(), "last": today.isoformat()}
    answer = signed_in(Role.MANAGER).post(f"{PAGE}refusals/", data)
    book = load_workbook(BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    rows = [[cell.value for cell in row] for row in book.worksheets[0].iter_rows()]
    assert rows[0] == ["Name", "E-mail", "Phone", "No by e-mail to", "No by SMS to", "Since"]
    assert {row[0]: row[3] for row in rows[1:]} == dict.fromkeys(
        ["=Ann Roux", "Bo Roux"], "offers and news, birthday greeting, welcome, time for the next visit, request for a review"
    )
    assert rows[1][5].date() == today
    assert child.email in {row[1] for row in rows[1:]}
    assert "attachment" in answer.headers["Content-Disposition"]
    assert AuditEvent.objects.get(action="refusals.exported").facts == {"rows_count": 2}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"first": "2026-11-02", "last": "2026-11-01"}, "The last day is before the first."),
        ({"first": "1980-01-01", "last": "9999-12-31"}, "Choose a day from 2000 on."),
        ({"first": "2001-01-01", "last": "2001-01-02"}, "Nobody said No in these days."),
        ({}, "There is a problem"),
    ],
)
def test_a_span_of_no_use_is_refused_on_the_page(signed_in: SignIn, data: dict[str, str], words: str) -> None:
    answer = signed_in(Role.OWNER).post(f"{PAGE}refusals/", data)
    assert (answer.status_code, words in answer.content.decode()) == (422, True)
    assert not AuditEvent.objects.filter(action="refusals.exported").exists()
