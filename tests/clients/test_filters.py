"""The filters of the list: what each finds, how it stands in the address and on the page."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client as Browser
from django.utils import timezone

from clients import answers, consent, filters, lists, tags
from clients.models import Client
from salon.core.models import Salon, User
from salon.core.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]
HTMX = {"HX-Request": "true"}
BADGES = {"yes": answers.Answer.YES, "no": answers.Answer.NO, "ask": answers.Answer.NOT_ASKED}


@pytest.fixture
def desk(signed_in: SignIn) -> Browser:
    return signed_in(Role.RECEPTION)


def body(answer: Any) -> str:
    return str(answer.content.decode())


def found(user: User, salon: Salon, **chosen: str) -> set[int]:
    rows = lists.matching(user, salon, text="", status="active", filters=filters.read(chosen), now=timezone.now())
    return set(rows.values_list("pk", flat=True))


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("answer", list(BADGES))
def test_an_answer_is_found_exactly_where_the_badge_shows_it(reception: User, salon: Salon, channel: str, answer: str) -> None:
    yes, no, some, _asked, other = (factories.client() for _ in range(5))
    answers.set_channel(yes, channel, "yes", how="paper_form", by=reception)
    answers.set_channel(no, channel, "no", by=reception)
    answers.set_channel(other, "sms" if channel == "email" else "email", "yes", how="paper_form", by=reception)
    consent.record_many([consent.Said(some, "mkt.birthday", channel, "grant", "paper_form", actor_type="staff")])
    shown = answers.of_clients(list(Client.objects.values_list("pk", flat=True)))
    wanted = {pk for pk, said in shown.items() if said[channel] is BADGES[answer]}
    assert wanted
    assert found(reception, salon, **{"mail" if channel == "email" else "sms": answer}) == wanted


def test_what_stands_on_the_card_is_found(reception: User, salon: Salon) -> None:
    one = factories.client(birth_day=4, birth_month=11, language="de", phone="")
    two = factories.client(birth_day=4, birth_month=4, language="fr", email="")
    tag = tags.add(one, name="bridal", by=reception)
    assert tag is not None
    for chosen, clients in (
        ({"tag": str(tag.pk)}, {one}), ({"tag": "999"}, set()), ({"born": "11"}, {one}), ({"born": "4"}, {two}),
        ({"lang": "fr"}, {two}), ({"missing": "phone"}, {one}), ({"missing": "email"}, {two}),
        ({"lang": "de", "born": "4"}, set()), ({"lang": "xx", "born": "13", "tag": "a", "mail": "maybe"}, {one, two}),
    ):  # fmt: skip
        assert found(reception, salon, **chosen) == {client.pk for client in clients}, chosen


def test_an_address_with_filters_is_read_back_as_it_was_written() -> None:
    chosen = filters.read({"lang": "de", "tag": "3", "born": "11", "evil": "1"})
    assert chosen == (("tag", "3"), ("born", "11"), ("lang", "de"))
    assert filters.read({name: values[0] for name, values in parse_qs(filters.query(chosen)).items()}) == chosen


def test_a_filter_is_a_chip_that_takes_it_off_and_goes_along_with_every_link(desk: Browser, reception: User) -> None:
    for number in range(60):
        factories.client(language="de", birth_day=4, birth_month=11, sort_name=f"b{number:02}")
    factories.client(language="fr")
    shown = body(desk.get("/clients/?lang=de&born=11&page=2"))
    assert 'id="filter-lang" href="/clients/?born=11"' in shown
    assert 'id="filter-born" href="/clients/?lang=de"' in shown
    assert "Language: German" in shown
    assert "60 clients" in shown
    assert "?born=11&amp;lang=de&amp;page=1" in shown, "the pager keeps them"
    assert "?sort=-name&amp;born=11&amp;lang=de" in shown, "so does the order"
    assert '<input type="hidden" name="lang" value="de">' in shown, "and the search"
    assert "from=born%3D11%26lang%3Dde%26page%3D2" in shown, "and the way back from the card"


def test_the_choice_of_filters_leads_to_a_clean_address_with_the_ticks(desk: Browser) -> None:
    asked = desk.get("/clients/filter/?set=1&q=&status=active&sort=name&lang=de&born=&unseen=3m&unseen=2026-05-01&sel=7")
    assert asked.status_code == 303
    assert urlsplit(asked["Location"]).query == "sel=7&unseen=2026-05-01&lang=de"
    assert desk.get("/clients/filter/?set=1&lang=de", headers=HTMX)["HX-Redirect"] == "/clients/?lang=de"
    shown = body(desk.get("/clients/filter/?lang=de"))
    assert '<option value="de" selected>' in shown
    assert 'id="filter-dialog"' in body(desk.get("/clients/filter/?lang=de", headers=HTMX))


def test_taking_a_filter_off_brings_fresh_chips_and_typing_does_not(desk: Browser) -> None:
    factories.client()
    off = body(desk.get("/clients/", headers={**HTMX, "HX-Trigger": "filter-lang"}))
    assert 'id="list-tools" hx-swap-oob="true"' in off
    assert "data-focus" in off
    assert 'id="list-tools"' not in body(desk.get("/clients/?q=a", headers={**HTMX, "HX-Trigger": "q"}))


def test_nobody_found_offers_to_take_the_filters_off(desk: Browser) -> None:
    factories.client(language="de")
    assert 'id="filters-off" href="/clients/"' in body(desk.get("/clients/?lang=fr"))
    assert 'id="filters-off" href="/clients/?q=zzz"' in body(desk.get("/clients/?lang=fr&q=zzz"))


def test_the_place_of_a_card_is_counted_in_the_filtered_list(desk: Browser) -> None:
    first, _other, last = (factories.client(language=code, sort_name=code) for code in ("de", "fr", "de"))
    shown = body(desk.get(f"/clients/{last.pk}/?from=lang%3Dde"))
    assert "2 of 2" in shown
    assert f"/clients/{first.pk}/?from=lang%3Dde" in shown
