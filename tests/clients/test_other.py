"""What the page Other keeps: tags, further contacts, family, details. Nothing of it overwrites another card."""

import datetime as dt
import re
from collections.abc import Callable, Collection
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client as Browser
from django.utils import timezone

from clients import access, answers, contacts, links, lists, records, search, slips, tags, undoing
from clients.duplicates import near
from clients.models import Client, ClientContact, ClientLink, Tag
from salon.core.errors import Refused
from salon.core.models import AuditEvent, Salon, User
from salon.core.roles import Role
from tests import factories
from tests.clients.test_pages import body, part

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def amelie(reception: User) -> Client:
    return records.add(by=reception, first_name="Amélie", last_name="Bertrand", phone="+33688210411", email="a@example.org")


@pytest.fixture
def hugo(reception: User) -> Client:
    return records.add(by=reception, first_name="Hugo", last_name="Bertrand")


@pytest.fixture
def desk(signed_in: SignIn) -> Browser:
    return signed_in(Role.RECEPTION)


def token_in(shown: str) -> str:
    found = re.findall(r'name="token" value="([^"]+)"', shown)
    assert found, "no Undo"
    return str(found[-1])


def row_of(client: Client) -> dict[str, Any]:
    return dict(Client.objects.filter(pk=client.pk).values().get())


# Tags


def test_all_spellings_of_a_tag_are_one(amelie: Client, hugo: Client, reception: User) -> None:
    tags.add(amelie, name=" Été  bleu ", by=reception)
    tags.add(hugo, name="ETE BLEU", by=reception)
    assert tags.add(hugo, name="été bleu", by=reception) is None
    assert [tag.name for tag in Tag.objects.all()] == ["Été bleu"]
    assert tags.in_use() == ["Été bleu"]


def test_a_tag_is_added_and_taken_off_in_place_and_undone(desk: Browser, amelie: Client) -> None:
    address = f"/clients/{amelie.pk}/tags/"
    added = body(desk.post(address, {"name": "Regular"}, headers=HTMX))
    fresh = body(desk.get(f"/clients/{amelie.pk}/other/"))
    assert part(added, "tags").replace(" hx-swap-oob", "") == part(fresh, "tags")
    assert "Regular" in re.findall(r'<div id="card-head".*?<nav', added, re.DOTALL)[0], "the mark in the head came along"
    (tag,) = amelie.tags.all()
    gone = body(desk.post(address, {"off": str(tag.pk)}, headers=HTMX))
    assert not amelie.tags.exists()
    assert desk.post(f"/clients/{amelie.pk}/other/undo/", {"token": token_in(gone)}).status_code == 303
    assert amelie.tags.get() == tag
    desk.post(f"/clients/{amelie.pk}/other/undo/", {"token": token_in(added)})
    assert not amelie.tags.exists()
    actions = AuditEvent.objects.filter(action__startswith="client.").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["client.added", "client.tagged", "client.untagged", "client.tagged", "client.untagged"]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_empty_tag_is_no_tag(desk: Browser, amelie: Client, headers: dict[str, str]) -> None:
    answer = desk.post(f"/clients/{amelie.pk}/tags/", {"name": " \u2028 "}, headers=headers)
    assert answer.status_code == 422
    assert not Tag.objects.exists()


def test_a_card_has_at_most_twenty_tags(amelie: Client, reception: User) -> None:
    for number in range(tags.MOST):
        tags.add(amelie, name=f"t{number}", by=reception)
    with pytest.raises(Refused):
        tags.add(amelie, name="one more", by=reception)
    assert amelie.tags.count() == tags.MOST


def test_tags_stand_on_the_list_with_the_same_number_of_queries(
    desk: Browser, amelie: Client, hugo: Client, reception: User, django_assert_max_num_queries: object
) -> None:
    tags.add(amelie, name="Regular", by=reception)
    with django_assert_max_num_queries(16) as few:  # type: ignore[operator]
        assert "Regular" in body(desk.get("/clients/"))
    for client in factories.cards([{"last_name": f"N{number}"} for number in range(20)], by=reception):
        tags.add(client, name="Regular", by=reception)
    with django_assert_max_num_queries(len(few)):  # type: ignore[operator]
        desk.get("/clients/")


# Further contacts


