"""The pages of a merge: what it will do, who changed a card meanwhile, the way from the old card, the undo."""

import datetime as dt
import json
import re
from collections.abc import Callable

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from clients import consent, links, records
from clients.merging import merges
from clients.models import Client, Merge
from salon.core.models import User
from salon.core.roles import Role
from tests import factories
from tests.clients.test_merge import pair

pytestmark = pytest.mark.django_db
SignIn = Callable[[Role], Browser]


def url(*clients: Client, main: Client | None = None) -> str:
    query = "&".join([*(f"id={client.pk}" for client in clients), *([f"main={main.pk}"] if main else [])])
    return f"{reverse('clients:merge')}?{query}"


def form(html: str) -> dict[str, object]:
    """Return what the page would send, as it was shown."""
    found: dict[str, object] = {"id": re.findall(r'name="id" value="(\d+)"', html)}
    found |= dict(re.findall(r'name="(version-\d+|main)" value="(\d+)"', html))
    seen = re.search(r'name="seen" value="([^"]*)"', html)
    assert seen
    found["seen"] = seen[1].replace("&quot;", '"')
    for name, value in re.findall(r'type="radio" id="[^"]*" name="(\w+)" value="(\d+)" checked', html):
        found[name] = value
    return found


def rows(html: str) -> dict[str, str]:
    """Return the words of each line of the table by its label."""
    lines = re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', html, re.DOTALL)
    return {_words(label): _words(rest) for label, rest in lines}


