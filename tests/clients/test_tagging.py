"""A tag on many cards at once: what is done, what is not and why, and that Undo leaves everything as it was."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients import selection, tagging, tags
from clients.models import Client, Tag, TagRun
from salon.core.errors import Refused
from salon.core.models import AuditEvent, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}
NOW = timezone.now()


def body(answer: Any) -> str:
    return str(answer.content.decode())


def links() -> set[tuple[int, int]]:
    """Return every tag on every card."""
    return set(Client.tags.through.objects.values_list("client", "tag"))


@pytest.fixture
def book(reception: User) -> list[Client]:
    """Somebody free, somebody with the tag, somebody with 20 others, somebody restricted."""
    clients = [factories.client(last_name=name) for name in ("Free", "Has", "Full", "Gone")]
    tags.add(clients[1], name="bridal", by=reception)
    for number in range(tags.MOST):
        tags.add(clients[2], name=f"tag {number}", by=reception)
    Client.objects.filter(pk=clients[3].pk).update(restricted_at=NOW)
    return clients


def ids(clients: list[Client]) -> set[int]:
    return {client.pk for client in clients}


def test_a_tag_goes_on_every_card_that_can_take_it_and_the_run_says_why_not(reception: User, book: list[Client]) -> None:
    run = tagging.add(ids(book), name="BRIDAL", by=reception, now=NOW)
    free, has, full, gone = (client.pk for client in book)
    assert run.changed == [free]
    assert run.refused == {str(has): "has", str(full): "full", str(gone): "gone"}
    assert set(Client.objects.filter(tags__name="bridal")) == {book[0], book[1]}
    assert set(run.refused.values()) <= set(tagging.REASONS)


def test_undo_restores_exactly_what_was_there(reception: User, book: list[Client]) -> None:
    before = links()
    run = tagging.add(ids(book), name="bridal", by=reception, now=NOW)
    assert links() != before
    assert tagging.undo(run, by=reception, now=NOW) == 1
    assert links() == before, "who had the tag before has it still"
    with pytest.raises(Refused):
        tagging.undo(run, by=reception, now=NOW)
    tag = Tag.objects.get(name="bridal")
    run = tagging.remove(ids(book), tag, by=reception, now=NOW)
    assert (run.changed, run.refused[str(book[0].pk)]) == ([book[1].pk], "has_not")
    tagging.undo(run, by=reception, now=NOW)
    assert links() == before


def test_what_was_changed_since_is_left_by_undo(reception: User, book: list[Client]) -> None:
    other = factories.client()
    run = tagging.add({book[0].pk, other.pk}, name="bridal", by=reception, now=NOW)
    tags.remove(other, run.tag, by=reception)
    before = links()
    assert tagging.undo(run, by=reception, now=NOW) == 1
    assert links() == before - {(book[0].pk, run.tag_id)}


def test_an_old_run_is_not_undone_and_goes(reception: User, book: list[Client]) -> None:
    run = tagging.add({book[0].pk}, name="x", by=reception, now=NOW - tagging.KEPT_FOR - dt.timedelta(hours=1))
    with pytest.raises(Refused):
        tagging.undo(run, by=reception, now=NOW)
    tagging.add({book[0].pk}, name="y", by=reception, now=NOW)
    assert not TagRun.objects.filter(pk=run.pk).exists()


def test_every_card_has_its_line_in_the_audit_trail_and_nothing_but_ids(reception: User, book: list[Client]) -> None:
    run = tagging.add(ids(book), name="Zoé’s wedding", by=reception, now=NOW)
    one = AuditEvent.objects.get(action="client.tagged", subject_id=book[0].pk)
    assert (one.by, one.facts) == (reception, {"tag": run.tag_id, "one_of_many": f"clients.tagrun:{run.pk}"})
    every = AuditEvent.objects.get(action="clients.tagged")
    assert every.facts == {"tag": run.tag_id, "clients_count": 2, "refused_count": 2}


def test_one_line_of_the_activity_opens_to_the_cards_it_was_done_to(
    signed_in: Callable[[Role], Browser], reception: User, book: list[Client]
) -> None:
    run = tagging.add(ids(book), name="Christmas", by=reception, now=timezone.now())
    tagging.undo(run, by=reception, now=timezone.now())
    desk = signed_in(Role.MANAGER)
    page = desk.get("/settings/activity/").content.decode()
    assert page.count("added the tag Christmas") == 1, "one line, however many cards"
    added = re.search(r'href="([^"]+of=\d+)">2 cards</a>', page[page.index("added the tag Christmas") :])
    assert added is not None
    assert page.index("undid the tags") < page.index("added the tag Christmas")
    opened = desk.get(added[1]).content.decode()
    assert opened.count("added the tag Christmas") == 2, "each card, and not what the undo did"
    assert "took off" not in opened
    names = {book_.name for book_ in book if f'href="/clients/{book_.pk}/"' in opened}
    assert len(names) == 2
    assert "Nothing was done that fits" in desk.get("/settings/activity/?of=999999").content.decode()


def test_all_chunks_are_one_transaction(reception: User, monkeypatch: pytest.MonkeyPatch) -> None:
    clients = [factories.client() for _ in range(5)]
    monkeypatch.setattr(tagging, "CHUNK", 2)
    put_on, calls = tagging._put_on, []

    def fail_at_the_third(ids: Any, tag: Tag) -> dict[int, str]:
        calls.append(ids)
        if len(calls) == 3:
            raise RuntimeError
        return put_on(ids, tag)

    monkeypatch.setattr(tagging, "_put_on", fail_at_the_third)
    with pytest.raises(RuntimeError):
        tagging.add(ids(clients), name="bridal", by=reception, now=NOW)
    assert len(calls) == 3
    assert links() == set()
    assert not TagRun.objects.exists()


def test_many_cards_take_no_more_statements_than_few(reception: User) -> None:
    def statements(count: int) -> int:
        some = {factories.client().pk for _ in range(count)}
        with CaptureQueriesContext(
            connection,
        ) as asked:
            tagging.add(some, name="bridal", by=reception, now=NOW)
        return len(asked)

    statements(1)
    assert statements(40) == statements(2)


def test_the_page_asks_which_and_tells_what_was_done_with_undo_and_who_not(signed_in: SignIn, book: list[Client]) -> None:
    desk, sel = signed_in(Role.RECEPTION), [client.pk for client in book]
    asked = body(desk.get("/clients/tags/add/", {"sel": sel}, headers=HTMX))
    assert "Add a tag to 4 clients" in asked
    assert asked.count('name="sel"') == 4
    answer = desk.post("/clients/tags/add/", {"sel": sel, "name": "bridal", "next": "/clients/?lang=fr"})
    assert (answer.status_code, answer["Location"]) == (303, "/clients/?lang=fr")
    shown = body(desk.get("/clients/"))
    run = TagRun.objects.get()
    assert "Tag “bridal” put on 1 card. 3 not." in shown
    desk.post("/clients/tags/add/", {"sel": [book[1].pk], "name": "bridal"})
    assert "No card was changed." in body(desk.get("/clients/"))
    told = body(desk.get(f"/clients/tags/{run.pk}/"))
    for words in ("Has the tag already", "Has 20 tags already", "1 card is not in the book any more, or restricted."):
        assert words in told
    assert "Gone" not in told
    desk.post(f"/clients/tags/{run.pk}/undo/", {"token": str(run.pk)})
    assert "Undone on 1 card." in body(desk.get("/clients/"))
    assert not book[0].tags.exists()


def test_a_tag_is_taken_off_everybody_in_a_filtered_list(signed_in: SignIn, owner: User, book: list[Client]) -> None:
    desk = signed_in(Role.OWNER)
    other = factories.client(language="de")
    tag = tags.add(other, name="bridal", by=owner)
    assert tag is not None
    every = re.search(r'id="untag-list" href="([^"]+)"', body(desk.get("/clients/?lang=fr")))
    assert every
    asked = body(desk.get(every[1]))
    assert "bridal (1)" in asked
    token = every[1].partition("all=")[2]
    desk.post("/clients/tags/remove/", {"all": token, "name": str(tag.pk)})
    assert set(tag.clients.all()) == {other}, "who is not in the list keeps it"


def test_nonsense_is_refused_and_nobody_is_changed(
    signed_in: SignIn, book: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, before = signed_in(Role.RECEPTION), links()
    assert desk.post("/clients/tags/add/", {"sel": [book[0].pk], "name": " "}).status_code == 422
    assert desk.post("/clients/tags/remove/", {"sel": [book[1].pk], "name": "999"}).status_code == 422
    assert "None of them has a tag." in body(desk.get("/clients/tags/remove/", {"sel": [book[0].pk]}))
    for given in ({"name": "x"}, {"name": "x", "all": "forged"}, {"name": "x", "sel": "a"}):
        assert desk.post("/clients/tags/add/", given).status_code == 303
    monkeypatch.setattr(selection, "ACT_MOST", 1)
    desk.post("/clients/tags/add/", {"sel": [book[0].pk, book[1].pk], "name": "x"})
    assert "At most 1 clients at once" in body(desk.get("/clients/"))
    assert links() == before