def found(text: str) -> set[int]:
    return set(search.find(text).values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("typed", "channel", "kept", "finds"),
    [
        ("07 55 12-34.56", "sms", "+33755123456", ["0755123456", "+33 7 55 12 34 56", "123456"]),
        ("Work@Example.ORG", "email", "work@example.org", ["work@example.org", "work@"]),
    ],
)
def test_a_further_contact_is_found_by_the_search_and_survives_an_edit(
    desk: Browser, amelie: Client, reception: User, typed: str, channel: str, kept: str, finds: list[str]
) -> None:
    shown = body(desk.post(f"/clients/{amelie.pk}/contacts/", {"address": typed, "label": "work"}, headers=HTMX))
    assert part(shown, "contacts") == part(body(desk.get(f"/clients/{amelie.pk}/other/")), "contacts")
    contact = ClientContact.objects.get()
    assert (contact.channel, contact.address, contact.label) == (channel, kept, "work")
    for text in finds:
        assert found(text) == {amelie.pk}, text
    records.edit(amelie, by=reception, version=1, last_name="Durand")
    records.fill_many({amelie.pk: {"city": "Lyon"}}, by=reception)
    assert all(found(text) == {amelie.pk} for text in finds)
    assert found("durand") == {amelie.pk}
    gone = body(desk.post(f"/clients/{amelie.pk}/contacts/", {"off": str(contact.pk)}, headers=HTMX))
    assert all(found(text) == set() for text in finds)
    desk.post(f"/clients/{amelie.pk}/other/undo/", {"token": token_in(gone)})
    assert ClientContact.objects.get().label == "work"
    assert all(found(text) == {amelie.pk} for text in finds)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("12", "Enter a phone number"),
        ("a@", "Enter an e-mail address"),
        ("", "This field is required"),
        ("06 88 21 04 11", "already"),
    ],
)
def test_a_faulty_contact_comes_back_with_what_was_typed(desk: Browser, amelie: Client, typed: str, words: str) -> None:
    answer = desk.post(f"/clients/{amelie.pk}/contacts/", {"address": typed, "label": "mother"}, headers=HTMX)
    assert answer.status_code == 422
    assert words in body(answer)
    assert 'value="mother"' in body(answer)
    assert not ClientContact.objects.exists()


def test_a_shared_number_or_e_mail_changes_no_other_card(amelie: Client, hugo: Client, reception: User) -> None:
    answers.set_channel(amelie, "email", "no", by=reception)
    before, version = row_of(amelie), amelie.version
    contacts.add(hugo, channel="sms", address="+33688210411", label="mother", by=reception)
    contacts.add(hugo, channel="email", address="a@example.org", label="", by=reception)
    records.edit(hugo, by=reception, version=version, phone="+33688210411", email="a@example.org")
    third = records.add(by=reception, first_name="Zoé", phone="+33688210411", email="a@example.org")
    assert row_of(amelie) == before
    assert answers.front(amelie, "email").answer is answers.Answer.NO
    assert {row.pk for row in Client.objects.all()} == {amelie.pk, hugo.pk, third.pk}
    assert found("0688210411") == {amelie.pk, hugo.pk, third.pk}


def test_a_further_number_is_a_hint_on_another_card(amelie: Client, hugo: Client, reception: User) -> None:
    contacts.add(hugo, channel="sms", address="+33688210411", label="", by=reception)
    assert near.with_phone("+33688210411", Client.objects.all(), but=amelie) == [hugo]
    assert near.with_email("a@example.org", Client.objects.all(), but=None) == [amelie]


def test_a_further_contact_says_nothing_about_consent(amelie: Client, reception: User) -> None:
    answers.set_channel(amelie, "email", "yes", how="phone", by=reception)
    contacts.add(amelie, channel="email", address="other@example.org", label="", by=reception)
    assert answers.front(amelie, "email").answer is answers.Answer.YES


def test_a_stylist_sees_further_contacts_masked_and_finds_nobody_by_them(
    signed_in: SignIn, amelie: Client, reception: User, salon: Salon, monkeypatch: pytest.MonkeyPatch
) -> None:
    own: set[int] = set()

    def ids_of(user: User, on: dt.date) -> Collection[int]:
        return own

    monkeypatch.setattr(access, "_own_clients", [ids_of])
    contacts.add(amelie, channel="sms", address="+33755123456", label="Paul's", by=reception)
    contacts.add(amelie, channel="email", address="geheim@example.org", label="", by=reception)
    stylist = signed_in(Role.STYLIST)
    for path in ("", "other/"):
        shown = body(stylist.get(f"/clients/{amelie.pk}/{path}"))
        assert "07 •• •• •• 56" in shown
        assert not re.search(r"55123456|55 12 34|geheim@|Paul", shown)
    assert "Bertrand" not in body(stylist.get("/clients/?q=0755123456")).split("<main")[1]
    own.add(amelie.pk)
    assert "07 55 12 34 56" in body(stylist.get(f"/clients/{amelie.pk}/other/"))


# Family


@pytest.mark.parametrize(
    ("kind", "back"), [("guardian", "child"), ("child", "guardian"), ("partner", "partner"), ("family", "family")]
)
def test_a_link_is_shown_on_both_cards(amelie: Client, hugo: Client, reception: User, kind: str, back: str) -> None:
    links.add(amelie, hugo, kind=kind, by=reception)
    everybody = Client.objects.all()
    assert [(tie.other, tie.kind) for tie in links.of(amelie, everybody)] == [(hugo, kind)]
    assert [(tie.other, tie.kind) for tie in links.of(hugo, everybody)] == [(amelie, back)]
    with pytest.raises(Refused):
        links.add(hugo, amelie, kind="family", by=reception)
    with pytest.raises(Refused):
        links.add(hugo, hugo, kind="family", by=reception)