def own(html: str) -> str:
    """Return the form, without the token that is another each time."""
    found = re.search(r'<form id="merge".*?</form>', html, re.DOTALL)
    assert found
    return re.sub(r'csrfmiddlewaretoken" value="\w+"', "", found[0])


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_page_says_what_will_be_and_why(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    factories.appointment(client=one)
    consent.record(two, purpose="mkt.promotion", channel="sms", event="withdraw", source="in_person")
    html = signed_in(Role.RECEPTION).get(url(one, two)).content.decode()
    found = rows(html)
    assert list(found)[:3] == ["First name", "Phone", "E-mail"], "what needs a choice comes first"
    assert "3 fields need your choice." in html
    assert found["Last name"] == "Bertrand Same on both"
    assert found["Date of birth"] == "4 April 1991 Only on one"
    assert found["Client note"] == "Allergic to PPD Comes with her daughter Both kept"
    assert found["Offers and news · SMS"].endswith("A “No” always wins")
    assert found["Marketing by e-mail"] == "Not asked Nobody asked"
    assert re.search(r'name="main" value="(\d+)"', html)[1] == str(one.pk), "most stands on it"  # type: ignore[index]
    assert "Visits: 1 (1 + 0)" in html
    assert "Amélie Bertrand, 06 88 21 04 11" in _words(html)


def test_the_fragment_is_the_page_s_own_and_the_other_card_can_be_made_the_main_one(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    browser = signed_in(Role.MANAGER)
    whole = browser.get(url(one, two, main=two)).content.decode()
    part = browser.get(url(one, two, main=two), headers={"HX-Request": "true"}).content.decode()
    assert own(whole) == own(part)
    assert form(whole)["main"] == str(two.pk)
    assert f'id="make-main-{one.pk}"' in whole


def test_what_was_chosen_is_kept_when_the_main_card_is_another(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    html = signed_in(Role.OWNER).get(f"{url(one, two, main=two)}&email={one.pk}&phone={two.pk}").content.decode()
    assert (form(html)["email"], form(html)["phone"]) == (str(one.pk), str(two.pk))


def test_cards_are_merged_the_survivor_opens_and_undo_is_offered(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    browser = signed_in(Role.RECEPTION)
    sent = form(browser.get(url(one, two)).content.decode())
    answer = browser.post(reverse("clients:merge"), {**sent, "email": two.pk})
    assert (answer.status_code, answer.headers["Location"]) == (303, reverse("clients:card", args=[one.pk]))
    assert Client.objects.get(pk=one.pk).email == two.email
    html = browser.get(reverse("clients:card", args=[one.pk])).content.decode()
    undo = reverse("clients:merge_undo", args=[Merge.objects.get().pk])
    assert "2 clients merged. Undo until" in html
    assert f'action="{undo}"' in html
    assert f'href="{undo}"' in html, "and for 30 days from the timeline"
    assert browser.post(undo).status_code == 303
    assert Client.objects.get(pk=two.pk).email == two.email


def test_who_changed_a_card_meanwhile_is_pointed_at_and_nothing_is_merged(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    browser = signed_in(Role.RECEPTION)
    sent = form(browser.get(url(one, two)).content.decode())
    records.edit(two, by=owner, version=two.version, last_name="Berger")
    answer = browser.post(reverse("clients:merge"), sent)
    assert answer.status_code == 409
    html = answer.content.decode()
    changed = re.findall(r'<tr class="s-changed"><th scope="row">\s*([\w ]+)', html)
    assert changed == ["Last name "]
    assert not Merge.objects.exists()
    assert browser.post(reverse("clients:merge"), form(html)).status_code == 303, "as it stands now"


@pytest.mark.parametrize("path", ["", "address/", "other/", "appointments/", "edit/?from=q%3Dx"])
def test_the_address_of_a_card_that_is_gone_leads_to_the_one_that_took_it_in(signed_in: SignIn, owner: User, path: str) -> None:
    one, two = pair(owner)
    merges.merge([one.pk, two.pk], main=one.pk, by=owner, now=timezone.now())
    browser, gone, left = signed_in(Role.OWNER), f"/clients/{two.pk}/{path}", f"/clients/{one.pk}/{path}"
    assert (answer := browser.get(gone)).status_code == 303
    assert answer.headers["Location"] == left
    part = browser.get(gone, headers={"HX-Request": "true"})
    assert part.headers["HX-Redirect"] == left


def test_a_page_that_is_asked_about_a_card_that_is_gone_asks_about_the_other_one(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    merges.merge([one.pk, two.pk], main=one.pk, by=owner, now=timezone.now())
    browser, third = signed_in(Role.OWNER), records.add(by=owner, first_name="Third")
    assert browser.get(f"/messages/?client={two.pk}").headers["Location"] == f"/messages/?client={one.pk}"
    answer = browser.post(f"/clients/{third.pk}/links/", {"other": two.pk, "kind": "family"})
    assert answer.status_code == 404, "not led in a circle"


def test_what_is_sent_to_a_card_that_is_gone_is_not_done_and_somebody_is_told(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    merges.merge([one.pk, two.pk], main=one.pk, by=owner, now=timezone.now())
    browser = signed_in(Role.OWNER)
    answer = browser.post(f"/clients/{two.pk}/tags/", {"name": "Regular"})
    assert answer.headers["Location"] == f"/clients/{one.pk}/tags/"
    assert "Nothing was saved" in browser.get("/clients/").content.decode()
    assert not one.tags.exists()


def test_warnings_tell_that_these_may_be_two_people(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner, birth_day=1, birth_month=1, birth_year=2012)
    at = timezone.now() + dt.timedelta(days=2)
    for card in (one, two):
        factories.appointment(client=card, start_at=at)
    Client.objects.filter(pk=two.pk).update(blacklisted_at=timezone.now())
    browser = signed_in(Role.OWNER)
    html = browser.get(url(one, two)).content.decode()
    for words in ("dates of birth differ", "appointment at the same time", "may be different people", "on the blacklist"):
        assert words in html
    links.add(one, two, kind="child", by=owner)
    assert "linked as family" in browser.get(url(one, two)).content.decode()


def test_the_page_before_an_undo_says_what_stays(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    done = merges.merge([one.pk, two.pk], main=one.pk, by=owner, now=timezone.now())
    browser, undo = signed_in(Role.RECEPTION), reverse("clients:merge_undo", args=[done.pk])
    assert "Nothing happened on the card since." in browser.get(undo).content.decode()
    left = Client.objects.get(pk=one.pk)
    factories.appointment(client=left)
    records.edit(left, by=owner, version=left.version, email="new@example.org")
    consent.record(left, purpose="*", channel="email", event="object", source="one_click_post")
    html = browser.get(undo).content.decode()
    for words in ("1 new appointment stays with Amélie Bertrand", "Changed since, and stays as it is: E-mail", "said No since"):
        assert words in html
    browser.post(undo)
    assert "undone already" in browser.get(undo).content.decode()


def test_the_other_card_is_found_from_the_menu(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    browser, find = signed_in(Role.RECEPTION), reverse("clients:merge_with", args=[one.pk])
    assert f'href="{find}"' in browser.get(f"/clients/{one.pk}/").content.decode()
    html = browser.get(f"{find}?q=bertrand").content.decode()
    assert f"?id={one.pk}&amp;id={two.pk}" in html
    assert f"id={one.pk}&amp;id={one.pk}" not in html


def test_too_few_too_many_and_unknown_cards_lead_back_to_the_list_with_a_word(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    browser = signed_in(Role.OWNER)
    for path in (url(one), url(one, Client(pk=two.pk + 99)), "/clients/merge/", "/clients/merge/?id=x&id=9999999999999"):
        assert browser.get(path).headers["Location"] == "/clients/"
    assert browser.post("/clients/merge/", {"id": [one.pk, two.pk], "main": one.pk}).status_code == 409, "seen by nobody"
    assert browser.post("/clients/merge/", {"id": [one.pk, two.pk], "main": 77, "seen": json.dumps([1])}).status_code == 303
    assert not Merge.objects.exists()


def test_a_stylist_merges_nothing_and_is_told_who_does(signed_in: SignIn, owner: User) -> None:
    one, two = pair(owner)
    browser = signed_in(Role.STYLIST)
    answer = browser.get(url(one, two))
    assert answer.status_code == 403
    assert "card-merge" not in browser.get(f"/clients/{one.pk}/").content.decode()
