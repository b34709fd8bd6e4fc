"""What is ticked in the list: by id, on any page, or everybody by a signed filter."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import signing
from django.http import QueryDict
from django.test import Client as Browser
from django.utils import timezone

from clients import lists, selection
from clients.exporting import exports
from clients.models import Client, Export
from salon.core.errors import Refused
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def book(salon: Salon) -> list[Client]:
    """Sixty Germans, and two French."""
    germans = [factories.client(language="de", sort_name=f"b{number:02}") for number in range(60)]
    return [*germans, factories.client(language="fr", sort_name="a"), factories.client(language="fr", sort_name="z")]


def body(answer: Any) -> str:
    return str(answer.content.decode())


def every_in(shown: str) -> str:
    """Return the address of "Select all" on a page."""
    found = re.search(r'id="sel-all" href="([^"]+)"', shown)
    assert found
    return html.unescape(found[1])


def chosen(query: str, user: User) -> set[int]:
    ticked = selection.read(QueryDict(query), user)
    return set(selection.rows(ticked, user, Salon.objects.current(), now=timezone.now()).values_list("pk", flat=True))


def test_select_all_takes_the_filtered_list_and_carries_no_ids(signed_in: SignIn, book: list[Client]) -> None:
    desk = signed_in(Role.OWNER)
    shown = body(desk.get("/clients/?lang=de&select=1"))
    assert "Select all 60" in shown
    every = body(desk.get(every_in(shown)))
    assert "All 60 selected" in every
    assert every.count("checked disabled") == 50, "without scripts a tick that is taken off must not be lost unseen"
    assert '<input type="hidden" name="sel"' not in every
    two = body(desk.get(f"{every_in(shown)}&page=2", headers=HTMX))
    assert two.count("checked disabled") == 10
    assert "All 60 selected" in two


def test_all_of_one_list_stays_that_in_another_list(signed_in: SignIn, book: list[Client]) -> None:
    desk = signed_in(Role.OWNER)
    token = every_in(body(desk.get("/clients/?lang=de"))).rpartition("all=")[2]
    shown = body(desk.get(f"/clients/?all={token}"))
    assert "All 60 selected" in shown
    assert "62 clients" in shown
    assert shown.count("checked disabled") == 49, "of the fifty here one is French"


def test_a_foreign_a_changed_and_an_old_filter_select_nobody(
    owner: User, reception: User, book: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    token = selection.seal(lists.wanted({"lang": "de"}), owner)
    assert len(chosen(f"all={token}", owner)) == 60
    assert chosen(f"all={token}", reception) == chosen(f"all={token}x", owner) == set()
    forged = signing.dumps({"list": "", "by": owner.pk}, salt="another")
    assert chosen(f"all={forged}", owner) == set()
    monkeypatch.setattr(selection, "_LASTS", -1)
    old = selection.read(QueryDict(f"all={token}"), owner)
    assert (bool(old), old.is_over) == (False, True)
    with pytest.raises(Refused, match="too old"):
        selection.check(old, 0)


def test_the_restricted_and_the_forgotten_leave_a_selection(owner: User, book: list[Client]) -> None:
    ids = "&".join(f"sel={client.pk}" for client in book[:3])
    Client.objects.filter(pk=book[0].pk).update(restricted_at=timezone.now())
    assert chosen(ids, owner) == {book[1].pk, book[2].pk}


def test_what_an_act_takes_is_limited_with_a_sentence(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "ACT_MOST", 5)
    selection.check(selection.Selection((1,)), 5)
    with pytest.raises(Refused, match="At most 5 clients at once"):
        selection.check(selection.Selection((1,)), 6)
    with pytest.raises(Refused, match="Nobody"):
        selection.check(selection.Selection(), 0)


def test_a_list_too_long_for_an_act_says_so_in_the_menu(
    signed_in: SignIn, book: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = signed_in(Role.OWNER)
    assert "Add tag to 62 clients" in body(desk.get("/clients/"))
    monkeypatch.setattr(selection, "ACT_MOST", 61)
    shown = body(desk.get("/clients/"))
    assert "At most 61 at once: narrow the list by a filter." in shown
    assert "Add tag to 62 clients" not in shown
    assert "Export 62 clients to Excel" in shown, "a file takes more"


def test_more_ticks_than_an_address_carries_are_cut_and_said(
    signed_in: SignIn, book: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "TICKED_MOST", 3)
    shown = body(signed_in(Role.OWNER).get("/clients/", {"sel": [client.pk for client in book[:5]]}))
    assert "3 selected" in shown
    assert "At most 3 can be ticked by hand." in shown


def test_all_are_exported_by_their_filter_and_the_job_remembers_it(
    signed_in: SignIn, book: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = signed_in(Role.OWNER)
    token = every_in(body(desk.get("/clients/?lang=de"))).rpartition("all=")[2]
    asked = body(desk.get(f"/clients/export/?all={token}"))
    assert "Download 60 clients" in asked
    assert "Language: German" in asked
    monkeypatch.setattr("clients.exporting.exports.AT_ONCE", 2)
    desk.post("/clients/export/", {"preset": "contacts", "who": "all", "lang": "de"})
    row = Export.objects.get()
    assert (row.filters, row.row_count) == ("lang=de", 60)
    assert desk.get("/clients/export/?all=broken").status_code == 303


def test_writing_to_all_asks_about_each_of_them(signed_in: SignIn, book: list[Client]) -> None:
    desk = signed_in(Role.OWNER)
    few = every_in(body(desk.get("/clients/?lang=fr"))).rpartition("all=")[2]
    many = every_in(body(desk.get("/clients/?lang=de"))).rpartition("all=")[2]
    for signed in (few, many):
        shown = body(desk.get(f"/messages/new/?all={signed}"))
        assert f'name="all" value="{signed}"' in shown, "the page carries the filter, not the ids of all whom it finds"
        assert 'name="sel"' not in shown
    assert "Left out" in shown


def test_all_but_those_unticked_is_carried_by_the_signed_filter_alone(owner: User, reception: User, book: list[Client]) -> None:
    """Whoever carries "all" carries who was unticked: no page can lose them on the way."""
    token = selection.seal(lists.wanted({"lang": "de"}), owner)
    gone, other = book[0], book[1]
    read = selection.read(QueryDict(f"all={token}&but={gone.pk}&but=x"), owner)
    assert read.but == (gone.pk,)
    assert chosen(f"all={read.every}", owner) == {client.pk for client in book[1:60]}
    both = selection.read(QueryDict(f"all={read.every}&but={other.pk}"), owner)
    assert chosen(f"all={both.every}", owner) == {client.pk for client in book[2:60]}
    back = selection.read(QueryDict(f"all={both.every}&too={gone.pk}"), owner)
    assert back.but == (other.pk,)
    assert chosen(f"all={both.every}", reception) == set(), "signed for one user"
    outside = selection.read(QueryDict(f"all={token}&too={book[60].pk}"), owner)
    assert book[60].pk not in chosen(f"all={outside.every}", owner), "nobody gets in whom the filter does not find"


def test_more_unticked_than_can_be_carried_select_nobody_rather_than_one_of_them(
    owner: User, book: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "TICKED_MOST", 2)
    token = selection.seal(lists.wanted({"lang": "de"}), owner)
    query = f"all={token}&" + "&".join(f"but={client.pk}" for client in book[:3])
    assert chosen(query, owner) == set()
    with pytest.raises(Refused, match="Select the clients again"):
        selection.check(selection.read(QueryDict(query), owner), 0)


def test_the_page_shows_who_is_unticked_and_every_act_leaves_them_out(
    signed_in: SignIn, book: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, gone = signed_in(Role.OWNER), book[0]
    token = every_in(body(desk.get("/clients/?lang=de"))).rpartition("all=")[2]
    shown = body(desk.get(f"/clients/?lang=de&all={token}&but={gone.pk}"))
    assert "59 selected, all but 1" in shown
    assert re.search(rf'value="{gone.pk}" id="tick-{gone.pk}" disabled', shown)
    now_on = re.search(r'name="all" value="([^"]+)"', shown)
    assert now_on is not None
    assert "E-mail to 59 clients" in body(desk.get(f"/messages/new/?all={now_on[1]}"))
    asked = body(desk.get(f"/clients/export/?all={now_on[1]}"))
    assert "Download 59 clients" in asked
    assert "without 1 unticked" in asked
    assert f'name="but" value="{gone.pk}"' in asked
    wish = {"preset": "contacts", "who": "all", "lang": "de", "but": str(gone.pk)}
    answer = desk.post("/clients/export/", wish)
    assert answer.status_code == 200
    assert Export.objects.get().row_count == 59
    monkeypatch.setattr("clients.exporting.exports.AT_ONCE", 2)
    desk.post("/clients/export/", wish)
    job = Export.objects.latest("pk")
    assert (job.row_count, job.but) == (59, [gone.pk])
    assert exports.wanted_of(job).but == (gone.pk,)
    tagged = desk.post("/clients/tags/add/", {"all": now_on[1], "name": "x"})
    assert tagged.status_code == 303
    assert not gone.tags.exists()
    assert Client.objects.filter(tags__name="x").count() == 59