def test_the_database_keeps_one_link_a_pair(amelie: Client, hugo: Client) -> None:
    ClientLink.objects.create(client=amelie, other=hugo, kind="family")
    for one, other in ((hugo, amelie), (amelie, hugo), (hugo, hugo)):
        with pytest.raises(IntegrityError), transaction.atomic():
            ClientLink.objects.create(client=one, other=other, kind="partner")


def test_somebody_is_found_linked_unlinked_and_linked_again(desk: Browser, amelie: Client, hugo: Client) -> None:
    address = f"/clients/{amelie.pk}/links/"
    shown = body(desk.get(f"{address}?q=bertrand", headers=HTMX))
    assert f'name="other" value="{hugo.pk}"' in shown
    assert f'name="other" value="{amelie.pk}"' not in shown
    assert "No client matches" in body(desk.get(f"{address}?q=zzzz"))
    linked = body(desk.post(address, {"other": str(hugo.pk), "kind": "child"}, headers=HTMX))
    assert part(linked, "links") == part(body(desk.get(f"/clients/{amelie.pk}/other/")), "links")
    assert "Parent or guardian" in part(body(desk.get(f"/clients/{hugo.pk}/other/")), "links")
    gone = body(desk.post(f"/clients/{hugo.pk}/links/", {"off": str(ClientLink.objects.get().pk)}, headers=HTMX))
    assert not ClientLink.objects.exists()
    desk.post(f"/clients/{hugo.pk}/other/undo/", {"token": token_in(gone)})
    (tie,) = links.of(amelie, Client.objects.all())
    assert (tie.other, tie.kind) == (hugo, "child")


def test_a_link_to_a_hidden_card_is_not_shown(amelie: Client, hugo: Client, reception: User) -> None:
    links.add(amelie, hugo, kind="family", by=reception)
    Client.objects.filter(pk=hugo.pk).update(restricted_at=timezone.now())
    assert links.of(amelie, access.clients_for(reception)) == []


# Details and Undo


def test_details_are_edited_in_place_with_a_conflict_per_field(desk: Browser, amelie: Client, reception: User) -> None:
    page = f"/clients/{amelie.pk}/other/"
    typed = {"preferred_channel": "sms", "came_through": "", "version": "1"}
    first = {"initial-preferred_channel": "", "initial-came_through": ""}
    saved = body(desk.post(f"{page}edit/", {**typed, **first}, headers=HTMX))
    assert part(saved, "details") == part(body(desk.get(page)), "details") == part(body(desk.get(page, headers=HTMX)), "details")
    assert "SMS" in part(saved, "details")
    records.edit(amelie, by=reception, version=2, came_through="friend")
    answer = desk.post(f"{page}edit/", {**typed, **first, "preferred_channel": "email", "version": "2"}, headers=HTMX)
    assert answer.status_code == 409
    assert "Somebody recommended us" in body(answer)
    assert re.search(r'name="pick_came_through" value="theirs" checked', body(answer))
    assert Client.objects.get().preferred_channel == "sms"


def test_an_undo_is_for_its_card_for_ten_minutes_and_cannot_be_made_up(amelie: Client, hugo: Client, reception: User) -> None:
    now = timezone.now()
    tag = tags.add(amelie, name="Regular", by=reception)
    assert tag is not None
    token = slips.seal("tagged", amelie, now=now, tag=tag.pk)
    assert "Regular" not in token
    for client, value, at in (
        (hugo, token, now),
        (amelie, token, now + dt.timedelta(minutes=11)),
        (amelie, token[:-3] + "AAA", now),
    ):
        with pytest.raises(Refused):
            undoing.undo(client, value, by=reception, now=at)
    assert amelie.tags.exists()
    undoing.undo(amelie, token, by=reception, now=now)
    assert not amelie.tags.exists()


def test_a_number_in_an_undo_cannot_be_read(amelie: Client) -> None:
    assert "755123456" not in slips.seal("contact_removed", amelie, now=timezone.now(), address="+33755123456")


def test_a_stylist_changes_nothing_here(signed_in: SignIn, amelie: Client, reception: User) -> None:
    tags.add(amelie, name="Regular", by=reception)
    stylist = signed_in(Role.STYLIST)
    shown = body(stylist.get(f"/clients/{amelie.pk}/other/"))
    assert "Regular" in shown
    assert not re.search(r'id="(add-tag|add-contact|find-link|edit-details|usual-staff)"', shown)


def test_the_list_knows_its_rows(amelie: Client, reception: User, salon: Salon) -> None:
    (row,) = lists.rows_of(reception, salon, [amelie], now=timezone.now())
    assert row.client == amelie
